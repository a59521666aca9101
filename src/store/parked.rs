//! What was given up and is kept for a person: shown, sent again by hand, or dropped by hand.
//!
//! Only what still is the latest word on its alarm is sent again. A firing of an alarm that has ended since would page
//! somebody for nothing and leave an incident open that nothing closes; an end of an alarm that fires anew would close
//! what is not over.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};

use super::alarms::{bad_record, to_json};
use super::outbox::{self, entry};
use super::receipts::append;
use super::record::{AlarmRecord, EntryRecord, key_text};
use super::schema::{ALARMS, EntryTable, OUTBOX, PARKED, TOLD};
use super::{Store, StoreError};
use crate::domain::alarm::{Alarm, AlarmKey};
use crate::domain::notification::Event;
use crate::domain::outbox::Entry;
use crate::domain::time::Timestamp;

/// The reason of a receipt for what a person dropped.
pub(super) const DROPPED: &str = "dropped";

/// A notification that is owed, or was given up.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The notification and its way so far.
    pub entry: Entry,
    /// Why and when it was given up; also `None` of what an earlier version gave up.
    pub parked: Option<(String, Timestamp)>,
}

/// Which notifications are wanted. What is `None` is not asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those of this destination.
    pub destination: Option<String>,
    /// Those of alarms of this name.
    pub alarm: Option<String>,
    /// Those that come after this sequence number (of a receipt: before this number).
    pub after: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// What came of sending again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    /// Which destination is to be told of which alarms again, and so is to be told of their ends.
    pub told: Vec<AlarmKey>,
    /// How many are on their way.
    pub resent: usize,
    /// How many stay parked because their alarm has moved on.
    pub outdated: usize,
}

impl Store {
    /// What is owed, in the order in which it became so.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn waiting(&self, wanted: &Wanted) -> Result<Vec<Kept>, StoreError> {
        self.kept(OUTBOX, wanted, false)
    }

    /// What was given up, in the order in which it became owed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn parked(&self, wanted: &Wanted) -> Result<Vec<Kept>, StoreError> {
        self.kept(PARKED, wanted, false)
    }

    /// The latest `limit` of what was given up, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn latest_parked(&self, limit: usize) -> Result<Vec<Kept>, StoreError> {
        self.kept(PARKED, &Wanted { limit, ..Wanted::default() }, true)
    }

    fn kept(&self, table: EntryTable, wanted: &Wanted, newest_first: bool) -> Result<Vec<Kept>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(table)?;
            let mut places: Vec<(u64, Arc<str>)> = Vec::new();
            for row in table.iter()? {
                let key = row?.0;
                let (destination, sequence) = key.value();
                let is_wanted = wanted.destination.as_deref().is_none_or(|name| name == destination);
                if is_wanted && wanted.after.is_none_or(|after| sequence > after) {
                    places.push((sequence, destination.into()));
                }
            }
            places.sort();
            if newest_first {
                places.reverse();
            }
            let mut found = Vec::new();
            for (sequence, destination) in places {
                if found.len() >= wanted.limit {
                    break;
                }
                let Some(value) = table.get((&*destination, sequence))? else { continue };
                let kept = kept((&destination, sequence), value.value())?;
                let rule = &kept.entry.notification.alarm.rule;
                if wanted.alarm.as_deref().is_none_or(|name| name == &**rule) {
                    found.push(kept);
                }
            }
            Ok(found)
        })
    }

    /// Owes again what was given up at `destination`: the entry of this sequence number, or all. It goes out behind what
    /// waits already, as the same notification with the same id.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn resend(
        &self,
        destination: &str,
        sequence: Option<u64>,
        at: Timestamp,
    ) -> Result<Resent, StoreError> {
        self.write(|transaction| {
            let mut resent = Resent::default();
            for kept in those_parked(transaction, destination, sequence)? {
                let entry = kept.entry;
                if is_outdated(transaction, &entry)? {
                    resent.outdated += 1;
                    continue;
                }
                transaction.open_table(PARKED)?.remove((destination, entry.sequence))?;
                if !entry.notification.event.ends() && entry.notification.event != Event::Test {
                    tell(transaction, &entry)?;
                    resent.told.push(entry.notification.alarm.clone());
                }
                outbox::wait_for_delivery(transaction, entry.destination, entry.notification, at)?;
                resent.resent += 1;
            }
            Ok(resent)
        })
    }

    /// Drops what was given up at `destination`: the entry of this sequence number, or all. Each leaves a receipt.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn drop_parked(
        &self,
        destination: &str,
        sequence: Option<u64>,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(|transaction| {
            let dropped = those_parked(transaction, destination, sequence)?;
            for kept in &dropped {
                transaction.open_table(PARKED)?.remove((destination, kept.entry.sequence))?;
                append(transaction, &kept.entry, Some(DROPPED), at)?;
            }
            Ok(dropped.len())
        })
    }
}

impl Store {
    /// Forgets the oldest of what was given up, where it is more than is kept; returns how many. Their receipts stay.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn trim_parked(&self) -> Result<usize, StoreError> {
        let most = self.limits().kept;
        let surplus = self.read(|transaction| {
            let mut places: BTreeMap<String, VecDeque<u64>> = BTreeMap::new();
            let mut surplus = Vec::new();
            for row in transaction.open_table(PARKED)?.iter()? {
                let key = row?.0;
                let (destination, sequence) = key.value();
                let kept = places.entry(destination.to_owned()).or_default();
                kept.push_back(sequence);
                if kept.len() > most {
                    surplus.extend(kept.pop_front().map(|oldest| (destination.to_owned(), oldest)));
                }
            }
            Ok(surplus)
        })?;
        if surplus.is_empty() {
            return Ok(0);
        }
        self.write(|transaction| {
            let mut table = transaction.open_table(PARKED)?;
            for (destination, sequence) in &surplus {
                table.remove((&**destination, *sequence))?;
            }
            Ok(())
        })?;
        tracing::error!(
            forgotten = surplus.len(),
            "more notifications were given up than are kept: the oldest are forgotten"
        );
        Ok(surplus.len())
    }
}

fn those_parked(
    transaction: &WriteTransaction,
    destination: &str,
    sequence: Option<u64>,
) -> Result<Vec<Kept>, StoreError> {
    let (from, to) = (sequence.unwrap_or(0), sequence.unwrap_or(u64::MAX));
    let table = transaction.open_table(PARKED)?;
    let rows = table.range((destination, from)..=(destination, to))?;
    rows.map(|row| row.map_err(StoreError::from).and_then(|(k, v)| kept(k.value(), v.value()))).collect()
}

fn kept(key: (&str, u64), value: &[u8]) -> Result<Kept, StoreError> {
    let bad = |source| bad_record("parked", format!("{} {}", key.0, key.1), source);
    let record: EntryRecord = serde_json::from_slice(value).map_err(|error| bad(error.into()))?;
    Ok(Kept { parked: record.why_parked(), entry: entry(key, value)? })
}

/// Whether what it says of its alarm is not so any more.
fn is_outdated(transaction: &WriteTransaction, entry: &Entry) -> Result<bool, StoreError> {
    let notification = &entry.notification;
    let firing = remembered(transaction, &notification.alarm)?.and_then(|alarm| alarm.firing);
    Ok(match notification.event {
        Event::Test => false,
        event if event.ends() => firing.is_some(),
        _ => firing.is_none_or(|firing| notification.since < firing.since),
    })
}

/// Notes that the destination of `entry` is owed the end of its alarm.
fn tell(transaction: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    let (destination, key) = (&*entry.destination, &entry.notification.alarm);
    let text = key_text(key);
    let mut told = transaction.open_table(TOLD)?;
    let was_refused = told.get((destination, &*text))?.is_some_and(|arrived| !arrived.value());
    if was_refused {
        told.remove((destination, &*text))?;
    }
    let Some(mut alarm) = remembered(transaction, key)? else { return Ok(()) };
    if !alarm.told.contains(&entry.destination) {
        alarm.told.push(entry.destination.clone());
        let record = to_json("alarms", &text, &AlarmRecord::from(&alarm))?;
        transaction.open_table(ALARMS)?.insert(&*text, &*record)?;
    }
    Ok(())
}

fn remembered(transaction: &WriteTransaction, key: &AlarmKey) -> Result<Option<Alarm>, StoreError> {
    let key = key_text(key);
    let bad = |source| bad_record("alarms", &key, source);
    let table = transaction.open_table(ALARMS)?;
    let Some(value) = table.get(&*key)? else { return Ok(None) };
    let record: AlarmRecord = serde_json::from_slice(value.value()).map_err(|error| bad(error.into()))?;
    record.try_into().map(Some).map_err(bad)
}
