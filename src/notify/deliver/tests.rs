//! The whole worker with a real store against scripted receivers, without waits between attempts.

mod groups;

use std::path::Path;
use std::time::Duration;

use prometheus::{Encoder, Registry, TextEncoder};

use super::*;
use crate::domain::notification::{Debt, Event};
use crate::domain::outbox::Entry;
use crate::notify::fixture::receiver::{Act, Receiver as Peer, Request, answer};
use crate::notify::fixture::{debt, webhook};
use crate::notify::http_client;
use crate::store::{Batch, Owed};

/// A running worker with its store.
struct Worker {
    store: Store,
    registry: Registry,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Worker {
    /// Starts one with these webhooks, without any waits between attempts.
    fn start(store: Store, peers: &[(&str, &Peer)]) -> Self {
        let receiver = |peer: &Peer| webhook(&peer.url);
        Self::with(store, peers.iter().map(|(name, peer)| (*name, receiver(peer))).collect())
    }

    fn with(store: Store, receivers: Vec<(&str, Receiver)>) -> Self {
        let receivers = receivers.into_iter().map(|(name, receiver)| (Arc::from(name), receiver)).collect();
        let registry = Registry::new();
        let counts = Counts::register(&registry).unwrap();
        let delivery =
            Delivery { store: store.clone(), receivers: Arc::new(receivers), counts, random: || 0.0 };
        let (wake, shutdown) = (Arc::new(Notify::new()), CancellationToken::new());
        let running = tokio::spawn(run(delivery, wake.clone(), shutdown.clone()));
        Self { store, registry, wake, shutdown, running }
    }

    async fn owe(&self, debts: Vec<Debt>) {
        owe(&self.store, debts);
        self.wake.notify_one();
    }

    /// Waits until the store is as `what` says.
    async fn until(&self, what: impl Fn(&Store) -> bool) {
        let seen = async {
            while !what(&self.store) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the store never got there");
    }

    async fn settled(&self, destination: &str) {
        self.until(|store| store.pending(destination, 1).unwrap().is_empty()).await;
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
    }

    fn metrics(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn owe(store: &Store, debts: Vec<Debt>) {
    store.commit(&Batch { debts, ..Batch::default() }, clock::now()).unwrap();
}

/// `rule event` of each request.
fn told(requests: &[Request]) -> Vec<String> {
    let tell = |request: &Request| {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
        let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        format!("{} {}", word(&body["alarm"]["name"]), word(&body["event"]))
    };
    requests.iter().map(tell).collect()
}

fn ok() -> Act {
    answer(200, "", "ok")
}

fn fails() -> Act {
    answer(500, "", "")
}

fn entries(store: &Store, destination: &str) -> Vec<Entry> {
    store.pending(destination, usize::MAX).unwrap()
}

fn file(directory: &Path) -> Store {
    Store::open(&directory.join("state.redb")).unwrap()
}

#[tokio::test]
async fn an_outage_loses_and_reorders_nothing_of_one_alarm() {
    let script = vec![fails(), Act::Reset, answer(429, "", ""), answer(307, "", ""), fails(), ok()];
    let peer = Peer::start(script).await;
    let worker = Worker::start(Store::memory(), &[("ops", &peer)]);
    worker
        .owe(vec![debt("dlq", Event::Firing, 0, &["ops"]), debt("dlq", Event::Resolved, 60, &["ops"])])
        .await;
    worker.settled("ops").await;
    let told = told(&peer.requests());
    assert_eq!(told.len(), 7);
    assert!(told.iter().filter(|line| *line != "- -").eq([
        "dlq firing",
        "dlq firing",
        "dlq firing",
        "dlq firing",
        "dlq firing",
        "dlq resolved"
    ]));
    let ids: Vec<_> =
        peer.requests().iter().filter_map(|request| request.headers.get("webhook-id").cloned()).collect();
    assert!(ids[..5].iter().all(|id| *id == ids[0]) && ids[5] != ids[0]);
    let receipts = worker.store.history(9).unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt.attempts).collect::<Vec<_>>(), [1, 6]);
    let metrics = worker.metrics();
    for line in [
        r#"sqswatch_notifications_total{destination="ops",event="firing"} 1"#,
        r#"sqswatch_notifications_total{destination="ops",event="resolved"} 1"#,
        r#"sqswatch_notifications_total{destination="ops",event="closed"} 0"#,
        r#"sqswatch_notification_failures_total{destination="ops",reason="server_error"} 2"#,
        r#"sqswatch_notification_failures_total{destination="ops",reason="connection"} 1"#,
        r#"sqswatch_notification_failures_total{destination="ops",reason="throttled"} 1"#,
        r#"sqswatch_notification_failures_total{destination="ops",reason="redirect"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn after_a_crash_the_rest_is_told_and_nothing_twice() {
    let directory = tempfile::tempdir().unwrap();
    let peer = Peer::start(vec![ok(), Act::Hang]).await;
    owe(
        &file(directory.path()),
        vec![debt("a", Event::Firing, 0, &["ops"]), debt("b", Event::Firing, 0, &["ops"])],
    );

    let worker = Worker::start(file(directory.path()), &[("ops", &peer)]);
    peer.wait_for(2).await;
    worker.until(|store| entries(store, "ops").len() == 1).await;
    worker.running.abort();
    assert!(worker.running.await.unwrap_err().is_cancelled());
    // The lane ends with the worker's tasks; then the file is free for the next process.
    drop(worker.store);
    peer.follow(vec![ok()]);

    let store = reopened(directory.path()).await;
    let worker = Worker::start(store, &[("ops", &peer)]);
    worker.settled("ops").await;
    assert_eq!(told(&peer.requests()), ["a firing", "b firing", "b firing"]);
    worker.stop().await;
}

/// Waits until the last clone of the store before is gone.
async fn reopened(directory: &Path) -> Store {
    loop {
        match Store::open(&directory.join("state.redb")) {
            Ok(store) => return store,
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn an_attempt_in_hand_at_shutdown_is_finished_and_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let store = file(directory.path());
    owe(&store, vec![debt("a", Event::Firing, 0, &["ops"]), debt("b", Event::Firing, 0, &["ops"])]);
    let peer = Peer::start(vec![Act::Wait, ok()]).await;
    let worker = Worker::start(store.clone(), &[("ops", &peer)]);
    peer.wait_for(1).await;
    worker.shutdown.cancel();
    peer.release();
    worker.stop().await;
    assert_eq!(told(&peer.requests()), ["a firing"]);
    assert_eq!(entries(&store, "ops").len(), 1);
    assert_eq!(store.history(9).unwrap().len(), 1);
}

#[tokio::test]
async fn who_refuses_the_firing_is_not_told_of_its_end() {
    let (strict, kind) = (Peer::start(vec![answer(400, "", ""), ok()]).await, Peer::start(vec![ok()]).await);
    let worker = Worker::start(Store::memory(), &[("strict", &strict), ("kind", &kind)]);
    let both = ["strict", "kind"];
    worker.owe(vec![debt("dlq", Event::Firing, 0, &both)]).await;
    worker.settled("strict").await;
    worker.owe(vec![debt("dlq", Event::Resolved, 60, &both), debt("other", Event::Firing, 61, &both)]).await;
    worker.settled("strict").await;
    worker.settled("kind").await;
    assert_eq!(told(&strict.requests()), ["dlq firing", "other firing"]);
    assert_eq!(told(&kind.requests()), ["dlq firing", "dlq resolved", "other firing"]);
    assert_eq!(
        worker.store.outbox_summary().unwrap()["strict"],
        Owed { pending: 0, oldest: None, parked: 1, ..Owed::default() }
    );
    worker.stop().await;
}

#[tokio::test]
async fn a_receiver_that_hangs_keeps_nobody_else_waiting() {
    let (dead, alive) = (Peer::start(vec![Act::Hang]).await, Peer::start(vec![ok()]).await);
    let worker = Worker::start(Store::memory(), &[("dead", &dead), ("alive", &alive)]);
    worker.owe(vec![debt("dlq", Event::Firing, 0, &["dead", "alive"])]).await;
    dead.wait_for(1).await;
    worker.settled("alive").await;
    assert_eq!(entries(&worker.store, "dead").len(), 1);
    worker.running.abort();
}

#[tokio::test]
async fn one_entry_that_fails_lets_the_others_pass() {
    let peer = Peer::start(vec![fails(), ok()]).await;
    let store = Store::memory();
    owe(&store, ["a", "b", "c"].map(|rule| debt(rule, Event::Firing, 0, &["ops"])).into());
    let worker = Worker::start(store, &[("ops", &peer)]);
    worker.settled("ops").await;
    assert_eq!(told(&peer.requests()), ["a firing", "b firing", "c firing", "a firing"]);
    worker.stop().await;
}

#[tokio::test]
async fn a_receiver_that_asks_for_an_hour_is_left_alone_as_a_whole() {
    let (busy, other) =
        (Peer::start(vec![answer(429, "retry-after: 3600\r\n", "")]).await, Peer::start(vec![ok()]).await);
    let worker = Worker::start(Store::memory(), &[("busy", &busy), ("other", &other)]);
    worker.owe(vec![debt("a", Event::Firing, 0, &["busy"])]).await;
    worker.until(|store| entries(store, "busy")[0].attempts == 1).await;
    let entry = entries(&worker.store, "busy").remove(0);
    assert!(entry.not_before.since(clock::now()) > Duration::from_secs(3500));
    for n in 0..5 {
        worker.owe(vec![debt("b", Event::Firing, n, &["busy", "other"])]).await;
        other.wait_for(n as usize + 1).await;
    }
    assert_eq!(busy.requests().len(), 1);
    worker.stop().await;
}

#[tokio::test]
async fn what_is_owed_to_a_removed_destination_is_parked_with_its_reason() {
    let store = Store::memory();
    owe(&store, vec![debt("dlq", Event::Firing, 0, &["gone"])]);
    let worker = Worker::start(store, &[]);
    worker.settled("gone").await;
    let receipt = worker.store.history(1).unwrap().remove(0);
    assert_eq!((receipt.reason.as_deref(), receipt.attempts), (Some("unknown_destination"), 0));
    worker.stop().await;
}

#[tokio::test]
async fn a_backlog_of_many_windows_drains_in_order() {
    const MANY: i64 = 600;
    let peer = Peer::start(vec![ok()]).await;
    let store = Store::memory();
    owe(&store, (0..MANY).map(|n| debt(&format!("{n}"), Event::Firing, n, &["ops"])).collect());
    let worker = Worker::start(store, &[("ops", &peer)]);
    worker.settled("ops").await;
    let expected: Vec<String> = (0..MANY).map(|n| format!("{n} firing")).collect();
    assert_eq!(told(&peer.requests()), expected);
    worker.stop().await;
}

#[tokio::test]
async fn what_is_due_behind_a_full_window_of_waiting_entries_is_found() {
    let store = Store::memory();
    owe(&store, (0..300).map(|n| debt(&format!("{n}"), Event::Firing, n, &["ops"])).collect());
    for mut entry in store.pending("ops", 299).unwrap() {
        entry.postpone(clock::now() + Duration::from_secs(250));
        store.postpone(&entry).unwrap();
    }
    let peer = Peer::start(vec![ok()]).await;
    let worker = Worker::start(store, &[("ops", &peer)]);
    assert_eq!(told(&peer.wait_for(1).await), ["299 firing"]);
    worker.stop().await;
}
