//! What a disk that is full does to silences: nothing.

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
async fn what_cannot_be_recorded_is_not_done() {
    let (web, headers, broken) = web();
    let id = post(&web, &headers).await.unwrap();
    let before = web.board.silences();
    assert_eq!(before.silences, web.store.silences().unwrap());

    broken.store(true, Ordering::SeqCst);
    let refused = post(&web, &headers).await.unwrap_err();
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    let refused = end(State(web.clone()), Path(id.clone()), headers.clone()).await.unwrap_err();
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(web.board.silences(), before, "neither is in force");
    assert_eq!(web.telemetry.store_failures.get(), 2);

    broken.store(false, Ordering::SeqCst);
    assert_eq!(web.store.silences().unwrap(), before.silences);
    assert_eq!(end(State(web.clone()), Path(id), headers).await.unwrap().state, "expired");
    assert_eq!(web.board.silences().silences, web.store.silences().unwrap());
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
