//! The alarms that apply when the file has no `alarms` key: what every queue deserves, whoever owns it.
//!
//! Each description says what it means and what to look at first.

use std::time::Duration;

use crate::domain::growth::{Growth, Step};
use crate::domain::metric::Metric;
use crate::domain::rule::{
    Comparison, Condition, MetricRef, RANGE_BEYOND_N, RoleSelector, Rule, Selector, Severity, Statistic,
};

const MINUTE: Duration = Duration::from_secs(60);

/// The built-in alarms, which tell nobody yet. `attributes` is `poll.attributes`: no period is finer than what is measured.
pub fn rules(attributes: Duration) -> Vec<Rule> {
    let finest = finest_period(attributes).max(MINUTE);
    let rule = |template: &Template| {
        let condition = Condition {
            period: template.period.max(finest),
            evaluation_periods: template.periods,
            datapoints_to_alarm: template.periods,
            evaluation_range: template.periods + RANGE_BEYOND_N,
            ..Condition::new(
                MetricRef::Queue(template.metric),
                template.statistic,
                Comparison::GreaterThanOrEqual,
                template.threshold,
            )
        };
        Rule {
            description: template.description.to_owned(),
            selector: Selector { role: template.role, ..Selector::default() },
            severity: template.severity,
            repeat_on: template.repeat_on,
            ..Rule::on(template.name, condition)
        }
    };
    TEMPLATES.iter().map(rule).collect()
}

/// The shortest period of CloudWatch's that is not below this interval.
pub fn finest_period(interval: Duration) -> Duration {
    let short = [10, 20, 30].map(Duration::from_secs).into_iter().find(|period| *period >= interval);
    short.unwrap_or_else(|| {
        let whole = interval.as_secs() + u64::from(interval.subsec_nanos() > 0);
        Duration::from_secs(whole.div_ceil(60) * 60)
    })
}

/// What differs between the built-in alarms.
struct Template {
    name: &'static str,
    description: &'static str,
    role: Option<RoleSelector>,
    metric: Metric,
    statistic: Statistic,
    period: Duration,
    periods: u32,
    threshold: f64,
    severity: Severity,
    repeat_on: Option<Growth>,
}

const TEMPLATES: [Template; 5] = [
    Template {
        name: "dlq-not-empty",
        description: "Messages wait in a dead-letter queue: consumers failed on them until SQS gave up. Look at one of the \
                      messages and at the consumer's errors first; redrive once the cause is gone.",
        role: Some(RoleSelector::DeadLetter),
        metric: Metric::MessagesVisible,
        statistic: Statistic::Maximum,
        period: MINUTE,
        periods: 1,
        threshold: 1.0,
        severity: Severity::Error,
        // The second dead letter is not silent.
        repeat_on: Some(Growth { step: Step::By(1.0), gap: MINUTE }),
    },
    Template {
        name: "dlq-growing",
        description: "More messages arrived in a dead-letter queue: a consumer is failing right now. Look at the errors and \
                      the latest deployment of the source queue's consumer first.",
        role: Some(RoleSelector::DeadLetter),
        metric: Metric::DeadLetters,
        statistic: Statistic::Sum,
        period: Duration::from_secs(300),
        periods: 1,
        threshold: 1.0,
        severity: Severity::Error,
        repeat_on: None,
    },
    Template {
        name: "oldest-message-past-half-of-retention",
        description: "The oldest message has waited for more than half of the queue's retention; at the end of it SQS deletes \
                      messages unread. Look at whether consumers run and keep up first; a longer retention buys time.",
        role: None,
        metric: Metric::OldestMessageRetentionRatio,
        statistic: Statistic::Maximum,
        period: MINUTE,
        periods: 5,
        threshold: 0.5,
        severity: Severity::Critical,
        repeat_on: None,
    },
    Template {
        name: "in-flight-near-limit",
        description: "Messages in flight are near the 120,000 that SQS allows a queue; beyond that receives return nothing. \
                      Look at consumers that receive but neither delete nor finish, and at the visibility timeout first.",
        role: None,
        metric: Metric::InFlightRatio,
        statistic: Statistic::Maximum,
        period: MINUTE,
        periods: 3,
        threshold: 0.8,
        severity: Severity::Error,
        repeat_on: None,
    },
    Template {
        name: "consumers-stalled",
        description: "Messages wait and none was deleted for ten minutes. Look at whether the consumers run, hang or fail on \
                      every message first.",
        role: Some(RoleSelector::NotDeadLetter),
        metric: Metric::ConsumersStalled,
        statistic: Statistic::Minimum,
        period: MINUTE,
        periods: 10,
        threshold: 1.0,
        severity: Severity::Error,
        repeat_on: None,
    },
];
