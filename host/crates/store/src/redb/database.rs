//! The engine: started, restarted after a full disk, and asked for transactions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use redb::{Builder, Database, ReadTransaction, ReadableDatabase as _, StorageBackend, WriteTransaction};

use crate::StoreOptions;
use crate::error::StoreError;
use crate::redb::backend::RestartableBackend;

/// The running engine.
pub(crate) struct Db {
    // The error of the last restart when that failed.
    engine: RwLock<Result<Database, StoreError>>,
    backend: RestartableBackend,
    cache_bytes: usize,
    quick_repair_from: u64,
    space: Option<Space>,
}

/// FreeSpace on the disk. It is looked at before each commit, since a commit that fails for want of it costs a restart
/// of the engine, and on a full disk that fails too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FreeSpace {
    /// For everything, as far as anybody knows.
    Enough,
    /// Only for finishing what was accepted.
    Reserve,
    /// For nothing.
    None,
}

/// Whose free space is watched, and how much of it is kept for jobs already accepted.
struct Space {
    folder: PathBuf,
    reserve: u64,
}

impl Db {
    /// Starts the engine on `backend`, repairing what a crash left.
    pub(crate) fn open(backend: Arc<dyn StorageBackend>, options: &StoreOptions) -> Result<Self, StoreError> {
        let backend = RestartableBackend::new(backend);
        let engine = start(&backend, options.cache_bytes).inspect_err(|_| backend.release())?;
        Ok(Self {
            engine: RwLock::new(Ok(engine)),
            backend,
            cache_bytes: options.cache_bytes,
            quick_repair_from: options.quick_repair_from,
            space: None,
        })
    }

    /// Keeps `reserve` bytes of the disk of `file` for jobs already accepted.
    pub(crate) fn watching_space_of(mut self, file: &Path, reserve: u64) -> Self {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        self.space = Some(Space {
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            reserve,
        });
        self
    }

    /// A snapshot of the last commit.
    pub(crate) fn read(&self) -> Result<ReadTransaction, StoreError> {
        match &*self.engine.read() {
            Ok(engine) => Ok(engine.begin_read()?),
            Err(error) => Err(error.clone()),
        }
    }

    /// A write transaction. Only the writer asks for one.
    ///
    /// Commits to a large file save the allocator state ("quick repair"): without it a start after a crash
    /// reads the whole file.
    pub(crate) fn write(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = match &*self.engine.read() {
            Ok(engine) => engine.begin_write()?,
            Err(error) => return Err(error.clone()),
        };
        transaction.set_quick_repair(self.backend.len()? >= self.quick_repair_from);
        Ok(transaction)
    }

    /// The free space of the disk, if `bytes` of documents are to be added.
    pub(crate) fn free_space(&self, bytes: u64) -> FreeSpace {
        let Some(space) = &self.space else {
            return FreeSpace::Enough;
        };
        let Ok(disk) = rustix::fs::statvfs(&space.folder) else {
            return FreeSpace::Enough;
        };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= space.reserve.saturating_add(bytes) {
            FreeSpace::Enough
        } else if free >= space.reserve / 4 {
            FreeSpace::Reserve
        } else {
            FreeSpace::None
        }
    }

    /// Starts the engine again after a failed write: redb refuses all work from then on, although everything
    /// committed is there. Not after a failed sync, see [`RestartableBackend::sync_failed`].
    pub(crate) fn restart(&self) -> Result<(), StoreError> {
        if self.backend.sync_failed() {
            return Err(StoreError::Failed);
        }
        let mut engine = self.engine.write();
        // The old engine has to be gone before the new one reads what it left.
        drop(std::mem::replace(&mut *engine, Err(StoreError::Failed)));
        *engine = start(&self.backend, self.cache_bytes);
        engine.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// Whether writes can be trusted to be kept.
    pub(crate) fn is_sound(&self) -> bool {
        !self.backend.sync_failed()
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        drop(std::mem::replace(
            &mut *self.engine.write(),
            Err(StoreError::Closed),
        ));
        self.backend.release();
    }
}

fn start(backend: &RestartableBackend, cache_bytes: usize) -> Result<Database, StoreError> {
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
