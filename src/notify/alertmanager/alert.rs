//! One notification as Alertmanager's alert: what names it, and what is said of it.
//!
//! Labels are the alert's identity (docs of Alertmanager, "Data structures"), so nothing that changes while an alarm fires
//! may be among them: the end would name another alert than the beginning.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::domain::alarm::Subject;
use crate::domain::notification::Notification;
use crate::domain::time::Timestamp;
use crate::notify::links::Links;
use crate::notify::text;

/// The longest label value of ours, in bytes. Alertmanager has no limit of its own.
const LABEL_BYTES: usize = 1024;
/// The longest annotation, in bytes.
const ANNOTATION_BYTES: usize = 16 * 1024;
/// The most labels of the user's that travel.
const LABELS: usize = 64;

/// Names and values.
pub type Words = BTreeMap<String, String>;

/// What POST /api/v2/alerts takes (`postableAlert`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its identity.
    pub labels: Words,
    /// What people read.
    pub annotations: Words,
    /// When it began; absent when that is not known, and then Alertmanager keeps what it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<String>,
    /// When it ends: in the future while it fires, which Alertmanager takes for "unless you hear from me".
    pub ends_at: String,
    /// Where to look. Alertmanager wants an address or nothing.
    #[serde(rename = "generatorURL", skip_serializing_if = "String::is_empty")]
    pub generator_url: String,
}

impl Alert {
    /// An alert that fires, for `lease` unless it is sent again.
    pub fn firing(notification: &Notification, links: &Links, now: Timestamp, lease: Duration) -> Self {
        let began = notification.fired_at.unwrap_or(notification.since);
        Self::new(notification, links, Some(began.min(now)), now + lease)
    }

    /// An alert that ended at `at`.
    pub fn ended(notification: &Notification, links: &Links, at: Timestamp) -> Self {
        let began = notification.fired_at.filter(|began| *began <= at);
        Self::new(notification, links, began, at)
    }

    fn new(notification: &Notification, links: &Links, began: Option<Timestamp>, ends: Timestamp) -> Self {
        Self {
            labels: labels(notification),
            annotations: annotations(notification),
            starts_at: began.map(|at| at.to_string()),
            ends_at: ends.to_string(),
            generator_url: links.source(notification),
        }
    }
}

/// The identity: the rule's labels, and over them what tells this alarm from others. Empty values are no labels.
pub fn labels(notification: &Notification) -> Words {
    let mut labels: Words = notification
        .labels
        .iter()
        .take(LABELS)
        .map(|(name, value)| (name.clone(), text::cut(value, LABEL_BYTES)))
        .collect();
    labels.insert("severity".into(), notification.severity.as_str().into());
    labels.extend(identity(notification));
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// What tells one alarm from every other: the rule, and which queue or metric.
pub fn identity(notification: &Notification) -> Words {
    let subject = &notification.alarm.subject;
    let mut labels = vec![("alertname", &*notification.alarm.rule)];
    match subject {
        Subject::Queue(id) => labels.push(("queue", &id.name)),
        Subject::Custom(id) => labels.push(("custom_metric", &id.name)),
        Subject::Composite(_) => {}
    }
    labels.extend([("account", subject.account()), ("region", subject.region())]);
    labels
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), text::cut(value, LABEL_BYTES)))
        .collect()
}

/// What may change: the words, the value, where the queue is.
pub fn annotations(notification: &Notification) -> Words {
    let value = notification.value.map(|value| value.to_string());
    let url = notification.queue.as_ref().map(|queue| queue.url.to_string());
    let words = [
        ("summary", Some(text::headline(notification))),
        ("description", Some(notification.description.clone())),
        ("reason", Some(notification.reason.clone())),
        ("value", value),
        ("queue_url", url),
    ];
    words
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text::cut(&text?, ANNOTATION_BYTES))))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

/// Alertmanager's fingerprint of labels: FNV-1a over sorted names and values, each followed by the byte 255
/// (prometheus/common, `model.LabelSet.Fingerprint`), in hexadecimal.
pub fn fingerprint(labels: &Words) -> String {
    const OFFSET: u64 = 14_695_981_039_346_656_037;
    const PRIME: u64 = 1_099_511_628_211;
    let words = labels.iter().flat_map(|(name, value)| [name, value]);
    let bytes = words.flat_map(|word| word.bytes().chain([255]));
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}
