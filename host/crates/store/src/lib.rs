//! Floor 4: the database: redb behind typed operations on domain values, one writer.
//!
//! Reads are snapshot reads on the caller's task (a few microseconds). Writes go to one thread that puts
//! everything waiting into one transaction and answers after the durable commit ([`writer`]): a commit costs a
//! disk sync whether it holds one job or a hundred. Nothing above this room can tell that redb is behind it.
//!
//! | table | key → value | serves |
//! |---|---|---|
//! | `jobs` | id → record | one job, every job newest first |
//! | `job_events` | id, number → record | the timeline of a job |
//! | `due` | lane, time, id | who waits and until when |
//! | `submitting` | id | requests interrupted by a crash |
//! | `by_owner`, `by_status`, `by_to` | digest, id | filtered lists |
//! | `by_provider_id` | provider id → id | callbacks |
//! | `by_completion` | time, id | documents of finished jobs, for retention |
//! | `by_expiry` | time, kind, reference | received documents and idempotency rows, for retention |
//! | `keys`, `keys_by_age` | id → record; time, id | API keys |
//! | `idempotency` | digest → record | repeated requests |
//! | `inbound`, `inbound_by_*` | as for jobs | received faxes |
//! | `sealed_documents` | id → sealed bytes | documents small enough to be written in the commit of their record |
//! | `documents` | id → bytes | the same, written by earlier versions |
//! | `audit` | number → chain and record | who did what |
//! | `meta` | name → bytes | schema, secrets, counters, head of the audit chain |

mod audit;
mod backend;
mod cursor;
mod db;
mod document_keys;
mod documents;
mod error;
mod expiry;
mod inbound;
mod inbound_retention;
mod index;
mod job_reads;
mod job_writes;
mod key;
mod keyring;
mod keys;
mod lately;
mod list;
mod meta;
mod record;
mod tables;
#[cfg(test)]
mod tests;
mod touch;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use audit::{AuditFault, AuditVerdict};
pub use cursor::{BadCursor, Cursor};
pub use error::{EngineError, StoreError, StoreErrorKind};
pub use expiry::{Expiring, IdempotencyRow};
pub use inbound::{CreatedInbound, InboundFilter, NewInbound};
pub use job_reads::JobFilter;
pub use job_writes::{Advanced, Created, NewJob, ServeOutcome};
pub use keys::KeyChange;
pub use lately::ShownJob;
pub use list::{PageOf, PageRequest};
use parking_lot::Mutex;
use tokio::sync::Notify;

use db::{Db, Room};
use document_keys::DocumentKeys;
use faxgate_base::clock::Clock;
use faxgate_domain::link::LinkKey;
use keyring::Keyring;
use lately::Lately;
use meta::Secrets;
use touch::Touches;
use writer::Writer;

/// The database. Clones share it; the last one dropped closes it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// How the database is run.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Memory for pages that were read or are about to be written, in bytes.
    pub cache_bytes: usize,
    /// How long the document of a finished job is kept; none keeps it for good, zero destroys it at once.
    /// It is applied when asked, so a changed setting holds for old jobs as well.
    pub artifact_ttl: Option<Duration>,
    /// Disk space in bytes that new faxes leave free, so that those already accepted can still be finished and
    /// recorded on a disk that is otherwise full.
    pub reserve_bytes: u64,
    /// Size of the file in bytes from which commits are made so that a start after a crash is quick. Measured
    /// roughly: the full check of a smaller file takes 1 to 2 s for a GiB in the page cache; quick repair takes
    /// a second sync in each commit, which a fax that arrives alone waits for (up to twice as long) and a group
    /// of 64 hardly notices (10 %).
    pub quick_repair_from: u64,
}

struct Shared {
    // Dropped first: ends the writer, which holds the database too.
    writer: Writer,
    db: Arc<Db>,
    document_keys: DocumentKeys,
    clock: Clock,
    options: StoreOptions,
    secrets: Secrets,
    touches: Mutex<Touches>,
    keyring: Keyring,
    lately: Lately,
    /// Rings when a document has to go at once.
    due: Arc<Notify>,
}

impl Store {
    /// Opens the database in `file`, or makes it with access for its owner only. Blocks for disk access.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it open, [`StoreError::NewerSchema`] when a newer
    /// version wrote it, and whatever the disk says.
    pub fn open(file: &Path, clock: Clock, options: StoreOptions) -> Result<Self, StoreError> {
        let opened = backend::open_file(file).map_err(|error| error.of_file(file))?;
        let db = Db::open(opened.backend(), &options)
            .map_err(|error| error.of_file(file))?
            .watching_space_of(file, options.reserve_bytes);
        let keys =
            DocumentKeys::open(&document_keys::file_beside(file)).map_err(|error| error.of_file(file))?;
        let store = Self::start(db, keys, clock, options)?;
        opened.finish().map_err(|error| error.of_file(file))?;
        Ok(store)
    }

    /// Opens a database in storage of the caller's making, with default options.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_backend(backend: impl redb::StorageBackend, clock: Clock) -> Result<Self, StoreError> {
        Self::open_backend_with(backend, clock, StoreOptions::default())
    }

    /// Opens a database in storage of the caller's making.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_backend_with(
        backend: impl redb::StorageBackend,
        clock: Clock,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let db = Db::open(Arc::new(backend), &options)?;
        Self::start(db, DocumentKeys::in_memory(), clock, options)
    }

    /// Stops the writer after what is queued; later writes answer [`StoreError::Closed`]. Reads go on. Blocks
    /// until the last commit is done.
    pub fn close(&self) {
        self.shared.writer.close();
    }

    /// Whether the writer answers, whatever it answers: a store that can't write but says so is ill, one that says
    /// nothing any more is dead.
    pub async fn answers(&self) -> bool {
        let nothing = |tables: &mut tables::Tables<'_>| {
            tables.unchanged();
            Ok(())
        };
        let asked = self.write(writer::Growth::Settles, nothing).await;
        !matches!(asked, Err(StoreError::Closed))
    }

    /// The key that links to documents are made with: random, made when the database was.
    #[must_use]
    pub fn link_key(&self) -> LinkKey {
        self.shared.secrets.link_key()
    }

    /// Rings after a job ended whose document has to go at once: with an
    /// [`artifact_ttl`](StoreOptions::artifact_ttl) of zero.
    #[must_use]
    pub fn due_at_once(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.due)
    }

    /// Whether the store can do its work: a read works, the writer lives and the disk has room.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check(&self) -> Result<(), StoreError> {
        meta::check(&self.shared.db.read()?)?;
        self.shared.writer.check()?;
        match self.shared.db.room(0) {
            Room::Enough | Room::Reserve => Ok(()),
            Room::None => Err(StoreError::Full),
        }
    }

    /// Runs a read of many rows off the async threads.
    async fn scan<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || read(&store))
            .await
            .unwrap_or(Err(StoreError::Panicked))
    }

    fn start(
        db: Db,
        document_keys: DocumentKeys,
        clock: Clock,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let secrets = meta::prepare(&db)?;
        let db = Arc::new(db);
        let writer = Writer::start(Arc::clone(&db))?;
        Ok(Self {
            shared: Arc::new(Shared {
                writer,
                db,
                document_keys,
                clock,
                options,
                secrets,
                touches: Mutex::new(Touches::default()),
                keyring: Keyring::default(),
                lately: Lately::default(),
                due: Arc::default(),
            }),
        })
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            artifact_ttl: None,
            reserve_bytes: 4 * 1024 * 1024,
            quick_repair_from: 128 * 1024 * 1024,
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
