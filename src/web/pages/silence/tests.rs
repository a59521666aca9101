//! Where the forms lead, and what a disk that is full does to them and to the pages: they say so, and go on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;
use axum::http::Uri;
use tokio::sync::mpsc;

use super::*;
use crate::store::breakable;
use crate::telemetry::Telemetry;
use crate::web::pages::View;

#[tokio::test]
async fn a_full_disk_stops_no_silence_and_the_pages_say_what_is_at_risk() {
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
    broken.store(true, Ordering::SeqCst);
    let body = "alarm=a*&duration=1h&reason=why&author=ana&token=hunter2&back=%2Falarms%2Fa";
    let made = submit(State(web.clone()), HeaderMap::new(), Request::new(Body::from(body))).await;
    assert_eq!(made.status(), StatusCode::SEE_OTHER);
    assert_eq!(made.headers()[header::LOCATION], "/alarms/a#silenced");
    assert_eq!(web.board.silences().silences.len(), 1);
    for (path, words) in [("/notifications", "cannot be written"), ("/system", "forget 1 changes")] {
        let page = View::of(&Uri::from_static(path)).unwrap().render(&web).await;
        let html = page.content().into_string();
        assert!(html.contains(words), "{path}: {html}");
    }
}

#[test]
fn the_form_sends_nobody_elsewhere() {
    for ours in ["/", "/alarms?state=ALARM", "/alarms/a%20b?queue=c"] {
        assert_eq!(local(ours), ours);
    }
    let long = format!("/{}", "a".repeat(5000));
    for foreign in
        ["", "https://evil", "//evil", "/\\evil", "javascript:alert(1)", "/a\r\nset-cookie: x", "/ä", &long]
    {
        assert_eq!(local(foreign), HOME, "{foreign}");
    }
}

#[test]
fn only_our_own_pages_are_come_from() {
    let from = |referer: &str| {
        let headers = [(header::HOST, "sqswatch:9434"), (header::REFERER, referer)];
        came_from(&headers.map(|(name, value)| (name, value.parse().unwrap())).into_iter().collect())
    };
    assert_eq!(from("http://sqswatch:9434/alarms/a?queue=b").as_deref(), Some("/alarms/a?queue=b"));
    assert_eq!(from("http://elsewhere/alarms"), None);
    assert_eq!(from("http://sqswatch:9434/silence?alarm=a"), None);
    assert_eq!(from("nonsense"), None);
}
