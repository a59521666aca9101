//! A composite alarm over two alarms: told with its children, held back by its suppressor, also through a kill.

use serde_json::Value;

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::receiver::Receiver;
use crate::shop;

const ALARMS: &str = r#"
  { name: trouble, actions_suppressor: deploying, actions_suppressor_wait_period: 0s,
    actions_suppressor_extension_period: 0s, alarm_rule: 'ALARM("dead letters") AND ALARM(backlog)' },
  { name: dead letters, notify: [], queues: { role: dead_letter }, metric: messages_visible, period: 10s, comparison: ">=", threshold: 1 },
  { name: backlog, notify: [], queues: { name: orders }, metric: messages_visible, period: 10s, comparison: ">=", threshold: 1 },
  { name: deploying, notify: [], queues: { name: deploys }, metric: messages_visible, period: 10s, comparison: ">=", threshold: 1 }
"#;

/// Waits until so many pages have arrived; returns the bodies.
async fn until_told(receiver: &Receiver, count: usize) -> Vec<Value> {
    eventually(&format!("{count} pages arrive"), async || {
        let requests = receiver.requests();
        let bodies: Vec<Value> = requests
            .iter()
            .filter(|request| !request.body.is_empty())
            .map(|request| serde_json::from_str(&request.body).unwrap())
            .collect();
        assert!(bodies.len() <= count, "more than {count} arrived: {bodies:?}");
        if bodies.len() == count { Ok(bodies) } else { Err(format!("{bodies:?}")) }
    })
    .await
}

/// Waits until the composite alarm is in `state`; returns it.
async fn until_state(daemon: &Daemon, state: &str) -> Value {
    eventually(&format!("the composite alarm is in {state}"), async || {
        let alarms = daemon.json("/api/v1/alarms").await?;
        let mut found = alarms["alarms"].as_array().into_iter().flatten();
        let found = found.find(|alarm| alarm["alarm"] == "trouble").cloned();
        let found = found.ok_or_else(|| alarms.to_string())?;
        if found["state"] == state { Ok(found) } else { Err(found.to_string()) }
    })
    .await
}

#[tokio::test]
async fn a_composite_alarm_is_told_with_its_children_and_held_back_by_its_suppressor() {
    let simulator = shop::open(&["orders", "deploys"]).await;
    let control = simulator.control();
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let config = shop::config(&simulator, &shop::paging(ALARMS, &receiver));
    let daemon = Daemon::start(&config, ANYBODY).await;

    control.send("orders", "m");
    control.send("orders-dlq", "m");
    let bodies = until_told(&receiver, 1).await;
    let body = &bodies[0];
    assert_eq!((&body["event"], &body["alarm"]["name"]), (&"firing".into(), &"trouble".into()));
    assert_eq!((&body["queue"], &body["condition"]), (&Value::Null, &Value::Null));
    assert_eq!(body["composite"]["rule"], "ALARM(\"dead letters\") AND ALARM(backlog)");
    let children: Vec<(&str, &str)> = body["composite"]["children"]
        .as_array()
        .unwrap()
        .iter()
        .map(|child| (child["alarm"].as_str().unwrap(), child["state"].as_str().unwrap()))
        .collect();
    assert_eq!(children.len(), 2);
    assert!(children.contains(&("dead letters", "ALARM")) && children.contains(&("backlog", "ALARM")));
    let reason = body["reason"].as_str().unwrap();
    assert!(
        reason.ends_with(
            "The alarm rule is true: dead letters on orders-dlq in ALARM, backlog on orders in ALARM."
        ),
        "{reason}"
    );
    let scrape = daemon.metrics().await.unwrap();
    assert_eq!(scrape.value("sqs_alarm_state", &[("alarm", "trouble"), ("state", "ALARM")]).unwrap(), 1.0);

    control.purge("orders-dlq");
    assert_eq!(until_told(&receiver, 2).await[1]["event"], "resolved");

    control.send("deploys", "m");
    shop::until_state(&daemon, "deploying", "deploys", "ALARM").await;
    control.send("orders-dlq", "m");
    let held = until_state(&daemon, "ALARM").await;
    assert_eq!(held["held"]["by"], "deploying", "{held}");
    assert_eq!(held["rule"]["alarm_rule"], "ALARM(\"dead letters\") AND ALARM(backlog)");

    let daemon = Daemon::start_at(daemon.kill().await, ANYBODY).await;
    assert_eq!(until_state(&daemon, "ALARM").await["since"], held["since"], "nothing has changed");
    assert_eq!(until_told(&receiver, 2).await.len(), 2, "nobody was told");
    control.purge("deploys");
    let bodies = until_told(&receiver, 3).await;
    let body = &bodies[2];
    assert_eq!((&body["event"], &body["since"]), (&"firing".into(), &held["since"]));
    assert_eq!(body["composite"]["children"].as_array().unwrap().len(), 2, "{body}");
    daemon.stop().await;
}
