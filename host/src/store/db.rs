//! The engine: started, restarted after a full disk, and asked for transactions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use redb::{Builder, Database, ReadTransaction, ReadableDatabase as _, StorageBackend, WriteTransaction};

use super::backend::Kept;
use super::error::StoreError;

/// The running engine.
pub(super) struct Db {
    // None while a restart has failed.
    engine: RwLock<Option<Database>>,
    backend: Kept,
    cache_bytes: usize,
    space: Option<Space>,
}

/// Whose free space is watched, and how much of it is kept for jobs already accepted.
struct Space {
    folder: PathBuf,
    reserve: u64,
}

impl Db {
    /// Starts the engine on `backend`, repairing what a crash left.
    pub(super) fn open(backend: Arc<dyn StorageBackend>, cache_bytes: usize) -> Result<Self, StoreError> {
        let backend = Kept::new(backend);
        let engine = start(&backend, cache_bytes).inspect_err(|_| backend.release())?;
        Ok(Self {
            engine: RwLock::new(Some(engine)),
            backend,
            cache_bytes,
            space: None,
        })
    }

    /// Refuses growth when the disk of `file` has less than `reserve` bytes left.
    pub(super) fn watching_space_of(mut self, file: &Path, reserve: u64) -> Self {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.space = Some(Space {
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            reserve,
        });
        self
    }

    /// A snapshot of the last commit.
    pub(super) fn read(&self) -> Result<ReadTransaction, StoreError> {
        match &*self.engine.read() {
            Some(engine) => Ok(engine.begin_read()?),
            None => Err(StoreError::Failed),
        }
    }

    /// A write transaction. Only the writer asks for one.
    ///
    /// Every commit saves the allocator state ("quick repair"): without it a start after a crash walks the
    /// whole file. The price is a second sync of a few pages in each commit.
    pub(super) fn write(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = match &*self.engine.read() {
            Some(engine) => engine.begin_write()?,
            None => return Err(StoreError::Failed),
        };
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    /// Whether the disk has room for `bytes` more beside the reserve. True when nobody knows.
    pub(super) fn has_room_for(&self, bytes: u64) -> bool {
        let Some(space) = &self.space else { return true };
        match rustix::fs::statvfs(&space.folder) {
            Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize) >= space.reserve.saturating_add(bytes),
            Err(_) => true,
        }
    }

    /// Starts the engine again after a failed write: redb refuses all work from then on, although everything
    /// committed is there. Not after a failed sync, see [`Kept::sync_failed`].
    pub(super) fn restart(&self) -> Result<(), StoreError> {
        if self.backend.sync_failed() {
            return Err(StoreError::Failed);
        }
        let mut engine = self.engine.write();
        drop(engine.take());
        *engine = Some(start(&self.backend, self.cache_bytes)?);
        Ok(())
    }

    /// Whether writes can be trusted to be kept.
    pub(super) fn is_sound(&self) -> bool {
        !self.backend.sync_failed()
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        drop(self.engine.write().take());
        self.backend.release();
    }
}

fn start(backend: &Kept, cache_bytes: usize) -> Result<Database, StoreError> {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes);
    builder.set_repair_callback(|progress| {
        tracing::info!(
            done = progress.progress(),
            "checking the database after an unclean stop"
        );
    });
    Ok(builder.create_with_backend(backend.clone())?)
}
