//! `sqswatch rules`: what the program writes, and what a real Prometheus makes of it over a daemon that it scrapes.

use serde_json::Value;

use crate::commands::sqswatch;
use crate::daemon::{ANYBODY, Daemon, Home, run};
use crate::eventually::eventually;
use crate::peer::{self, Peer, http};
use crate::shop;

/// Every kind of expression, with hostile words; `tests/backtest/rules.rs` holds the same against promtool.
const HOSTILE: &str = include_str!("../backtest/hostile.yaml");
const DEAD_LETTERS: &str = "  - { name: dead-letters, queues: { role: dead_letter }, metric: messages_visible, comparison: '>=', threshold: 1 }\n";

/// The rules as Prometheus shows them.
async fn rules(prometheus: &Peer) -> Result<Vec<Value>, String> {
    let answer = http().get(format!("{}/api/v1/rules", prometheus.url)).send().await;
    let answer = answer.map_err(|error| error.to_string())?.text().await.unwrap();
    let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
    Ok(answer["data"]["groups"][0]["rules"].as_array().cloned().unwrap_or_default())
}

/// Waits until all rules were evaluated without an error and `dead-letters` fires for exactly these queues.
async fn until_firing(prometheus: &Peer, count: usize, queues: &[&str]) {
    eventually(&format!("dead-letters fires for {queues:?}"), async || {
        let rules = rules(prometheus).await?;
        assert!(rules.is_empty() || rules.len() == count, "{} instead of {count} rules", rules.len());
        if let Some(rule) = rules.iter().find(|rule| rule["health"] == "err") {
            panic!("{}: {}", rule["query"], rule["lastError"]);
        }
        let unknown = rules.iter().filter(|rule| rule["health"] != "ok").count();
        let dead = rules.iter().find(|rule| rule["name"] == "dead-letters").ok_or("no rules yet")?;
        let alerts = dead["alerts"].as_array().into_iter().flatten();
        let mut firing: Vec<&str> = alerts
            .filter(|alert| alert["state"] == "firing")
            .filter_map(|alert| alert["labels"]["queue"].as_str())
            .collect();
        firing.sort_unstable();
        if unknown == 0 && firing == queues {
            Ok(())
        } else {
            Err(format!("{firing:?}, {unknown} not judged"))
        }
    })
    .await;
}

#[tokio::test]
async fn a_real_prometheus_evaluates_every_rule_and_fires_for_a_dead_letter() {
    let simulator = shop::open(&["orders", "mail"]).await;
    let control = simulator.control();
    let (_, hostile) = HOSTILE.split_once("custom_metrics:").unwrap();
    let config = shop::config(&simulator, &format!("custom_metrics:{hostile}{DEAD_LETTERS}"))
        .replace("discovery: { interval: 10s }", "discovery: { interval: 10s, tag_labels: [team, 'a:b'] }");
    let daemon = Daemon::start(&config, ANYBODY).await;
    let (folder, file) = (tempfile::tempdir().unwrap(), daemon.home.config().display().to_string());
    let output = folder.path().join("rules.yaml").display().to_string();
    let ran = sqswatch(&["rules", "--config", &file, "--output", &output]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.starts_with("warning: the alarm `cannot` is left out: only the sums of"), "{}", ran.err);

    let count = std::fs::read_to_string(&output).unwrap().matches("- alert: \"").count();
    let prometheus =
        peer::prometheus_with(&daemon.address, folder.path(), "rule_files: [rules.yaml]\n").await;
    until_firing(&prometheus, count, &[]).await;
    control.send("orders-dlq", "m");
    until_firing(&prometheus, count, &["orders-dlq"]).await;
    control.send("mail-dlq", "m");
    until_firing(&prometheus, count, &["mail-dlq", "orders-dlq"]).await;
    control.purge("orders-dlq");
    until_firing(&prometheus, count, &["mail-dlq"]).await;
    daemon.stop().await;
}

#[tokio::test]
async fn the_built_in_alarms_are_written_and_faults_have_their_codes() {
    let home = Home::new("{}");
    let file = home.config().display().to_string();
    let written = sqswatch(&["rules", "--config", &file]).await;
    assert_eq!((written.code, written.err.as_str()), (0, ""));
    for alarm in ["dlq-not-empty", "dlq-growing", "in-flight-near-limit", "consumers-stalled"] {
        assert!(written.out.contains(&format!("- alert: \"{alarm}\"\n")), "{}", written.out);
    }
    let again = run(&["rules", "--config", "-"], &home.config());
    assert_eq!(
        String::from_utf8(again.stdout).unwrap(),
        written.out,
        "the same bytes, also of standard input"
    );

    let object =
        ["--format", "prometheus-rule", "--name", "alarms", "--namespace", "m", "--label", "release=x"];
    let object = sqswatch(&[&["rules", "--config", &file], &object[..]].concat()).await;
    assert!(
        object.code == 0 && object.out.contains("\nkind: PrometheusRule\n"),
        "{}{}",
        object.out,
        object.err
    );
    assert!(
        object.out.contains("  name: \"alarms\"\n  namespace: \"m\"\n  labels:\n    \"release\": \"x\"\n")
    );

    home.write("alarms: [{ name: x }]");
    for (more, code, said) in [
        (&[][..], 2, "alarms[0]"),
        (&["--name", "x"], 2, "hint: add `--format prometheus-rule`"),
        (&["--format", "prometheus-rule", "--name", "No Name"], 2, "as Kubernetes names objects"),
    ] {
        let ran = sqswatch(&[&["rules", "--config", &file], more].concat()).await;
        assert!(ran.code == code && ran.err.contains(said) && ran.out.is_empty(), "{more:?}: {}", ran.err);
    }
    home.write("{}");
    let ran = sqswatch(&["rules", "--config", &file, "--output", "/nowhere/rules.yaml"]).await;
    assert!(ran.code == 1 && ran.err.contains("/nowhere/rules.yaml: cannot be written: "), "{}", ran.err);
}
