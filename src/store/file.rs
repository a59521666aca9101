//! The file: how it is made, opened, and read where it cannot be written.
//!
//! A file is born whole: it is made beside its place and put there once it is a store, so that neither a full disk nor the
//! end of the process leaves one behind that the next start would take for damaged. A file that is there is opened as a
//! store or refused, and a refused one is never written to.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, StorageBackend, StorageError};

use super::{StoreError, schema};

/// The pages redb keeps in memory; the whole store is usually smaller.
const CACHE_BYTES: usize = 16 * 1024 * 1024;
/// The same of a store that is in memory itself: enough for what one write touches.
const MEMORY_CACHE_BYTES: usize = 4 * 1024 * 1024;
/// The largest file that is taken into memory whole; a store is a few MB.
const COPY_BYTES: u64 = 1024 * 1024 * 1024;

/// Opens the store at `path`, or makes one.
pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        return Err(StoreError::NoDirectory { path: directory.to_owned() });
    }
    if !path.try_exists().map_err(|source| not_writable(path, source))? {
        make(path)?;
    }
    let database = builder(CACHE_BYTES).create(path).map_err(|error| refusal(path, error))?;
    schema::prepare(&database)?;
    Ok(database)
}

/// Makes a store beside `path` and links it there, unless somebody else was faster.
fn make(path: &Path) -> Result<(), StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let made = make_at(&beside).and_then(|()| match fs::hard_link(&beside, path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // A file system without links.
        Err(_) => fs::rename(&beside, path).map_err(|source| not_writable(path, source)),
    });
    let _ = fs::remove_file(&beside); // it may never have been there
    made
}

fn make_at(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(not_writable(path, error)),
        _ => {}
    }
    let database = builder(CACHE_BYTES).create(path).map_err(|error| refusal(path, error))?;
    schema::prepare(&database)?;
    Ok(database.close()?)
}

/// An empty store in memory.
pub(super) fn in_memory() -> Result<Database, StoreError> {
    prepared_in_memory(InMemoryBackend::new())
}

/// A store in memory that says what the file at `path` says, which cannot be written because of `unwritable`. A missing
/// file says nothing.
pub(super) fn copy_in_memory(path: &Path, unwritable: String) -> Result<Database, StoreError> {
    let backend = InMemoryBackend::new();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == ErrorKind::ResourceBusy => {
            return Err(StoreError::Locked { path: path.to_owned() });
        }
        Err(source) => return Err(StoreError::NotReadable { path: path.to_owned(), unwritable, source }),
    };
    backend
        .set_len(bytes.len() as u64)
        .and_then(|()| backend.write(0, &bytes))
        .map_err(|source| StoreError::NotReadable { path: path.to_owned(), unwritable, source })?;
    prepared_in_memory(backend).map_err(|error| match error {
        StoreError::Failed(error) => StoreError::Corrupt { path: path.to_owned(), why: error.to_string() },
        other => other,
    })
}

fn prepared_in_memory(backend: InMemoryBackend) -> Result<Database, StoreError> {
    let database = builder(MEMORY_CACHE_BYTES).create_with_backend(backend)?;
    schema::prepare(&database)?;
    Ok(database)
}

/// All of a file that nobody else has open for writing; nothing for a file that is not there.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if let Err(fs::TryLockError::WouldBlock) = file.try_lock_shared() {
        return Err(ErrorKind::ResourceBusy.into());
    }
    if file.metadata()?.len() > COPY_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is too large for a store"));
    }
    let mut bytes = Vec::new();
    (&file).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Integrity is checked on every opening: the file is small, and a damaged page must not be found mid-flight.
pub(super) fn builder(cache: usize) -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(cache).set_check_integrity_on_open(true);
    builder
}

fn not_writable(path: &Path, source: io::Error) -> StoreError {
    StoreError::NotWritable { path: path.to_owned(), source }
}

fn refusal(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::Locked { path: path.to_owned() }
        }
        DatabaseError::Storage(StorageError::Io(source))
            if !matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            not_writable(path, source)
        }
        other => StoreError::Corrupt { path: path.to_owned(), why: other.to_string() },
    }
}
