//! What became of the latest notifications: a bounded history for people who ask "was I paged?".

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::alarms::{bad_record, to_json};
use super::record::{ReceiptRecord, key_text};
use super::schema::{HISTORY, HISTORY_BY_ALARM, next_number};
use super::{Store, StoreError, Wanted};
use crate::domain::alarm::AlarmKey;
use crate::domain::notification::Event;
use crate::domain::outbox::Entry;
use crate::domain::time::Timestamp;

/// How many old receipts are forgotten in one transaction.
const PRUNED: usize = 1000;

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
    /// `None`: acknowledged. Otherwise why it was given up: a word of [`crate::domain::outbox::Reason`], `firing_refused`
    /// (nobody is told that something ended which they were never told of) or `dropped` (by hand).
    pub reason: Option<String>,
    /// When it became owed; not known of what an earlier version delivered.
    pub owed_at: Option<Timestamp>,
    /// What came back from the latest attempt, in words.
    pub answer: Option<String>,
    /// Grows from receipt to receipt; for paging.
    pub number: u64,
}

/// The reason of what follows a firing that was refused for good.
pub(super) const FIRING_REFUSED: &str = "firing_refused";

impl Store {
    /// The latest receipts, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn history(&self, limit: usize) -> Result<Vec<Receipt>, StoreError> {
        self.receipts(&Wanted { limit, ..Wanted::default() }, |_| true)
    }

    /// The latest receipts that are wanted and `fits`, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn receipts(
        &self,
        wanted: &Wanted,
        fits: impl Fn(&Receipt) -> bool,
    ) -> Result<Vec<Receipt>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(HISTORY)?;
            let mut receipts = Vec::new();
            for row in table.range(..wanted.after.unwrap_or(u64::MAX))?.rev() {
                if receipts.len() >= wanted.limit {
                    break;
                }
                let (number, value) = row?;
                let receipt = receipt(number.value(), value.value())?;
                let of_destination =
                    wanted.destination.as_ref().is_none_or(|name| *name == receipt.destination);
                let of_alarm = wanted.alarm.as_deref().is_none_or(|name| name == &*receipt.alarm.rule);
                receipts.extend(Some(receipt).filter(|receipt| of_destination && of_alarm && fits(receipt)));
            }
            Ok(receipts)
        })
    }

    /// The latest receipts of one alarm, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn receipts_of(&self, alarm: &AlarmKey, limit: usize) -> Result<Vec<Receipt>, StoreError> {
        let key = key_text(alarm);
        self.read(|transaction| {
            let table = transaction.open_table(HISTORY)?;
            let index = transaction.open_table(HISTORY_BY_ALARM)?;
            let mut receipts = Vec::new();
            for row in index.range((&*key, 0)..=(&*key, u64::MAX))?.rev().take(limit) {
                let number = row?.0.value().1;
                if let Some(value) = table.get(number)? {
                    receipts.push(receipt(number, value.value())?);
                }
            }
            Ok(receipts)
        })
    }

    /// Forgets what became of notifications longer ago, or of more of them, than the limits allow; at most so many at once.
    /// Returns how many.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn prune(&self, now: Timestamp) -> Result<usize, StoreError> {
        let limits = self.limits();
        let before = now - limits.history;
        let old = self.read(|transaction| {
            let table = transaction.open_table(HISTORY)?;
            let surplus = table.len()?.saturating_sub(limits.kept as u64) as usize;
            let mut old = Vec::new();
            for row in table.iter()?.take(PRUNED) {
                let (number, value) = row?;
                let receipt = receipt(number.value(), value.value())?;
                if old.len() >= surplus && receipt.at >= before {
                    break;
                }
                old.push((key_text(&receipt.alarm), receipt.number));
            }
            Ok(old)
        })?;
        if !old.is_empty() {
            self.write(|transaction| {
                let mut table = transaction.open_table(HISTORY)?;
                let mut index = transaction.open_table(HISTORY_BY_ALARM)?;
                for (key, number) in &old {
                    table.remove(number)?;
                    index.remove((&**key, *number))?;
                }
                Ok(())
            })?;
        }
        Ok(old.len())
    }
}

fn receipt(number: u64, value: &[u8]) -> Result<Receipt, StoreError> {
    let bad = |source| bad_record("history", number, source);
    let record: ReceiptRecord = serde_json::from_slice(value).map_err(|error| bad(error.into()))?;
    Ok(Receipt { number, ..record.try_into().map_err(bad)? })
}

/// Appends what became of `entry`.
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
    let key = key_text(&entry.notification.alarm);
    transaction.open_table(HISTORY_BY_ALARM)?.insert((&*key, number), ())?;
    Ok(())
}

/// Files every receipt under its alarm, for a state file that did not do so yet.
pub(super) fn index(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut index = transaction.open_table(HISTORY_BY_ALARM)?;
    for row in transaction.open_table(HISTORY)?.iter()? {
        let (number, value) = row?;
        let receipt = receipt(number.value(), value.value())?;
        index.insert((&*key_text(&receipt.alarm), receipt.number), ())?;
    }
    Ok(())
}
