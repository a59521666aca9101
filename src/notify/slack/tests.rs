//! Real posts at a scripted Slack: what is shown, and what each answer means.

use serde_json::Value;

use super::message::{FIELD, SECTION, TEXT, escaped, message};
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

const TOKEN: &str = "XXXXXXXXXXXXXXXXXXXXXXXX";

fn config(url: &str) -> Slack {
    Slack {
        url: Secret::new(format!("{url}/services/T00000000/B00000000/{TOKEN}")),
        timeout: Duration::from_secs(20),
        mention: [(Severity::Critical, "<!channel>".to_owned())].into(),
        grouping: Grouping::NONE,
    }
}

fn shown(group: &[Arc<Notification>]) -> Value {
    serde_json::from_str(&message(&config("http://127.0.0.1"), group)).unwrap()
}

fn of(queue: &str, event: Event) -> Arc<Notification> {
    let mut one = notification("dlq", event, 0);
    one.alarm.subject = Subject::Queue(QueueId::new("123456789012", "us-east-1", queue));
    Arc::new(one)
}

/// Every text of the blocks, with the most characters it may have.
fn texts(message: &Value) -> Vec<(String, usize)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut texts = vec![(text(&message["text"]), TEXT)];
    for block in message["blocks"].as_array().unwrap() {
        texts.extend(block.pointer("/text/text").map(|value| (text(value), SECTION)));
        for part in ["fields", "elements"] {
            let parts = block[part].as_array().into_iter().flatten();
            texts.extend(parts.map(|part| (text(&part["text"]), FIELD)));
        }
    }
    texts
}

fn keeps_the_limits(message: &Value) {
    assert!(message["blocks"].as_array().unwrap().len() <= 50);
    for (text, most) in texts(message) {
        let length = text.chars().count();
        assert!((1..=most).contains(&length), "{length} characters of {most}: {}", &text[..50]);
    }
}

#[test]
fn one_alarm_is_told_in_full() {
    let message = shown(&[of("orders-dlq", Event::Firing)]);
    let text = message["text"].as_str().unwrap();
    assert!(text.starts_with("<!channel> ALARM: dlq on orders-dlq (us-east-1)\n"), "{text}");
    for part in [
        "Messages in a dead-letter queue need a person",
        "(1.0)",
        "Value: 3",
        "Labels: team=payments",
        "of: orders",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let blocks = message["blocks"].as_array().unwrap();
    assert_eq!(
        blocks[0]["text"]["text"],
        "<!channel> :rotating_light: *ALARM: dlq on orders-dlq (us-east-1)*"
    );
    assert_eq!(blocks.len(), 6);
    assert!(
        blocks[4]["text"]["text"].as_str().unwrap().starts_with("<https://us-east-1.console.aws.amazon.com/")
    );
    keeps_the_limits(&message);
}

#[test]
fn only_what_asks_for_action_calls_by_name() {
    for (event, calls, mark) in [
        (Event::Firing, true, ":rotating_light:"),
        (Event::Repeated, true, ":rotating_light:"),
        (Event::Increased, true, ":rotating_light:"),
        (Event::Flapping, true, ":rotating_light:"),
        (Event::Resolved, false, ":white_check_mark:"),
        (Event::Closed, false, ":white_check_mark:"),
        (Event::Test, false, ":test_tube:"),
    ] {
        let message = shown(&[of("q", event)]);
        for (text, _) in &texts(&message)[..2] {
            assert_eq!(text.contains("<!channel>"), calls, "{event:?} {text}");
        }
        assert!(message["blocks"][0]["text"]["text"].as_str().unwrap().contains(mark), "{event:?}");
    }
    let mild = Notification { severity: Severity::Warning, ..notification("dlq", Event::Firing, 0) };
    let text = shown(&[Arc::new(mild)]).to_string();
    assert!(!text.contains("<!channel>") && text.contains(":warning:"), "{text}");
}

#[test]
fn a_hundred_are_one_message_with_the_worst_ten() {
    let hundred: Vec<_> = (0..100)
        .map(|n| {
            let mut one = Arc::unwrap_or_clone(of(&format!("queue-{n:02}"), Event::Firing));
            one.value = Some(f64::from(n));
            Arc::new(one)
        })
        .collect();
    let message = shown(&hundred);
    let text = message["text"].as_str().unwrap();
    assert!(text.starts_with("<!channel> ALARM: dlq on 100 queues\nqueue-99 (us-east-1): 99\n"), "{text}");
    assert!(text.contains("queue-90 (us-east-1): 90\nand 90 more") && !text.contains("queue-89"), "{text}");
    let lines = message["blocks"][2]["text"]["text"].as_str().unwrap();
    assert_eq!((lines.matches("queue-").count() >= 10, lines.lines().count()), (true, 11), "{lines}");
    assert!(lines.ends_with("and 90 more"), "{lines}");
    keeps_the_limits(&message);
}

#[test]
fn what_comes_from_outside_calls_nobody() {
    let mut evil = notification("<!channel> & co", Event::Resolved, 0);
    evil.description = "<!here> <https://evil.example|your bank>".into();
    evil.reason = "a < b > c & d".into();
    evil.labels = [("team".to_owned(), "<@U1>".to_owned())].into();
    evil.alarm.subject = Subject::Queue(QueueId::new("1", "<!x>", "<!everyone>"));
    let evil = Arc::new(evil);
    for group in [vec![evil.clone()], vec![evil.clone(), evil]] {
        let message = shown(&group);
        for (text, _) in texts(&message) {
            let left = text
                .split('<')
                .skip(1)
                .filter(|rest| !rest.starts_with("!date^") && !rest.starts_with("https://us-"));
            assert_eq!(left.count(), 0, "{text}");
        }
        assert!(message["text"].as_str().unwrap().contains("OK: &lt;!channel&gt; &amp; co"));
    }
}

#[test]
fn escapes_stay_whole_at_the_edge() {
    for (text, max, expected) in [
        ("a<b", 6, "a&lt;b"),
        ("a<b", 5, "a..."),
        ("ab<<", 9, "ab&lt;..."),
        ("日本語", 3, "日本語"),
        ("日本語で", 3, "..."),
        ("a\u{7}b\nc", 9, "ab\nc"),
        ("abc", 0, ""),
    ] {
        assert_eq!(escaped(text, max), expected, "{text} to {max}");
    }
}

#[test]
fn a_message_of_any_size_keeps_the_limits() {
    for filling in ["ü", "&", "\u{1}"] {
        let mut huge = notification("dlq", Event::Firing, 0);
        let text = filling.repeat(10_000_000 / filling.len());
        huge.labels = [("a".to_owned(), text.clone()), ("b".to_owned(), "c".to_owned())].into();
        (huge.description, huge.reason) = (text.clone(), text.clone());
        huge.alarm.subject = Subject::Queue(QueueId::new("1", "us-east-1", text[..120_000].to_owned()));
        huge.queue.as_mut().unwrap().sources = vec![QueueId::new("1", "us-east-1", "s"); 100_000];
        let huge = Arc::new(huge);
        keeps_the_limits(&shown(std::slice::from_ref(&huge)));
        keeps_the_limits(&shown(&vec![huge; 12]));
    }
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    let retry =
        |reason, seconds: Option<u64>| Outcome::Retry { reason, after: seconds.map(Duration::from_secs) };
    let echo = format!("the requested URL /services/T00000000/B00000000/{TOKEN} was not found");
    let cases = [
        (answer(200, "", "ok"), Outcome::Acknowledged, "ok"),
        (answer(200, "", "ok\n"), Outcome::Acknowledged, ""),
        (answer(200, "", ""), retry(Reason::BadAnswer, None), "hint: Slack says `ok`"),
        (
            answer(200, "", r#"{"ok":false,"error":"invalid_auth"}"#),
            retry(Reason::BadAnswer, None),
            "invalid_auth",
        ),
        (answer(200, "", "<html>log in</html>"), retry(Reason::BadAnswer, None), "log in"),
        (answer(202, "", "ok"), retry(Reason::BadAnswer, None), ""),
        (answer(400, "", "invalid_payload"), refused(Reason::Refused), "invalid_payload"),
        (answer(403, "", "action_prohibited"), refused(Reason::Denied), "hint: an administrator"),
        (answer(403, "", "invalid_token"), retry(Reason::Denied, None), "hint: the webhook was removed"),
        (
            answer(403, "", "proxy says no"),
            retry(Reason::Denied, None),
            "hint: check the destination's `url`",
        ),
        (answer(404, "", "channel_not_found"), refused(Reason::NotFound), "make a new webhook"),
        (answer(404, "", "no_service"), retry(Reason::NotFound, None), "hint: the webhook was removed"),
        (answer(404, "", &echo), retry(Reason::NotFound, None), "repeats a secret"),
        (answer(410, "", "channel_is_archived"), refused(Reason::Gone), "un-archive"),
        (answer(429, "retry-after: 30\r\n", ""), retry(Reason::Throttled, Some(30)), ""),
        (answer(429, "", ""), retry(Reason::Throttled, Some(5)), ""),
        (answer(500, "", "rollup_error"), retry(Reason::ServerError, None), "rollup_error"),
        (answer(307, "location: /x\r\n", ""), retry(Reason::Redirect, None), "hint: redirects"),
    ];
    for (act, outcome, detail) in cases {
        let receiver = Receiver::start(vec![act.clone()]).await;
        let answer = attempt(&receiver).await;
        assert_eq!(answer.outcome, outcome, "{act:?}");
        assert!(answer.detail.contains(detail), "{} for {act:?}", answer.detail);
        assert_eq!(receiver.requests()[0].line, format!("POST /services/T00000000/B00000000/{TOKEN}"));
    }
    let truncated = Act::Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no".into());
    let receiver = Receiver::start(vec![truncated]).await;
    assert_eq!(attempt(&receiver).await.outcome, retry(Reason::BadAnswer, None));
}

async fn attempt(receiver: &Receiver) -> Answer {
    let answer = send(&http_client().unwrap(), &config(&receiver.url), &[of("q", Event::Firing)]).await;
    assert!(!answer.detail.contains(TOKEN), "the token is in `{}`", answer.detail);
    answer
}
