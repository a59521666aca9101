//! What must outlive the process: alarm states, who is owed which notification, what became of the latest ones,
//! what happened to each alarm, counters and silences. One redb file; the same code over memory for `demo` and one-pass commands.
//!
//! Guarantees. A change of an alarm's state and the debts that follow from it are one transaction ([`Store::commit`]):
//! either both are on disk or neither. What was acknowledged ([`Store::acknowledge`]) is never handed out again, also
//! after a restart. A resolve is handed out only where the firing was not refused for good.
//!
//! The process works by a copy in memory, which shows a change only after the file has it. When the file cannot be
//! written, the copy goes on alone: pages still go out, [`Store::peril`] says what a restart would lose, and the file is
//! brought up to date in one transaction as soon as it takes writes again (`disk.rs`).
//!
//! Every call blocks on the disk: asynchronous callers use [`Store::call`].

mod alarms;
mod changes;
mod copy;
mod disk;
mod error;
mod file;
mod jump;
mod outbox;
mod overflow;
mod parked;
pub mod past;
mod receipts;
mod record;
mod schema;
mod silences;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::faults::breakable;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::domain::outbox::GIVE_UP;
pub use alarms::Batch;
pub use changes::Change;
use disk::Disk;
pub use disk::Peril;
pub use error::StoreError;
pub use outbox::Owed;
pub use overflow::Overflow;
pub use parked::{Kept, Resent, Wanted};
pub use receipts::Receipt;
pub use record::RecordError;

/// How many receipts are kept, how many changes of alarms, and how many parked entries for each destination.
const KEPT: usize = 10_000;

/// The durable state. Cheap to clone: all clones are one store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    /// What the process works by.
    memory: Database,
    /// The durable copy. Locked for the whole of a write, so that both see the same writes in the same order.
    disk: Disk,
    /// One writer at a time.
    writing: Mutex<()>,
    limits: RwLock<Limits>,
    overflow: Mutex<BTreeMap<Arc<str>, Overflow>>,
}

/// How much the store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How old a debt may become before a failed attempt is its last.
    pub give_up: Duration,
    /// How many debts may wait for one destination.
    pub max_pending: u64,
    /// How long it is remembered what became of a notification, and what happened to an alarm.
    pub history: Duration,
    /// How many receipts are kept, how many changes of alarms, and how many parked entries for each destination.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { give_up: GIVE_UP, max_pending: 10_000, history: Duration::from_secs(7 * 86_400), kept: KEPT }
    }
}

impl Store {
    /// Opens the file at `path`, or makes it. Its directory must be there; only one process can have it open. Where file
    /// or directory cannot be written, the store starts in memory with what the file says, if it can be read.
    ///
    /// # Errors
    /// Every variant of [`StoreError`] but `Record`, each with what the user can do. A file that is not ours, damaged, of a
    /// later version or in use is never written to.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        match file::open(path) {
            Ok(database) => {
                let memory = file::in_memory()?;
                copy::all(&database, &memory)?;
                let path = path.to_owned();
                Ok(Self::with(memory, Disk::sound(database, move || file::open(&path))))
            }
            Err(error) if error.is_of_the_disk() => {
                let memory = file::copy_in_memory(path, error.to_string())?;
                let path = path.to_owned();
                let store = Self::with(memory, Disk::unsound(move || file::open(&path)));
                store.read(|transaction| store.0.disk.forsake(transaction, &error))?;
                Ok(store)
            }
            Err(error) => Err(error),
        }
    }

    /// A store that ends with the process.
    pub fn memory() -> Self {
        Self::with(file::in_memory().expect("memory cannot fail to open"), Disk::none())
    }

    fn with(memory: Database, disk: Disk) -> Self {
        let limits = RwLock::new(Limits::default());
        Self(Arc::new(Inner { memory, disk, writing: Mutex::new(()), limits, overflow: Mutex::default() }))
    }

    /// From now on this much is kept.
    pub fn limit(&self, limits: Limits) {
        *self.0.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    fn limits(&self) -> Limits {
        *self.0.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the file takes writes, so that all is on disk.
    pub fn is_writable(&self) -> bool {
        self.0.disk.is_sound()
    }

    /// What did not fit into the outbox since the start of the process, by destination.
    pub fn overflow(&self) -> BTreeMap<Arc<str>, Overflow> {
        self.0.overflow.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note_overflow(&self, overflow: BTreeMap<Arc<str>, Overflow>) {
        let mut total = self.0.overflow.lock().unwrap_or_else(PoisonError::into_inner);
        for (destination, Overflow { dropped, parked }) in overflow {
            tracing::error!(
                destination = %destination, parked, dropped,
                "the outbox is full: new notifications are parked, and repeats are dropped"
            );
            let sum = total.entry(destination).or_default();
            sum.dropped += dropped;
            sum.parked += parked;
        }
    }

    /// What a restart would lose because the file cannot be written; `None` while all is on disk.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn peril(&self) -> Result<Option<Peril>, StoreError> {
        self.read(|transaction| self.0.disk.peril(transaction))
    }

    /// How many writes have failed since this was asked last.
    pub fn take_failures(&self) -> u64 {
        self.0.disk.take_failures()
    }

    /// Tries to bring the file up to date if it could not be written. Costs nothing otherwise.
    ///
    /// # Errors
    /// Why it still cannot be written; the store goes on in memory.
    pub fn come_back(&self) -> Result<(), StoreError> {
        let _one = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.disk.come_back(&self.0.memory)
    }

    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// Those of `work`, and [`StoreError::Interrupted`] when the program is ending.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or(Err(StoreError::Interrupted))
    }

    fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&self.0.memory.begin_read()?)
    }

    /// One transaction: all of `work` or nothing. `work` is done to the copy in memory and to the file, and must do the
    /// same to both. An error is one of `work` itself: a file that cannot be written is gone without.
    fn write<T>(&self, work: impl Fn(&WriteTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _one = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.0.memory.begin_read()?;
        let transaction = self.0.memory.begin_write()?;
        let value = work(&transaction)?;
        self.0.disk.write(&before, |transaction| work(transaction).map(drop))?;
        transaction.commit()?;
        Ok(value)
    }
}
