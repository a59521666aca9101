//! A real Alertmanager gets alerts from the real program: it groups them, shows them, and tells of their end; and when it was
//! restarted without anything of what it knew, it has them again by the next re-send.

use std::process::Command;

use serde_json::Value;
use sqswatch::domain::time::Timestamp;

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::peer::{self, Peer, http};
use crate::receiver::{Receiver, Request};
use crate::shop::{self, DEAD_LETTERS};

/// What Alertmanager told its own receiver, or sqswatch one that takes the same format.
fn bodies(requests: &[Request]) -> Vec<Value> {
    requests.iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
}

/// `queue status` of each alert of a notification, sorted.
fn told(body: &Value) -> Vec<String> {
    let alerts = body["alerts"].as_array().unwrap().iter();
    let mut told: Vec<String> = alerts
        .map(|alert| {
            format!("{} {}", alert["labels"]["queue"].as_str().unwrap(), alert["status"].as_str().unwrap())
        })
        .collect();
    told.sort();
    told
}

async fn until_told(receiver: &Receiver, expected: &[&str]) {
    eventually(&format!("Alertmanager tells {expected:?}"), async || {
        let all: Vec<_> = bodies(&receiver.requests()).iter().map(told).collect();
        if all.last().is_some_and(|last| last == expected) { Ok(()) } else { Err(format!("{all:?}")) }
    })
    .await;
}

/// The alerts that Alertmanager holds active, by their queue.
async fn active(alertmanager: &Peer, expected: &[&str]) -> Vec<Value> {
    eventually(&format!("Alertmanager has {expected:?}"), async || {
        let request = http().get(format!("{}/api/v2/alerts?active=true", alertmanager.url));
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let mut alerts: Vec<Value> = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        alerts.sort_by_key(|alert| alert["labels"]["queue"].to_string());
        let queues: Vec<&str> = alerts.iter().filter_map(|alert| alert["labels"]["queue"].as_str()).collect();
        if queues == expected { Ok(alerts) } else { Err(format!("{alerts:?}")) }
    })
    .await
}

/// Where each key of Alertmanager's format stands in a body; they must come in this order.
fn keys_in_order(body: &str) {
    let alert = ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"];
    let rest = ["groupLabels", "commonLabels", "commonAnnotations", "externalURL", "version", "groupKey"];
    let keys =
        ["receiver", "status", "alerts"].into_iter().chain(alert).chain(rest).chain(["truncatedAlerts"]);
    let mut at = 0;
    for key in keys {
        let found = body[at..].find(&format!("\"{key}\":"));
        at += found.unwrap_or_else(|| panic!("`{key}` is missing or out of order: {body}"));
    }
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn same_keys(one: &Value, other: &Value) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(one), keys(other));
}

#[tokio::test]
async fn alertmanager_receives_groups_resolves_and_is_told_again_after_a_restart() {
    let simulator = shop::open(&["one", "two"]).await;
    let control = simulator.control();
    let hook = Receiver::start(vec![shop::taken()]).await; // of Alertmanager
    let bridge = Receiver::start(vec![shop::taken()]).await; // of sqswatch, in the same format
    let (folder, port) = (tempfile::tempdir().unwrap(), peer::free_port());
    let alertmanager = peer::alertmanager(&hook.url, folder.path(), port).await;
    let more = format!(
        "alarms: [{DEAD_LETTERS}]\ndestinations:\n  bridge: {{ webhook: {{ url: \"{}\", format: alertmanager }} }}\n  \
         cluster: {{ alertmanager: {{ urls: [\"http://127.0.0.1:1\", \"{}\"], resend: 2s }} }}\n",
        bridge.url, alertmanager.url
    );
    for queue in ["one-dlq", "two-dlq"] {
        control.send(queue, "m");
    }
    let daemon = Daemon::start(&shop::config(&simulator, &more), ANYBODY).await;

    until_told(&hook, &["one-dlq firing", "two-dlq firing"]).await;
    let theirs = hook.requests().pop().unwrap();
    let shown = active(&alertmanager, &["one-dlq", "two-dlq"]).await;
    for (alert, ours) in shown.iter().zip(ours(&bridge).await) {
        keys_in_order(&ours.body);
        let body: Value = serde_json::from_str(&ours.body).unwrap();
        for key in ["labels", "annotations", "fingerprint"] {
            assert_eq!(alert[key], body["alerts"][0][key], "{key}");
        }
        assert_eq!(instant(&alert["startsAt"]), instant(&body["alerts"][0]["startsAt"]));
        assert_eq!(body["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
        let theirs: Value = serde_json::from_str(&theirs.body).unwrap();
        same_keys(&theirs, &body);
        same_keys(&theirs["alerts"][0], &body["alerts"][0]);
        for key in ["version", "status", "truncatedAlerts"] {
            assert_eq!(theirs[key], body[key], "{key}");
        }
    }
    keys_in_order(&theirs.body);
    let amtool =
        Command::new("amtool").args(["--alertmanager.url", &alertmanager.url, "alert", "query"]).output();
    let amtool = String::from_utf8(amtool.unwrap().stdout).unwrap();
    for queue in ["one-dlq", "two-dlq"] {
        assert!(amtool.contains(&format!("ALARM: dead-letters on {queue}")), "{amtool}");
    }

    drop(alertmanager);
    let forgetful = tempfile::tempdir().unwrap();
    let alertmanager = peer::alertmanager(&hook.url, forgetful.path(), port).await;
    active(&alertmanager, &["one-dlq", "two-dlq"]).await;

    control.purge("one-dlq");
    until_told(&hook, &["one-dlq resolved", "two-dlq firing"]).await;
    active(&alertmanager, &["two-dlq"]).await;
    control.purge("two-dlq");
    eventually("both are over", async || {
        let last = bodies(&hook.requests()).pop().unwrap();
        if last["status"] == "resolved" { Ok(()) } else { Err(last.to_string()) }
    })
    .await;
    active(&alertmanager, &[]).await;
    eventually("everything is told, and the replica that is not there was counted", async || {
        let metrics = daemon.metrics().await?;
        for event in ["firing", "resolved"] {
            metrics.expect(
                "sqswatch_notifications_total",
                &[("destination", "cluster"), ("event", event)],
                2.0,
            )?;
        }
        metrics.expect("sqswatch_outbox_entries", &[("destination", "cluster")], 0.0)?;
        let missing = [("destination", "cluster"), ("reason", "connection")];
        let failures = metrics.value("sqswatch_alertmanager_replica_failures_total", &missing)?;
        if failures > 0.0 { Ok(()) } else { Err("no failure counted".to_owned()) }
    })
    .await;
    assert_eq!(daemon.metrics().await.unwrap().lint(), "", "promtool check metrics");
    daemon.stop().await;
}

/// What sqswatch told its own receiver of the two firings, by queue.
async fn ours(bridge: &Receiver) -> Vec<Request> {
    let mut requests = bridge.wait_for(2).await;
    requests.truncate(2);
    requests.sort_by_key(|request| told(&serde_json::from_str(&request.body).unwrap()));
    requests
}
