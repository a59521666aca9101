//! Real posts at a scripted Teams: what is shown, and what each answer means.

use serde_json::Value;

use super::card::{BYTES, message};
use super::*;
use crate::config::secret::Secret;
use crate::domain::alarm::Subject;
use crate::domain::notification::Event;
use crate::domain::outbox::Grouping;
use crate::domain::queue::QueueId;
use crate::domain::rule::Severity;
use crate::notify::fixture::notification;
use crate::notify::fixture::receiver::{Act, Receiver, answer};
use crate::notify::http_client;

const SIGNATURE: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

fn shown(group: &[Arc<Notification>]) -> Value {
    let message: Value = serde_json::from_str(&message(group)).unwrap();
    assert_eq!((&message["type"], message["attachments"].as_array().unwrap().len()), (&"message".into(), 1));
    let attachment = &message["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    let card = attachment["content"].clone();
    assert_eq!((&card["type"], &card["version"]), (&"AdaptiveCard".into(), &"1.2".into()));
    card
}

fn of(queue: &str, event: Event, value: f64) -> Arc<Notification> {
    let mut one = notification("dlq", event, 0);
    one.alarm.subject = Subject::Queue(QueueId::new("123456789012", "us-east-1", queue));
    one.value = Some(value);
    Arc::new(one)
}

#[test]
fn one_alarm_is_told_in_full() {
    let card = shown(&[of("orders_dlq", Event::Firing, 3.0)]);
    assert_eq!(card["body"][0]["style"], "attention");
    assert_eq!(card["body"][0]["items"][0]["text"], "ALARM: dlq on orders\\_dlq (us-east-1)");
    assert_eq!(card["body"][1]["text"], "Messages in a dead-letter queue need a person");
    assert!(card["body"][2]["text"].as_str().unwrap().contains("\\[3.0 (02/01/26 03:04:00)\\]"));
    let facts = card["body"][3]["facts"].as_array().unwrap();
    let value =
        |title: &str| facts.iter().find(|fact| fact["title"] == title).map(|fact| fact["value"].clone());
    assert_eq!(value("Value"), Some("3".into()));
    assert_eq!(value("Labels"), Some("team=payments".into()));
    assert!(
        card["actions"][0]["url"].as_str().unwrap().starts_with("https://us-east-1.console.aws.amazon.com/")
    );
    assert_eq!(card["fallbackText"], "ALARM: dlq on orders_dlq (us-east-1)");
}

#[test]
fn the_colour_is_that_of_the_worst() {
    for (event, severity, style) in [
        (Event::Firing, Severity::Error, "attention"),
        (Event::Firing, Severity::Warning, "warning"),
        (Event::Repeated, Severity::Info, "accent"),
        (Event::Resolved, Severity::Critical, "good"),
        (Event::Closed, Severity::Critical, "good"),
        (Event::Test, Severity::Critical, "accent"),
    ] {
        let severe = Arc::new(Notification { severity, ..notification("dlq", event, 0) });
        let mild = Arc::new(Notification { severity: Severity::Info, ..notification("dlq", event, 0) });
        assert_eq!(shown(&[mild, severe])["body"][0]["style"], style, "{event:?} {severity:?}");
    }
}

#[test]
fn a_hundred_are_one_card_with_the_worst_ten() {
    let hundred: Vec<_> = (0..100).map(|n| of(&format!("q{n:02}"), Event::Resolved, f64::from(n))).collect();
    let card = shown(&hundred);
    assert_eq!(card["body"][0]["items"][0]["text"], "OK: dlq on 100 queues");
    let facts = card["body"][2]["facts"].as_array().unwrap();
    assert_eq!((facts.len(), &facts[0]["title"]), (10, &"q99 (us-east-1)".into()));
    assert_eq!(card["body"][3]["text"], "and 90 more");
}

#[test]
fn a_card_of_any_size_keeps_the_limit() {
    for filling in ["日", "*", "\u{1}"] {
        let mut huge = notification("dlq", Event::Firing, 0);
        let text = filling.repeat(10_000_000 / filling.len());
        huge.labels = [("a".to_owned(), text.clone())].into();
        (huge.description, huge.reason) = (text.clone(), text.clone());
        huge.alarm.subject = Subject::Queue(QueueId::new("1", "us-east-1", text[..120_000].to_owned()));
        huge.queue.as_mut().unwrap().sources = vec![QueueId::new("1", "us-east-1", "s"); 100_000];
        let huge = Arc::new(huge);
        for group in [vec![huge.clone()], vec![huge; 12]] {
            let message = message(&group);
            assert!(message.len() <= BYTES, "{}", message.len());
            shown(&group);
        }
    }
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    let retry =
        |reason, seconds: Option<u64>| Outcome::Retry { reason, after: seconds.map(Duration::from_secs) };
    let refused = |reason| Outcome::Refused { reason };
    let connector = |status: u16| {
        format!(
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {status} with ContextId tcid=0,server=X"
        )
    };
    let echo = format!("https://example.com/invoke?sig={SIGNATURE} is off");
    let cases = [
        (answer(202, "", ""), Outcome::Acknowledged, ""),
        (answer(200, "", "1"), Outcome::Acknowledged, ""),
        (answer(200, "", &connector(429)), retry(Reason::Throttled, Some(10)), "hint: it was accepted"),
        (answer(200, "retry-after: 60\r\n", &connector(429)), retry(Reason::Throttled, Some(60)), ""),
        (answer(200, "", &connector(502)), retry(Reason::ServerError, None), ""),
        (answer(200, "", &connector(413)), refused(Reason::Refused), ""),
        (answer(200, "", "Webhook message delivery failed: who knows"), retry(Reason::BadAnswer, None), ""),
        (answer(202, "", r#"{"error":{"code":"X"}}"#), retry(Reason::BadAnswer, None), "code"),
        (answer(200, "", "<!DOCTYPE html>sign in"), retry(Reason::BadAnswer, None), "sign in"),
        (
            answer(400, "", r#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#),
            refused(Reason::Refused),
            "SchemaMismatch",
        ),
        (answer(401, "", &echo), retry(Reason::Denied, None), "repeats a secret"),
        (answer(404, "", "WorkflowNotFound"), retry(Reason::NotFound, None), "hint: the workflow is gone"),
        (answer(410, "", ""), refused(Reason::Gone), ""),
        (answer(429, "", ""), retry(Reason::Throttled, Some(10)), ""),
        (answer(429, "retry-after: 120\r\n", ""), retry(Reason::Throttled, Some(120)), ""),
        (answer(502, "", "NoResponse"), retry(Reason::ServerError, None), "NoResponse"),
    ];
    for (act, outcome, detail) in cases {
        let receiver = Receiver::start(vec![act.clone()]).await;
        let url =
            Secret::new(format!("{}/workflows/invoke?api-version=2016-06-01&sig={SIGNATURE}", receiver.url));
        let config = Teams { url, timeout: Duration::from_secs(20), grouping: Grouping::NONE };
        let answer = send(&http_client().unwrap(), &config, &[of("q", Event::Firing, 3.0)]).await;
        assert_eq!(answer.outcome, outcome, "{act:?}");
        assert!(answer.detail.contains(detail), "{} for {act:?}", answer.detail);
        assert!(!answer.detail.contains(SIGNATURE), "the signature is in `{}`", answer.detail);
        assert!(receiver.requests()[0].line.contains(SIGNATURE));
    }
    let unread = Act::Send("HTTP/1.1 202 Accepted\r\ncontent-length: 20\r\n\r\nhalf".into());
    let receiver = Receiver::start(vec![unread]).await;
    let config = Teams {
        url: Secret::new(receiver.url.clone()),
        timeout: Duration::from_secs(20),
        grouping: Grouping::NONE,
    };
    let answer = send(&http_client().unwrap(), &config, &[of("q", Event::Firing, 3.0)]).await;
    assert_eq!(answer.outcome, retry(Reason::BadAnswer, None));
}
