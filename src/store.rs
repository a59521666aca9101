//! What must outlive the process: alarm states, who is owed which notification, what became of the latest ones,
//! counters and silences. One redb file; the same code over memory for `demo` and one-pass commands.
//!
//! Guarantees. A change of an alarm's state and the debts that follow from it are one transaction ([`Store::commit`]):
//! either both are on disk or neither. What was acknowledged ([`Store::acknowledge`]) is never handed out again, also
//! after a restart. A resolve is handed out only where the firing was not refused for good. A failed write changes
//! nothing, and the next one starts by opening the file again, so that a full disk heals by itself.
//!
//! Every call blocks on the disk: asynchronous callers use [`Store::call`].

mod alarms;
mod error;
mod jump;
mod outbox;
mod receipts;
mod record;
mod schema;
mod silences;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::faults::breakable;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};

pub use alarms::Batch;
pub use error::StoreError;
pub use outbox::Owed;
pub use receipts::Receipt;
pub use record::RecordError;

/// The pages redb keeps in memory; the whole store is usually smaller.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The durable state. Cheap to clone: all clones are one store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    open: Box<dyn Fn() -> Result<Database, StoreError> + Send + Sync>,
    /// `None` after a failure that asks for opening it again.
    database: RwLock<Option<Database>>,
    writable: AtomicBool,
}

impl Store {
    /// Opens the file at `path`, or makes it. Its directory must be there; only one process can have it open.
    ///
    /// # Errors
    /// Every variant of [`StoreError`] but `Record`, each with what the user can do.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        Self::with(Box::new(move || open_file(&path)))
    }

    /// A store that ends with the process.
    pub fn memory() -> Self {
        let open = || Ok(builder().create_with_backend(redb::backends::InMemoryBackend::new())?);
        Self::with(Box::new(open)).expect("memory cannot fail to open")
    }

    fn with(open: Box<dyn Fn() -> Result<Database, StoreError> + Send + Sync>) -> Result<Self, StoreError> {
        let database = open()?;
        schema::prepare(&database)?;
        let database = RwLock::new(Some(database));
        Ok(Self(Arc::new(Inner { open, database, writable: AtomicBool::new(true) })))
    }

    /// Whether the latest write worked; for readiness.
    pub fn is_writable(&self) -> bool {
        self.0.writable.load(Ordering::Relaxed)
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
        self.with_database(|database| work(&database.begin_read()?))
    }

    /// One transaction: all of `work` or nothing.
    fn write<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.with_database(|database| {
            let transaction = database.begin_write()?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        self.0.writable.store(done.is_ok(), Ordering::Relaxed);
        done
    }

    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reopen_if_closed()?;
        let done = {
            let database = self.0.database.read().unwrap_or_else(PoisonError::into_inner);
            work(database.as_ref().ok_or(StoreError::Interrupted)?)
        };
        if done.as_ref().is_err_and(StoreError::needs_reopening) {
            self.0.database.write().unwrap_or_else(PoisonError::into_inner).take();
        }
        done
    }

    fn reopen_if_closed(&self) -> Result<(), StoreError> {
        if self.0.database.read().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(());
        }
        let mut database = self.0.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            let opened = (self.0.open)()?;
            schema::prepare(&opened)?;
            *database = Some(opened);
        }
        Ok(())
    }
}

/// Integrity is checked on every opening: the file is small, and a damaged page must not be found mid-flight.
fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

fn open_file(path: &PathBuf) -> Result<Database, StoreError> {
    use redb::{DatabaseError, StorageError};
    use std::io::ErrorKind;

    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        return Err(StoreError::NoDirectory { path: directory.to_owned() });
    }
    builder().create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::Locked { path: path.clone() }
        }
        DatabaseError::Storage(StorageError::Io(source))
            if !matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            StoreError::NotWritable { path: path.clone(), source }
        }
        other => StoreError::Corrupt { path: path.clone(), why: other.to_string() },
    })
}
