//! Makes one database say what another says, in one transaction that writes only what differs: a disk that was full
//! needs room for no more than that.

use std::collections::BTreeSet;

use redb::{
    Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, Value,
    WriteTransaction,
};

use super::StoreError;
use super::schema::{
    ALARMS, BY_ALARM, CHANGE_ORDER, CHANGES, COUNTERS, HISTORY, HISTORY_BY_ALARM, META, OUTBOX, PARKED,
    SILENCES, TOLD,
};

/// Makes every table of `to` equal to that of `from`. Both were prepared.
pub(super) fn all(from: &Database, to: &Database) -> Result<(), StoreError> {
    let (from, to) = (from.begin_read()?, to.begin_write()?);
    let copied = [
        one(&from, &to, META)?,
        one(&from, &to, ALARMS)?,
        one(&from, &to, OUTBOX)?,
        one(&from, &to, BY_ALARM)?,
        one(&from, &to, PARKED)?,
        one(&from, &to, TOLD)?,
        one(&from, &to, HISTORY)?,
        one(&from, &to, HISTORY_BY_ALARM)?,
        one(&from, &to, CHANGES)?,
        one(&from, &to, CHANGE_ORDER)?,
        one(&from, &to, COUNTERS)?,
        one(&from, &to, SILENCES)?,
    ];
    let there: BTreeSet<String> = from.list_tables()?.map(|table| table.name().to_owned()).collect();
    debug_assert_eq!(there, copied.into(), "a table is not copied");
    Ok(to.commit()?)
}

/// Makes one table equal, and returns its name.
fn one<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'static, K, V>,
) -> Result<String, StoreError> {
    let name = table.name().to_owned();
    let (from, mut to) = (from.open_table(table)?, to.open_table(table)?);
    to.retain(|key, _| !matches!(from.get(key), Ok(None)))?;
    for row in from.iter()? {
        let (key, value) = row?;
        let is_same = to.get(key.value())?.is_some_and(|known| {
            V::as_bytes(&known.value()).as_ref() == V::as_bytes(&value.value()).as_ref()
        });
        if !is_same {
            to.insert(key.value(), value.value())?;
        }
    }
    Ok(name)
}
