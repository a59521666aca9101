//! Notifications for the tests of the store and of the notifiers.

pub mod receiver;
pub mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use prometheus::IntCounter;

use super::links::Links;
use super::webhook::Hook;
use super::{Receiver, http_client};
use crate::config::secret::Secret;
use crate::config::{Format, Webhook};
use crate::domain::alarm::{AlarmKey, State, Subject};
use crate::domain::metric::Metric;
use crate::domain::notification::{self, Cause, Debt, Event, Notification, QueueFacts};
use crate::domain::queue::{QueueId, Role};
use crate::domain::rule::{Comparison, Condition, MetricRef, Severity, Statistic};
use crate::domain::time::Timestamp;

/// The alarm `rule` of queue `orders-dlq`.
pub fn key(rule: &str) -> AlarmKey {
    let queue = QueueId::new("123456789012", "us-east-1", "orders-dlq");
    AlarmKey { rule: rule.into(), subject: Subject::Queue(queue) }
}

/// 2026-01-02T03:05:01.234Z and so many seconds.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_767_323_101_234 + seconds * 1000)
}

/// What is told when `event` happens to the alarm `rule` so many seconds after [`at`]`(0)`.
pub fn notification(rule: &str, event: Event, seconds: i64) -> Notification {
    let key = key(rule);
    let (from, to) = match event {
        Event::Firing | Event::Test => (State::Ok, State::Alarm),
        Event::Repeated | Event::Increased | Event::Flapping => (State::Alarm, State::Alarm),
        Event::Resolved | Event::Closed => (State::Alarm, State::Ok),
    };
    Notification {
        id: notification::id(&key, event, at(seconds), 0),
        event,
        alarm: key,
        from,
        to,
        since: at(seconds),
        fired_at: None,
        at: at(seconds),
        reason: "Threshold Crossed: 1 datapoint [3.0 (02/01/26 03:04:00)] was greater than or equal to the threshold (1.0).".into(),
        value: Some(3.0),
        description: "Messages in a dead-letter queue need a person".into(),
        cause: Cause::Metric(Condition::new(MetricRef::Queue(Metric::MessagesVisible), Statistic::Maximum, Comparison::GreaterThanOrEqual, 1.0)),
        severity: Severity::Critical,
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        queue: Some(QueueFacts {
            url: "https://sqs.us-east-1.amazonaws.com/123456789012/orders-dlq".into(),
            role: Role::DeadLetter,
            dead_letter_queue: None,
            sources: vec![QueueId::new("123456789012", "us-east-1", "orders")],
        }),
    }
}

/// An unsigned webhook at `url`, in our own format.
pub fn webhook(url: &str) -> Receiver {
    let config = Webhook {
        url: Secret::new(url),
        secrets: vec![],
        headers: BTreeMap::new(),
        timeout: Duration::from_secs(5),
        format: Format::Sqswatch,
        tls: None,
    };
    Receiver::Webhook(Arc::new(Hook {
        name: "webhook".into(),
        config,
        client: http_client().unwrap(),
        links: Links::default(),
        template_failures: IntCounter::new("failures", "of templates").unwrap(),
    }))
}

/// The same, owed to these destinations.
pub fn debt(rule: &str, event: Event, seconds: i64, destinations: &[&str]) -> Debt {
    Debt {
        notification: Arc::new(notification(rule, event, seconds)),
        destinations: destinations.iter().map(|name| Arc::from(*name)).collect(),
    }
}
