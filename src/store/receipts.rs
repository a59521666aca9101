//! What became of the latest notifications: a bounded history for people who ask "was I paged?".

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::alarms::{bad_record, to_json};
use super::record::ReceiptRecord;
use super::schema::{HISTORY, next_number};
use super::{Store, StoreError};
use crate::domain::alarm::AlarmKey;
use crate::domain::notification::Event;
use crate::domain::outbox::Entry;
use crate::domain::time::Timestamp;

/// How many receipts are kept.
pub(super) const KEPT: u64 = 1000;

/// The end of one notification's way to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The notification's id.
    pub id: String,
    /// Why it was told.
    pub event: Event,
    /// Of which alarm.
    pub alarm: AlarmKey,
    /// To whom, by the configuration's name.
    pub destination: String,
    /// When its way ended.
    pub at: Timestamp,
    /// How many attempts were made, the acknowledged one included.
    pub attempts: u32,
    /// `None`: acknowledged. Otherwise why it was given up: a word of [`crate::domain::outbox::Reason`], or
    /// `firing_refused`: nobody is told that something ended which they were never told of.
    pub reason: Option<String>,
}

/// The reason of what follows a firing that was refused for good.
pub(super) const FIRING_REFUSED: &str = "firing_refused";

impl Store {
    /// The latest receipts, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn history(&self, limit: usize) -> Result<Vec<Receipt>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(HISTORY)?;
            let mut receipts = Vec::new();
            for row in table.iter()?.rev().take(limit) {
                let (number, value) = row?;
                let bad = |source| bad_record("history", number.value(), source);
                let record: ReceiptRecord =
                    serde_json::from_slice(value.value()).map_err(|e| bad(e.into()))?;
                receipts.push(record.try_into().map_err(bad)?);
            }
            Ok(receipts)
        })
    }
}

/// Appends what became of `entry` and drops the oldest receipts over [`KEPT`].
pub(super) fn append(
    transaction: &WriteTransaction,
    entry: &Entry,
    reason: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let number = next_number(transaction, "receipt")?;
    let record = ReceiptRecord::new(entry, reason, at);
    let mut table = transaction.open_table(HISTORY)?;
    table.insert(number, &*to_json("history", &number.to_string(), &record)?)?;
    while table.len()? > KEPT {
        table.pop_first()?;
    }
    Ok(())
}
