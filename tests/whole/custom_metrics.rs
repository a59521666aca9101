//! The alarms of every SQS guide, and metrics that consumers publish themselves, as configuration.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::commands::sqswatch;
use crate::daemon::{ANYBODY, Daemon, Home};
use crate::eventually::eventually;
use crate::shop;

/// As the guides have them, in CloudWatch's words.
const CLASSIC: &str = r#"
alarms:
  - name: queue-depth
    queues: { name: orders }
    metric: ApproximateNumberOfMessagesVisible
    statistic: Average
    period: 5m
    evaluation_periods: 2
    comparison: GreaterThanThreshold
    threshold: 1000
  - name: message-age
    queues: { name: orders }
    metric: ApproximateAgeOfOldestMessage
    statistic: Maximum
    period: 1m
    evaluation_periods: 5
    comparison: GreaterThanThreshold
    threshold: 300
  - name: dead-letters
    queues: { role: dead_letter }
    metric: ApproximateNumberOfMessagesVisible
    statistic: Sum
    period: 1m
    evaluation_periods: 1
    comparison: GreaterThanOrEqualToThreshold
    threshold: 1
"#;

const CUSTOM: &str = r#"
custom_metrics:
  - { name: processed, namespace: OrderService, metric: MessagesProcessed, dimensions: { Service: orders, Environment: production }, statistic: Sum }
  - { name: failed, namespace: OrderService, metric: MessagesFailed, dimensions: { Service: orders, Environment: production }, statistic: Sum }
  - { name: latency, namespace: OrderService, metric: ProcessingLatency, dimensions: { Service: orders, Environment: production }, statistic: p99 }
alarms:
  - { name: failing, metric: failed, statistic: Sum, period: 1m, evaluation_periods: 2, comparison: ">", threshold: 10 }
  - { name: slow, metric: latency, statistic: p99, period: 1m, evaluation_periods: 2, comparison: ">", threshold: 250 }
  - { name: idle, metric: processed, statistic: Sum, period: 1m, comparison: "<", threshold: 1 }
"#;

#[tokio::test]
async fn the_alarms_of_every_guide_are_valid_as_they_stand() {
    let simulator = shop::open(&["orders"]).await;
    let home = Home::new(&shop::config(&simulator, CLASSIC));
    let ran = sqswatch(&["check", "--config", &home.config().display().to_string()]).await;
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "the configuration is valid: 3 alarm(s), 0 destination(s)\n")
    );
}

#[tokio::test]
async fn what_consumers_publish_is_exported_and_judged() {
    let simulator = shop::open(&[]).await;
    let dimensions = [("Environment", "production"), ("Service", "orders")];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    for minutes in 1..=12 {
        let minute = (now / 60 - minutes) * 60;
        for (metric, value) in
            [("MessagesProcessed", 100.0), ("MessagesFailed", 12.0), ("ProcessingLatency", 480.0)]
        {
            simulator.control().put_datapoint("OrderService", metric, &dimensions, minute, value);
        }
    }
    let config = shop::config(&simulator, CUSTOM).replace("metrics: []", "metrics: [], settle: 1m");
    let daemon = Daemon::start(&config, ANYBODY).await;
    let labels = [("service", "orders"), ("environment", "production"), ("region", "us-east-1")];
    eventually("custom metrics are exported and their alarms judged", async || {
        let metrics = daemon.metrics().await?;
        metrics.expect("sqs_custom_latency", &labels, 480.0)?;
        // Sums are counters, and count whole minutes.
        for (name, each) in [("sqs_custom_processed_total", 100.0), ("sqs_custom_failed_total", 12.0)] {
            let total = metrics.value(name, &labels)?;
            assert!(total % each == 0.0 && total <= 12.0 * each, "{name} is {total}");
            if total == 0.0 {
                return Err(format!("{name} is 0"));
            }
        }
        let alarms = daemon.json("/api/v1/alarms").await?;
        let mut states: Vec<String> = alarms["alarms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alarm| format!("{} {}", alarm["alarm"].as_str().unwrap(), alarm["state"].as_str().unwrap()))
            .collect();
        states.sort();
        if states == ["failing ALARM", "idle OK", "slow ALARM"] { Ok(()) } else { Err(format!("{states:?}")) }
    })
    .await;
    daemon.stop().await;
}
