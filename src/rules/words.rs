//! What an alert says of itself. Values are templates to Prometheus; the user's words in them are text all the same.

use std::collections::BTreeMap;

use super::datapoint::Subject;
use super::promql::span;
use crate::domain::rule::{Condition, MetricRef, Rule, Trigger};

/// The labels that tell alerts apart or that Prometheus sets itself.
const TAKEN: [&str; 5] = ["account", "alertname", "queue", "region", "severity"];

/// The rule's labels and its severity; those whose names are taken get `alarm_` before them.
pub fn labels(rule: &Rule, notes: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([("severity".to_owned(), rule.severity.as_str().to_owned())]);
    for (name, value) in &rule.labels {
        let mut label = name.clone();
        while TAKEN.contains(&&*label) || (label != *name && rule.labels.contains_key(&label)) {
            label = format!("alarm_{label}");
        }
        if label != *name {
            notes.push(format!(
                "Its label `{name}` is `{label}` here, as an alert has a `{name}` of its own."
            ));
        }
        labels.insert(label, literal(value));
    }
    labels
}

/// What people read.
pub fn annotations(rule: &Rule, subject: Subject) -> Vec<(&'static str, String)> {
    let name = literal(&rule.name);
    let summary = match subject {
        Subject::Queue => {
            format!("{name} on {{{{ $labels.queue }}}} ({{{{ $labels.account }}}}, {{{{ $labels.region }}}})")
        }
        Subject::Area => format!("{name} in {{{{ $labels.account }}}}, {{{{ $labels.region }}}}"),
        Subject::Whole => name,
    };
    let condition = match &rule.trigger {
        Trigger::Metric(condition) => in_words(condition),
        Trigger::Composite(composite) => composite.text.to_string(),
    };
    let mut annotations = vec![("summary", summary)];
    if !rule.description.is_empty() {
        annotations.push(("description", literal(&rule.description)));
    }
    annotations.push(("condition", literal(&condition)));
    annotations
}

/// `Maximum of messages_visible >= 1 for 1 of 1 datapoints of 1m`
fn in_words(condition: &Condition) -> String {
    let Condition { evaluation_periods: n, datapoints_to_alarm: m, threshold, period, .. } = condition;
    let measured = match &condition.metric {
        MetricRef::Queue(metric) => format!("{} of {}", condition.statistic, metric.name()),
        MetricRef::Custom(name) => format!("{} of {name}", condition.statistic),
        MetricRef::Math(math) => math.text.to_string(),
    };
    let comparison = condition.comparison.as_symbol();
    format!("{measured} {comparison} {threshold} for {m} of {n} datapoints of {}", span(*period))
}

/// What the rule asks for that is not the alert's business.
pub fn told_elsewhere(rule: &Rule) -> Option<String> {
    let asked = [
        (rule.repeat.is_some(), "repeat"),
        (rule.repeat_on.is_some(), "repeat_on"),
        (rule.flapping.is_some(), "flapping"),
    ];
    let asked: Vec<String> =
        asked.iter().filter(|(is, _)| *is).map(|(_, name)| format!("`{name}`")).collect();
    if asked.is_empty() {
        return None;
    }
    Some(format!("Not in here: {}. Alertmanager repeats by `repeat_interval`.", asked.join(", ")))
}

/// A template that says `text`.
fn literal(text: &str) -> String {
    text.replace("{{", r#"{{ "{{" }}"#)
}
