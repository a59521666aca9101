//! The stored form of a change of state.

use serde::{Deserialize, Serialize};

use super::{RecordError, word};
use crate::domain::alarm::Transition;
use crate::domain::time::Timestamp;

/// [`Transition`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangeRecord {
    from: String,
    to: String,
    since: i64,
    at: i64,
    reason: String,
    /// `null` also stands for a value that JSON cannot write.
    value: Option<f64>,
}

impl From<&Transition> for ChangeRecord {
    fn from(transition: &Transition) -> Self {
        Self {
            from: transition.from.as_str().into(),
            to: transition.to.as_str().into(),
            since: transition.since.as_millis(),
            at: transition.at.as_millis(),
            reason: transition.reason.clone(),
            value: transition.value,
        }
    }
}

impl TryFrom<ChangeRecord> for Transition {
    type Error = RecordError;

    fn try_from(record: ChangeRecord) -> Result<Self, RecordError> {
        Ok(Self {
            from: word("alarm state", &record.from)?,
            to: word("alarm state", &record.to)?,
            since: Timestamp::from_millis(record.since),
            at: Timestamp::from_millis(record.at),
            reason: record.reason,
            value: record.value,
        })
    }
}
