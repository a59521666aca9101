//! The durable copy of the store, and how the process goes on without it.
//!
//! After a failed write the file is let go of and counts as it stood before: what follows is in memory alone, until
//! the file takes all of it in one transaction. Nothing but that transaction is ever written to a file that failed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redb::{Database, ReadTransaction, ReadableTable, WriteTransaction};

use super::schema::{META, OUTBOX};
use super::{StoreError, copy};

/// How often the log says again that the file cannot be written.
const REMINDER: Duration = Duration::from_secs(300);

/// What is in memory only, because the file cannot be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peril {
    /// Why, in words.
    pub why: String,
    /// Notifications that are owed, and that a restart would not know of.
    pub undelivered: u64,
    /// Notifications that were delivered or given up, and that a restart would tell again.
    pub settled: u64,
    /// Changes of alarms and silences that a restart would not remember.
    pub changes: u64,
}

type Open = Box<dyn Fn() -> Result<Database, StoreError> + Send + Sync>;

/// The durable copy.
pub(super) struct Disk {
    /// `None` for a store that ends with the process.
    open: Option<Open>,
    /// `None` while it cannot be written.
    database: Mutex<Option<Database>>,
    trouble: Mutex<Option<Trouble>>,
    failures: AtomicU64,
}

/// Since when the file is behind.
struct Trouble {
    why: String,
    /// The first sequence number that the file does not know.
    sequence: u64,
    /// The first receipt that it does not know.
    receipt: u64,
    changes: u64,
    reminded: Instant,
}

impl Disk {
    /// There is none.
    pub(super) fn none() -> Self {
        Self::new(None, None)
    }

    /// One that is up to date.
    pub(super) fn sound(
        database: Database,
        open: impl Fn() -> Result<Database, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Some(database), Some(Box::new(open)))
    }

    /// One that could not be opened; [`Self::forsake`] says why.
    pub(super) fn unsound(open: impl Fn() -> Result<Database, StoreError> + Send + Sync + 'static) -> Self {
        Self::new(None, Some(Box::new(open)))
    }

    fn new(database: Option<Database>, open: Option<Open>) -> Self {
        Self { open, database: Mutex::new(database), trouble: Mutex::new(None), failures: AtomicU64::new(0) }
    }

    /// Does `work` to the file too, or goes on without it. `before` is what the file holds.
    pub(super) fn write(
        &self,
        before: &ReadTransaction,
        work: impl Fn(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut database = lock(&self.database);
        let Some(open) = &*database else {
            return Ok(());
        };
        let Err(error) = written(open, work) else { return Ok(()) };
        *database = None;
        drop(database);
        self.forsake(before, &error)
    }

    /// Notes that the file stays as it is `before` what comes.
    pub(super) fn forsake(&self, before: &ReadTransaction, error: &StoreError) -> Result<(), StoreError> {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let meta = before.open_table(META)?;
        let next = |series| Ok::<_, StoreError>(meta.get(series)?.map_or(0, |number| number.value()));
        let why = reason(error);
        tracing::error!(
            why,
            "the state file cannot be written: sqswatch goes on in memory; pages still go out, but a restart now would lose \
             what is not delivered and tell again what is"
        );
        *lock(&self.trouble) = Some(Trouble {
            why,
            sequence: next("sequence")?,
            receipt: next("receipt")?,
            changes: 0,
            reminded: Instant::now(),
        });
        Ok(())
    }

    pub(super) fn is_sound(&self) -> bool {
        lock(&self.trouble).is_none()
    }

    /// Counts changes of alarms and silences that the file does not know.
    pub(super) fn note_changes(&self, count: usize) {
        if let Some(trouble) = &mut *lock(&self.trouble) {
            trouble.changes += count as u64;
        }
    }

    pub(super) fn peril(&self, memory: &ReadTransaction) -> Result<Option<Peril>, StoreError> {
        match &*lock(&self.trouble) {
            Some(trouble) => trouble.peril(memory).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn take_failures(&self) -> u64 {
        self.failures.swap(0, Ordering::Relaxed)
    }

    /// Opens the file again and makes it say what `memory` says, if it is behind. The caller keeps writers away.
    pub(super) fn come_back(&self, memory: &Database) -> Result<(), StoreError> {
        let (Some(open), true) = (&self.open, lock(&self.trouble).is_some()) else { return Ok(()) };
        let restored = open().and_then(|database| copy::all(memory, &database).map(|()| database));
        let peril = self.peril(&redb::ReadableDatabase::begin_read(memory)?)?;
        match restored {
            Ok(database) => {
                *lock(&self.database) = Some(database);
                *lock(&self.trouble) = None;
                let Peril { undelivered, settled, changes, .. } = peril.unwrap_or_default();
                tracing::warn!(
                    undelivered,
                    settled,
                    changes,
                    "the state file is written again, with all that was in memory only"
                );
                Ok(())
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                self.remind(peril.unwrap_or_default(), &error);
                Err(error)
            }
        }
    }

    fn remind(&self, peril: Peril, error: &StoreError) {
        let mut trouble = lock(&self.trouble);
        let Some(trouble) = &mut *trouble else { return };
        trouble.why = reason(error);
        if trouble.reminded.elapsed() < REMINDER {
            return;
        }
        trouble.reminded = Instant::now();
        let Peril { undelivered, settled, changes, .. } = peril;
        tracing::error!(
            why = trouble.why,
            undelivered,
            settled,
            changes,
            "the state file still cannot be written"
        );
    }
}

impl Trouble {
    fn peril(&self, memory: &ReadTransaction) -> Result<Peril, StoreError> {
        let mut undelivered = 0;
        for row in memory.open_table(OUTBOX)?.iter()? {
            undelivered += u64::from(row?.0.value().1 >= self.sequence);
        }
        let receipts = memory.open_table(META)?.get("receipt")?.map_or(0, |number| number.value());
        let settled = receipts.saturating_sub(self.receipt);
        Ok(Peril { why: self.why.clone(), undelivered, settled, changes: self.changes })
    }
}

/// The first line: the hint of a start would be no news.
fn reason(error: &StoreError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// One transaction, on disk when this returns.
fn written(
    database: &Database,
    work: impl Fn(&WriteTransaction) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    work(&transaction)?;
    Ok(transaction.commit()?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
