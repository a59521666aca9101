//! Alarm states and counters, and the one transaction that writes them together with what they make owed.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::Serialize;

use super::overflow::Room;
use super::record::{AlarmRecord, CounterRecord, RecordError, key_from_text, key_text};
use super::schema::{ALARMS, COUNTERS, TOLD};
use super::{Store, StoreError, changes, outbox};
use crate::domain::alarm::{Alarm, AlarmKey, Transition};
use crate::domain::counter::Snapshot;
use crate::domain::metric::Metric;
use crate::domain::notification::Debt;
use crate::domain::queue::QueueId;
use crate::domain::time::Timestamp;

/// What one tick of the judge changes. Written whole or not at all; after an error the caller still has it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Alarms as they are now; `None` forgets one.
    pub alarms: Vec<(AlarmKey, Option<Alarm>)>,
    /// The changes of state among these, for their history.
    pub changes: Vec<(AlarmKey, Transition)>,
    /// What is owed for it.
    pub debts: Vec<Debt>,
    /// Counters as they are now; `None` forgets one.
    pub counters: Vec<(QueueId, Metric, Option<Snapshot>)>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.alarms.is_empty() && self.changes.is_empty() && self.debts.is_empty() && self.counters.is_empty()
    }
}

impl Store {
    /// All remembered alarms. A destination that refused the present firing for good is not among `told`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn alarms(&self) -> Result<BTreeMap<AlarmKey, Alarm>, StoreError> {
        self.read(|transaction| {
            let mut alarms = read_alarms(transaction)?;
            for row in transaction.open_table(TOLD)?.iter()? {
                let (place, arrived) = row?;
                let (destination, key) = place.value();
                let key = key_from_text(key).map_err(|source| bad_record("told", key, source))?;
                if let Some(alarm) = alarms.get_mut(&key).filter(|_| !arrived.value()) {
                    alarm.told.retain(|name| &**name != destination);
                }
            }
            Ok(alarms)
        })
    }

    /// Writes `batch` in one transaction and returns how many outbox entries it made. `at` becomes their `created`.
    ///
    /// # Errors
    /// The store cannot be written; then nothing of the batch is.
    pub fn commit(&self, batch: &Batch, at: Timestamp) -> Result<usize, StoreError> {
        let (made, overflow) = self.write(|transaction| {
            write_alarms(transaction, batch)?;
            changes::record(transaction, &batch.changes, self.limits().kept)?;
            write_counters(transaction, batch)?;
            let mut room = Room::new(self.limits().max_pending);
            let made = outbox::owe(transaction, &batch.debts, &mut room, at)?;
            Ok((made, room.overflow))
        })?;
        self.0.disk.note_changes(batch.alarms.len());
        self.note_overflow(overflow);
        Ok(made)
    }

    /// All remembered counters.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn counters(&self) -> Result<BTreeMap<(QueueId, Metric), Snapshot>, StoreError> {
        self.read(|transaction| {
            let mut counters = BTreeMap::new();
            for row in transaction.open_table(COUNTERS)?.iter()? {
                let (key, value) = row?;
                let bad = |source| bad_record("counters", key.value(), source);
                let Some(key) = counter_from_text(key.value()).map_err(bad)? else { continue };
                let record: CounterRecord =
                    serde_json::from_slice(value.value()).map_err(|e| bad(e.into()))?;
                counters.insert(key, record.into());
            }
            Ok(counters)
        })
    }
}

fn read_alarms(transaction: &ReadTransaction) -> Result<BTreeMap<AlarmKey, Alarm>, StoreError> {
    let mut alarms = BTreeMap::new();
    for row in transaction.open_table(ALARMS)?.iter()? {
        let (key, value) = row?;
        let bad = |source| bad_record("alarms", key.value(), source);
        let record: AlarmRecord = serde_json::from_slice(value.value()).map_err(|e| bad(e.into()))?;
        alarms.insert(key_from_text(key.value()).map_err(bad)?, record.try_into().map_err(bad)?);
    }
    Ok(alarms)
}

fn write_alarms(transaction: &WriteTransaction, batch: &Batch) -> Result<(), StoreError> {
    let mut table = transaction.open_table(ALARMS)?;
    for (key, alarm) in &batch.alarms {
        let key = key_text(key);
        match alarm {
            Some(alarm) => table.insert(&*key, &*to_json("alarms", &key, &AlarmRecord::from(alarm))?)?,
            None => table.remove(&*key)?,
        };
    }
    Ok(())
}

fn write_counters(transaction: &WriteTransaction, batch: &Batch) -> Result<(), StoreError> {
    let mut table = transaction.open_table(COUNTERS)?;
    for (queue, metric, counter) in &batch.counters {
        let key = counter_text(queue, *metric);
        match counter {
            Some(counter) => {
                table.insert(&*key, &*to_json("counters", &key, &CounterRecord::from(counter))?)?
            }
            None => table.remove(&*key)?,
        };
    }
    Ok(())
}

fn counter_text(queue: &QueueId, metric: Metric) -> String {
    serde_json::json!([&*queue.account, &*queue.region, &*queue.name, metric.name()]).to_string()
}

/// `None` for a metric that the catalogue no longer has.
fn counter_from_text(text: &str) -> Result<Option<(QueueId, Metric)>, RecordError> {
    let [account, region, name, metric]: [String; 4] = serde_json::from_str(text)?;
    Ok(metric.parse().ok().map(|metric| (QueueId::new(account, region, name), metric)))
}

pub(super) fn to_json(
    table: &'static str,
    key: &str,
    record: &impl Serialize,
) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(|error| bad_record(table, key, error.into()))
}

pub(super) fn bad_record(table: &'static str, key: impl ToString, source: RecordError) -> StoreError {
    StoreError::Record { table, key: key.to_string(), source }
}
