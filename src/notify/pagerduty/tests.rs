//! Real calls at a scripted PagerDuty: what each event sends, and what each answer means.

use serde_json::Value;

use super::event::{EVENT_BYTES, KEY_BYTES, SUMMARY_CHARACTERS, dedup_key};
use super::*;
use crate::config::secret::Secret;
use crate::domain::alarm::Subject;
use crate::domain::queue::QueueId;
use crate::notify::fixture::receiver::{Act, Receiver, answer};
use crate::notify::fixture::{at, notification};
use crate::notify::{http_client, test_notification};

const KEY: &str = "0123456789abcdef0123456789ABCDEF";

fn config(url: &str) -> PagerDuty {
    PagerDuty {
        routing_key: Secret::new(KEY),
        url: url.to_owned(),
        timeout: Duration::from_secs(20),
        client_url: Some("https://sqswatch.example.com".into()),
        links: [("Runbook".to_owned(), "https://example.com/runbook".to_owned())].into(),
    }
}

fn taken() -> Act {
    answer(202, "", r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#)
}

async fn send_to(receiver: &Receiver, notification: &Notification) -> Answer {
    let answer = send(&http_client().unwrap(), &config(&receiver.url), notification).await;
    assert!(!answer.detail.contains(KEY), "the key is in `{}`", answer.detail);
    answer
}

fn bodies(receiver: &Receiver) -> Vec<Value> {
    receiver.requests().iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
}

#[tokio::test]
async fn a_firing_opens_an_incident_that_says_it_all() {
    let receiver = Receiver::start(vec![taken()]).await;
    let mut firing = notification("dlq", Event::Firing, 0);
    firing.id = "sqw_1".into();
    let answer = send_to(&receiver, &firing).await;
    assert_eq!(
        (answer.outcome, answer.detail.as_str()),
        (Outcome::Acknowledged, "HTTP 202 Accepted: Event processed")
    );
    assert_eq!(receiver.requests()[0].line, "POST /v2/enqueue");
    assert_eq!(receiver.requests()[0].headers["content-type"], "application/json");
    let expected = serde_json::json!({
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "sqswatch:queue:dlq:123456789012/us-east-1/orders-dlq",
        "payload": {
            "summary": "ALARM: dlq on orders-dlq (us-east-1), value 3. Threshold Crossed: 1 datapoint [3.0 (02/01/26 03:04:00)] was greater than or equal to the threshold (1.0).",
            "source": "123456789012/us-east-1/orders-dlq",
            "severity": "critical",
            "timestamp": "2026-01-02T03:05:01.234Z",
            "component": "orders-dlq",
            "group": "us-east-1/123456789012",
            "class": "messages_visible",
            "custom_details": {
                "event": "firing",
                "state": "OK -> ALARM",
                "since": "2026-01-02T03:05:01.234Z",
                "reason": firing.reason,
                "description": firing.description,
                "condition": "Maximum of messages_visible over 1m >= 1, 1 of 1 datapoints",
                "value": 3.0,
                "threshold": 1.0,
                "notification": "sqw_1",
                "labels": { "team": "payments" },
                "queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/orders-dlq",
                "dead_letters_of": "orders",
            },
        },
        "links": [
            { "text": "SQS console", "href": "https://us-east-1.console.aws.amazon.com/sqs/v3/home?region=us-east-1#/queues/https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Forders-dlq" },
            { "text": "Runbook", "href": "https://example.com/runbook" },
        ],
        "client": "sqswatch",
        "client_url": "https://sqswatch.example.com",
    });
    assert_eq!(bodies(&receiver)[0], expected);
}

#[tokio::test]
async fn each_event_has_its_calls_on_one_incident() {
    let cases: [(Event, &[&str]); 7] = [
        (Event::Firing, &["trigger"]),
        (Event::Repeated, &["trigger"]),
        (Event::Increased, &["resolve", "trigger"]),
        (Event::Flapping, &["trigger"]),
        (Event::Resolved, &["resolve"]),
        (Event::Closed, &["resolve"]),
        (Event::Test, &["trigger", "resolve"]),
    ];
    for (event, expected) in cases {
        let receiver = Receiver::start(vec![taken()]).await;
        let told =
            if event == Event::Test { test_notification(at(0)) } else { notification("dlq", event, 0) };
        assert_eq!(send_to(&receiver, &told).await.outcome, Outcome::Acknowledged);
        let bodies = bodies(&receiver);
        let actions: Vec<&str> = bodies.iter().map(|body| body["event_action"].as_str().unwrap()).collect();
        assert_eq!(actions, expected, "{event:?}");
        let firing = dedup_key(&notification("dlq", Event::Firing, 7));
        for body in &bodies {
            let key = body["dedup_key"].as_str().unwrap();
            assert_eq!(key == firing, event != Event::Test, "{event:?} {key}");
            let summary = body.pointer("/payload/summary").and_then(Value::as_str).unwrap_or_default();
            assert!(
                event != Event::Flapping
                    || summary.starts_with("FLAPPING: ") && summary.contains("too often")
            );
        }
    }
}

#[tokio::test]
async fn a_second_call_is_not_made_after_a_first_that_fails_and_all_are_after_that() {
    let receiver = Receiver::start(vec![answer(500, "", ""), taken(), answer(429, "", ""), taken()]).await;
    let rising = notification("dlq", Event::Increased, 0);
    for (requests, acknowledged) in [(1, false), (3, false), (5, true)] {
        let answer = send_to(&receiver, &rising).await;
        assert_eq!(answer.outcome == Outcome::Acknowledged, acknowledged, "{answer:?}");
        assert_eq!(receiver.requests().len(), requests);
    }
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    let invalid = r#"{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#;
    let echo = format!(r#"{{"status":"invalid event","message":"bad key {KEY}","errors":[]}}"#);
    let retry =
        |reason, seconds: Option<u64>| Outcome::Retry { reason, after: seconds.map(Duration::from_secs) };
    let refused = Outcome::Refused { reason: Reason::Refused };
    let cases = [
        (answer(202, "", ""), Outcome::Acknowledged, ""),
        (answer(202, "", "no JSON"), Outcome::Acknowledged, ""),
        (answer(202, "", r#"{"status":"throttled"}"#), retry(Reason::BadAnswer, None), ""),
        (answer(200, "", "<html>"), retry(Reason::BadAnswer, None), "hint: PagerDuty says 202"),
        (answer(400, "", invalid), refused, "Event object is invalid: Length of 'routing_key' is incorrect"),
        (answer(400, "", &echo), refused, "an answer that repeats a secret"),
        (answer(400, "", ""), refused, "hint: check `routing_key`"),
        (answer(429, "", ""), retry(Reason::Throttled, Some(60)), ""),
        (answer(429, "retry-after: 300\r\n", ""), retry(Reason::Throttled, Some(300)), ""),
        (answer(500, "", ""), retry(Reason::ServerError, None), ""),
        (answer(503, "retry-after: 30\r\n", ""), retry(Reason::ServerError, Some(30)), ""),
        (answer(404, "", ""), retry(Reason::NotFound, None), "hint: `url` is"),
        (Act::Reset, retry(Reason::Connection, None), ""),
    ];
    for (act, outcome, detail) in cases {
        let receiver = Receiver::start(vec![act.clone()]).await;
        let answer = send_to(&receiver, &notification("dlq", Event::Firing, 0)).await;
        assert_eq!(answer.outcome, outcome, "{act:?}");
        assert!(answer.detail.contains(detail), "{} for {act:?}", answer.detail);
    }
}

#[test]
fn a_key_is_one_alarm_s_and_short_enough() {
    let mut alarm = notification("dlq", Event::Firing, 0);
    let short = dedup_key(&alarm);
    alarm.alarm.rule = "ü".repeat(200).into();
    let long = dedup_key(&alarm);
    assert!(long.starts_with("sqswatch:") && long.len() <= KEY_BYTES && long.is_ascii());
    alarm.event = Event::Resolved;
    assert_eq!(dedup_key(&alarm), long);
    alarm.alarm.subject = Subject::Queue(QueueId::new("123456789012", "us-east-1", "other"));
    assert_ne!(dedup_key(&alarm), long);
    assert_eq!(dedup_key(&notification("dlq", Event::Resolved, 60)), short);
}

#[test]
fn an_event_of_any_size_keeps_the_limits() {
    for filling in ["ü", "\u{1}", "日"] {
        let mut huge = notification("dlq", Event::Firing, 0);
        let text = filling.repeat(10_000_000 / filling.len());
        huge.labels =
            (0..10).map(|n| (format!("label{n}"), text[..text.len() / 10 / 12 * 12].to_owned())).collect();
        huge.labels.insert("team".into(), "payments".into());
        (huge.description, huge.reason) = (text.clone(), text.clone());
        huge.alarm.rule = text[..120_000].into();
        let body = event::event(&config("http://127.0.0.1"), &huge, Action::Trigger);
        assert!(body.len() <= EVENT_BYTES, "{}", body.len());
        let body: Value = serde_json::from_str(&body).unwrap();
        let summary = body.pointer("/payload/summary").and_then(Value::as_str).unwrap();
        assert_eq!(summary.chars().count(), SUMMARY_CHARACTERS);
        assert!(summary.ends_with("..."));
        assert_eq!(body.pointer("/payload/custom_details/labels/team").unwrap(), "payments");
    }
}
