//! Ages, counters and custom metrics as CloudWatch tells them.

use std::time::Duration;

use super::{Rig, config};
use crate::clock;
use crate::config::{Config, CustomMetric};
use crate::domain::metric::Metric;
use crate::domain::queue::{Depth, Queue, QueueId};
use crate::domain::rule::Statistic;
use crate::domain::time::{MINUTE, Timestamp};
use crate::simulator::{Control, Fault, FaultKind, SeriesStatus};

const AGE: Metric = Metric::OldestMessageAge;
const SENT: Metric = Metric::MessagesSent;

fn reading(metrics: &[Metric]) -> Config {
    let mut config = config();
    config.poll.metrics = metrics.to_vec();
    config.poll.cloudwatch = Duration::from_millis(200);
    config.poll.counters = Duration::from_millis(200);
    config
}

/// The minute that began so long ago.
fn ago(minutes: u32) -> Timestamp {
    clock::now().floor(MINUTE) - MINUTE * minutes
}

fn put(control: &Control, queue: &str, metric: Metric, at: Timestamp, value: f64) {
    let name = metric.row().cloudwatch.unwrap();
    control.put_datapoint("AWS/SQS", name, &[("QueueName", queue)], at.as_secs(), value);
}

/// How many metrics CloudWatch was asked for, told by what they cost.
fn queries(rig: &Rig) -> u64 {
    (rig.telemetry.dollars.with_label_values(&["cloudwatch"]).get() * 1e5).round() as u64
}

#[tokio::test]
async fn sums_become_counters_that_count_each_minute_once_revisions_included() {
    let now = ago(0);
    let rig = Rig::start(reading(&[SENT]), |control| {
        control.create_queue("orders", &[], &[]);
        put(control, "orders", SENT, now - MINUTE * 6, 10.0);
        put(control, "orders", SENT, now - MINUTE * 4, 5.0);
    })
    .await;
    rig.until("both minutes are counted", |rig| rig.value("orders", SENT) == Some(15.0)).await;
    let reads = rig.requests("cloudwatch.GetMetricData");
    rig.until("they are read again", |rig| rig.requests("cloudwatch.GetMetricData") > reads + 3).await;
    assert_eq!(rig.value("orders", SENT), Some(15.0));
    put(rig.control(), "orders", SENT, now - MINUTE * 4, 8.0);
    rig.until("the revision is counted", |rig| rig.value("orders", SENT) == Some(18.0)).await;
    assert!(rig.health().cloudwatch_at.is_some());
    rig.stop().await;
}

#[tokio::test]
async fn an_empty_queue_costs_no_query_and_has_an_age_of_zero() {
    let mut config = reading(&[AGE]);
    // Readings this rare stand for half an hour, so that the past can be told the board.
    config.poll.attributes = MINUTE * 60;
    let mut rig = Rig::idle().await;
    rig.board.configure(Vec::new(), config.poll.attributes);
    let nothing = Depth { visible: Some(0), in_flight: Some(0), delayed: Some(0) };
    let waiting = Depth { visible: Some(1), ..nothing };
    for (name, depth) in [("idle", nothing), ("busy", waiting)] {
        rig.control().create_queue(name, &[], &[]);
        rig.control().set_counts(name, depth.visible.unwrap(), 0, 0);
    }
    let queue = |name: &str| {
        Queue::new(QueueId::new("123456789012", "us-east-1", name), rig.control().queue_url(name))
    };
    let (idle, busy) = (queue("idle"), queue("busy"));
    let ids = [(idle.id.clone(), nothing), (busy.id.clone(), waiting)];
    rig.board.discovered(&rig.target(), vec![idle, busy]);
    for at in [ago(30), clock::now()] {
        for (id, depth) in &ids {
            rig.board.read_attributes(id, at, *depth, None);
        }
    }
    rig.watch(config).await;
    rig.until("some ticks", |rig| rig.requests("cloudwatch.GetMetricData") > 3).await;
    rig.until("both ages are read", |rig| {
        ids.iter().all(|(id, _)| rig.board.queue(id).unwrap().lock().cloudwatch_at.is_some())
    })
    .await;
    // A request is counted when it comes and paid when it is answered: in between the two differ.
    rig.until("one query a request: of the busy one", |rig| {
        queries(rig) == rig.requests("cloudwatch.GetMetricData")
    })
    .await;
    assert_eq!(rig.value("idle", AGE), Some(0.0));
    assert_eq!(rig.value("busy", AGE), None);
    rig.stop().await;
}

#[tokio::test]
async fn the_age_of_a_queue_with_messages_is_read() {
    let rig = Rig::start(reading(&[AGE]), |control| {
        control.create_queue("orders", &[], &[]);
        control.set_counts("orders", 3, 0, 0);
        put(control, "orders", AGE, ago(4), 70.0);
        put(control, "orders", AGE, ago(5), 10.0);
    })
    .await;
    rig.until("the newest age", |rig| rig.value("orders", AGE) == Some(70.0)).await;
    let ratio = Metric::OldestMessageRetentionRatio;
    rig.until("its share of the retention", |rig| {
        rig.value("orders", ratio).is_some_and(|ratio| (ratio - 70.0 / 345_600.0).abs() < 1e-9)
    })
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn what_is_not_complete_is_not_written_and_hurts_no_other_queue() {
    let now = ago(0);
    for (status, reason) in [
        (SeriesStatus::PartialData, "server_error"),
        (SeriesStatus::InternalError, "server_error"),
        (SeriesStatus::Forbidden, "denied"),
    ] {
        let rig = Rig::start(reading(&[SENT]), |control| {
            for queue in ["bad", "good"] {
                control.create_queue(queue, &[], &[]);
                put(control, queue, SENT, now - MINUTE * 4, 5.0);
                put(control, queue, SENT, now - MINUTE * 5, 5.0);
            }
            let fault = Fault::new(FaultKind::CloudWatchStatus(status));
            control.inject(Fault { queue: Some("bad".into()), ..fault });
        })
        .await;
        rig.until("the good one is read", |rig| rig.value("good", SENT) == Some(10.0)).await;
        rig.until("the defect is counted", |rig| rig.failures("GetMetricData", reason) > 0).await;
        assert_eq!(rig.value("bad", SENT), None, "{status:?}");
        rig.until("it shows", |rig| {
            rig.health().troubles.get("GetMetricData").is_some_and(|text| text.contains("1 queue"))
        })
        .await;
        rig.control().clear_faults();
        rig.until("it recovers", |rig| {
            rig.value("bad", SENT) == Some(10.0) && rig.health().troubles.is_empty()
        })
        .await;
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_failed_request_invents_nothing_and_is_made_up_for() {
    let now = ago(0);
    for (kind, reason) in [
        (FaultKind::Denied, "denied"),
        (FaultKind::ServerError, "server_error"),
        (FaultKind::Garbage, "bad_answer"),
        (FaultKind::ExpiredCredentials, "credentials_expired"),
    ] {
        let rig = Rig::start(reading(&[SENT]), |control| {
            control.create_queue("orders", &[], &[]);
            put(control, "orders", SENT, now - MINUTE * 4, 5.0);
            let operation = Some("GetMetricData".to_owned());
            control.inject(Fault { operation, ..Fault::new(kind.clone()) });
        })
        .await;
        rig.until("it is counted", |rig| rig.failures("GetMetricData", reason) > 0).await;
        assert_eq!(rig.value("orders", SENT), None);
        assert_eq!(rig.health().cloudwatch_at, None);
        rig.control().clear_faults();
        rig.until("it is made up for", |rig| rig.value("orders", SENT) == Some(5.0)).await;
        rig.stop().await;
    }
}

#[tokio::test]
async fn custom_metrics_are_read_with_their_dimensions() {
    let mut config = reading(&[]);
    let custom = |name: &str, metric: &str, statistic| CustomMetric {
        name: name.into(),
        namespace: "Shop".into(),
        metric: metric.into(),
        dimensions: [("Service".to_owned(), "checkout".to_owned())].into(),
        statistic,
        region: None,
        description: String::new(),
    };
    let elsewhere = CustomMetric {
        region: Some("eu-west-1".into()),
        ..custom("elsewhere", "MessagesFailed", Statistic::Sum)
    };
    config.custom_metrics = vec![
        custom("processed", "MessagesProcessed", Statistic::Sum),
        custom("latency", "ProcessingLatency", Statistic::Average),
        elsewhere,
    ];
    let rig = Rig::start(config, |control| {
        control.create_queue("orders", &[], &[]);
        let service = [("Service", "checkout")];
        for (metric, minutes, value) in
            [("MessagesProcessed", 4, 7.0), ("MessagesProcessed", 5, 8.0), ("ProcessingLatency", 4, 0.25)]
        {
            control.put_datapoint("Shop", metric, &service, ago(minutes).as_secs(), value);
        }
    })
    .await;
    let customs = |rig: &Rig| {
        let customs = rig.board.customs();
        let read = customs.values().map(|custom| {
            let state = custom.lock();
            let average = state.series.latest().map(|(_, set)| set.get(Statistic::Average));
            (custom.id.account.to_string(), custom.id.name.to_string(), state.total.total(), average)
        });
        read.collect::<Vec<_>>()
    };
    let account = || "123456789012".to_owned();
    rig.until("both are read", |rig| {
        customs(rig)
            == [
                (account(), "latency".into(), 0.0, Some(0.25)),
                (account(), "processed".into(), 15.0, Some(7.0)),
            ]
    })
    .await;
    rig.stop().await;
}
