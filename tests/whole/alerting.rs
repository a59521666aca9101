//! The way of those who alert by Prometheus: a dead letter, our rule in a real Prometheus, a real Alertmanager, a page, and its end.

use serde_json::Value;

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::grafana::root;
use crate::peer;
use crate::receiver::Receiver;
use crate::shop;

const NOT_EMPTY: &str = "SqsDeadLetterQueueNotEmpty";

/// Our rules, but for the waiting.
fn impatient_rules() -> String {
    let rules = std::fs::read_to_string(root().join("alerts/sqswatch.yaml")).unwrap();
    let impatient = |line: &str| match line.split_once("for: ") {
        Some((indentation, _)) if indentation.trim().is_empty() => format!("{indentation}for: 0s\n"),
        _ => format!("{line}\n"),
    };
    rules.lines().map(impatient).collect()
}

/// Every alert of this name that Alertmanager has told `hook`.
fn told(hook: &Receiver, name: &str) -> Vec<Value> {
    let bodies = hook.requests().into_iter().filter_map(|request| serde_json::from_str(&request.body).ok());
    let alerts = bodies.flat_map(|body: Value| body["alerts"].as_array().cloned().unwrap_or_default());
    alerts.filter(|alert| alert["labels"]["alertname"] == name).collect()
}

/// The first of them with this status.
async fn until_told(hook: &Receiver, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is told as {status}"), async || {
        let alerts = told(hook, name);
        let found = alerts.iter().find(|alert| alert["status"] == status).cloned();
        found.ok_or_else(|| format!("{alerts:?}"))
    })
    .await
}

#[tokio::test]
async fn a_dead_letter_makes_the_rule_fire_and_reaches_alertmanager() {
    let simulator = shop::open(&["orders", "carts"]).await;
    let daemon = Daemon::start(&shop::config(&simulator, "alarms: []\n"), ANYBODY).await;
    let hook = Receiver::start(vec![shop::taken()]).await;
    let (folder, port) = (tempfile::tempdir().unwrap(), peer::free_port());
    let _alertmanager = peer::alertmanager(&hook.url, folder.path(), port).await;
    let rules = folder.path().join("rules.yaml");
    std::fs::write(&rules, impatient_rules()).unwrap();
    let more = format!(
        "rule_files: ['{}']\nalerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['127.0.0.1:{port}'] }}] }}] }}\n",
        rules.display()
    );
    let scrapes = tempfile::tempdir().unwrap();
    let _prometheus = peer::prometheus_with(&daemon.address, scrapes.path(), &more).await;

    simulator.control().send("orders-dlq", "m");
    let alert = until_told(&hook, NOT_EMPTY, "firing").await;
    assert_eq!(alert["labels"]["queue"], "orders-dlq");
    assert_eq!(alert["labels"]["severity"], "warning");
    assert_eq!(alert["annotations"]["summary"], "orders-dlq holds 1 dead letters");
    assert_eq!(alert["annotations"]["runbook_url"], "docs/runbooks/SqsDeadLetterQueueNotEmpty.md");

    simulator.control().purge("orders-dlq");
    let alert = until_told(&hook, NOT_EMPTY, "resolved").await;
    assert_eq!(alert["labels"]["queue"], "orders-dlq");
    let of_others = told(&hook, NOT_EMPTY).into_iter().find(|alert| alert["labels"]["queue"] == "carts-dlq");
    assert_eq!(of_others, None, "the other dead-letter queue is empty");
    daemon.stop().await;
}
