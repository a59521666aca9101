//! What happened to each alarm: every change of its state, written in the transaction that makes the change durable.
//!
//! Bounded three ways: over all alarms, for one alarm (one that flaps must not push out what is known of the others), and by
//! age, as receipts are.

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::alarms::{bad_record, to_json};
use super::record::{ChangeRecord, RecordError, key_from_text, key_text};
use super::schema::{CHANGE_ORDER, CHANGES, take_numbers};
use super::{Store, StoreError};
use crate::domain::alarm::{AlarmKey, Transition};
use crate::domain::time::Timestamp;

/// How many changes of one alarm are kept.
pub const OF_ONE: usize = 500;

/// How many old changes are forgotten in one transaction.
const PRUNED: usize = 1000;

/// A change of one alarm's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Of which alarm.
    pub alarm: AlarmKey,
    /// What changed, when and why.
    pub transition: Transition,
    /// Grows from change to change.
    pub number: u64,
}

type ByAlarm<'txn> = redb::Table<'txn, (&'static str, u64), &'static [u8]>;
type InOrder<'txn> = redb::Table<'txn, u64, &'static str>;

impl Store {
    /// The latest changes of `alarm`, newest first; 500 at most.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn changes_of(&self, alarm: &AlarmKey, limit: usize) -> Result<Vec<Change>, StoreError> {
        let key = key_text(alarm);
        self.read(|transaction| {
            let table = transaction.open_table(CHANGES)?;
            let rows = table.range((&*key, 0)..=(&*key, u64::MAX))?.rev();
            let change = |row: Result<_, redb::StorageError>| {
                let (place, value): (redb::AccessGuard<(&str, u64)>, redb::AccessGuard<&[u8]>) = row?;
                let number = place.value().1;
                let transition = transition(number, value.value())?;
                Ok(Change { alarm: alarm.clone(), transition, number })
            };
            rows.take(limit).map(change).collect()
        })
    }

    /// The latest changes of all alarms, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn latest_changes(&self, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(CHANGES)?;
            let mut changes = Vec::new();
            for row in transaction.open_table(CHANGE_ORDER)?.iter()?.rev().take(limit) {
                let (number, key) = row?;
                let (number, key) = (number.value(), key.value());
                let Some(value) = table.get((key, number))? else { continue };
                let alarm = key_from_text(key).map_err(|source| bad(number, source))?;
                changes.push(Change { alarm, transition: transition(number, value.value())?, number });
            }
            Ok(changes)
        })
    }

    /// Forgets changes that are longer ago than the limits allow; at most so many at once. Returns how many.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn prune_changes(&self, now: Timestamp) -> Result<usize, StoreError> {
        let before = now - self.limits().history;
        let old = self.read(|transaction| {
            let table = transaction.open_table(CHANGES)?;
            let mut old = 0;
            for row in transaction.open_table(CHANGE_ORDER)?.iter()?.take(PRUNED) {
                let (number, key) = row?;
                let value = table.get((key.value(), number.value()))?;
                let at = value.map(|value| transition(number.value(), value.value())).transpose()?;
                if at.is_some_and(|change| change.at >= before) {
                    break;
                }
                old += 1;
            }
            Ok(old)
        })?;
        if old > 0 {
            self.write(|transaction| {
                let mut by_alarm = transaction.open_table(CHANGES)?;
                let mut in_order = transaction.open_table(CHANGE_ORDER)?;
                (0..old).try_for_each(|_| forget_oldest(&mut by_alarm, &mut in_order))
            })?;
        }
        Ok(old)
    }
}

/// Writes `changes`, and forgets the oldest of all over `most`.
pub(super) fn record(
    transaction: &WriteTransaction,
    changes: &[(AlarmKey, Transition)],
    most: usize,
) -> Result<(), StoreError> {
    // What this very storm would push out again is not written.
    let kept = &changes[changes.len().saturating_sub(most)..];
    if kept.is_empty() {
        return Ok(());
    }
    let first = take_numbers(transaction, "change", kept.len() as u64)?;
    let mut by_alarm = transaction.open_table(CHANGES)?;
    let mut in_order = transaction.open_table(CHANGE_ORDER)?;
    for (number, (alarm, transition)) in (first..).zip(kept) {
        let key = key_text(alarm);
        let value = to_json("changes", &key, &ChangeRecord::from(transition))?;
        by_alarm.insert((&*key, number), &*value)?;
        in_order.insert(number, &*key)?;
        forget_surplus(&mut by_alarm, &mut in_order, &key)?;
    }
    while in_order.len()? > most as u64 {
        forget_oldest(&mut by_alarm, &mut in_order)?;
    }
    Ok(())
}

/// Forgets the oldest of one alarm over [`OF_ONE`].
fn forget_surplus(
    by_alarm: &mut ByAlarm<'_>,
    in_order: &mut InOrder<'_>,
    key: &str,
) -> Result<(), StoreError> {
    let mut numbers = Vec::new();
    for row in by_alarm.range((key, 0)..=(key, u64::MAX))? {
        numbers.push(row?.0.value().1);
    }
    for number in &numbers[..numbers.len().saturating_sub(OF_ONE)] {
        by_alarm.remove((key, *number))?;
        in_order.remove(number)?;
    }
    Ok(())
}

fn forget_oldest(by_alarm: &mut ByAlarm<'_>, in_order: &mut InOrder<'_>) -> Result<(), StoreError> {
    if let Some((number, key)) = in_order.pop_first()? {
        by_alarm.remove((key.value(), number.value()))?;
    }
    Ok(())
}

fn transition(number: u64, value: &[u8]) -> Result<Transition, StoreError> {
    let record: ChangeRecord = serde_json::from_slice(value).map_err(|error| bad(number, error.into()))?;
    record.try_into().map_err(|source| bad(number, source))
}

fn bad(number: u64, source: RecordError) -> StoreError {
    bad_record("changes", number, source)
}
