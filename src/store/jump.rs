//! What is remembered when the wall clock was set.

use redb::ReadableTable;

use super::outbox::{entry, put};
use super::record::EntryRecord;
use super::schema::OUTBOX;
use super::{Batch, Store, StoreError};
use crate::domain::alarm::{Alarm, AlarmKey};
use crate::domain::time::{Jump, Timestamp};

impl Store {
    /// Keeps `alarms`, which have moved along with the clock, and moves along what is owed: nothing is given up because the clock
    /// was set forward, and nothing waits for as long as it was set back.
    ///
    /// # Errors
    /// The store cannot be written; then the old instants stand.
    pub fn shift(
        &self,
        jump: Jump,
        alarms: Vec<(AlarmKey, Option<Alarm>)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.commit(&Batch { alarms, ..Batch::default() }, now)?;
        self.write(|transaction| {
            let mut table = transaction.open_table(OUTBOX)?;
            let owed: Vec<_> = table
                .iter()?
                .map(|row| row.map_err(StoreError::from).and_then(|(k, v)| entry(k.value(), v.value())))
                .collect::<Result<_, _>>()?;
            for mut entry in owed {
                entry.shift(jump);
                put(&mut table, &entry, &EntryRecord::from(&entry))?;
            }
            Ok(())
        })
    }
}
