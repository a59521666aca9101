//! The words a person reads: one place for e-mail, SMS, chat, pagers and the log.

mod console;
mod group;

pub use console::console;
pub use group::Group;

use std::fmt::Write;

use crate::domain::alarm::Subject;
use crate::domain::notification::{Cause, Notification};
use crate::domain::queue::QueueId;
use crate::notify::body::metric_name;

/// What an SMS carries in one part without being split: 140 bytes (SNS's own rule).
pub const SMS_BYTES: usize = 140;

/// `text`, or as much of it as fits into `max` bytes with `...` at the end, never cutting a character in two.
/// A `max` under three gives nothing but as many dots.
pub fn cut(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let dots = prefix("...", max);
    format!("{}{dots}", prefix(text, max - dots.len()))
}

/// As much of the start of `text` as fits into `max` bytes, never cutting a character in two.
pub fn prefix(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// How many characters `text` has.
pub fn characters(text: &str) -> usize {
    text.chars().count()
}

/// `text`, or as much of it as fits into `max` characters with `...` at the end.
pub fn cut_characters(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else { return text.to_owned() };
    let dots = &"..."[..max.min(3)];
    let kept = text[..end].char_indices().rev().nth(dots.len().saturating_sub(1)).map_or(end, |(at, _)| at);
    format!("{}{dots}", &text[..kept])
}

/// What happened, in one line: `ALARM: dlq-not-empty on orders-dlq (us-east-1)`.
pub fn headline(notification: &Notification) -> String {
    notification.event.line(&notification.alarm)
}

/// All of it for one SMS: the headline and the value, within [`SMS_BYTES`].
pub fn sms(notification: &Notification) -> String {
    let value = notification.value.map(|value| format!(": {value}")).unwrap_or_default();
    cut(&format!("{}{value}", headline(notification)), SMS_BYTES)
}

/// All of it for a person with a minute: headline, description, reason, then the facts a line each.
pub fn long(notification: &Notification) -> String {
    format!("{}\n{}", headline(notification), paragraphs(notification))
}

/// What follows the headline in [`long`].
pub fn paragraphs(notification: &Notification) -> String {
    let mut text = String::new();
    for paragraph in [&notification.description, &notification.reason] {
        if !paragraph.is_empty() {
            let _ = write!(text, "\n{paragraph}\n");
        }
    }
    text.push('\n');
    for (name, value) in facts(notification) {
        let _ = writeln!(text, "{name}: {value}");
    }
    if let Cause::Composite { children, .. } = &notification.cause
        && !children.is_empty()
    {
        text.push_str("\nThe alarms that count, the worst first:\n");
        for child in children {
            let _ = writeln!(text, "- {} since {}: {}", child.state, child.since, child.alarm);
        }
    }
    text
}

/// The facts, each with its name; at most ten.
pub fn facts(notification: &Notification) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("State", format!("{} -> {} at {}", notification.from, notification.to, notification.since)),
        ("Severity", notification.severity.as_str().to_owned()),
        (
            if matches!(notification.cause, Cause::Metric(_)) { "Condition" } else { "Alarm rule" },
            condition(notification),
        ),
    ];
    if let Some(value) = notification.value {
        facts.push(("Value", value.to_string()));
    }
    let subject = &notification.alarm.subject;
    let kind = match subject {
        Subject::Queue(_) => "Queue",
        Subject::Custom(_) => "Metric",
        Subject::Composite(_) => "Composite alarm",
    };
    facts.push((kind, subject.to_string()));
    if let Some(queue) = &notification.queue {
        facts.push(("Queue URL", queue.url.to_string()));
        if let Some(target) = &queue.dead_letter_queue {
            facts.push(("Its dead letters go to", target.name.to_string()));
        }
        if !queue.sources.is_empty() {
            facts.push(("Holds the dead letters of", names(&queue.sources)));
        }
    }
    if !notification.labels.is_empty() {
        let labels: Vec<_> =
            notification.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        facts.push(("Labels", labels.join(", ")));
    }
    facts.push(("Notification", notification.id.clone()));
    facts
}

/// `Maximum of messages_visible over 1m >= 1, 1 of 1 datapoints`.
pub fn condition(notification: &Notification) -> String {
    let condition = match &notification.cause {
        Cause::Metric(condition) => condition,
        Cause::Composite { text, .. } => return text.to_string(),
    };
    format!(
        "{} of {} over {} {} {}, {} of {} datapoints",
        condition.statistic,
        metric_name(&condition.metric),
        humantime::format_duration(condition.period),
        condition.comparison.as_symbol(),
        condition.threshold,
        condition.datapoints_to_alarm,
        condition.evaluation_periods,
    )
}

/// The first few names and how many more there are.
fn names(queues: &[QueueId]) -> String {
    const SHOWN: usize = 10;
    let mut text = queues.iter().take(SHOWN).map(|id| &*id.name).collect::<Vec<_>>().join(", ");
    if queues.len() > SHOWN {
        let _ = write!(text, " and {} more", queues.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notification::{Child, Event};
    use crate::notify::fixture::notification;

    #[test]
    fn cutting_keeps_characters_whole() {
        let cases = [
            ("short", 5, "short"),
            ("shorter", 6, "sho..."),
            ("größer", 6, "gr..."),
            ("日本語", 8, "日..."),
            ("abcd", 2, ".."),
        ];
        for (text, max, expected) in cases {
            assert_eq!(cut(text, max), expected, "{text} to {max}");
        }
        assert_eq!(cut("abcd", 0), "");
        assert_eq!(prefix("größer", 3), "gr");
        for (text, max, expected) in [
            ("größer", 6, "größer"),
            ("größere", 6, "grö..."),
            ("日本語日本語", 5, "日本..."),
            ("日本", 2, "日本"),
            ("日本語日", 3, "..."),
            ("日本語", 2, ".."),
            ("abc", 0, ""),
        ] {
            assert_eq!(cut_characters(text, max), expected, "{text} to {max} characters");
        }
    }

    #[test]
    fn each_event_has_its_headline() {
        let cases = [
            (Event::Firing, "ALARM: dlq on orders-dlq (us-east-1)"),
            (Event::Resolved, "OK: dlq on orders-dlq (us-east-1)"),
            (Event::Repeated, "still ALARM: dlq on orders-dlq (us-east-1)"),
            (Event::Closed, "CLOSED: dlq on orders-dlq (us-east-1)"),
            (Event::Test, "TEST, nothing is wrong: dlq on orders-dlq (us-east-1)"),
        ];
        for (event, expected) in cases {
            assert_eq!(headline(&notification("dlq", event, 0)), expected);
        }
        assert_eq!(sms(&notification("dlq", Event::Firing, 0)), "ALARM: dlq on orders-dlq (us-east-1): 3");
        assert_eq!(sms(&notification(&"ü".repeat(200), Event::Firing, 0)).len(), SMS_BYTES);
    }

    #[test]
    fn an_e_mail_says_it_all() {
        let mut notification = notification("dlq-not-empty", Event::Firing, 0);
        notification.id = "sqw_1".into();
        let expected = "\
ALARM: dlq-not-empty on orders-dlq (us-east-1)

Messages in a dead-letter queue need a person

Threshold Crossed: 1 datapoint [3.0 (02/01/26 03:04:00)] was greater than or equal to the threshold (1.0).

State: OK -> ALARM at 2026-01-02T03:05:01.234Z
Severity: critical
Condition: Maximum of messages_visible over 1m >= 1, 1 of 1 datapoints
Value: 3
Queue: 123456789012/us-east-1/orders-dlq
Queue URL: https://sqs.us-east-1.amazonaws.com/123456789012/orders-dlq
Holds the dead letters of: orders
Labels: team=payments
Notification: sqw_1
";
        assert_eq!(long(&notification), expected);
        notification.queue.as_mut().unwrap().sources = vec![QueueId::new("1", "r", "q"); 12];
        assert!(long(&notification).contains("of: q, q, q, q, q, q, q, q, q, q and 2 more\n"));
    }

    #[test]
    fn an_e_mail_of_a_composite_alarm_lists_its_children() {
        let firing = notification("dlq", Event::Firing, 0);
        let child = Child { alarm: firing.alarm.clone(), state: firing.to, since: firing.since };
        let mut notification = firing;
        notification.id = "sqw_1".into();
        (notification.alarm.rule, notification.queue, notification.value) = ("trouble".into(), None, None);
        notification.alarm.subject = Subject::Composite("trouble".into());
        notification.reason = "The alarm rule is true: dlq on orders-dlq in ALARM.".into();
        notification.cause =
            Cause::Composite { text: "ALARM(dlq) AND NOT ALARM(deploying)".into(), children: vec![child] };
        let expected = "\
ALARM: trouble

Messages in a dead-letter queue need a person

The alarm rule is true: dlq on orders-dlq in ALARM.

State: OK -> ALARM at 2026-01-02T03:05:01.234Z
Severity: critical
Alarm rule: ALARM(dlq) AND NOT ALARM(deploying)
Composite alarm: trouble
Labels: team=payments
Notification: sqw_1

The alarms that count, the worst first:
- ALARM since 2026-01-02T03:05:01.234Z: dlq on 123456789012/us-east-1/orders-dlq
";
        assert_eq!(long(&notification), expected);
        assert_eq!(sms(&notification), "ALARM: trouble");
    }
}
