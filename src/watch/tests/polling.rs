//! Counts and settings, and all the ways in which reading them fails.

use std::time::Duration;

use super::{Rig, config};
use crate::board::Skip;
use crate::domain::metric::Metric;
use crate::simulator::{Fault, FaultKind};

const VISIBLE: Metric = Metric::MessagesVisible;

fn fault(queue: Option<&str>, kind: FaultKind) -> Fault {
    let queue = queue.map(str::to_owned);
    Fault { operation: Some("GetQueueAttributes".into()), queue, ..Fault::new(kind) }
}

#[tokio::test]
async fn counts_follow_the_queue() {
    let rig = Rig::start(config(), |control| control.create_queue("orders", &[], &[])).await;
    for (visible, in_flight, delayed) in [(5, 6, 7), (0, 0, 0)] {
        rig.control().set_counts("orders", visible, in_flight, delayed);
        let expected =
            [(VISIBLE, visible), (Metric::MessagesInFlight, in_flight), (Metric::MessagesDelayed, delayed)];
        rig.until("the counts", |rig| {
            expected.iter().all(|(metric, count)| rig.value("orders", *metric) == Some(*count as f64))
        })
        .await;
    }
    assert_eq!(rig.value("orders", Metric::Retention), Some(345_600.0));
    assert!(rig.health().attributes_at.is_some());
    rig.stop().await;
}

#[tokio::test]
async fn settings_are_asked_for_rarely() {
    let mut config = config();
    config.discovery.interval = Duration::from_secs(3600);
    config.poll.attributes = Duration::from_millis(50);
    let rig = Rig::start(config, |control| control.create_queue("orders", &[], &[])).await;
    let settings_at = |rig: &Rig| {
        let queues = rig.board.queues();
        queues.values().next().and_then(|watched| watched.lock().settings_at)
    };
    rig.until("the settings", |rig| settings_at(rig).is_some()).await;
    let first = settings_at(&rig);
    rig.until("twenty polls", |rig| rig.requests("sqs.GetQueueAttributes") > 20).await;
    assert_eq!(settings_at(&rig), first);
    rig.stop().await;
}

#[tokio::test]
async fn a_denied_queue_is_skipped_while_the_others_go_on_and_comes_back_when_allowed() {
    let rig = Rig::start(config(), |control| {
        control.create_queue("open", &[], &[]);
        control.create_queue("closed", &[], &[]);
        control.inject(fault(Some("closed"), FaultKind::DeniedXml));
    })
    .await;
    rig.until("the split", |rig| {
        rig.watched() == ["open"] && rig.skipped() == [("closed".to_owned(), Skip::Denied)]
    })
    .await;
    rig.control().set_counts("open", 9, 0, 0);
    rig.until("the other goes on", |rig| rig.value("open", VISIBLE) == Some(9.0)).await;
    let listings = rig.requests("sqs.ListQueues");
    rig.until("two more listings", |rig| rig.requests("sqs.ListQueues") > listings + 2).await;
    assert_eq!(rig.skipped(), [("closed".to_owned(), Skip::Denied)]);
    assert!(rig.health().troubles["GetQueueAttributes"].contains("1 queue;"), "{:?}", rig.health().troubles);
    rig.control().clear_faults();
    rig.until("it comes back", |rig| {
        rig.value("closed", VISIBLE).is_some() && rig.skipped().is_empty() && rig.health().troubles.is_empty()
    })
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn a_queue_that_vanishes_between_list_and_read_is_gone_at_once() {
    let mut config = config();
    config.discovery.interval = Duration::from_secs(3600);
    let rig = Rig::start(config, |control| {
        control.create_queue("stays", &[], &[]);
        control.create_queue("goes", &[], &[]);
        control.inject(fault(Some("goes"), FaultKind::NoSuchQueue));
    })
    .await;
    rig.until("it is skipped", |rig| {
        rig.skipped() == [("goes".to_owned(), Skip::Gone)] && rig.watched() == ["stays"]
    })
    .await;
    assert!(rig.health().troubles.is_empty(), "{:?}", rig.health().troubles);
    rig.stop().await;
}

#[tokio::test]
async fn each_failure_is_counted_under_its_reason_keeps_the_reading_and_recovers() {
    let rig = Rig::start(config(), |control| {
        control.create_queue("orders", &[], &[]);
        control.set_counts("orders", 4, 0, 0);
    })
    .await;
    rig.until("a first reading", |rig| rig.value("orders", VISIBLE) == Some(4.0)).await;
    for (kind, reason) in [
        (FaultKind::Garbage, "bad_answer"),
        (FaultKind::Truncated, "bad_answer"),
        (FaultKind::ServerError, "server_error"),
        (FaultKind::Latency(Duration::from_secs(3)), "timeout"),
        (FaultKind::ConnectionReset, "connection"),
        (FaultKind::ExpiredCredentials, "credentials_expired"),
        (FaultKind::Throttle, "throttled"),
    ] {
        let before = rig.failures("GetQueueAttributes", reason);
        rig.control().inject(fault(None, kind.clone()));
        rig.until("it is counted", |rig| rig.failures("GetQueueAttributes", reason) > before).await;
        rig.until("it shows", |rig| {
            rig.health().troubles.get("GetQueueAttributes").is_some_and(|text| text.contains(reason))
        })
        .await;
        assert_eq!(rig.value("orders", VISIBLE), Some(4.0), "{kind:?}");
        rig.control().clear_faults();
        rig.until("it recovers", |rig| rig.health().troubles.is_empty()).await;
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_count_that_is_none_is_absent_and_never_zero() {
    let rig = Rig::start(config(), |control| control.create_queue("orders", &[], &[])).await;
    rig.until("a first reading", |rig| rig.value("orders", VISIBLE) == Some(0.0)).await;
    for value in [Some("-1".to_owned()), Some("lots".to_owned()), None] {
        let name = "ApproximateNumberOfMessages".to_owned();
        rig.control().inject(fault(None, FaultKind::Attribute { name, value }));
        rig.until("it is absent", |rig| rig.value("orders", VISIBLE).is_none()).await;
        assert_eq!(rig.value("orders", Metric::MessagesInFlight), Some(0.0));
        rig.control().clear_faults();
        rig.until("it is back", |rig| rig.value("orders", VISIBLE) == Some(0.0)).await;
    }
    rig.stop().await;
}

#[tokio::test]
async fn what_is_in_flight_at_shutdown_is_finished() {
    let mut config = config();
    config.poll.timeout = Duration::from_secs(10);
    let rig = Rig::start(config, |control| {
        control.create_queue("orders", &[], &[]);
        control.set_counts("orders", 3, 0, 0);
        control.inject(fault(None, FaultKind::Latency(Duration::from_millis(500))));
    })
    .await;
    rig.until("a request is under way", |rig| rig.requests("sqs.GetQueueAttributes") > 0).await;
    let board = rig.board.clone();
    rig.stop().await;
    let queues = board.queues();
    assert_eq!(queues.values().next().unwrap().lock().value(VISIBLE), Some(3.0));
}

#[tokio::test]
async fn throttling_slows_the_polls_down_and_they_recover() {
    let mut config = config();
    config.discovery.interval = Duration::from_secs(3600);
    config.poll.attributes = Duration::from_millis(100);
    let rig = Rig::start(config, |control| control.create_queue("orders", &[], &[])).await;
    rig.until("a first reading", |rig| rig.value("orders", VISIBLE).is_some()).await;
    rig.control().inject(fault(None, FaultKind::Throttle));
    rig.until("turns are late", |rig| rig.telemetry.late.with_label_values(&["attributes"]).get() > 3).await;
    let throttles = rig.telemetry.throttles.with_label_values(&["sqs", "us-east-1"]).get();
    assert!(throttles < 60, "{throttles} requests were throttled before the rate gave way");
    rig.control().clear_faults();
    rig.control().set_counts("orders", 8, 0, 0);
    rig.until("it recovers", |rig| {
        rig.value("orders", VISIBLE) == Some(8.0) && rig.health().troubles.is_empty()
    })
    .await;
    rig.stop().await;
}
