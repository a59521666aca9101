//! `sqswatch backtest --last`, over what a simulated CloudWatch has.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sqswatch::simulator::{Fault, FaultKind};

use crate::commands::sqswatch;
use crate::daemon::Home;
use crate::shop;

const ALARMS: &str = r#"
custom_metrics:
  - { name: latency, namespace: Shop, metric: Latency, dimensions: { Service: orders }, statistic: Maximum }
alarms:
  - { name: slow, metric: latency, period: 1m, comparison: ">", threshold: 100 }
  - { name: dead, queues: { role: dead_letter }, metric: messages_visible, comparison: ">", threshold: 0 }
"#;

#[tokio::test]
async fn the_last_hour_is_read_from_cloudwatch_and_its_price_said() {
    let simulator = shop::open(&["orders"]).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    for minutes in (1..=12).chain(30..=40) {
        let value = if minutes < 20 { 480.0 } else { 5.0 };
        let minute = (now / 60 - minutes) * 60;
        simulator.control().put_datapoint("Shop", "Latency", &[("Service", "orders")], minute, value);
    }
    let home = Home::new(&shop::config(&simulator, ALARMS));
    let config = home.config().display().to_string();
    let arguments = ["backtest", "--config", &config, "--last", "1h", "--yes", "--json"];
    let ran = sqswatch(&arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("2 metric queries of CloudWatch for 2 queues: $0.0000"), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let changes = report["transitions"].as_array().unwrap().iter();
    let changes: Vec<_> =
        changes.filter(|change| change["alarm"] == "slow").map(|change| &change["to"]).collect();
    assert_eq!(changes, ["OK", "INSUFFICIENT_DATA", "ALARM"]);
    let dead = report["states"].as_array().unwrap().iter().find(|end| end["alarm"] == "dead");
    assert_eq!(
        dead.map(|end| &end["queue"]),
        Some(&json!("orders-dlq")),
        "the role is known by the redrive policy"
    );

    simulator
        .control()
        .inject(Fault { operation: Some("GetMetricData".to_owned()), ..Fault::new(FaultKind::Denied) });
    let ran = sqswatch(&arguments).await;
    assert!(ran.code == 1 && ran.err.contains("GetMetricData") && ran.out.is_empty(), "{}", ran.err);
}
