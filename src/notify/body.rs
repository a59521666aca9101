//! Our own JSON for one notification, version 1: what a webhook gets, and the `Sqswatch` key of an SNS message.
//!
//! A public interface, described in docs/notifications.md: fields may be added under the same version; none is
//! renamed, removed, or given another meaning. Absent knowledge is `null`, never an invented value.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::alarm::{AlarmKey, Subject};
use crate::domain::notification::{Cause, Child, Notification, QueueFacts};
use crate::domain::queue::{QueueId, Role};
use crate::domain::rule::{Condition, MetricRef};

/// The version that this file writes.
pub const VERSION: u32 = 1;

/// One notification as receivers see it.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    version: u32,
    id: &'a str,
    event: &'static str,
    alarm: Alarm<'a>,
    state: States,
    reason: &'a str,
    value: Option<f64>,
    since: String,
    at: String,
    queue: Option<Queue<'a>>,
    custom_metric: Option<Id<'a>>,
    condition: Option<ConditionBody<'a>>,
    composite: Option<CompositeBody<'a>>,
}

#[derive(Debug, Serialize)]
struct Alarm<'a> {
    name: &'a str,
    description: &'a str,
    severity: &'static str,
    labels: Option<&'a BTreeMap<String, String>>,
}

#[derive(Debug, Serialize)]
struct States {
    from: &'static str,
    to: &'static str,
}

#[derive(Debug, Serialize)]
struct Id<'a> {
    account: &'a str,
    region: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct Queue<'a> {
    #[serde(flatten)]
    id: Id<'a>,
    url: Option<&'a str>,
    role: Option<&'static str>,
    dead_letter_queue: Option<Id<'a>>,
    sources: Option<Vec<Id<'a>>>,
}

#[derive(Debug, Serialize)]
struct ConditionBody<'a> {
    metric: &'a str,
    statistic: String,
    period_seconds: u64,
    evaluation_periods: u32,
    datapoints_to_alarm: u32,
    comparison: &'static str,
    threshold: f64,
    treat_missing_data: &'static str,
}

#[derive(Debug, Serialize)]
struct CompositeBody<'a> {
    rule: &'a str,
    children: Vec<ChildBody<'a>>,
}

#[derive(Debug, Serialize)]
struct ChildBody<'a> {
    alarm: &'a str,
    subject: String,
    state: &'static str,
    since: String,
}

impl<'a> Body<'a> {
    /// Everything that is known.
    pub fn full(notification: &'a Notification) -> Self {
        let Notification { alarm: AlarmKey { rule, subject }, .. } = notification;
        Self {
            version: VERSION,
            id: &notification.id,
            event: notification.event.as_str(),
            alarm: Alarm {
                name: rule,
                description: &notification.description,
                severity: notification.severity.as_str(),
                labels: Some(&notification.labels),
            },
            state: States { from: notification.from.as_str(), to: notification.to.as_str() },
            reason: &notification.reason,
            value: notification.value,
            since: notification.since.to_string(),
            at: notification.at.to_string(),
            queue: match subject {
                Subject::Queue(id) => Some(Queue::of(id, notification.queue.as_ref())),
                Subject::Custom(_) | Subject::Composite(_) => None,
            },
            custom_metric: match subject {
                Subject::Queue(_) | Subject::Composite(_) => None,
                Subject::Custom(id) => Some(Id { account: &id.account, region: &id.region, name: &id.name }),
            },
            condition: match &notification.cause {
                Cause::Metric(condition) => Some(condition.into()),
                Cause::Composite { .. } => None,
            },
            composite: match &notification.cause {
                Cause::Metric(_) => None,
                Cause::Composite { text, children } => Some(CompositeBody::of(text, children)),
            },
        }
    }

    /// Without the parts that have no bound of their own (labels and sources become `null`), for receivers with one.
    /// Description and reason are left to the caller's bounded copies.
    pub fn small(notification: &'a Notification) -> Self {
        let mut body = Self::full(notification);
        body.alarm.labels = None;
        body.alarm.description = "";
        body.reason = "";
        if let Some(queue) = &mut body.queue {
            queue.sources = None;
        }
        body
    }
}

impl<'a> From<&'a QueueId> for Id<'a> {
    fn from(id: &'a QueueId) -> Self {
        Self { account: &id.account, region: &id.region, name: &id.name }
    }
}

impl<'a> Queue<'a> {
    fn of(id: &'a QueueId, facts: Option<&'a QueueFacts>) -> Self {
        Self {
            id: id.into(),
            url: facts.map(|facts| &*facts.url),
            role: facts.map(|facts| Role::as_str(facts.role)),
            dead_letter_queue: facts.and_then(|facts| facts.dead_letter_queue.as_ref()).map(Id::from),
            sources: facts.map(|facts| facts.sources.iter().map(Id::from).collect()),
        }
    }
}

impl<'a> CompositeBody<'a> {
    fn of(text: &'a str, children: &'a [Child]) -> Self {
        let child = |child: &'a Child| ChildBody {
            alarm: &child.alarm.rule,
            subject: child.alarm.subject.to_string(),
            state: child.state.as_str(),
            since: child.since.to_string(),
        };
        Self { rule: text, children: children.iter().map(child).collect() }
    }
}

impl<'a> From<&'a Condition> for ConditionBody<'a> {
    fn from(condition: &'a Condition) -> Self {
        Self {
            metric: metric_name(&condition.metric),
            statistic: condition.statistic.to_string(),
            period_seconds: condition.period.as_secs(),
            evaluation_periods: condition.evaluation_periods,
            datapoints_to_alarm: condition.datapoints_to_alarm,
            comparison: condition.comparison.as_symbol(),
            threshold: condition.threshold,
            treat_missing_data: condition.missing_data.as_str(),
        }
    }
}

/// The configuration's name of what an alarm measures, or its expression.
pub fn metric_name(metric: &MetricRef) -> &str {
    match metric {
        MetricRef::Queue(metric) => metric.name(),
        MetricRef::Custom(name) => name,
        MetricRef::Math(math) => &math.text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::notification::Event;
    use crate::notify::fixture::notification;

    const DOCS: &str = include_str!("../../docs/notifications.md");

    #[test]
    fn the_documented_example_is_what_is_sent() {
        let (_, example) = DOCS.split_once("```json\n{\n  \"version\"").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let example: Value = serde_json::from_str(&format!("{{\"version\"{example}")).unwrap();
        let mut notification = notification("dlq-not-empty", Event::Firing, 0);
        notification.id = "sqw_19b7cae79f2_3a5be6fd94a1c0de".into();
        assert_eq!(serde_json::to_value(Body::full(&notification)).unwrap(), example);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let mut notification = notification("dlq", Event::Closed, 0);
        (notification.queue, notification.value) = (None, Some(f64::NAN));
        let body = serde_json::to_value(Body::full(&notification)).unwrap();
        for place in ["/value", "/custom_metric", "/queue/url", "/queue/role", "/queue/sources"] {
            assert_eq!(body.pointer(place), Some(&Value::Null), "{place}");
        }
        assert_eq!(body.pointer("/queue/name").and_then(Value::as_str), Some("orders-dlq"));
    }
}
