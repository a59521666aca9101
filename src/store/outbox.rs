//! The outbox: one entry for each notification and destination that is still owed, in the order of commits.
//!
//! The rule about resolves lives here, because only the store knows it all: who refused a firing for good is told
//! nothing more of it ([`TOLD`]), whether what follows was already waiting or is committed later.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};

use super::alarms::{bad_record, to_json};
use super::overflow::{Admission, Overflow, Room};
use super::receipts::{FIRING_REFUSED, append};
use super::record::{EntryRecord, key_text};
use super::schema::{BY_ALARM, OUTBOX, PARKED, TOLD, next_number};
use super::{Store, StoreError};
use crate::domain::alarm::AlarmKey;
use crate::domain::notification::{Debt, Event, Notification};
use crate::domain::outbox::{Entry, Next, Reason};
use crate::domain::time::Timestamp;

/// What is owed to one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owed {
    /// How many entries wait for delivery.
    pub pending: u64,
    /// When the oldest of them became owed.
    pub oldest: Option<Timestamp>,
    /// How many were refused for good and are kept for a person to look at.
    pub parked: u64,
    /// What did not fit since the start of the process.
    pub overflow: Overflow,
}

impl Store {
    /// The first `limit` entries owed to `destination`, in the order of their sequence numbers.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn pending(&self, destination: &str, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(OUTBOX)?;
            let rows = table.range((destination, 0)..=(destination, u64::MAX))?;
            let give_up = self.limits().give_up;
            rows.take(limit)
                .map(|row| row.map_err(StoreError::from).and_then(|(k, v)| entry(k.value(), v.value())))
                .map(|entry| entry.map(|entry| Entry { give_up, ..entry }))
                .collect()
        })
    }

    /// What is owed of one alarm to anybody, by destination and in the order of the sequence numbers.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn owed_of(&self, alarm: &AlarmKey) -> Result<Vec<Entry>, StoreError> {
        let key = key_text(alarm);
        self.read(|transaction| {
            let (index, table) = (transaction.open_table(BY_ALARM)?, transaction.open_table(OUTBOX)?);
            let mut owed = Vec::new();
            // From destination to destination, whatever waits there.
            let mut from = String::new();
            while let Some(row) = index.range((&*from, "", 0)..)?.next() {
                let destination = row?.0.value().0.to_owned();
                for row in index.range((&*destination, &*key, 0)..=(&*destination, &*key, u64::MAX))? {
                    let place = (&*destination, row?.0.value().2);
                    if let Some(value) = table.get(place)? {
                        owed.push(entry(place, value.value())?);
                    }
                }
                from = destination + "\0";
            }
            Ok(owed)
        })
    }

    /// The destination took it: the entry is gone for good, with a receipt.
    ///
    /// # Errors
    /// The store cannot be written; then the entry is still owed.
    pub fn acknowledge(&self, entry: &Entry, at: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| acknowledge(transaction, entry, at))
    }

    /// What one attempt at several entries of one destination led to, in one transaction: each is
    /// [acknowledged](Self::acknowledge), [postponed](Self::postpone) or [parked](Self::park).
    ///
    /// # Errors
    /// The store cannot be written; then all of them are still owed.
    pub fn settle(&self, settled: &[(Entry, Next)], at: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| {
            settled.iter().try_for_each(|(entry, next)| match next {
                Next::Done => acknowledge(transaction, entry, at),
                Next::RetryAt { .. } => put(&mut transaction.open_table(OUTBOX)?, entry, &entry.into()),
                Next::Park { reason } => park(transaction, entry, *reason, at),
            })
        })
    }

    /// It is tried again: `entry` replaces what is stored under its number.
    ///
    /// # Errors
    /// The store cannot be written; then the old attempts and instant stand.
    pub fn postpone(&self, entry: &Entry) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(OUTBOX)?;
            put(&mut table, entry, &entry.into())
        })
    }

    /// The destination refused it for good: the entry is parked, with a receipt. After a firing, what follows it for the
    /// same alarm is dropped too, unless an earlier firing arrived there.
    ///
    /// # Errors
    /// The store cannot be written; then the entry is still owed.
    pub fn park(&self, entry: &Entry, reason: Reason, at: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| park(transaction, entry, reason, at))
    }

    /// Parks up to `limit` entries of a destination that is not in the configuration any more, in one transaction.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn park_all(
        &self,
        destination: &str,
        limit: usize,
        reason: Reason,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        let entries = self.pending(destination, limit)?;
        self.write(|transaction| {
            for entry in &entries {
                if transaction.open_table(OUTBOX)?.get((destination, entry.sequence))?.is_some() {
                    park(transaction, entry, reason, at)?;
                }
            }
            Ok(entries.len())
        })
    }

    /// What is owed to whom, for every destination of which something is stored.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn outbox_summary(&self) -> Result<BTreeMap<Arc<str>, Owed>, StoreError> {
        self.read(|transaction| {
            let mut summary: BTreeMap<Arc<str>, Owed> = BTreeMap::new();
            for row in transaction.open_table(OUTBOX)?.iter()? {
                let (key, value) = row?;
                let owed = of(&mut summary, key.value().0);
                if owed.pending == 0 {
                    owed.oldest = Some(entry(key.value(), value.value())?.created);
                }
                owed.pending += 1;
            }
            for row in transaction.open_table(PARKED)?.iter()? {
                of(&mut summary, row?.0.value().0).parked += 1;
            }
            for (destination, overflow) in self.overflow() {
                of(&mut summary, &destination).overflow = overflow;
            }
            Ok(summary)
        })
    }
}

/// Writes one entry for each destination of each debt, except what would end or repeat a firing that was refused there.
pub(super) fn owe(
    transaction: &WriteTransaction,
    debts: &[Debt],
    room: &mut Room,
    at: Timestamp,
) -> Result<usize, StoreError> {
    let mut made = 0;
    for debt in debts {
        let key = key_text(&debt.notification.alarm);
        for destination in &debt.destinations {
            if is_waiting(transaction, destination, &key, &debt.notification.id)?
                || !is_owed(transaction, destination, &key, debt.notification.event)?
            {
                continue;
            }
            let (destination, notification) = (destination.clone(), debt.notification.clone());
            match room.admit(transaction, &destination, notification.event, at)? {
                Admission::Wait => {
                    wait_for_delivery(transaction, destination, notification, at)?;
                    made += 1;
                }
                Admission::Drop => {
                    let entry = numbered(transaction, destination, notification, at)?;
                    append(transaction, &entry, Some(Reason::Overflow.as_str()), at)?;
                }
                Admission::Park => {
                    let entry = numbered(transaction, destination, notification, at)?;
                    park(transaction, &entry, Reason::Overflow, at)?;
                }
            }
        }
    }
    Ok(made)
}

/// Puts a notification behind all that waits.
pub(super) fn wait_for_delivery(
    transaction: &WriteTransaction,
    destination: Arc<str>,
    notification: Arc<Notification>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let entry = numbered(transaction, destination, notification, at)?;
    put(&mut transaction.open_table(OUTBOX)?, &entry, &EntryRecord::from(&entry))?;
    let key = key_text(&entry.notification.alarm);
    let place = (&*entry.destination, &*key, entry.sequence);
    transaction.open_table(BY_ALARM)?.insert(place, &*entry.notification.id)?;
    Ok(())
}

fn numbered(
    transaction: &WriteTransaction,
    destination: Arc<str>,
    notification: Arc<Notification>,
    at: Timestamp,
) -> Result<Entry, StoreError> {
    let sequence = next_number(transaction, "sequence")?;
    Ok(Entry::new(sequence, destination, notification, at))
}

/// Whether this very notification waits already: the commit is being repeated after an error that came too late.
fn is_waiting(
    transaction: &WriteTransaction,
    destination: &str,
    key: &str,
    id: &str,
) -> Result<bool, StoreError> {
    let table = transaction.open_table(BY_ALARM)?;
    for row in table.range((destination, key, 0)..=(destination, key, u64::MAX))? {
        if row?.1.value() == id {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A firing is always owed, and makes good an earlier refusal; the rest only where the firing was not refused.
fn is_owed(
    transaction: &WriteTransaction,
    destination: &str,
    key: &str,
    event: Event,
) -> Result<bool, StoreError> {
    let mut told = transaction.open_table(TOLD)?;
    let refused = told.get((destination, key))?.is_some_and(|arrived| !arrived.value());
    if refused && (event.opens() || event.ends()) {
        told.remove((destination, key))?;
    }
    Ok(event.opens() || !refused)
}

fn acknowledge(transaction: &WriteTransaction, entry: &Entry, at: Timestamp) -> Result<(), StoreError> {
    take(transaction, entry)?;
    let (destination, key) = (&*entry.destination, key_text(&entry.notification.alarm));
    let mut told = transaction.open_table(TOLD)?;
    if entry.notification.event.ends() {
        told.remove((destination, &*key))?;
    } else {
        told.insert((destination, &*key), true)?;
    }
    append(transaction, entry, None, at)
}

fn park(
    transaction: &WriteTransaction,
    entry: &Entry,
    reason: Reason,
    at: Timestamp,
) -> Result<(), StoreError> {
    take(transaction, entry)?;
    let mut parked = transaction.open_table(PARKED)?;
    put(&mut parked, entry, &EntryRecord::parked(entry, reason.as_str(), at))?;
    append(transaction, entry, Some(reason.as_str()), at)?;
    let (destination, key) = (&*entry.destination, key_text(&entry.notification.alarm));
    let arrived_before =
        transaction.open_table(TOLD)?.get((destination, &*key))?.is_some_and(|told| told.value());
    match entry.notification.event {
        event if event.opens() && !arrived_before => drop_followers(transaction, entry, &key, at),
        event if event.ends() => {
            transaction.open_table(TOLD)?.remove((destination, &*key))?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Ends what waits for the same alarm behind a refused firing, up to the next firing; when neither that nor the end
/// of this one is there yet, remembers that the end is not owed.
fn drop_followers(
    transaction: &WriteTransaction,
    firing: &Entry,
    key: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let destination = &*firing.destination;
    for sequence in followers(transaction, firing, key)? {
        let stored = transaction
            .open_table(OUTBOX)?
            .get((destination, sequence))?
            .map(|value| entry((destination, sequence), value.value()));
        let Some(follower) = stored.transpose()? else { continue };
        let event = follower.notification.event;
        if event.opens() {
            return Ok(());
        }
        take(transaction, &follower)?;
        append(transaction, &follower, Some(FIRING_REFUSED), at)?;
        if event.ends() {
            return Ok(());
        }
    }
    transaction.open_table(TOLD)?.insert((destination, key), false)?;
    Ok(())
}

fn followers(transaction: &WriteTransaction, firing: &Entry, key: &str) -> Result<Vec<u64>, StoreError> {
    let destination = &*firing.destination;
    let table = transaction.open_table(BY_ALARM)?;
    let rows = table.range((destination, key, firing.sequence + 1)..=(destination, key, u64::MAX))?;
    rows.map(|row| Ok(row?.0.value().2)).collect()
}

/// Removes an entry from the outbox.
pub(super) fn take(transaction: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    let (destination, key) = (&*entry.destination, key_text(&entry.notification.alarm));
    transaction.open_table(OUTBOX)?.remove((destination, entry.sequence))?;
    transaction.open_table(BY_ALARM)?.remove((destination, &*key, entry.sequence))?;
    Ok(())
}

pub(super) type Entries<'txn> = redb::Table<'txn, (&'static str, u64), &'static [u8]>;

pub(super) fn put(table: &mut Entries<'_>, entry: &Entry, record: &EntryRecord) -> Result<(), StoreError> {
    let value = to_json("outbox", &entry.sequence.to_string(), record)?;
    table.insert((&*entry.destination, entry.sequence), &*value)?;
    Ok(())
}

pub(super) fn entry((destination, sequence): (&str, u64), value: &[u8]) -> Result<Entry, StoreError> {
    let bad = |source| bad_record("outbox", format!("{destination} {sequence}"), source);
    let record: EntryRecord = serde_json::from_slice(value).map_err(|error| bad(error.into()))?;
    record.into_entry(destination, sequence).map_err(bad)
}

fn of<'a>(summary: &'a mut BTreeMap<Arc<str>, Owed>, destination: &str) -> &'a mut Owed {
    if !summary.contains_key(destination) {
        summary.insert(destination.into(), Owed::default());
    }
    summary.get_mut(destination).expect("just made")
}
