//! The main job on a server that nobody here wrote: queues discovered, read, exported, judged, and a page received.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::Value;
use sqswatch::domain::metric::CATALOGUE;

use crate::aws::{Clients, REGION};
use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::exposition::Exposition;
use crate::peer;

/// Short periods, so that the test waits for the world and not for minutes.
fn config(url: &str, topic: &str) -> String {
    format!(
        r#"
aws:
  endpoint_url: {url}
  targets: [{{ regions: [{REGION}] }}]
discovery: {{ interval: 10s, exclude: ["*-inbox", "*-inbox.fifo"] }}
poll: {{ attributes: 1s, cloudwatch: 1m }}
maintenance:
  - {{ name: past, queues: none, from: "2020-01-01T00:00:00Z", until: "2020-01-01T01:00:00Z" }}
alarms:
  - name: dlq-not-empty
    description: Messages in a dead-letter queue need a person
    queues: {{ role: dead_letter }}
    metric: messages_visible
    statistic: Maximum
    period: 10s
    comparison: ">="
    threshold: 1
    severity: critical
destinations:
  ops: {{ sns: {{ topic_arn: "{topic}" }} }}
notify: [ops]
web: {{ listen: "127.0.0.1:0" }}
store: {{ path: "{{F}}/state.redb" }}
log: {{ format: json, level: info }}
"#
    )
}

#[tokio::test]
async fn dead_letters_are_seen_and_somebody_is_told_and_told_when_it_is_over() {
    let localstack = peer::localstack().await;
    let clients = Clients::new(&localstack.url).await;
    let (topic, inbox) = clients.topic_with_inbox("alerts").await;
    let (orders, dead) = clients.queue_with_dead_letters("orders").await;
    clients.send(&orders, 3).await;
    clients.fail_until_dead(&orders, &dead, 3).await;
    clients.send(&orders, 5).await;
    clients.put_age("orders", 120.0).await;

    let daemon = Daemon::start(&config(&localstack.url, &topic), ANYBODY).await;
    daemon.until_status("/readyz", StatusCode::OK).await;
    eventually("depth, age, dead letters and roles are exported", async || {
        let metrics = daemon.metrics().await?;
        let visible = |queue| [("queue", queue), ("state", "visible"), ("region", REGION)];
        metrics.expect("sqs_queue_messages", &visible("orders"), 5.0)?;
        metrics.expect("sqs_queue_messages", &visible("orders-dlq"), 3.0)?;
        metrics.expect("sqs_queue_oldest_message_age_seconds", &[("queue", "orders")], 120.0)?;
        metrics.expect("sqs_queue_max_receives", &[("queue", "orders")], 2.0)?;
        let source = [("queue", "orders"), ("role", "source"), ("dead_letter_queue", "orders-dlq")];
        metrics.expect("sqs_queue_info", &source, 1.0)?;
        metrics.expect("sqs_queue_info", &[("queue", "orders-dlq"), ("role", "dead_letter")], 1.0)?;
        metrics.expect("sqswatch_queues_watched", &[("region", REGION)], 2.0)?;
        metrics.expect("sqswatch_queues_skipped", &[("reason", "excluded")], 1.0)
    })
    .await;

    let (subject, page) = clients.next_page(&inbox).await;
    assert!(subject.starts_with("ALARM: ") && subject.len() <= 100, "{subject}");
    assert_eq!((&page["NewStateValue"], &page["Region"]), (&"ALARM".into(), &"US East (N. Virginia)".into()));
    assert_eq!(page["Trigger"]["MetricName"], "ApproximateNumberOfMessagesVisible");
    assert_eq!(
        page["Trigger"]["Dimensions"],
        serde_json::json!([{ "value": "orders-dlq", "name": "QueueName" }])
    );
    let firing = [("alarm", "dlq-not-empty"), ("queue", "orders-dlq"), ("state", "ALARM")];
    let metrics = daemon.metrics().await.unwrap();
    metrics.expect("sqs_alarm_state", &firing, 1.0).unwrap();
    assert_eq!(metrics.lint(), "", "promtool check metrics");

    clients.sqs.purge_queue().queue_url(&dead).send().await.unwrap();
    let (subject, page) = clients.next_page(&inbox).await;
    assert!(subject.starts_with("OK: "), "{subject}");
    assert_eq!((&page["NewStateValue"], &page["OldStateValue"]), (&"OK".into(), &"ALARM".into()));
    eventually("both notifications are counted and nothing is owed", async || {
        let metrics = daemon.metrics().await?;
        for event in ["firing", "resolved"] {
            metrics.expect(
                "sqswatch_notifications_total",
                &[("destination", "ops"), ("event", event)],
                1.0,
            )?;
        }
        metrics.expect("sqswatch_outbox_entries", &[("destination", "ops")], 0.0)?;
        metrics.expect("sqs_alarm_state", &firing, 0.0)
    })
    .await;
    every_family_is_a_known_one(&daemon.metrics().await.unwrap());
    assert_eq!(clients.depth(&orders).await, 5, "the daemon never touches a message");
    daemon.stop().await;
}

/// A page as text, with what differs from one run to the next as in the specification's example.
fn as_in_the_example(text: &str, page: &Value) -> String {
    let at = |key: &str| page[key].as_str().unwrap().to_owned();
    let reason = at("NewStateReason").replace('"', "\\\"");
    let (cloudwatch, _ours) = text.split_once(r#","Sqswatch":"#).unwrap();
    cloudwatch
        .replace(&at("StateChangeTime"), "2026-01-02T03:05:01.234+0000")
        .replace(&reason, "REASON")
        .replace(&format!(r#""OldStateValue":"{}""#, at("OldStateValue")), r#""OldStateValue":"OK""#)
        + "}"
}

/// CloudWatch's message with the values of this test, key by key and in CloudWatch's order.
fn example(topic: &str, state: &str) -> String {
    [
        r#"{"AlarmName":"dlq-not-empty/orders-dlq","AlarmDescription":"Messages in a dead-letter queue need a person","#,
        r#""AWSAccountId":"000000000000","AlarmConfigurationUpdatedTimestamp":"2026-01-02T03:05:01.234+0000","#,
        &format!(r#""NewStateValue":"{state}","NewStateReason":"REASON","#),
        r#""StateChangeTime":"2026-01-02T03:05:01.234+0000","Region":"US East (N. Virginia)","#,
        r#""AlarmArn":"arn:aws:cloudwatch:us-east-1:000000000000:alarm:dlq-not-empty/orders-dlq","#,
        &format!(r#""OldStateValue":"OK","OKActions":["{topic}"],"AlarmActions":["{topic}"],"#),
        r#""InsufficientDataActions":[],"Trigger":{"MetricName":"ApproximateNumberOfMessagesVisible","#,
        r#""Namespace":"AWS/SQS","StatisticType":"Statistic","Statistic":"MAXIMUM","Unit":null,"#,
        r#""Dimensions":[{"value":"orders-dlq","name":"QueueName"}],"Period":10,"EvaluationPeriods":1,"#,
        r#""DatapointsToAlarm":1,"ComparisonOperator":"GreaterThanOrEqualToThreshold","Threshold":1.0,"#,
        r#""TreatMissingData":"missing","EvaluateLowSampleCountPercentile":""}}"#,
    ]
    .concat()
}

#[tokio::test]
async fn a_subscribed_queue_gets_cloudwatch_s_message_field_for_field_on_both_kinds_of_topic() {
    let localstack = peer::localstack().await;
    let clients = Clients::new(&localstack.url).await;
    let (topic, inbox) = clients.topic_with_inbox("alerts").await;
    let (fifo_topic, fifo_inbox) = clients.fifo_topic_with_inbox("ordered").await;
    let (_, dead) = clients.queue_with_dead_letters("orders").await;
    let config = config(&localstack.url, &topic).replace(
        "notify: [ops]",
        &format!("  ordered: {{ sns: {{ topic_arn: \"{fifo_topic}\" }} }}\nnotify: [ops, ordered]"),
    );
    let daemon = Daemon::start(&config, ANYBODY).await;
    for state in ["ALARM", "OK"] {
        match state {
            "ALARM" => clients.send(&dead, 1).await,
            _ => drop(clients.sqs.purge_queue().queue_url(&dead).send().await.unwrap()),
        }
        // The end comes within the five minutes in which a FIFO topic swallows what it takes for the same.
        for (inbox, topic) in [(&inbox, &topic), (&fifo_inbox, &fifo_topic)] {
            let (subject, text) = clients.next_page_text(inbox).await;
            let page: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(subject, format!(r#"{state}: "dlq-not-empty/orders-dlq" in US East (N. Virginia)"#));
            assert_eq!(as_in_the_example(&text, &page), example(topic, state));
            assert_eq!(page["Sqswatch"]["queue"]["url"], dead, "{page:#}");
            let reason = page["NewStateReason"].as_str().unwrap();
            assert!(reason.starts_with("Threshold Crossed: "), "{reason}");
        }
    }
    daemon.stop().await;
}

/// Dashboards and alerts are held against tests/exported.txt and the catalogue, and those against what is really there.
fn every_family_is_a_known_one(metrics: &Exposition) {
    let families = metrics.families();
    let others: BTreeSet<&str> = include_str!("../exported.txt").lines().collect();
    let known = |name: &str| others.contains(name) || CATALOGUE.iter().any(|row| row.family == name);
    let unknown: Vec<_> =
        families.iter().filter(|name| !known(name) && !name.starts_with("process_")).collect();
    assert!(unknown.is_empty(), "tests/exported.txt does not have {unknown:?}");
    // Series of what went wrong are there once it did, those of a kind of destination, a heartbeat or a custom metric where there
    // is one.
    let faults = [
        "sqswatch_aws_failures_total",
        "sqswatch_aws_throttles_total",
        "sqswatch_custom_metric_last_reading_timestamp_seconds",
        "sqswatch_alertmanager_replica_failures_total",
        "sqswatch_heartbeat_failures_total",
        "sqswatch_template_failures_total",
    ];
    let missing: Vec<_> = others.difference(&families).filter(|name| !faults.contains(name)).collect();
    assert!(missing.is_empty(), "not exported: {missing:?}");
}
