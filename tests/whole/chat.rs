//! Pagers and chats, seen from outside: one message for many queues, an incident for each, and no secret anywhere.

use serde_json::Value;

use crate::daemon::{ANYBODY, Daemon, Home, run};
use crate::eventually::eventually;
use crate::receiver::{Receiver, answer};
use crate::shop::{self, DEAD_LETTERS};

/// PagerDuty's key, and the end of Slack's address.
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn destinations(slack: &Receiver, pagerduty: &Receiver) -> String {
    format!(
        "destinations:\n  chat: {{ slack: {{ url: \"{}/services/T0/B0/{KEY}\", group: {{ wait: 20s }} }} }}\n  \
         oncall: {{ pagerduty: {{ routing_key: {KEY}, url: \"{}\" }} }}\n",
        slack.url, pagerduty.url
    )
}

fn bodies(receiver: &Receiver) -> Vec<Value> {
    receiver.requests().iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
}

/// The first line of each message.
fn headlines(slack: &Receiver) -> Vec<String> {
    let line = |body: &Value| body["text"].as_str().unwrap().lines().next().unwrap().to_owned();
    bodies(slack).iter().map(line).collect()
}

/// Incident and action of each call.
fn calls(pagerduty: &Receiver) -> Vec<(String, String)> {
    let word = |body: &Value, key: &str| body[key].as_str().unwrap().to_owned();
    bodies(pagerduty).iter().map(|body| (word(body, "dedup_key"), word(body, "event_action"))).collect()
}

#[tokio::test]
async fn ten_queues_are_one_message_and_ten_incidents() {
    let names: Vec<String> = (0..10).map(|n| format!("queue{n}")).collect();
    let simulator = shop::open(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in &names {
        simulator.control().send(&format!("{name}-dlq"), "m");
    }
    let slack = Receiver::start(vec![answer(200, "", "ok")]).await;
    let failing = answer(503, "", &format!("cannot handle /services/T0/B0/{KEY}"));
    let pagerduty = Receiver::start(vec![failing, answer(202, "", r#"{"status":"success"}"#)]).await;
    let more = format!("alarms: [{DEAD_LETTERS}]\n{}", destinations(&slack, &pagerduty));
    let daemon = Daemon::start(&shop::config(&simulator, &more), ANYBODY).await;
    for name in &names {
        shop::until_state(&daemon, "dead-letters", &format!("{name}-dlq"), "ALARM").await;
    }
    shop::until_owed(&daemon, 0).await;
    assert_eq!(headlines(&slack), ["ALARM: dead-letters on 10 queues"]);
    for name in &names {
        let key = format!("sqswatch:queue:dead-letters:123456789012/us-east-1/{name}-dlq");
        let of_queue = |(incident, _): &&(String, String)| *incident == key;
        assert!(
            (1..=2).contains(&calls(&pagerduty).iter().filter(of_queue).count()),
            "{key} in {:?}",
            calls(&pagerduty)
        );
    }
    assert_eq!(calls(&pagerduty).len(), 11, "one was tried twice");

    for name in &names {
        simulator.control().purge(&format!("{name}-dlq"));
    }
    eventually("every incident is resolved", async || {
        let resolved = calls(&pagerduty).iter().filter(|(_, action)| action == "resolve").count();
        if resolved == 10 { Ok(()) } else { Err(format!("{resolved}")) }
    })
    .await;
    shop::until_owed(&daemon, 0).await;
    assert_eq!(headlines(&slack)[1..], ["OK: dead-letters on 10 queues"]);
    let seen = [
        daemon.log().join("\n"),
        daemon.get("/api/v1/notifications").await.unwrap().1,
        daemon.metrics().await.unwrap().0,
        daemon.get("/").await.unwrap().1,
    ];
    for text in seen {
        assert!(!text.contains(KEY), "a secret is shown: {text}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn test_notify_tries_each_and_says_what_to_do() {
    let slack = Receiver::start(vec![answer(404, "", "no_service")]).await;
    let pagerduty =
        Receiver::start(vec![answer(202, "", r#"{"status":"success","message":"Event processed"}"#)]).await;
    let simulator = shop::open(&[]).await;
    let home = Home::new(&shop::config(&simulator, &destinations(&slack, &pagerduty)));
    let path = home.config();
    let ran =
        tokio::task::spawn_blocking(move || run(&["test-notify", "--config", "-"], &path)).await.unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{out}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(
        out.contains("failed  chat: HTTP 404 Not Found: no_service\nhint: the webhook was removed"),
        "{out}"
    );
    assert!(out.contains("ok      oncall: HTTP 202 Accepted: Event processed"), "{out}");
    assert!(!out.contains(KEY), "{out}");
    let actions: Vec<String> = calls(&pagerduty).into_iter().map(|(_, action)| action).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
}
