//! When an alarm fires, in words that people use and in CloudWatch's terms.

use maud::{Markup, html};

use super::humane::{length, measure};
use super::{address, parts};
use crate::domain::rule::{
    Comparison, Condition, MetricRef, RoleSelector, Rule, Selector, Statistic, Trigger,
};

/// The namespace of the metrics of queues.
const NAMESPACE: &str = "AWS/SQS";

/// A value and the threshold it is held against.
pub fn against(value: Option<f64>, condition: &Condition) -> Markup {
    let (name, unit) = metric(condition);
    let threshold = measure(condition.threshold, unit);
    html! {
        @if let Some(value) = value { b { (parts::measured(value, unit)) } " " }
        span title=(name) { "fires at " (sign(condition.comparison)) " " (threshold) }
    }
}

/// The same for a column of a table: the threshold below the value.
pub fn held_against(value: Option<f64>, condition: &Condition) -> Markup {
    let (name, unit) = metric(condition);
    html! {
        @match value {
            Some(value) => (parts::measured(value, unit)),
            None => (parts::unknown("nothing was judged yet")),
        }
        small.place title=(name) { (sign(condition.comparison)) " " (measure(condition.threshold, unit)) }
    }
}

/// A value of the condition's metric.
pub fn value(value: f64, rule: Option<&Rule>) -> Markup {
    parts::measured(value, rule.and_then(Rule::condition).map_or("", |condition| metric(condition).1))
}

/// The metric's name and its unit in the catalogue.
fn metric(condition: &Condition) -> (&str, &'static str) {
    match &condition.metric {
        MetricRef::Queue(metric) => (metric.name(), metric.row().unit),
        MetricRef::Custom(name) => (name, ""),
        MetricRef::Math(math) => (&math.text, ""),
    }
}

/// A comparison as people write it.
pub fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::GreaterThan => ">",
        Comparison::GreaterThanOrEqual => "≥",
        Comparison::LessThan => "<",
        Comparison::LessThanOrEqual => "≤",
    }
}

/// The rule as a sentence: `ALARM when messages_visible is ≥ 1 (Maximum over 1 min).`
pub fn sentence(rule: &Rule) -> String {
    let condition = match &rule.trigger {
        Trigger::Metric(condition) => condition,
        Trigger::Composite(composite) => return format!("ALARM while {} is true.", composite.text),
    };
    let (name, unit) = metric(condition);
    let (m, n) = (condition.datapoints_to_alarm, condition.evaluation_periods);
    let period = length(condition.period);
    let over = match &condition.metric {
        MetricRef::Math(_) => format!("each {period}"),
        _ => format!("{} over {period}", condition.statistic),
    };
    let often = match (m, n) {
        (1, 1) => String::new(),
        (m, n) if m == n => format!(", {n} periods in a row"),
        (m, n) => format!(", in {m} of {n} periods"),
    };
    let (sign, threshold) = (sign(condition.comparison), measure(condition.threshold, unit));
    format!("ALARM when {name} is {sign} {threshold} ({over}){often}.")
}

/// Which queues the rule judges, in words; `None` for one that judges none.
pub fn which(rule: &Rule) -> Option<String> {
    let Selector { names, role, kind, tags, region, account } = &rule.selector;
    if !rule.judges_queues() {
        return None;
    }
    let any_kind = role.is_none() && kind.is_none();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let parts: Vec<String> = [
        role.map(|role| in_words(role).to_owned()),
        kind.map(|kind| format!("{} queues", kind.as_str())),
        (!names.is_empty())
            .then(|| format!("{}named {}", if any_kind { "queues " } else { "" }, names.join(" or "))),
        (!tags.is_empty()).then(|| {
            let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("tagged {}", tags.join(" and "))
        }),
        region.as_ref().map(|region| format!("in {region}")),
        account.as_ref().map(|account| format!("of account {account}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(if parts.is_empty() { "every queue".to_owned() } else { parts.join(", ") })
}

fn in_words(role: RoleSelector) -> &'static str {
    match role {
        RoleSelector::DeadLetter => "dead-letter queues",
        RoleSelector::Source => "queues that have a dead-letter queue",
        RoleSelector::Both => "dead-letter queues that have one themselves",
        RoleSelector::Plain => "queues that neither have nor are a dead-letter queue",
        RoleSelector::NotDeadLetter => "queues that are no dead-letter queue",
    }
}

/// The rule in the terms of CloudWatch's PutMetricAlarm and PutCompositeAlarm.
pub fn in_cloudwatch(rule: &Rule) -> Markup {
    let terms = match &rule.trigger {
        Trigger::Metric(condition) => metric_terms(condition),
        Trigger::Composite(composite) => {
            let suppressor = composite.suppressor.as_ref().map(|suppressor| suppressor.alarm.to_string());
            let rule = Some(("AlarmRule", composite.text.to_string()));
            rule.into_iter().chain(suppressor.map(|name| ("ActionsSuppressor", name))).collect()
        }
    };
    html! { dl.terms { @for (name, value) in &terms { div { dt { (name) } dd { (value) } } } } }
}

fn metric_terms(condition: &Condition) -> Vec<(&'static str, String)> {
    let mut terms = match (&condition.metric, &condition.published) {
        (MetricRef::Queue(metric), _) => match metric.row().cloudwatch {
            Some(name) => vec![("Namespace", NAMESPACE.to_owned()), ("MetricName", name.to_owned())],
            None => vec![("Metric", format!("{} (CloudWatch has none like it)", metric.name()))],
        },
        (_, Some(published)) => {
            vec![("Namespace", published.namespace.clone()), ("MetricName", published.metric.clone())]
        }
        (MetricRef::Custom(name), None) => vec![("Metric", name.to_string())],
        (MetricRef::Math(math), None) => vec![("Expression", math.text.to_string())],
    };
    if !matches!(condition.metric, MetricRef::Math(_)) {
        terms.push(("Statistic", condition.statistic.to_string()));
    }
    terms.extend([
        ("Period", condition.period.as_secs().to_string()),
        ("EvaluationPeriods", condition.evaluation_periods.to_string()),
        ("DatapointsToAlarm", condition.datapoints_to_alarm.to_string()),
        ("ComparisonOperator", condition.comparison.as_cloudwatch().to_owned()),
        ("Threshold", condition.threshold.to_string()),
        ("TreatMissingData", condition.missing_data.as_str().to_owned()),
    ]);
    if matches!(condition.statistic, Statistic::Percentile(_)) {
        terms.push(("EvaluateLowSampleCountPercentile", condition.low_samples.as_str().to_owned()));
    }
    terms
}

/// Links to the rules that a composite alarm looks at; nothing for a metric alarm.
pub fn looks_at(rule: &Rule) -> Markup {
    let Trigger::Composite(composite) = &rule.trigger else { return html! {} };
    let mut names = composite.looks_at();
    names.sort();
    names.dedup();
    html! {
        p.note { "It looks at "
            @for (place, name) in names.iter().enumerate() {
                @if place > 0 { ", " }
                a href=(address::rule(name)) { (name) }
            } "."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metric::Metric;
    use crate::domain::time::MINUTE;

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let on = |metric, statistic, threshold| {
            Condition::new(MetricRef::Queue(metric), statistic, Comparison::GreaterThanOrEqual, threshold)
        };
        let visible = on(Metric::MessagesVisible, Statistic::Maximum, 1.0);
        let age = on(Metric::OldestMessageAge, Statistic::Maximum, 7200.0);
        for (condition, expected) in [
            (visible.clone(), "ALARM when messages_visible is ≥ 1 (Maximum over 1 min)."),
            (
                Condition {
                    evaluation_periods: 3,
                    datapoints_to_alarm: 2,
                    period: MINUTE * 5,
                    ..visible.clone()
                },
                "ALARM when messages_visible is ≥ 1 (Maximum over 5 min), in 2 of 3 periods.",
            ),
            (
                Condition { evaluation_periods: 3, datapoints_to_alarm: 3, ..age },
                "ALARM when oldest_message_age is ≥ 2 h (Maximum over 1 min), 3 periods in a row.",
            ),
        ] {
            assert_eq!(sentence(&Rule::on("a", condition)), expected);
        }
        let rule = Rule::on("a", visible);
        assert_eq!(which(&rule).as_deref(), Some("every queue"));
        let selector = Selector {
            role: Some(RoleSelector::DeadLetter),
            region: Some("eu-west-1".into()),
            ..Selector::default()
        };
        assert_eq!(
            which(&Rule { selector, ..rule.clone() }).as_deref(),
            Some("dead-letter queues, in eu-west-1")
        );
        let terms = in_cloudwatch(&rule).into_string();
        assert!(
            terms.contains("ApproximateNumberOfMessagesVisible")
                && terms.contains("GreaterThanOrEqualToThreshold")
        );
    }
}
