//! The stored form of what is owed, and of what became of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{NotificationRecord, RecordError, key_from_text, key_text, one_of};
use crate::domain::notification::Event;
use crate::domain::outbox::{Entry, GIVE_UP};
use crate::domain::time::Timestamp;
use crate::store::receipts::Receipt;

/// [`Entry`] without what its key says.
#[derive(Debug, Serialize, Deserialize)]
pub struct EntryRecord {
    notification: NotificationRecord,
    attempts: u32,
    not_before: i64,
    created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Of a parked entry: why, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parked: Option<(String, i64)>,
}

impl From<&Entry> for EntryRecord {
    fn from(entry: &Entry) -> Self {
        Self {
            notification: (&*entry.notification).into(),
            attempts: entry.attempts,
            not_before: entry.not_before.as_millis(),
            created: entry.created.as_millis(),
            answer: entry.answer.clone(),
            parked: None,
        }
    }
}

impl EntryRecord {
    /// The record of an entry that is parked.
    pub fn parked(entry: &Entry, reason: &str, at: Timestamp) -> Self {
        Self { parked: Some((reason.to_owned(), at.as_millis())), ..entry.into() }
    }

    /// Why and when it was parked; not known of what an earlier version parked.
    pub fn why_parked(&self) -> Option<(String, Timestamp)> {
        self.parked.clone().map(|(reason, at)| (reason, Timestamp::from_millis(at)))
    }

    /// The entry that was stored under this key.
    pub fn into_entry(self, destination: &str, sequence: u64) -> Result<Entry, RecordError> {
        Ok(Entry {
            sequence,
            destination: destination.into(),
            notification: Arc::new(self.notification.try_into()?),
            attempts: self.attempts,
            not_before: Timestamp::from_millis(self.not_before),
            created: Timestamp::from_millis(self.created),
            give_up: GIVE_UP,
            answer: self.answer,
        })
    }
}

/// [`Receipt`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ReceiptRecord {
    id: String,
    event: String,
    alarm: String,
    destination: String,
    at: i64,
    attempts: u32,
    reason: Option<String>,
    #[serde(default)]
    owed_at: Option<i64>,
    #[serde(default)]
    answer: Option<String>,
}

impl ReceiptRecord {
    /// The receipt for `entry`; `reason` is `None` when the attempt after those that failed was acknowledged.
    pub fn new(entry: &Entry, reason: Option<&str>, at: Timestamp) -> Self {
        Self {
            id: entry.notification.id.clone(),
            event: entry.notification.event.as_str().into(),
            alarm: key_text(&entry.notification.alarm),
            destination: entry.destination.to_string(),
            at: at.as_millis(),
            attempts: entry.attempts.saturating_add(u32::from(reason.is_none())),
            reason: reason.map(str::to_owned),
            owed_at: Some(entry.created.as_millis()),
            answer: entry.answer.clone(),
        }
    }
}

impl TryFrom<ReceiptRecord> for Receipt {
    type Error = RecordError;

    fn try_from(record: ReceiptRecord) -> Result<Self, RecordError> {
        Ok(Self {
            id: record.id,
            event: one_of("event", &record.event, &Event::ALL, Event::as_str)?,
            alarm: key_from_text(&record.alarm)?,
            destination: record.destination,
            at: Timestamp::from_millis(record.at),
            attempts: record.attempts,
            reason: record.reason,
            owed_at: record.owed_at.map(Timestamp::from_millis),
            answer: record.answer,
            number: 0, // its key says it
        })
    }
}
