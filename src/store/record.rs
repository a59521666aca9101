//! The stored form of the domain's types: JSON, mirrored here because the domain knows no serde.
//!
//! This is schema version 3 (see [`super::schema`]). Every word is the one the rest of the product shows
//! (`ALARM`, `notBreaching`, `dead_letter`), instants are Unix milliseconds, lengths milliseconds. A field may be
//! added with `#[serde(default)]`; anything else is a new version with a migration.

mod alarm;
mod change;
mod condition;
mod delivery;
mod silence;

use std::collections::BTreeMap;
use std::str::FromStr;

pub use alarm::AlarmRecord;
pub use change::ChangeRecord;
use condition::ConditionRecord;
pub use delivery::{EntryRecord, ReceiptRecord};
use serde::{Deserialize, Serialize};

use crate::domain::alarm::{AlarmKey, CustomId, Subject};
use crate::domain::counter::Snapshot;
use crate::domain::notification::{Cause, Child, Event, Notification, QueueFacts};
use crate::domain::queue::{QueueId, Role};
use crate::domain::rule::UnknownWord;
use crate::domain::time::Timestamp;

pub use silence::SilenceRecord;

/// Why a stored record cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not the JSON that was expected.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A word that this version does not know.
    #[error("unknown {what} `{word}`")]
    Word {
        /// What the word should be.
        what: &'static str,
        /// The word.
        word: String,
    },
}

fn word<T: FromStr>(what: &'static str, text: &str) -> Result<T, RecordError> {
    text.parse().map_err(|_| RecordError::Word { what, word: text.to_owned() })
}

/// The words of which the domain has only the writing side.
fn one_of<T: Copy>(
    what: &'static str,
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, RecordError> {
    let found = all.iter().copied().find(|&each| name(each) == text).ok_or(UnknownWord);
    found.map_err(|_| RecordError::Word { what, word: text.to_owned() })
}

/// An alarm's key as a text that is the same for equal keys: a JSON array.
pub fn key_text(key: &AlarmKey) -> String {
    let subject = &key.subject;
    serde_json::json!([&*key.rule, subject.kind(), subject.account(), subject.region(), &**subject.name()])
        .to_string()
}

/// Reads what [`key_text`] wrote.
pub fn key_from_text(text: &str) -> Result<AlarmKey, RecordError> {
    let [rule, kind, account, region, name]: [String; 5] = serde_json::from_str(text)?;
    let (account, region, name) = (account.into(), region.into(), name.into());
    let subject = match kind.as_str() {
        "queue" => Subject::Queue(QueueId { account, region, name }),
        "custom" => Subject::Custom(CustomId { account, region, name }),
        "composite" => Subject::Composite(name),
        _ => return Err(RecordError::Word { what: "alarm subject", word: kind }),
    };
    Ok(AlarmKey { rule: rule.into(), subject })
}

/// [`Snapshot`] of a counter; `null` stands for a number that JSON cannot write, which restoring drops.
#[derive(Debug, Serialize, Deserialize)]
pub struct CounterRecord {
    total: Option<f64>,
    debt: Option<f64>,
    recent: Vec<(i64, Option<f64>)>,
}

impl From<&Snapshot> for CounterRecord {
    fn from(counter: &Snapshot) -> Self {
        let recent = counter.recent.iter().map(|(minute, sum)| (minute.as_millis(), Some(*sum))).collect();
        Self { total: Some(counter.total), debt: Some(counter.debt), recent }
    }
}

impl From<CounterRecord> for Snapshot {
    fn from(record: CounterRecord) -> Self {
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let minute = |(at, sum)| (Timestamp::from_millis(at), number(sum));
        let recent = record.recent.into_iter().map(minute).collect();
        Self { total: number(record.total), debt: number(record.debt), recent }
    }
}

/// [`Notification`].
#[derive(Debug, Serialize, Deserialize)]
pub struct NotificationRecord {
    id: String,
    event: String,
    alarm: String,
    from: String,
    to: String,
    since: i64,
    #[serde(default)]
    fired_at: Option<i64>,
    at: i64,
    reason: String,
    value: Option<f64>,
    description: String,
    #[serde(flatten)]
    cause: CauseRecord,
    severity: String,
    labels: BTreeMap<String, String>,
    queue: Option<QueueFactsRecord>,
}

impl From<&Notification> for NotificationRecord {
    fn from(notification: &Notification) -> Self {
        Self {
            id: notification.id.clone(),
            event: notification.event.as_str().into(),
            alarm: key_text(&notification.alarm),
            from: notification.from.as_str().into(),
            to: notification.to.as_str().into(),
            since: notification.since.as_millis(),
            fired_at: notification.fired_at.map(Timestamp::as_millis),
            at: notification.at.as_millis(),
            reason: notification.reason.clone(),
            value: notification.value,
            description: notification.description.clone(),
            cause: (&notification.cause).into(),
            severity: notification.severity.as_str().into(),
            labels: notification.labels.clone(),
            queue: notification.queue.as_ref().map(QueueFactsRecord::from),
        }
    }
}

impl TryFrom<NotificationRecord> for Notification {
    type Error = RecordError;

    fn try_from(record: NotificationRecord) -> Result<Self, RecordError> {
        Ok(Self {
            id: record.id,
            event: one_of("event", &record.event, &Event::ALL, Event::as_str)?,
            alarm: key_from_text(&record.alarm)?,
            from: word("alarm state", &record.from)?,
            to: word("alarm state", &record.to)?,
            since: Timestamp::from_millis(record.since),
            fired_at: record.fired_at.map(Timestamp::from_millis),
            at: Timestamp::from_millis(record.at),
            reason: record.reason,
            value: record.value,
            description: record.description,
            cause: record.cause.try_into()?,
            severity: word("severity", &record.severity)?,
            labels: record.labels,
            queue: record.queue.map(QueueFacts::try_from).transpose()?,
        })
    }
}

/// [`Cause`], as the key `condition` or `composite`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CauseRecord {
    Condition(Box<ConditionRecord>),
    Composite { rule: String, children: Vec<ChildRecord> },
}

#[derive(Debug, Serialize, Deserialize)]
struct ChildRecord {
    alarm: String,
    state: String,
    since: i64,
}

impl From<&Cause> for CauseRecord {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Metric(condition) => Self::Condition(Box::new(condition.into())),
            Cause::Composite { text, children } => {
                let child = |child: &Child| ChildRecord {
                    alarm: key_text(&child.alarm),
                    state: child.state.as_str().into(),
                    since: child.since.as_millis(),
                };
                Self::Composite { rule: text.to_string(), children: children.iter().map(child).collect() }
            }
        }
    }
}

impl TryFrom<CauseRecord> for Cause {
    type Error = RecordError;

    fn try_from(record: CauseRecord) -> Result<Self, RecordError> {
        Ok(match record {
            CauseRecord::Condition(condition) => Self::Metric((*condition).try_into()?),
            CauseRecord::Composite { rule, children } => {
                let child = |child: ChildRecord| {
                    Ok(Child {
                        alarm: key_from_text(&child.alarm)?,
                        state: word("alarm state", &child.state)?,
                        since: Timestamp::from_millis(child.since),
                    })
                };
                let children = children.into_iter().map(child).collect::<Result<_, RecordError>>()?;
                Self::Composite { text: rule.into(), children }
            }
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct QueueIdRecord {
    account: String,
    region: String,
    name: String,
}

impl From<&QueueId> for QueueIdRecord {
    fn from(id: &QueueId) -> Self {
        Self { account: id.account.to_string(), region: id.region.to_string(), name: id.name.to_string() }
    }
}

impl From<QueueIdRecord> for QueueId {
    fn from(record: QueueIdRecord) -> Self {
        Self::new(record.account, record.region, record.name)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct QueueFactsRecord {
    url: String,
    role: String,
    dead_letter_queue: Option<QueueIdRecord>,
    sources: Vec<QueueIdRecord>,
}

impl From<&QueueFacts> for QueueFactsRecord {
    fn from(facts: &QueueFacts) -> Self {
        Self {
            url: facts.url.to_string(),
            role: facts.role.as_str().into(),
            dead_letter_queue: facts.dead_letter_queue.as_ref().map(QueueIdRecord::from),
            sources: facts.sources.iter().map(QueueIdRecord::from).collect(),
        }
    }
}

impl TryFrom<QueueFactsRecord> for QueueFacts {
    type Error = RecordError;

    fn try_from(record: QueueFactsRecord) -> Result<Self, RecordError> {
        const ROLES: [Role; 4] = [Role::Plain, Role::Source, Role::DeadLetter, Role::Both];
        Ok(Self {
            url: record.url.into(),
            role: one_of("role", &record.role, &ROLES, Role::as_str)?,
            dead_letter_queue: record.dead_letter_queue.map(QueueId::from),
            sources: record.sources.into_iter().map(QueueId::from).collect(),
        })
    }
}
