//! What a disk that is full does to silences: nothing that lasts.

use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use axum::http::header::AUTHORIZATION;
use tokio::sync::mpsc;

use super::*;
use crate::store::breakable;
use crate::telemetry::Telemetry;

/// The web over a store that can break, and who may change it.
fn web() -> (Web, HeaderMap, Arc<AtomicBool>) {
    let (store, broken) = breakable();
    let config = config::parse("web: { token: hunter2 }", "test.yaml", &|_| None).unwrap();
    let web = Web {
        board: Arc::default(),
        telemetry: Telemetry::new(),
        config: Arc::new(ArcSwap::from_pointee(config)),
        store,
        draining: Arc::default(),
        prometheus: crate::web::Prometheus::new(crate::notify::http_client().unwrap()),
        rows: crate::web::Rows::default(),
        owed: Arc::default(),
        reload: mpsc::channel(1).0,
    };
    let headers = [(AUTHORIZATION, "Bearer hunter2".parse().unwrap())].into_iter().collect();
    (web, headers, broken)
}

async fn post(web: &Web, headers: &HeaderMap) -> Result<String, Fault> {
    let body = r#"{"all": true, "duration": "1h", "reason": "why", "author": "ana"}"#;
    let made = create(State(web.clone()), headers.clone(), Request::new(Body::from(body))).await;
    made.map(|(_, Json(created))| created.silence.id)
}

#[tokio::test]
async fn a_full_disk_stops_no_silence_and_has_it_later() {
    let (web, headers, broken) = web();
    let id = post(&web, &headers).await.unwrap();
    broken.store(true, Ordering::SeqCst);
    let made_in_memory = post(&web, &headers).await.unwrap();
    assert_eq!(end(State(web.clone()), Path(id), headers.clone()).await.unwrap().state, "expired");
    let by_id = |mut silences: Vec<Silence>| {
        silences.sort_by(|one, other| one.id.cmp(&other.id));
        silences
    };
    assert_eq!(by_id(web.board.silences().silences.clone()), by_id(web.store.silences().unwrap()));
    assert_eq!(web.store.peril().unwrap().expect("the disk is full").changes, 2);

    broken.store(false, Ordering::SeqCst);
    web.store.come_back().unwrap();
    assert_eq!(web.store.peril().unwrap(), None);
    let kept = web.store.silences().unwrap();
    assert!(kept.iter().any(|silence| *silence.id == *made_in_memory));
}

#[tokio::test]
async fn silences_made_at_once_are_all_there() {
    let (web, headers, _) = web();
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (web, headers) = (web.clone(), headers.clone());
        posts.spawn(async move { post(&web, &headers).await.unwrap() });
    }
    let mut ids = posts.join_all().await;
    ids.sort();
    let mut kept: Vec<String> = web.board.silences().silences.iter().map(|one| one.id.to_string()).collect();
    kept.sort();
    assert_eq!(ids, kept);
    assert_eq!(web.store.silences().unwrap().len(), 40);
}
