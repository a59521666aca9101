//! What every replica is sent, what their answers mean together, and what is sent again.

use std::collections::BTreeMap;

use prometheus::Opts;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::domain::notification::Event;
use crate::notify::fixture::receiver::{Act, Receiver, Request, answer};
use crate::notify::fixture::{at, notification};
use crate::notify::http_client;

/// The cluster of these replicas.
fn cluster(replicas: &[&Receiver]) -> Cluster {
    let config = Alertmanager {
        urls: replicas.iter().map(|replica| Secret::new(format!("{}/prefix", replica.url))).collect(),
        headers: [("Authorization".to_owned(), Secret::new("Bearer hunter2"))].into(),
        timeout: Duration::from_secs(5),
        resend: Duration::from_secs(60),
        tls: None,
    };
    let opts = Opts::new("failures", "of replicas");
    let failures = IntCounterVec::new(opts, &["destination", "reason"]).unwrap();
    Cluster::new("cluster".into(), config, http_client().unwrap(), Links::default(), failures)
}

fn alerts(request: &Request) -> Vec<Value> {
    serde_json::from_str(&request.body).unwrap()
}

async fn tell(cluster: &Cluster, event: Event, seconds: i64) -> Answer {
    let answer = send(cluster, &[Arc::new(notification("dlq", event, seconds))]).await;
    assert!(!answer.detail.contains("hunter2") && !answer.detail.contains("prefix"), "{}", answer.detail);
    answer
}

async fn replica(act: Act) -> Receiver {
    Receiver::start(vec![act]).await
}

#[tokio::test]
async fn every_replica_is_sent_the_alert() {
    let (one, two) = (replica(answer(200, "", "")).await, replica(answer(200, "", "")).await);
    let cluster = cluster(&[&one, &two]);
    let before = clock::now();
    assert_eq!(tell(&cluster, Event::Firing, 0).await.outcome, Outcome::Acknowledged);
    for replica in [&one, &two] {
        let request = &replica.wait_for(1).await[0];
        assert_eq!(request.line, "POST /prefix/api/v2/alerts");
        assert_eq!(request.headers["authorization"], "Bearer hunter2");
        let [alert] = alerts(request).try_into().unwrap();
        assert_eq!(alert["labels"]["alertname"], "dlq");
        assert_eq!(alert["labels"]["queue"], "orders-dlq");
        assert_eq!(alert["startsAt"], "2026-01-02T03:05:01.234Z");
        assert_eq!(alert["annotations"]["summary"], "ALARM: dlq on orders-dlq (us-east-1)");
        let ends: Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
        assert!(ends >= before + Duration::from_secs(240) && ends <= clock::now() + Duration::from_secs(240));
    }
    tell(&cluster, Event::Resolved, 60).await;
    let [alert] = alerts(&one.wait_for(2).await[1]).try_into().unwrap();
    assert_eq!(alert["endsAt"], "2026-01-02T03:06:01.234Z");
    assert_eq!(alert.get("startsAt"), None, "it is not known here, so Alertmanager keeps what it knows");
}

#[tokio::test]
async fn one_replica_is_enough_and_the_others_are_counted_and_said() {
    let (good, bad) = (replica(answer(200, "", "")).await, replica(answer(500, "", "")).await);
    let cluster = cluster(&[&bad, &good]);
    let told = tell(&cluster, Event::Firing, 0).await;
    assert_eq!(told.outcome, Outcome::Acknowledged);
    assert!(told.detail.starts_with("taken by 1 of 2; not by 127.0.0.1:"), "{}", told.detail);
    assert_eq!(cluster.failures.with_label_values(&["cluster", "server_error"]).get(), 1);
}

#[tokio::test]
async fn a_replica_that_hangs_does_not_hold_up_the_others() {
    let (good, hanging) = (replica(answer(200, "", "")).await, replica(Act::Hang).await);
    let mut cluster = cluster(&[&hanging, &good]);
    cluster.config.timeout = Duration::from_secs(3600);
    let told = tell(&cluster, Event::Firing, 0).await;
    assert_eq!(told.outcome, Outcome::Acknowledged, "without waiting for an hour");
    assert_eq!(cluster.failures.with_label_values(&["cluster", "timeout"]).get(), 1);
}

#[tokio::test]
async fn a_refusal_is_one_only_when_nobody_may_still_take_it() {
    let retry = |reason| Outcome::Retry { reason, after: None };
    let refused = Outcome::Refused { reason: Reason::Refused };
    let cases = [
        ([400, 400], refused),
        ([400, 200], Outcome::Acknowledged),
        ([400, 503], retry(Reason::ServerError)),
        ([401, 400], retry(Reason::Denied)),
        ([429, 429], retry(Reason::Throttled)),
        ([302, 404], retry(Reason::Redirect)),
    ];
    for (statuses, expected) in cases {
        let [one, two] = statuses;
        let (one, two) = (replica(answer(one, "", "")).await, replica(answer(two, "", "")).await);
        assert_eq!(tell(&cluster(&[&one, &two]), Event::Firing, 0).await.outcome, expected, "{statuses:?}");
    }
    let gone = replica(Act::Reset).await;
    assert_eq!(tell(&cluster(&[&gone]), Event::Firing, 0).await.outcome, retry(Reason::Connection));
}

fn firing(count: usize) -> Vec<Arc<Notification>> {
    let of = |number| notification(&format!("rule-{number:03}"), Event::Firing, 0);
    (0..count).map(|number| Arc::new(of(number))).collect()
}

/// How often each alert arrived in a request that was taken.
fn taken(requests: &[Request], is_taken: impl Fn(&[Value]) -> bool) -> BTreeMap<String, usize> {
    let mut taken = BTreeMap::new();
    for alerts in requests.iter().map(alerts).filter(|alerts| is_taken(alerts)) {
        for alert in alerts {
            *taken.entry(alert["labels"]["alertname"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    taken
}

#[tokio::test]
async fn a_resend_goes_in_batches_and_to_every_replica() {
    let (one, two) = (replica(answer(200, "", "")).await, replica(answer(200, "", "")).await);
    let cluster = cluster(&[&one, &two]);
    cluster.resend(firing(BATCH * 2 + 1), &CancellationToken::new()).await;
    for replica in [&one, &two] {
        let requests = replica.wait_for(3).await;
        let taken = taken(&requests, |_| true);
        assert_eq!((requests.len(), taken.len()), (3, BATCH * 2 + 1));
        assert!(taken.values().all(|count| *count == 1));
    }
}

#[tokio::test]
async fn one_alert_that_is_refused_takes_no_other_with_it() {
    let mut script = vec![answer(400, "", "rule-001 is invalid"), answer(200, "", ""), answer(400, "", "")];
    script.push(answer(200, "", ""));
    let replica = Receiver::start(script).await;
    cluster(&[&replica]).resend(firing(4), &CancellationToken::new()).await;
    let requests = replica.requests();
    let sizes: Vec<usize> = requests.iter().map(|request| alerts(request).len()).collect();
    assert_eq!(sizes, [4, 1, 1, 1, 1]);
    assert_eq!(taken(&requests, |alerts| alerts.len() == 1).len(), 4);
}

#[tokio::test]
async fn when_nobody_takes_anything_a_resend_is_given_up_until_the_next() {
    let replica = replica(answer(503, "", "")).await;
    let cluster = cluster(&[&replica]);
    cluster.resend(firing(BATCH * 3), &CancellationToken::new()).await;
    assert_eq!(replica.requests().len(), 1);
}

#[tokio::test]
async fn an_end_that_was_told_is_repeated_and_what_it_ended_is_not() {
    let replica = replica(answer(200, "", "")).await;
    let cluster = cluster(&[&replica]);
    let now = clock::now();
    let began =
        Notification { since: now - Duration::from_secs(60), ..notification("dlq", Event::Firing, 0) };
    let ended =
        Notification { at: now, fired_at: Some(began.since), ..notification("dlq", Event::Resolved, 0) };
    send(&cluster, &[Arc::new(ended)]).await;
    // The board does not know yet.
    cluster.resend(vec![Arc::new(began)], &CancellationToken::new()).await;
    let requests = replica.requests();
    let [told, again] = &requests[..] else { panic!("{} requests", requests.len()) };
    assert_eq!(told.body, again.body);
    assert_eq!(alerts(again).len(), 1);
    assert_eq!(alerts(again)[0]["endsAt"], now.to_string());
}

#[test]
fn nothing_that_changes_is_a_label() {
    let began = notification("dlq", Event::Firing, 0);
    let mut later = notification("dlq", Event::Resolved, 3600);
    (later.value, later.reason, later.description) = (Some(99.0), "other".into(), "other".into());
    later.queue = None;
    assert_eq!(alert::labels(&began), alert::labels(&later));
    assert_ne!(alert::annotations(&began), alert::annotations(&later));
}

#[test]
fn texts_without_end_are_cut_between_characters() {
    let mut alarm = notification(&"ü".repeat(1_000_000), Event::Firing, 0);
    alarm.description = "日".repeat(3_000_000);
    alarm.labels = (0..1_000).map(|number| (format!("l{number}"), "ü".repeat(5_000))).collect();
    let alert = Alert::ended(&alarm, &Links::default(), at(0));
    let text = serde_json::to_string(&alert).unwrap();
    assert!(text.len() < 256 * 1024, "{} bytes", text.len());
    assert!(alert.labels["alertname"].ends_with("ü..."));
    assert!(alert.annotations["description"].ends_with("日..."));
}
