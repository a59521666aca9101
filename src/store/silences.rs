//! Silences: written before the API answers, read back at the start.

use std::sync::Arc;

use redb::ReadableTable;

use super::alarms::{bad_record, to_json};
use super::record::SilenceRecord;
use super::schema::SILENCES;
use super::{Store, StoreError};
use crate::domain::silence::Silence;

impl Store {
    /// All silences on record, those that are over included, in the order of their starts.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn silences(&self) -> Result<Vec<Silence>, StoreError> {
        self.read(|transaction| {
            let mut silences = Vec::new();
            for row in transaction.open_table(SILENCES)?.iter()? {
                let (id, value) = row?;
                let bad = |error: serde_json::Error| bad_record("silences", id.value(), error.into());
                let record: SilenceRecord = serde_json::from_slice(value.value()).map_err(bad)?;
                silences.push(record.into_silence(id.value()));
            }
            silences.sort_by(|a, b| (a.starts, &a.id).cmp(&(b.starts, &b.id)));
            Ok(silences)
        })
    }

    /// Writes `silence` as it is now and forgets those of the ids `forgotten`, in one transaction.
    ///
    /// # Errors
    /// The store cannot be written; then nothing has changed.
    pub fn record_silence(&self, silence: &Silence, forgotten: &[Arc<str>]) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(SILENCES)?;
            for id in forgotten {
                table.remove(&**id)?;
            }
            let record = to_json("silences", &silence.id, &SilenceRecord::from(silence))?;
            table.insert(&*silence.id, &*record)?;
            Ok(())
        })?;
        self.0.disk.note_changes(1);
        Ok(())
    }
}
