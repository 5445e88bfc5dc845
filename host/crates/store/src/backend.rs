//! The file under the database, kept open while the engine above it is restarted.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::error::StoreError;

/// Access for the owner only.
const MODE: u32 = 0o600;

/// A backend that outlives the engine. redb refuses all work after one failed write, so after a full disk the
/// engine has to be started again on the same storage; closing the file in between would give up its lock.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    inner: Arc<dyn StorageBackend>,
    sync_failed: Arc<AtomicBool>,
}

/// Opens or makes the database file.
pub(super) fn open_file(file: &Path) -> Result<Arc<dyn StorageBackend>, StoreError> {
    let fresh = !file.exists();
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .open(file)?;
    if opened.metadata()?.permissions().mode() & 0o777 != MODE {
        opened.set_permissions(Permissions::from_mode(MODE))?;
    }
    if fresh && let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // The name of a new file is as durable as its folder: without this a power cut could lose all of it.
        File::open(folder)?.sync_all()?;
    }
    Ok(Arc::new(FileBackend::new(opened)?))
}

impl Kept {
    /// Keeps `inner`.
    pub(super) fn new(inner: Arc<dyn StorageBackend>) -> Self {
        Self {
            inner,
            sync_failed: Arc::default(),
        }
    }

    /// Whether a sync ever failed. The kernel then drops what it could not write and says so once: whatever is
    /// read back may be in memory only, so nothing can be built on it.
    pub(super) fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Acquire)
    }

    /// Gives the storage up, and its locks.
    pub(super) fn release(&self) {
        if let Err(error) = self.inner.close() {
            tracing::warn!(%error, "closing the database file failed");
        }
    }
}

impl StorageBackend for Kept {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner
            .sync_data()
            .inspect_err(|_| self.sync_failed.store(true, Ordering::Release))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        // Only the engine ends here; `release` ends the storage.
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
