//! Several alarms in one message, storms, and receivers of every bad habit at once.

use super::*;
use crate::config::secret::Secret;
use crate::config::{PagerDuty, Slack};
use crate::domain::alarm::Subject;
use crate::domain::notification;
use crate::domain::outbox::{GroupBy, Grouping};
use crate::domain::queue::QueueId;

/// A Slack channel whose messages gather what one rule says within `wait`.
fn slack(peer: &Peer, wait: Duration) -> Receiver {
    let slack = Slack {
        url: Secret::new(peer.url.clone()),
        timeout: Duration::from_secs(5),
        mention: BTreeMap::new(),
        grouping: Grouping { by: GroupBy::Rule, wait, max: 100 },
    };
    Receiver::Slack(slack, http_client().unwrap())
}

fn pagerduty(peer: &Peer) -> Receiver {
    let pagerduty = PagerDuty {
        routing_key: Secret::new("0123456789abcdef0123456789abcdef"),
        url: peer.url.clone(),
        timeout: Duration::from_secs(5),
        client_url: None,
        links: BTreeMap::new(),
    };
    Receiver::PagerDuty(pagerduty, http_client().unwrap())
}

/// What happens to the alarm `rule` of each of so many queues.
fn of_queues(rule: &str, event: Event, queues: usize, destinations: &[&str]) -> Vec<Debt> {
    let of = |number: usize| {
        let mut debt = debt(rule, event, 0, destinations);
        let told = Arc::make_mut(&mut debt.notification);
        told.alarm.subject = Subject::Queue(QueueId::new("1", "us-east-1", format!("q{number}")));
        told.id = notification::id(&told.alarm, event, told.at, 0);
        debt
    };
    (0..queues).map(of).collect()
}

/// The headline of each request that Slack got.
fn headlines(requests: &[Request]) -> Vec<String> {
    let headline = |request: &Request| {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
        body["text"].as_str().and_then(|text| text.lines().next()).unwrap_or("-").to_owned()
    };
    requests.iter().map(headline).collect()
}

#[tokio::test]
async fn what_fires_together_is_one_message_and_one_incident_each() {
    let (chat, pager) = (Peer::start(vec![ok()]).await, Peer::start(vec![answer(202, "", "")]).await);
    let receivers = vec![("chat", slack(&chat, Duration::from_secs(1))), ("pager", pagerduty(&pager))];
    let worker = Worker::with(Store::memory(), receivers);
    let both = ["chat", "pager"];
    // Two commits, as two rounds of the judge make them.
    worker.owe(of_queues("dlq", Event::Firing, 3, &both)).await;
    worker.owe(of_queues("dlq", Event::Firing, 5, &both).split_off(3)).await;
    worker.owe(of_queues("age", Event::Firing, 2, &both)).await;
    worker.settled("chat").await;
    worker.settled("pager").await;
    assert_eq!(headlines(&chat.requests()), ["ALARM: dlq on 5 queues", "ALARM: age on 2 queues"]);
    assert_eq!(pager.requests().len(), 7);
    let receipts = worker.store.history(99).unwrap();
    assert_eq!(receipts.iter().filter(|receipt| &*receipt.destination == "chat").count(), 7);
    let told = r#"sqswatch_notifications_total{destination="chat",event="firing"} 7"#;
    assert!(worker.metrics().contains(told), "{}", worker.metrics());
    worker.stop().await;
}

#[tokio::test]
async fn an_end_is_told_after_its_beginning_and_apart_from_others() {
    let chat = Peer::start(vec![fails(), ok()]).await;
    let store = Store::memory();
    owe(&store, of_queues("dlq", Event::Firing, 3, &["chat"]));
    owe(&store, of_queues("dlq", Event::Resolved, 2, &["chat"]));
    owe(&store, of_queues("dlq", Event::Firing, 4, &["chat"]).split_off(3));
    let worker = Worker::with(store, vec![("chat", slack(&chat, Duration::ZERO))]);
    worker.settled("chat").await;
    let told = headlines(&chat.requests());
    assert_eq!(told, ["ALARM: dlq on 4 queues", "ALARM: dlq on 4 queues", "OK: dlq on 2 queues"]);
    worker.stop().await;
}

#[tokio::test]
async fn a_message_that_is_refused_takes_only_the_alarm_at_fault() {
    let refused = answer(400, "", "invalid_payload");
    // All three, the first alone, the other two, the second alone; then what is left.
    let script = vec![refused.clone(), ok(), refused.clone(), refused, ok()];
    let chat = Peer::start(script).await;
    let store = Store::memory();
    owe(&store, of_queues("dlq", Event::Firing, 3, &["chat"]));
    let worker = Worker::with(store, vec![("chat", slack(&chat, Duration::ZERO))]);
    worker.settled("chat").await;
    let told = headlines(&chat.requests());
    let alone = |queue: &str| format!("ALARM: dlq on {queue} (us-east-1)");
    let expected = [
        "ALARM: dlq on 3 queues".to_owned(),
        alone("q0"),
        "ALARM: dlq on 2 queues".to_owned(),
        alone("q1"),
        alone("q2"),
    ];
    assert_eq!(told, expected);
    let parked = Owed { parked: 1, ..Owed::default() };
    assert_eq!(worker.store.outbox_summary().unwrap()["chat"], parked);
    worker.stop().await;
}

/// Every way of failing at once, and one receiver that is well: it is told all while the others still fail, and in the end so
/// are they, each alarm's firing before its end.
#[tokio::test]
async fn receivers_that_misbehave_lose_nothing_and_hold_up_nobody() {
    let lies = answer(200, "", r#"{"ok":false,"error":"rollup_error"}"#);
    let cut_off = Act::Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no".into());
    let hanging = Peer::start(vec![Act::Hang]).await;
    let resetting = Peer::start(vec![Act::Reset]).await;
    let throttling = Peer::start(vec![answer(429, "retry-after: 1\r\n", "")]).await;
    let failing = Peer::start(vec![fails()]).await;
    let lying = Peer::start(vec![lies, cut_off.clone(), Act::Flood(10_000_000), cut_off]).await;
    let well = Peer::start(vec![ok()]).await;
    let peers = [
        ("hanging", &hanging),
        ("resetting", &resetting),
        ("throttling", &throttling),
        ("failing", &failing),
        ("lying", &lying),
        ("well", &well),
    ];
    let receivers = peers.map(|(name, peer)| (name, slack(peer, Duration::ZERO)));
    let worker = Worker::with(Store::memory(), receivers.into());
    let all = peers.map(|(name, _)| name);
    worker.owe(of_queues("dlq", Event::Firing, 3, &all)).await;
    worker.settled("well").await;
    worker.owe(of_queues("dlq", Event::Resolved, 3, &all)).await;
    worker.settled("well").await;
    for (name, peer) in &peers[..5] {
        peer.wait_for(1).await;
        assert_eq!(entries(&worker.store, name).len(), 6, "{name} was told something");
    }
    for (_, peer) in &peers[..5] {
        peer.follow(vec![ok()]);
    }
    let firing = "ALARM: dlq on 3 queues";
    for (name, peer) in peers {
        worker.settled(name).await;
        let told = headlines(&peer.requests());
        let (last, before) = told.split_last().unwrap();
        assert_eq!(last, "OK: dlq on 3 queues", "{name}");
        assert!(before.iter().all(|line| line == firing || line == "-"), "{name}: {before:?}");
        assert_eq!(worker.store.outbox_summary().unwrap().get(name), None, "{name} owes");
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_storm_keeps_to_the_receiver_s_pace() {
    let pager = Peer::start(vec![answer(202, "", "")]).await;
    let worker = Worker::with(Store::memory(), vec![("pager", pagerduty(&pager))]);
    let started = std::time::Instant::now();
    worker.owe(of_queues("dlq", Event::Firing, 13, &["pager"])).await;
    worker.settled("pager").await;
    // Ten at once, three by the pace; a lower bound holds on any machine, however slow.
    assert!(started.elapsed() > Duration::from_millis(1_700), "{:?}", started.elapsed());
    assert_eq!(pager.requests().len(), 13);
    worker.stop().await;
}
