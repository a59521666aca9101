//! What is remembered of an alarm: its state, who was told, and what is still to be told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{NotificationRecord, RecordError, one_of, word};
use crate::domain::alarm::{Alarm, Untold};
use crate::domain::flapping::Flaps;
use crate::domain::hold::Hold;
use crate::domain::notification::{Event, Notification};
use crate::domain::time::Timestamp;

/// [`Alarm`] without its value and what holds it, which the next evaluation brings.
#[derive(Debug, Serialize, Deserialize)]
pub struct AlarmRecord {
    state: String,
    since: i64,
    #[serde(default)]
    ended: Option<i64>,
    reason: String,
    told: Vec<String>,
    told_at: Option<i64>,
    firing: Option<NotificationRecord>,
    #[serde(default)]
    told_value: Option<f64>,
    #[serde(default)]
    tellings: u64,
    #[serde(default)]
    untold: Option<UntoldRecord>,
    /// When its state changed lately.
    #[serde(default)]
    changes: Vec<i64>,
    #[serde(default)]
    flapping: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct UntoldRecord {
    event: String,
    from: String,
    held_by: HoldRecord,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HoldRecord {
    Silence(String),
    Maintenance(String),
    Suppressor(String),
}

impl From<&Alarm> for AlarmRecord {
    fn from(alarm: &Alarm) -> Self {
        Self {
            state: alarm.state.as_str().into(),
            since: alarm.since.as_millis(),
            ended: alarm.ended.map(Timestamp::as_millis),
            reason: alarm.reason.clone(),
            told: alarm.told.iter().map(|name| name.to_string()).collect(),
            told_at: alarm.told_at.map(Timestamp::as_millis),
            firing: alarm.firing.as_deref().map(NotificationRecord::from),
            told_value: alarm.told_value,
            tellings: alarm.tellings,
            untold: alarm.untold.as_ref().map(UntoldRecord::from),
            changes: alarm.flaps.changes.iter().map(|at| at.as_millis()).collect(),
            flapping: alarm.flaps.flapping,
        }
    }
}

impl TryFrom<AlarmRecord> for Alarm {
    type Error = RecordError;

    fn try_from(record: AlarmRecord) -> Result<Self, RecordError> {
        Ok(Self {
            state: word("alarm state", &record.state)?,
            since: Timestamp::from_millis(record.since),
            ended: record.ended.map(Timestamp::from_millis),
            reason: record.reason,
            value: None,
            told: record.told.into_iter().map(Arc::from).collect(),
            told_at: record.told_at.map(Timestamp::from_millis),
            firing: record.firing.map(Notification::try_from).transpose()?.map(Arc::new),
            told_value: record.told_value,
            tellings: record.tellings,
            held: None,
            untold: record.untold.map(Untold::try_from).transpose()?,
            flaps: Flaps {
                changes: record.changes.into_iter().map(Timestamp::from_millis).collect(),
                flapping: record.flapping,
            },
        })
    }
}

impl From<&Untold> for UntoldRecord {
    fn from(untold: &Untold) -> Self {
        Self {
            event: untold.event.as_str().into(),
            from: untold.from.as_str().into(),
            held_by: match &untold.by {
                Hold::Silence(by) => HoldRecord::Silence(by.to_string()),
                Hold::Maintenance(by) => HoldRecord::Maintenance(by.to_string()),
                Hold::Suppressor(by) => HoldRecord::Suppressor(by.to_string()),
            },
        }
    }
}

impl TryFrom<UntoldRecord> for Untold {
    type Error = RecordError;

    fn try_from(record: UntoldRecord) -> Result<Self, RecordError> {
        Ok(Self {
            event: one_of("event", &record.event, &Event::ALL, Event::as_str)?,
            from: word("alarm state", &record.from)?,
            by: match record.held_by {
                HoldRecord::Silence(by) => Hold::Silence(by.into()),
                HoldRecord::Maintenance(by) => Hold::Maintenance(by.into()),
                HoldRecord::Suppressor(by) => Hold::Suppressor(by.into()),
            },
        })
    }
}
