//! The event that PagerDuty gets, within its limits.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::config::PagerDuty;
use crate::domain::notification::{Cause, Event, Notification};
use crate::notify::body::metric_name;
use crate::notify::post::fit;
use crate::notify::text::{self, cut, cut_characters};

/// The most that is taken of a whole event, in bytes.
pub const EVENT_BYTES: usize = 512 * 1024;
/// The most that is taken of a summary, in characters.
pub const SUMMARY_CHARACTERS: usize = 1024;
/// The most that is taken of a `dedup_key`.
pub const KEY_BYTES: usize = 255;
/// How much of any other field is sent.
const FIELD_BYTES: usize = 1024;

/// What an event does to its incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens it, or adds to the open one.
    Trigger,
    /// Closes it.
    Resolve,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Resolve => "resolve",
        }
    }
}

/// The request's body.
pub fn event(config: &PagerDuty, notification: &Notification, action: Action) -> String {
    fit(EVENT_BYTES, |bound| {
        let mut event = json!({
            "routing_key": config.routing_key.expose(),
            "event_action": action.as_str(),
            "dedup_key": dedup_key(notification),
        });
        if action == Action::Trigger {
            event["payload"] = payload(notification, bound);
            event["links"] = links(config, notification);
            event["client"] = json!("sqswatch");
            if let Some(url) = &config.client_url {
                event["client_url"] = json!(url);
            }
        }
        event
    })
}

/// What makes all events of one alarm one incident: the alarm in words, or their hash when they are too long. A test has an
/// incident of its own.
pub fn dedup_key(notification: &Notification) -> String {
    let (alarm, subject) = (&notification.alarm, &notification.alarm.subject);
    let key = match notification.event {
        Event::Test => format!("sqswatch:test:{}", notification.id),
        _ => format!("sqswatch:{}:{}:{subject}", subject.kind(), alarm.rule),
    };
    if key.len() <= KEY_BYTES {
        return key;
    }
    let hash = Sha256::digest(key.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sqswatch:{hex}")
}

fn payload(notification: &Notification, bound: usize) -> Value {
    let subject = &notification.alarm.subject;
    let mut payload = json!({
        "summary": summary(notification),
        "source": cut(&subject.to_string(), FIELD_BYTES),
        "severity": notification.severity.as_str(),
        "timestamp": notification.at.to_string(),
        "component": cut(subject.name(), FIELD_BYTES),
        "custom_details": details(notification, bound),
    });
    if !subject.region().is_empty() {
        payload["group"] = json!(cut(&format!("{}/{}", subject.region(), subject.account()), FIELD_BYTES));
    }
    if let Cause::Metric(condition) = &notification.cause {
        payload["class"] = json!(cut(metric_name(&condition.metric), FIELD_BYTES));
    }
    payload
}

/// What the phone shows and reads aloud: what happened, the value, and why. The end is what is cut.
fn summary(notification: &Notification) -> String {
    let value = notification.value.map(|value| format!(", value {value}")).unwrap_or_default();
    let why = if notification.reason.is_empty() { &notification.description } else { &notification.reason };
    let flapping = match notification.event {
        Event::Flapping => " changes too often to tell each change",
        _ => "",
    };
    let summary = format!("{}{flapping}{value}. {why}", text::headline(notification));
    cut_characters(&summary, SUMMARY_CHARACTERS)
}

/// Everything else that is known, texts cut to `bound` bytes.
fn details(notification: &Notification, bound: usize) -> Value {
    let mut details = json!({
        "event": notification.event.as_str(),
        "state": format!("{} -> {}", notification.from, notification.to),
        "since": notification.since.to_string(),
        "reason": cut(&notification.reason, bound),
        "description": cut(&notification.description, bound),
        "condition": cut(&text::condition(notification), bound),
        "value": notification.value,
        "notification": notification.id,
        "labels": labels(&notification.labels, bound),
    });
    match &notification.cause {
        Cause::Metric(condition) => details["threshold"] = json!(condition.threshold),
        Cause::Composite { children, .. } => {
            let line = |child: &crate::domain::notification::Child| {
                format!("{} of {}: {}", child.alarm.rule, child.alarm.subject, child.state)
            };
            details["alarms"] = json!(cut(&children.iter().map(line).collect::<Vec<_>>().join("\n"), bound));
        }
    }
    if let Some(queue) = &notification.queue {
        details["queue_url"] = json!(cut(&queue.url, bound));
        let sources: Vec<&str> = queue.sources.iter().map(|id| &*id.name).collect();
        if !sources.is_empty() {
            details["dead_letters_of"] = json!(cut(&sources.join(", "), bound));
        }
        if let Some(target) = &queue.dead_letter_queue {
            details["dead_letter_queue"] = json!(cut(&target.name, bound));
        }
    }
    details
}

/// As many labels as fit into `bound` bytes, whole.
fn labels(labels: &BTreeMap<String, String>, bound: usize) -> Value {
    // Quotes, colon and comma of each.
    const AROUND: usize = 6;
    let mut left = bound;
    let fits = |(key, value): &(&String, &String)| {
        let rest = left.checked_sub(key.len() + value.len() + AROUND);
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    let kept: BTreeMap<&String, &String> = labels.iter().filter(fits).collect();
    json!(kept)
}

fn links(config: &PagerDuty, notification: &Notification) -> Value {
    let console = text::console(notification).map(|href| json!({ "href": href, "text": "SQS console" }));
    let own = config.links.iter().map(|(text, href)| json!({ "href": href, "text": text }));
    console.into_iter().chain(own).collect()
}
