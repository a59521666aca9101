//! CloudWatch's keys, in its order and spelling: what it publishes when an alarm changes its state.
//!
//! A metric alarm has `Trigger`, a composite alarm `AlarmRule` and `TriggeringChildren` in its place. Ours is only the last
//! key, `Sqswatch`.

use serde::Serialize;

use crate::domain::alarm::Subject;
use crate::domain::rule::{Condition, MetricRef, Statistic};
use crate::domain::time::Timestamp;
use crate::notify::body::Body;
use crate::notify::text;

/// CloudWatch's limit for names (PutMetricAlarm).
pub const NAME_BYTES: usize = 255;
/// CloudWatch's limit for the rule of a composite alarm (PutCompositeAlarm).
pub const RULE_BYTES: usize = 10_240;
/// The most children that are listed; CloudWatch's composite alarms have up to 100.
pub const CHILDREN: usize = 100;

/// The whole message.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CloudWatch<'a> {
    pub alarm_name: &'a str,
    pub alarm_description: Option<String>,
    #[serde(rename = "AWSAccountId")]
    pub aws_account_id: &'a str,
    pub alarm_configuration_updated_timestamp: String,
    pub new_state_value: &'static str,
    pub new_state_reason: String,
    pub state_change_time: String,
    pub region: &'a str,
    pub alarm_arn: String,
    pub old_state_value: &'static str,
    #[serde(rename = "OKActions")]
    pub ok_actions: [&'a str; 1],
    pub alarm_actions: [&'a str; 1],
    pub insufficient_data_actions: [&'a str; 0],
    #[serde(flatten)]
    pub looks_at: LooksAt<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqswatch: Option<Body<'a>>,
}

/// The keys that tell a metric alarm from a composite one.
#[derive(Serialize)]
#[serde(untagged)]
pub enum LooksAt<'a> {
    #[serde(rename_all = "PascalCase")]
    Metric { trigger: Trigger<'a> },
    #[serde(rename_all = "PascalCase")]
    Alarms { alarm_rule: &'a str, triggering_children: Vec<TriggeringChild> },
}

/// An alarm that a composite one looks at.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TriggeringChild {
    pub arn: String,
    pub state: ChildState,
}

/// Its state and since when.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChildState {
    pub value: &'static str,
    pub timestamp: String,
}

/// What a metric alarm looks at.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Trigger<'a> {
    metric_name: &'a str,
    namespace: &'a str,
    statistic_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistic: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_statistic: Option<String>,
    unit: Option<&'static str>,
    dimensions: Vec<Dimension<'a>>,
    period: u64,
    evaluation_periods: u32,
    datapoints_to_alarm: u32,
    comparison_operator: &'static str,
    threshold: f64,
    treat_missing_data: &'static str,
    evaluate_low_sample_count_percentile: &'static str,
}

#[derive(Serialize)]
struct Dimension<'a> {
    value: &'a str,
    name: &'a str,
}

impl<'a> Trigger<'a> {
    /// The condition as it is judged for `subject`.
    pub fn new(condition: &'a Condition, subject: &'a Subject) -> Self {
        let (namespace, metric_name) = metric(condition);
        let (statistic, extended_statistic) = statistic(condition.statistic);
        Self {
            metric_name,
            namespace,
            statistic_type: if statistic.is_some() { "Statistic" } else { "ExtendedStatistic" },
            statistic,
            extended_statistic,
            unit: None,
            dimensions: dimensions(condition, subject),
            period: condition.period.as_secs(),
            evaluation_periods: condition.evaluation_periods,
            datapoints_to_alarm: condition.datapoints_to_alarm,
            comparison_operator: condition.comparison.as_cloudwatch(),
            threshold: condition.threshold,
            treat_missing_data: condition.missing_data.as_str(),
            evaluate_low_sample_count_percentile: match condition.statistic {
                Statistic::Percentile(_) => condition.low_samples.as_str(),
                _ => "",
            },
        }
    }
}

/// Namespace and name. What CloudWatch does not have carries our name in a namespace of ours.
fn metric(condition: &Condition) -> (&str, &str) {
    if let Some(published) = &condition.published {
        return (text::prefix(&published.namespace, NAME_BYTES), text::prefix(&published.metric, NAME_BYTES));
    }
    match &condition.metric {
        MetricRef::Queue(metric) => match metric.row().cloudwatch {
            Some(name) => ("AWS/SQS", name),
            None => ("sqswatch", metric.name()),
        },
        MetricRef::Custom(name) => ("sqswatch", text::prefix(name, NAME_BYTES)),
        MetricRef::Math(math) => ("sqswatch", text::prefix(&math.text, NAME_BYTES)),
    }
}

fn dimensions<'a>(condition: &'a Condition, subject: &'a Subject) -> Vec<Dimension<'a>> {
    let dimension = |name: &'a str, value: &'a str| Dimension {
        value: text::prefix(value, NAME_BYTES),
        name: text::prefix(name, NAME_BYTES),
    };
    match (&condition.published, subject) {
        (Some(published), _) => {
            published.dimensions.iter().map(|(name, value)| dimension(name, value)).collect()
        }
        (None, Subject::Queue(id)) => vec![dimension("QueueName", &id.name)],
        (None, Subject::Custom(_) | Subject::Composite(_)) => Vec::new(),
    }
}

fn statistic(statistic: Statistic) -> (Option<&'static str>, Option<String>) {
    let word = match statistic {
        Statistic::Average => "AVERAGE",
        Statistic::Sum => "SUM",
        Statistic::Minimum => "MINIMUM",
        Statistic::Maximum => "MAXIMUM",
        Statistic::SampleCount => "SAMPLE_COUNT",
        Statistic::Percentile(_) => return (None, Some(statistic.to_string())),
    };
    (Some(word), None)
}

/// CloudWatch's way to write an instant: `2026-01-02T03:04:05.678+0000`.
pub fn instant(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}
