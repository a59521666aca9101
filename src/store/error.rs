//! What can go wrong with the store, and what the user can do about it.

use std::path::PathBuf;

use super::record::RecordError;

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory of the file is missing.
    #[error("the directory of `store.path` does not exist: `{}`\nhint: create it, or mount a volume there", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// Another process has the file open.
    #[error("`{}` is in use by another process\nhint: stop that one, or give each its own `store.path`", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what redb wrote.
    #[error(
        "`{}` is damaged or not a sqswatch store: {why}\nhint: restore it, or move it away to start afresh; pages still owed are lost with it",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What redb saw.
        why: String,
    },
    /// The file cannot be opened for writing.
    #[error("cannot open `{}` for writing: {source}\nhint: the file and its directory must be writable by the user that sqswatch runs as", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file can neither be written nor read, so that nobody knows what it owes to whom.
    #[error("`{}` can be neither written ({unwritable}) nor read ({source})\nhint: the file and its directory must be writable by the user that sqswatch runs as", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// Why it cannot be written.
        unwritable: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It is redb's, but another program's.
    #[error(
        "the state file is the database of another program: it has a table `{table}`\nhint: give sqswatch a file of its own with `store.path`"
    )]
    Foreign {
        /// A table that is there.
        table: String,
    },
    /// A later version of the program wrote it.
    #[error(
        "the store has schema version {found}, and this sqswatch knows {known}\nhint: run the newer sqswatch, or move the file away to start afresh"
    )]
    Newer {
        /// The file's version.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// A record that cannot be understood.
    #[error("the record `{key}` of table `{table}` cannot be read: {source}")]
    Record {
        /// Where it is.
        table: &'static str,
        /// Which.
        key: String,
        /// What is wrong with it.
        source: RecordError,
    },
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Failed(Box<redb::Error>),
    /// The program is ending and the work was not done.
    #[error("the store's work was interrupted")]
    Interrupted,
}

impl StoreError {
    /// Whether the disk is at fault and may come back: full, read-only, failing, not permitted. What a person must set
    /// right (a missing directory, a directory in the file's place, a file that is not ours) is not among it.
    pub(super) fn is_of_the_disk(&self) -> bool {
        use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
        match self {
            Self::NotWritable { source, .. } => {
                !matches!(source.kind(), IsADirectory | NotADirectory | NotFound)
            }
            Self::Failed(error) => matches!(**error, redb::Error::Io(_) | redb::Error::PreviousIo),
            _ => false,
        }
    }
}

macro_rules! from_redb {
    ($($kind:ident),*) => {
        $(impl From<redb::$kind> for StoreError {
            fn from(error: redb::$kind) -> Self {
                Self::Failed(Box::new(error.into()))
            }
        })*
    };
}

from_redb!(TransactionError, TableError, StorageError, CommitError, DatabaseError);
