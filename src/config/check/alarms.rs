//! `alarms`: each alarm with its selector and everything but what makes it fire: a condition (`condition.rs`) or other alarms
//! (`composite.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::composite::{self, Draft};
use super::condition::condition;
use super::custom::{self, description};
use super::routes::Routing;
use super::{destinations, discovery, shape, telling};
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{keys, label};
use crate::domain::flapping::Rate;
use crate::domain::metric::{Metric, Scope};
use crate::domain::queue::QueueKind;
use crate::domain::rule::{Condition, MetricRef, RoleSelector, Rule, Selector, Severity, Trigger};

/// CloudWatch's limit for AlarmName.
pub const LONGEST_NAME: usize = 255;
const LONGEST_LABEL: usize = 1024;

/// The words for how bad an alarm is.
pub const SEVERITIES: [(&str, Severity); 4] = [
    ("critical", Severity::Critical),
    ("error", Severity::Error),
    ("warning", Severity::Warning),
    ("info", Severity::Info),
];

/// What alarms must agree with in the rest of the file.
pub struct Context<'a> {
    /// Whether another server than AWS is asked.
    pub own_server: bool,
    /// `poll.attributes`.
    pub attributes: Duration,
    /// The custom metrics.
    pub custom_metrics: &'a [custom::Named],
    /// The names of all destinations.
    pub destinations: &'a [Arc<str>],
    /// Who is told when the alarm does not say.
    pub routing: &'a Routing,
    /// Which rate is flapping when the alarm does not say.
    pub flapping: Option<Rate>,
}

/// Reads the list.
pub fn read(list: &Cursor<'_>, context: &Context<'_>) -> Vec<Rule> {
    let mut first_lines = BTreeMap::new();
    let (mut rules, mut drafts) = (Vec::new(), Vec::new());
    for item in list.items() {
        let section = item.section(&keys::ALARM);
        let name = section.required("name").and_then(|cursor| {
            let name: Arc<str> = cursor.line_of_text(LONGEST_NAME)?.into();
            if let Some(first) = first_lines.insert(name.clone(), cursor.line) {
                cursor.refuse(format!("{} is the name of another alarm, in line {first}", quoted(&name)));
            }
            Some(name)
        });
        if let Some(alarm_rule) = section.get("alarm_rule") {
            drafts.push(composite::read(&section, alarm_rule, name.clone()));
            rules.extend(rule(&section, name, drafts.last().and_then(Draft::trigger), context));
        } else {
            composite::refuse_alone(&section);
            let condition = condition(&section, context);
            rules.extend(rule(&section, name, condition.map(Trigger::Metric), context));
        }
    }
    let names: Vec<&str> = first_lines.keys().map(|name| &**name).collect();
    composite::check(&drafts, &names, &rules);
    rules
}

fn rule(
    section: &Section<'_>,
    name: Option<Arc<str>>,
    trigger: Option<Trigger>,
    context: &Context<'_>,
) -> Option<Rule> {
    let selector = section.get("queues").map(|cursor| selector(&cursor, context)).unwrap_or_default();
    if let Some(Trigger::Metric(condition)) = &trigger {
        fit(section, &selector, condition);
    }
    let notify = destinations::notify(section, context.destinations);
    let rule = Rule {
        description: section.get("description").and_then(|cursor| description(&cursor)).unwrap_or_default(),
        severity: section.get("severity").and_then(|cursor| cursor.word(&SEVERITIES)).unwrap_or_default(),
        notify: Vec::new(),
        repeat: telling::repeat(section),
        repeat_on: telling::repeat_on(section),
        flapping: telling::flapping(section).unwrap_or(context.flapping),
        labels: section.get("labels").map(|cursor| labels(&cursor)).unwrap_or_default(),
        selector,
        name: name?,
        trigger: trigger?,
    };
    Some(Rule { notify: notify.unwrap_or_else(|| context.routing.of(&rule)), ..rule })
}

fn selector(cursor: &Cursor<'_>, context: &Context<'_>) -> Selector {
    let section = cursor.section(&keys::SELECTOR);
    let kinds = [QueueKind::Standard, QueueKind::Fifo].map(|kind| (kind.as_str(), kind));
    Selector {
        names: section.distinct("name", discovery::glob),
        role: section.get("role").and_then(|cursor| cursor.word(&RoleSelector::WORDS)),
        kind: section.get("kind").and_then(|cursor| cursor.word(&kinds)),
        tags: section.texts_by_name("tags"),
        region: section.get("region").and_then(|cursor| shape::region(&cursor, context.own_server)),
        account: section.get("account").and_then(|cursor| shape::account(&cursor)),
    }
}

/// An alarm that can never see a value is a mistake.
fn fit(section: &Section<'_>, selector: &Selector, condition: &Condition) {
    let Some(cursor) = section.get("queues") else { return };
    let metrics: Vec<Metric> =
        condition.measured().into_iter().filter_map(|(metric, _)| of_queue(metric)).collect();
    if metrics.is_empty() {
        cursor.refuse_with("has no meaning for a custom metric", "its dimensions say what it is of");
    }
    for metric in metrics {
        fit_one(&cursor, selector, metric);
    }
}

fn of_queue(metric: &MetricRef) -> Option<Metric> {
    match metric {
        MetricRef::Queue(metric) => Some(*metric),
        MetricRef::Custom(_) | MetricRef::Math(_) => None,
    }
}

fn fit_one(cursor: &Cursor<'_>, selector: &Selector, metric: Metric) {
    let never = match metric.row().scope {
        Scope::All => None,
        Scope::Fifo => (selector.kind == Some(QueueKind::Standard)).then_some("FIFO queues"),
        Scope::Fair => (selector.kind == Some(QueueKind::Fifo)).then_some("standard queues"),
        Scope::DeadLetter => matches!(selector.role, Some(RoleSelector::Plain | RoleSelector::NotDeadLetter))
            .then_some("dead-letter queues"),
    };
    if let Some(only) = never {
        cursor.refuse(format!("selects no queue that has `{}`: only {only} have it", metric.name()));
    }
}

/// Labels travel to receivers that take them for Prometheus's.
pub fn labels(cursor: &Cursor<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (name, value) in cursor.entries() {
        let Some(text) = value.text() else { continue };
        if !label::is_name(name) {
            value.refuse_with("is no label name", "letters, digits and `_`, no digit first, no `__` first");
        } else if text.chars().count() > LONGEST_LABEL {
            value.refuse(format!("is longer than {LONGEST_LABEL} characters"));
        } else {
            labels.insert(name.to_owned(), text.to_owned());
        }
    }
    labels
}
