//! The database: typed operations on domain values, durable when they answer.
//!
//! `decide` has the rules, `format` says how things are written down, and `redb` is the embedded
//! engine that loads rows, applies decisions and commits. Callers do not learn which engine runs.
//!
//! | table | key → value | serves |
//! |---|---|---|
//! | `jobs` | id → record | one job, every job newest first |
//! | `job_events` | id, number → record | the timeline of a job |
//! | `due` | queue, time, id | jobs that wait, and until when |
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

mod cache;
mod decide;
mod document_keys;
mod error;
mod format;
mod lists;
mod redb;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

pub use crate::cache::job_cache::CachedJob;
pub use crate::decide::api_keys::KeyChange;
pub use crate::decide::inbound::{CreatedInbound, NewInbound};
pub use crate::decide::jobs::{Advanced, Created, NewJob, ServeOutcome};
pub use crate::decide::retention::{Expiring, IdempotencyRow};
pub use crate::error::{EngineError, StoreError, StoreErrorKind};
pub use crate::format::audit_chain::{AuditFault, AuditVerdict};
pub use crate::format::cursor::{BadCursor, Cursor};
pub use crate::lists::{InboundFilter, JobFilter, PageOf, PageRequest};

use crate::cache::job_cache::JobCache;
use crate::cache::key_cache::KeyCache;
use crate::cache::last_used::LastUses;
use crate::document_keys::DocumentKeys;
use crate::redb::database::{Db, FreeSpace};
use crate::redb::meta::Secrets;
use crate::redb::writer::{DiskBudget, Writer};
use crate::redb::{backend, meta, tables};
use faxgate_base::clock::Clock;
use faxgate_domain::link::LinkKey;

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
    last_uses: Mutex<LastUses>,
    key_cache: KeyCache,
    job_cache: JobCache,
    /// Notified when a document has to be destroyed at once.
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

    /// Opens a database in storage of the caller's making, with default options: for tests and benches, since the keys
    /// of its documents are no secret.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_backend(backend: impl ::redb::StorageBackend, clock: Clock) -> Result<Self, StoreError> {
        Self::open_backend_with(backend, clock, StoreOptions::default())
    }

    /// As [`Store::open_backend`], with other options.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_backend_with(
        backend: impl ::redb::StorageBackend,
        clock: Clock,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let db = Db::open(Arc::new(backend), &options)?;
        Self::start(db, DocumentKeys::derived(), clock, options)
    }

    /// Stops the writer after what is queued; later writes answer [`StoreError::Closed`]. Reads go on. Blocks
    /// until the last commit is done.
    pub fn close(&self) {
        self.shared.writer.close();
    }

    /// Whether the writer thread answers, with success or with an error. False only when it has ended.
    pub async fn answers(&self) -> bool {
        let nothing = |tables: &mut tables::Tables<'_>| {
            tables.unchanged();
            Ok(())
        };
        let asked = self.write(DiskBudget::Finish, nothing).await;
        !matches!(asked, Err(StoreError::Closed))
    }

    /// The key that links to documents are made with: random, made when the database was.
    #[must_use]
    pub fn link_key(&self) -> LinkKey {
        self.shared.secrets.link_key()
    }

    /// Notified after a job ended whose document is to be destroyed at once: with an
    /// [`artifact_ttl`](StoreOptions::artifact_ttl) of zero.
    #[must_use]
    pub fn due_at_once(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.due)
    }

    /// Whether a read works, the writer runs and the disk has free space.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check(&self) -> Result<(), StoreError> {
        meta::check(&self.shared.db.read()?)?;
        self.shared.writer.check()?;
        match self.shared.db.free_space(0) {
            FreeSpace::Enough | FreeSpace::Reserve => Ok(()),
            FreeSpace::None => Err(StoreError::Full),
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
                last_uses: Mutex::new(LastUses::default()),
                key_cache: KeyCache::default(),
                job_cache: JobCache::default(),
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
