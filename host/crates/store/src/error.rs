//! What the store answers instead of success.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::format::cursor::BadCursor;

/// What an error means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The database does not answer now: nothing is known to be wrong with the request.
    Unavailable,
    /// A write may or may not be in the database: read before writing again.
    Unknown,
    /// The disk is full.
    Full,
    /// Another version wrote the database or a record.
    Schema,
    /// Another process has the database open.
    Locked,
    /// A record can't be read.
    Corrupt,
    /// An answer rather than a failure: what was asked for is not possible, and nothing was written.
    Refused,
}

/// An error of the engine underneath, or of its disk.
pub type EngineError = Arc<dyn std::error::Error + Send + Sync>;

/// Why the store did not do something. Clones share the source, since one failed commit answers many callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process has the database open.
    #[error(
        "the database {} is in use by another process{}: stop the other faxgate, or choose another data folder",
        file.display(),
        holder.map_or_else(String::new, |id| format!(" (process id {id})"))
    )]
    Locked {
        /// The file.
        file: PathBuf,
        /// The process that has it open, when it is known.
        holder: Option<u32>,
    },
    /// The file has no content.
    #[error(
        "the database {} is empty, as a full disk or an interrupted copy leaves it: restore a backup, or remove the \
         file to begin with a new database",
        .0.display()
    )]
    Empty(PathBuf),
    /// The file can't be opened as a database.
    #[error(
        "the database {} can't be opened ({source}): check that its folder exists, belongs to the user of the \
         service and holds a faxgate database, or restore a backup",
        file.display()
    )]
    Open {
        /// The file.
        file: PathBuf,
        /// What the disk or the engine says.
        source: EngineError,
    },
    /// The disk is full.
    #[error("no space left for the database: free some disk space; accepted faxes are kept")]
    Full,
    /// The store was closed.
    #[error("the database is closed: the service is shutting down")]
    Closed,
    /// The disk failed in a way that can't be trusted to have kept what it was given.
    #[error("the database does not accept writes since the disk failed: check the disk, then restart")]
    Failed,
    /// A page marker that isn't ours, or belongs to another list.
    #[error(transparent)]
    BadCursor(#[from] BadCursor),
    /// There is no such job.
    #[error("no such job")]
    NoSuchJob,
    /// The key was revoked: it can't be rotated.
    #[error("the key is revoked: create a new one")]
    KeyRevoked,
    /// The id is taken.
    #[error("the id of this {0} is already taken")]
    Exists(&'static str),
    /// A newer version wrote the database.
    #[error(
        "the database has schema {found}, this version knows up to {known}: run the newer faxgate, or restore a backup"
    )]
    NewerSchema {
        /// Schema of the file.
        found: u32,
        /// The newest one this version reads.
        known: u32,
    },
    /// A newer version wrote a record.
    #[error("a {what} record has format {version}, unknown to this version: run the newer faxgate")]
    UnknownFormat {
        /// Kind of record.
        what: &'static str,
        /// First byte of the record.
        version: u8,
    },
    /// A record can't be read.
    #[error("a {what} record is damaged ({reason}): restore the database from a backup")]
    Damaged {
        /// Kind of record.
        what: &'static str,
        /// Where reading stopped. Never content.
        reason: String,
    },
    /// A command failed by a fault of ours; nothing of it was written.
    #[error("a database command failed unexpectedly; nothing was written")]
    Panicked,
    /// The disk or the database engine failed.
    #[error("the database can't be used: {0}")]
    Engine(EngineError),
    /// The commit failed in a way that leaves open whether it is on the disk.
    #[error("the database may or may not have kept a change: {0}")]
    Unknown(EngineError),
}

impl StoreError {
    /// Names the file in an error that is about the file as a whole.
    pub(crate) fn of_file(self, file: &Path) -> Self {
        match self {
            Self::Locked { .. } => Self::Locked {
                holder: crate::redb::backend::holder(file),
                file: file.to_owned(),
            },
            Self::Engine(source) => Self::Open {
                file: file.to_owned(),
                source,
            },
            other => other,
        }
    }

    /// A record that can't be read. serde's message names the field and place but may quote content, so only
    /// the place is kept.
    pub(crate) fn damaged(what: &'static str, error: &serde_json::Error) -> Self {
        Self::Damaged {
            what,
            reason: format!("{:?} error at column {}", error.classify(), error.column()),
        }
    }

    /// What this means for the caller.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Locked { .. } => StoreErrorKind::Locked,
            Self::Full => StoreErrorKind::Full,
            Self::NewerSchema { .. } | Self::UnknownFormat { .. } => StoreErrorKind::Schema,
            Self::Damaged { .. } | Self::Empty(_) => StoreErrorKind::Corrupt,
            Self::BadCursor(_) | Self::NoSuchJob | Self::KeyRevoked | Self::Exists(_) => {
                StoreErrorKind::Refused
            }
            Self::Unknown(_) => StoreErrorKind::Unknown,
            Self::Open { .. } | Self::Closed | Self::Failed | Self::Panicked | Self::Engine(_) => {
                StoreErrorKind::Unavailable
            }
        }
    }

    /// A commit that failed: whether it is on the disk is not known, unless the disk was full before it began.
    pub(crate) fn of_commit(self) -> Self {
        match self {
            Self::Engine(source) => Self::Unknown(source),
            other => other,
        }
    }

    /// Whether this is an answer to a command that wrote nothing, rather than a failure.
    pub(crate) const fn is_answer(&self) -> bool {
        matches!(self, Self::NoSuchJob | Self::KeyRevoked | Self::Exists(_))
    }

    /// Whether nothing of a command was written, beyond doubt. After any other error the disk may have it.
    #[must_use]
    pub const fn wrote_nothing(&self) -> bool {
        matches!(self, Self::Full | Self::Panicked) || self.is_answer()
    }

    /// Whether the fault lies in the command, not in the storage: the others of its group can be tried without it.
    pub(crate) const fn is_of_command(&self) -> bool {
        matches!(
            self,
            Self::UnknownFormat { .. } | Self::Damaged { .. } | Self::Panicked
        )
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen => Self::Locked {
                file: PathBuf::from("file"),
                holder: None,
            },
            redb::Error::Io(error) => error.into(),
            error => Self::Engine(Arc::new(error)),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full
            }
            _ => Self::Engine(Arc::new(redb::Error::Io(error))),
        }
    }
}

macro_rules! from_engine {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

from_engine!(
    CommitError,
    DatabaseError,
    StorageError,
    TableError,
    TransactionError
);
