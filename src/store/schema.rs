//! The tables, and the version of what is in them.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, WriteTransaction};

use super::StoreError;

/// The version this program reads and writes.
pub const VERSION: u64 = 3;

/// `schema` (the version), `sequence`, `receipt` and `change` (the numbers to be given out next).
pub const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// The alarm's key as text -> `AlarmRecord`.
pub const ALARMS: TableDefinition<&str, &[u8]> = TableDefinition::new("alarms");
/// (destination, sequence) -> `EntryRecord`: what is still owed.
pub const OUTBOX: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("outbox");
/// (destination, alarm's key, sequence) -> the notification's id: the outbox by alarm.
pub const BY_ALARM: TableDefinition<(&str, &str, u64), &str> = TableDefinition::new("outbox_by_alarm");
/// (destination, sequence) -> `EntryRecord`: what was refused for good; bounded.
pub const PARKED: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("parked");
/// (destination, alarm's key) -> whether the present firing arrived there (`true`) or was refused for good (`false`).
pub const TOLD: TableDefinition<(&str, &str), bool> = TableDefinition::new("told");
/// Number -> `ReceiptRecord`: what became of the latest notifications; bounded.
pub const HISTORY: TableDefinition<u64, &[u8]> = TableDefinition::new("history");
/// (alarm's key, number) -> nothing: the receipts by alarm; since version 2.
pub const HISTORY_BY_ALARM: TableDefinition<(&str, u64), ()> = TableDefinition::new("history_by_alarm");
/// (alarm's key, number) -> `ChangeRecord`: the latest changes of each alarm's state; bounded; since version 2.
pub const CHANGES: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("changes");
/// Number -> the alarm's key: the changes in their order; since version 2.
pub const CHANGE_ORDER: TableDefinition<u64, &str> = TableDefinition::new("changes_in_order");
/// The counter's key as text -> `CounterRecord`.
pub const COUNTERS: TableDefinition<&str, &[u8]> = TableDefinition::new("counters");
/// The silence's id -> `SilenceRecord`; since version 2.
pub const SILENCES: TableDefinition<&str, &[u8]> = TableDefinition::new("silences");

/// The type of [`OUTBOX`] and [`PARKED`].
pub type EntryTable = TableDefinition<'static, (&'static str, u64), &'static [u8]>;

/// Makes the tables that are not there yet and brings older ones up to date; refuses newer ones.
pub fn prepare(database: &Database) -> Result<(), StoreError> {
    let found = version(database)?;
    match found {
        Some(VERSION) => Ok(()),
        Some(found) if found > VERSION => Err(StoreError::Newer { found, known: VERSION }),
        None if let Some(table) = any_table(database)? => Err(StoreError::Foreign { table }),
        older => {
            let transaction = database.begin_write()?;
            migrate(&transaction, older)?;
            transaction.open_table(META)?.insert("schema", VERSION)?;
            Ok(transaction.commit()?)
        }
    }
}

fn version(database: &Database) -> Result<Option<u64>, StoreError> {
    let transaction = database.begin_read()?;
    match transaction.open_table(META) {
        Ok(meta) => Ok(meta.get("schema")?.map(|version| version.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A table of a database that has no version, and so is not ours.
fn any_table(database: &Database) -> Result<Option<String>, StoreError> {
    Ok(database.begin_read()?.list_tables()?.next().map(|table| table.name().to_owned()))
}

/// The place for migrations: each turns one version into the next. `None` is a new file. Version 2 is version 1 and the
/// silences, version 3 is version 2 and what happened to each alarm.
fn migrate(transaction: &WriteTransaction, from: Option<u64>) -> Result<(), StoreError> {
    transaction.open_table(ALARMS)?;
    transaction.open_table(OUTBOX)?;
    transaction.open_table(BY_ALARM)?;
    transaction.open_table(PARKED)?;
    transaction.open_table(TOLD)?;
    transaction.open_table(HISTORY)?;
    transaction.open_table(HISTORY_BY_ALARM)?;
    transaction.open_table(CHANGES)?;
    transaction.open_table(CHANGE_ORDER)?;
    transaction.open_table(COUNTERS)?;
    transaction.open_table(SILENCES)?;
    if from.is_some_and(|from| from < 3) {
        super::receipts::index(transaction)?;
    }
    Ok(())
}

/// The next number of a series kept in [`META`], which moves on.
pub fn next_number(transaction: &WriteTransaction, series: &str) -> Result<u64, StoreError> {
    take_numbers(transaction, series, 1)
}

/// The first of the next `count` numbers of a series kept in [`META`], which moves on past them.
pub fn take_numbers(transaction: &WriteTransaction, series: &str, count: u64) -> Result<u64, StoreError> {
    let mut meta = transaction.open_table(META)?;
    let number = meta.get(series)?.map_or(0, |number| number.value());
    meta.insert(series, number.saturating_add(count))?;
    Ok(number)
}
