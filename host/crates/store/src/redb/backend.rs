//! The file under the database, kept open while the engine above it is restarted.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::ops::Bound;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::error::StoreError;

/// Access for the owner only.
const MODE: u32 = 0o600;

/// A backend that outlives the engine. redb refuses all work after one failed write, so after a full disk the
/// engine has to be started again on the same storage; closing the file in between would give up its lock.
#[derive(Debug, Clone)]
pub(crate) struct RestartableBackend {
    inner: Arc<dyn StorageBackend>,
    sync_failed: Arc<AtomicBool>,
}

/// The file of a database, locked.
pub(crate) struct OpenedFile {
    backend: Arc<FileBackend>,
    file: PathBuf,
    /// A new database is made under this name and gets its own when it is complete.
    draft: Option<PathBuf>,
}

/// Opens the database file. A new database is made under another name first: a file with the right name is always a
/// whole database, and one without content is what a full disk or a failed restore left.
pub(crate) fn open_file(file: &Path) -> Result<OpenedFile, StoreError> {
    let draft = (!file.exists()).then(|| file.with_extension("redb-new"));
    let path = draft.as_deref().unwrap_or(file);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(draft.is_some())
        .truncate(false)
        .mode(MODE)
        .open(path)?;
    let is_empty = opened.metadata()?.len() == 0;
    if draft.is_none() && is_empty {
        return Err(StoreError::Empty(file.to_owned()));
    }
    if opened.metadata()?.permissions().mode() & 0o777 != MODE {
        opened.set_permissions(Permissions::from_mode(MODE))?;
    }
    let backend = Arc::new(FileBackend::new(opened)?);
    Ok(OpenedFile {
        backend,
        file: file.to_owned(),
        draft,
    })
}

/// Where the process that has a database open leaves its id.
fn holder_file(database: &Path) -> PathBuf {
    database.with_extension("pid")
}

/// The process that has the database open, if it left its id.
pub(crate) fn holder(database: &Path) -> Option<u32> {
    fs::read_to_string(holder_file(database))
        .ok()?
        .trim()
        .parse()
        .ok()
}

impl OpenedFile {
    /// The storage.
    pub(crate) fn backend(&self) -> Arc<dyn StorageBackend> {
        Arc::clone(&self.backend) as Arc<dyn StorageBackend>
    }

    /// Gives a new database its name, durably, and leaves the id of this process for others to read.
    pub(crate) fn finish(self) -> Result<(), StoreError> {
        if let Some(draft) = &self.draft {
            fs::rename(draft, &self.file)?;
            if let Some(folder) = self.file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                // The name of a new file is as durable as its folder: without this a power cut could lose all of it.
                File::open(folder)?.sync_all()?;
            }
        }
        let pid = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(MODE)
            .open(holder_file(&self.file))
            .and_then(|mut file| write!(file, "{}", std::process::id()));
        // Nothing but an error text needs it.
        if let Err(error) = pid {
            tracing::debug!(%error, "the id of this process could not be written beside the database");
        }
        Ok(())
    }
}

impl RestartableBackend {
    /// Keeps `inner`.
    pub(crate) fn new(inner: Arc<dyn StorageBackend>) -> Self {
        Self {
            inner,
            sync_failed: Arc::default(),
        }
    }

    /// Whether a sync ever failed. The kernel then drops what it could not write and says so once: whatever is
    /// read back may be in memory only, so nothing can be built on it.
    pub(crate) fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Acquire)
    }

    /// Gives the storage up, and its locks.
    pub(crate) fn release(&self) {
        if let Err(error) = self.inner.close() {
            tracing::warn!(%error, "closing the database file failed");
        }
    }
}

impl StorageBackend for RestartableBackend {
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
