//! The SNS message as CloudWatch publishes it, so that subscribers that understand CloudWatch alarms go on working.
//!
//! Keys, their order and their spelling are CloudWatch's; ours is only the last one, `Sqswatch`. An alarm is named
//! `RULE/QUEUE`, because a rule stands for one alarm a queue and receivers tell alarms apart by their names.
//! Whatever the texts hold, the message is valid JSON within SNS's limit.

use serde::Serialize;

use super::region::display_name;
use crate::domain::alarm::Subject;
use crate::domain::notification::{Cause, Notification};
use crate::domain::rule::{Condition, MetricRef, Statistic};
use crate::domain::time::Timestamp;
use crate::notify::body::Body;
use crate::notify::text;

/// The largest message SNS takes, in bytes (SNS API reference, Publish).
pub const MESSAGE_BYTES: usize = 262_144;
/// The longest subject SNS takes, in characters.
pub const SUBJECT_BYTES: usize = 100;
/// CloudWatch's limit for names (PutMetricAlarm).
const NAME_BYTES: usize = 255;
/// CloudWatch's limit for descriptions and reasons (PutMetricAlarm, SetAlarmState).
const TEXT_BYTES: usize = 1023;
/// Enough for any e-mail that is to be read.
const EMAIL_BYTES: usize = 32 * 1024;

/// A topic, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic<'a> {
    /// The whole of it.
    pub arn: &'a str,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: &'a str,
    /// The region's code.
    pub region: &'a str,
    /// The owning account.
    pub account: &'a str,
}

impl<'a> Topic<'a> {
    /// Reads `arn:PARTITION:sns:REGION:ACCOUNT:NAME`; parts that are not there are empty.
    pub fn new(arn: &'a str) -> Self {
        let mut parts = arn.split(':').skip(1);
        let mut next = || parts.next().unwrap_or_default();
        let (partition, _service, region, account) = (next(), next(), next(), next());
        Self { arn, partition, region, account }
    }

    /// Whether it is a FIFO topic.
    pub fn is_fifo(&self) -> bool {
        self.arn.ends_with(".fifo")
    }
}

/// Everything one Publish needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// ASCII, at most [`SUBJECT_BYTES`].
    pub subject: String,
    /// For `MessageStructure=json`: `default`, `email` and `sms`; at most [`MESSAGE_BYTES`].
    pub body: String,
    /// For FIFO topics: the group (the alarm) and the deduplication id (this very event).
    pub fifo: Option<(String, String)>,
}

/// The message that tells `topic` of `notification`.
pub fn message(notification: &Notification, topic: &Topic<'_>) -> Message {
    let name = alarm_name(notification);
    let fifo = topic.is_fifo().then(|| (group(notification), notification.id.clone()));
    Message { subject: subject(notification, topic, &name), body: body(notification, topic, &name), fifo }
}

/// The fullest of three forms that fits: with everything, without lists that have no bound, without our own key.
fn body(notification: &Notification, topic: &Topic<'_>, name: &str) -> String {
    let full = envelope(notification, topic, name, Some(Body::full(notification)), EMAIL_BYTES);
    if full.len() <= MESSAGE_BYTES {
        return full;
    }
    let small = envelope(notification, topic, name, Some(Body::small(notification)), TEXT_BYTES);
    if small.len() <= MESSAGE_BYTES {
        return small;
    }
    envelope(notification, topic, name, None, TEXT_BYTES)
}

fn alarm_name(notification: &Notification) -> String {
    let key = &notification.alarm;
    text::cut(&format!("{}/{}", key.rule, key.subject.name()), NAME_BYTES)
}

fn region<'a>(notification: &'a Notification, topic: &Topic<'a>) -> &'a str {
    let region = notification.alarm.subject.region();
    if region.is_empty() { topic.region } else { text::prefix(region, NAME_BYTES) }
}

/// `ALARM: "<name>" in <region>`; a long name is cut within the quotes.
fn subject(notification: &Notification, topic: &Topic<'_>, name: &str) -> String {
    let head = format!("{}: \"", notification.to);
    let tail = format!("\" in {}", ascii(display_name(region(notification, topic))));
    let tail = text::cut(&tail, SUBJECT_BYTES / 2);
    let room = SUBJECT_BYTES - head.len() - tail.len();
    format!("{head}{}{tail}", text::cut(&ascii(name), room))
}

/// `text` with each run of characters that SNS refuses in a subject as one `_`.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        let allowed = c == ' ' || c.is_ascii_graphic();
        if allowed {
            out.push(c);
        } else if !in_run {
            out.push('_');
        }
        in_run = !allowed;
    }
    out
}

/// The alarm as a MessageGroupId: at most 128 ASCII letters, digits and punctuation marks. Two alarms that fall
/// together here only share an order.
fn group(notification: &Notification) -> String {
    let group = format!("{}/{}", notification.alarm.subject, notification.alarm.rule);
    text::cut(&ascii(&group).replace(' ', "_"), 128)
}

#[derive(Serialize)]
struct Envelope<'a> {
    default: &'a str,
    email: &'a str,
    sms: &'a str,
}

fn envelope(
    notification: &Notification,
    topic: &Topic<'_>,
    name: &str,
    extra: Option<Body<'_>>,
    email_bytes: usize,
) -> String {
    let default = to_json(&CloudWatch::new(notification, topic, name, extra));
    let email = text::cut(&text::long(notification), email_bytes);
    to_json(&Envelope { default: &default, email: &email, sms: &text::sms(notification) })
}

/// Serializing these plain structs cannot fail: no map has a key that is not a string.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CloudWatch<'a> {
    alarm_name: &'a str,
    alarm_description: Option<String>,
    #[serde(rename = "AWSAccountId")]
    aws_account_id: &'a str,
    alarm_configuration_updated_timestamp: String,
    new_state_value: &'static str,
    new_state_reason: String,
    state_change_time: String,
    region: &'a str,
    alarm_arn: String,
    old_state_value: &'static str,
    #[serde(rename = "OKActions")]
    ok_actions: [&'a str; 1],
    alarm_actions: [&'a str; 1],
    insufficient_data_actions: [&'a str; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<Trigger<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqswatch: Option<Body<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Trigger<'a> {
    metric_name: &'a str,
    namespace: &'static str,
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
    name: &'static str,
}

impl<'a> CloudWatch<'a> {
    fn new(
        notification: &'a Notification,
        topic: &Topic<'a>,
        name: &'a str,
        extra: Option<Body<'a>>,
    ) -> Self {
        let subject = &notification.alarm.subject;
        let account = if subject.account().is_empty() { topic.account } else { subject.account() };
        let account = text::prefix(account, NAME_BYTES);
        let region = region(notification, topic);
        let changed = instant(notification.since);
        Self {
            alarm_name: name,
            alarm_description: Some(&notification.description)
                .filter(|description| !description.is_empty())
                .map(|description| text::cut(description, TEXT_BYTES)),
            aws_account_id: account,
            alarm_configuration_updated_timestamp: changed.clone(),
            new_state_value: notification.to.as_str(),
            new_state_reason: text::cut(&notification.reason, TEXT_BYTES),
            state_change_time: changed,
            region: display_name(region),
            alarm_arn: format!("arn:{}:cloudwatch:{region}:{account}:alarm:{name}", topic.partition),
            old_state_value: notification.from.as_str(),
            ok_actions: [topic.arn],
            alarm_actions: [topic.arn],
            insufficient_data_actions: [],
            trigger: match &notification.cause {
                Cause::Metric(condition) => Some(Trigger::new(condition, subject)),
                Cause::Composite { .. } => None,
            },
            sqswatch: extra,
        }
    }
}

impl<'a> Trigger<'a> {
    fn new(condition: &'a Condition, subject: &'a Subject) -> Self {
        let (namespace, metric_name) = metric(&condition.metric);
        let (statistic, extended_statistic) = statistic(condition.statistic);
        Self {
            metric_name,
            namespace,
            statistic_type: if statistic.is_some() { "Statistic" } else { "ExtendedStatistic" },
            statistic,
            extended_statistic,
            unit: None,
            dimensions: match subject {
                Subject::Queue(id) => {
                    vec![Dimension { value: text::prefix(&id.name, NAME_BYTES), name: "QueueName" }]
                }
                Subject::Custom(_) | Subject::Composite(_) => Vec::new(),
            },
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

/// Namespace and name. What CloudWatch does not have in AWS/SQS carries our name in a namespace of ours.
fn metric(metric: &MetricRef) -> (&'static str, &str) {
    match metric {
        MetricRef::Queue(metric) => match metric.row().cloudwatch {
            Some(name) => ("AWS/SQS", name),
            None => ("sqswatch", metric.name()),
        },
        MetricRef::Custom(name) => ("sqswatch", text::prefix(name, NAME_BYTES)),
        MetricRef::Math(math) => ("sqswatch", text::prefix(&math.text, NAME_BYTES)),
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
fn instant(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}
