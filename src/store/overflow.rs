//! The bound of the outbox: so many debts may wait for one destination. Over it, reminders go first, because what they
//! remind of waits too or was told; then what is new is parked for a person. Nothing ends without a receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};

use super::StoreError;
use super::outbox::{entry, take};
use super::receipts::append;
use super::schema::OUTBOX;
use crate::domain::notification::Event;
use crate::domain::outbox::Reason;
use crate::domain::time::Timestamp;

/// What did not fit into the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overflow {
    /// Reminders that are not told.
    pub dropped: u64,
    /// Notifications that were parked at once.
    pub parked: u64,
}

/// What becomes of a new debt.
pub(super) enum Admission {
    /// It waits for delivery.
    Wait,
    /// It is not told.
    Drop,
    /// It is kept for a person.
    Park,
}

/// How much room the destinations have, within one transaction.
pub(super) struct Room {
    max: u64,
    waiting: BTreeMap<Arc<str>, u64>,
    /// Where no reminder waits any more.
    bare: BTreeSet<Arc<str>>,
    /// What did not fit.
    pub(super) overflow: BTreeMap<Arc<str>, Overflow>,
}

impl Room {
    /// Room for `max` debts to each destination.
    pub(super) fn new(max: u64) -> Self {
        Self { max, waiting: BTreeMap::new(), bare: BTreeSet::new(), overflow: BTreeMap::new() }
    }

    /// Decides about one more debt of `destination`, and makes room for it if that is possible.
    pub(super) fn admit(
        &mut self,
        transaction: &WriteTransaction,
        destination: &Arc<str>,
        event: Event,
        at: Timestamp,
    ) -> Result<Admission, StoreError> {
        let mut waiting = match self.waiting.get(destination) {
            Some(waiting) => *waiting,
            None => count(transaction, destination)?,
        };
        if waiting >= self.max && !is_reminder(event) && self.bare.insert(destination.clone()) {
            let dropped = drop_reminders(transaction, destination, at)?;
            waiting -= dropped;
            self.overflow.entry(destination.clone()).or_default().dropped += dropped;
        }
        let admission = match waiting >= self.max {
            false => Admission::Wait,
            true if is_reminder(event) => Admission::Drop,
            true => Admission::Park,
        };
        match admission {
            Admission::Wait => waiting += 1,
            Admission::Drop => self.overflow.entry(destination.clone()).or_default().dropped += 1,
            Admission::Park => self.overflow.entry(destination.clone()).or_default().parked += 1,
        }
        self.waiting.insert(destination.clone(), waiting);
        Ok(admission)
    }
}

/// Whether it says again what was said already.
fn is_reminder(event: Event) -> bool {
    matches!(event, Event::Repeated | Event::Increased)
}

fn count(transaction: &WriteTransaction, destination: &str) -> Result<u64, StoreError> {
    let table = transaction.open_table(OUTBOX)?;
    Ok(table.range((destination, 0)..=(destination, u64::MAX))?.count() as u64)
}

fn drop_reminders(
    transaction: &WriteTransaction,
    destination: &str,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let mut reminders = Vec::new();
    for row in transaction.open_table(OUTBOX)?.range((destination, 0)..=(destination, u64::MAX))? {
        let (key, value) = row?;
        let entry = entry(key.value(), value.value())?;
        reminders.extend(Some(entry).filter(|entry| is_reminder(entry.notification.event)));
    }
    for reminder in &reminders {
        take(transaction, reminder)?;
        append(transaction, reminder, Some(Reason::Overflow.as_str()), at)?;
    }
    Ok(reminders.len() as u64)
}
