//! The SNS message as CloudWatch publishes it, so that subscribers that understand CloudWatch alarms go on working.
//!
//! Its keys are in `cloudwatch.rs`. An alarm is named `RULE/QUEUE`, because a rule stands for one alarm a queue and receivers
//! tell alarms apart by their names. Whatever the texts hold, the message is valid JSON within SNS's limit.

use serde::Serialize;

use super::cloudwatch::{
    CHILDREN, ChildState, CloudWatch, LooksAt, NAME_BYTES, RULE_BYTES, Trigger, TriggeringChild, instant,
};
use super::region::display_name;
use crate::domain::alarm::{AlarmKey, Subject};
use crate::domain::notification::{Cause, Child, Notification};
use crate::notify::body::Body;
use crate::notify::text;

/// The largest message SNS takes, in bytes (SNS API reference, Publish).
pub const MESSAGE_BYTES: usize = 262_144;
/// The longest subject SNS takes, in characters.
pub const SUBJECT_BYTES: usize = 100;
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
    let name = alarm_name(&notification.alarm);
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

/// A composite alarm is one alarm and has its name for itself.
fn alarm_name(key: &AlarmKey) -> String {
    match &key.subject {
        Subject::Composite(name) => text::cut(name, NAME_BYTES),
        subject => text::cut(&format!("{}/{}", key.rule, subject.name()), NAME_BYTES),
    }
}

/// The region of a subject; a composite alarm has none and is where the topic is.
fn region<'a>(subject: &'a Subject, topic: &Topic<'a>) -> &'a str {
    let region = subject.region();
    if region.is_empty() { topic.region } else { text::prefix(region, NAME_BYTES) }
}

fn account<'a>(subject: &'a Subject, topic: &Topic<'a>) -> &'a str {
    let account = subject.account();
    if account.is_empty() { topic.account } else { text::prefix(account, NAME_BYTES) }
}

/// An ARN as CloudWatch would give it; no alarm of that name exists there.
fn alarm_arn(key: &AlarmKey, topic: &Topic<'_>) -> String {
    let (region, account) = (region(&key.subject, topic), account(&key.subject, topic));
    format!("arn:{}:cloudwatch:{region}:{account}:alarm:{}", topic.partition, alarm_name(key))
}

/// `ALARM: "<name>" in <region>`; a long name is cut within the quotes. It says ALARM or OK and nothing else, as
/// NewStateValue does: subscribers read one and check it against the other.
fn subject(notification: &Notification, topic: &Topic<'_>, name: &str) -> String {
    let head = format!("{}: \"", notification.tells());
    let tail = format!("\" in {}", ascii(display_name(region(&notification.alarm.subject, topic))));
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
    let default = to_json(&cloudwatch(notification, topic, name, extra));
    let email = text::cut(&text::long(notification), email_bytes);
    to_json(&Envelope { default: &default, email: &email, sms: &text::sms(notification) })
}

/// Serializing these plain structs cannot fail: no map has a key that is not a string.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn cloudwatch<'a>(
    notification: &'a Notification,
    topic: &Topic<'a>,
    name: &'a str,
    extra: Option<Body<'a>>,
) -> CloudWatch<'a> {
    let key = &notification.alarm;
    let changed = instant(notification.since);
    let description = Some(&notification.description).filter(|description| !description.is_empty());
    CloudWatch {
        alarm_name: name,
        alarm_description: description.map(|description| text::cut(description, TEXT_BYTES)),
        aws_account_id: account(&key.subject, topic),
        alarm_configuration_updated_timestamp: changed.clone(),
        new_state_value: notification.tells().as_str(),
        new_state_reason: text::cut(&notification.reason, TEXT_BYTES),
        state_change_time: changed,
        region: display_name(region(&key.subject, topic)),
        alarm_arn: alarm_arn(key, topic),
        old_state_value: notification.from.as_str(),
        ok_actions: [topic.arn],
        alarm_actions: [topic.arn],
        insufficient_data_actions: [],
        looks_at: looks_at(notification, topic),
        sqswatch: extra,
    }
}

fn looks_at<'a>(notification: &'a Notification, topic: &Topic<'_>) -> LooksAt<'a> {
    let triggering = |child: &Child| TriggeringChild {
        arn: alarm_arn(&child.alarm, topic),
        state: ChildState { value: child.state.as_str(), timestamp: instant(child.since) },
    };
    match &notification.cause {
        Cause::Metric(condition) => {
            LooksAt::Metric { trigger: Trigger::new(condition, &notification.alarm.subject) }
        }
        Cause::Composite { text, children } => LooksAt::Alarms {
            alarm_rule: text::prefix(text, RULE_BYTES),
            triggering_children: children.iter().take(CHILDREN).map(triggering).collect(),
        },
    }
}
