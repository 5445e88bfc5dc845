//! Uploads under way: small ones in memory, large ones in a spool file, all of them limited and hashed.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::{App, Error};
use faxgate_base::size;
use faxgate_domain::code::Code;

/// Up to this size an upload stays in memory: creating and deleting a file costs more than the copy.
const MEMORY_LIMIT: usize = 1 << 20;

/// The folder of uploads under way and the room left in it.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    used: AtomicU64,
    limit: u64,
}

/// A finished upload. Its spool file goes when this is dropped.
#[derive(Debug)]
pub struct Upload {
    content: Content,
    bytes: u64,
    sha1: [u8; 20],
    sha256: [u8; 32],
    charset: Option<String>,
    _room: Room,
}

#[derive(Debug)]
enum Content {
    Memory(Bytes),
    File(NamedTempFile),
}

/// Where an upload is written to.
#[derive(Debug)]
pub struct UploadSink {
    limit: u64,
    memory: BytesMut,
    file: Option<(NamedTempFile, tokio::fs::File)>,
    bytes: u64,
    sha1: Sha1,
    sha256: Sha256,
    room: Room,
}

/// Bytes of the spool that one upload holds; given back on drop.
#[derive(Debug)]
struct Room {
    spool: Arc<Spool>,
    held: u64,
}

impl App {
    /// Begins an upload of at most `limit` bytes.
    #[must_use]
    pub fn upload(&self, limit: u64) -> UploadSink {
        UploadSink {
            limit,
            memory: BytesMut::new(),
            file: None,
            bytes: 0,
            sha1: Sha1::new(),
            sha256: Sha256::new(),
            room: Room {
                spool: Arc::clone(&self.spool),
                held: 0,
            },
        }
    }

    /// Bytes of the uploads under way, for the metrics.
    #[must_use]
    pub fn spool_bytes(&self) -> u64 {
        self.spool.used.load(Ordering::Relaxed)
    }

    /// Removes what uploads of an earlier process left behind and makes the folder.
    ///
    /// # Errors
    /// When the folder can't be made or read.
    pub fn clear_spool(&self) -> std::io::Result<()> {
        self.spool.clear()
    }
}

impl Spool {
    pub(crate) const fn new(dir: PathBuf, limit: u64) -> Self {
        Self {
            dir,
            used: AtomicU64::new(0),
            limit,
        }
    }

    fn clear(&self) -> std::io::Result<()> {
        // Uploads are other people's documents.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)?;
        std::fs::set_permissions(&self.dir, std::fs::Permissions::from_mode(0o700))?;
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.is_file() {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl UploadSink {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Code::TooLarge`] over the limit, [`Code::Busy`] when the spool is full, [`Code::Unavailable`] when the
    /// disk refuses.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.limit {
            return Err(too_large(self.limit));
        }
        self.room.take(chunk.len() as u64)?;
        self.sha1.update(chunk);
        self.sha256.update(chunk);
        match &mut self.file {
            Some((_, file)) => file.write_all(chunk).await.map_err(spool_failed),
            None if self.memory.len() + chunk.len() <= MEMORY_LIMIT => {
                self.memory.extend_from_slice(chunk);
                Ok(())
            }
            None => self.spill(chunk).await,
        }
    }

    /// Ends the upload.
    ///
    /// # Errors
    /// When the spool file can't be written.
    pub async fn finish(self) -> Result<Upload, Error> {
        let content = match self.file {
            None => Content::Memory(self.memory.freeze()),
            Some((named, mut file)) => {
                file.flush().await.map_err(spool_failed)?;
                Content::File(named)
            }
        };
        Ok(Upload {
            content,
            bytes: self.bytes,
            sha1: self.sha1.finalize().into(),
            sha256: self.sha256.finalize().into(),
            charset: None,
            _room: self.room,
        })
    }

    async fn spill(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let dir = self.room.spool.dir.clone();
        let named = tokio::task::spawn_blocking(move || NamedTempFile::new_in(dir))
            .await
            .map_err(Error::internal)?
            .map_err(spool_failed)?;
        let mut file = tokio::fs::File::from_std(named.reopen().map_err(spool_failed)?);
        file.write_all(&self.memory).await.map_err(spool_failed)?;
        file.write_all(chunk).await.map_err(spool_failed)?;
        self.memory = BytesMut::new();
        self.file = Some((named, file));
        Ok(())
    }
}

impl Upload {
    /// With the character set that the sender declared.
    #[must_use]
    pub fn with_charset(self, charset: Option<String>) -> Self {
        Self { charset, ..self }
    }

    /// The character set that the sender declared, in lower case.
    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// How many bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// SHA-1 of the bytes: Phaxio's signatures are made over it.
    #[must_use]
    pub const fn sha1(&self) -> [u8; 20] {
        self.sha1
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub const fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The file that holds the bytes, when they are not in memory.
    #[must_use]
    pub fn path(&self) -> Option<&std::path::Path> {
        match &self.content {
            Content::Memory(_) => None,
            Content::File(named) => Some(named.path()),
        }
    }

    /// The bytes, read back when they are in a file.
    ///
    /// # Errors
    /// When the spool file can't be read.
    pub async fn bytes(&self) -> Result<Bytes, Error> {
        match &self.content {
            Content::Memory(bytes) => Ok(bytes.clone()),
            Content::File(named) => tokio::fs::read(named.path())
                .await
                .map(Bytes::from)
                .map_err(spool_failed),
        }
    }
}

impl Room {
    fn take(&mut self, bytes: u64) -> Result<(), Error> {
        let used = self.spool.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.held += bytes;
        if used > self.spool.limit {
            return Err(Error::new(
                Code::Busy,
                "too many uploads are under way: try again in a moment",
            )
            .retry_after(std::time::Duration::from_secs(2)));
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.spool.used.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// The refusal of a document that is over the limit.
pub(crate) fn too_large(limit: u64) -> Error {
    Error::new(
        Code::TooLarge,
        format!(
            "the file is larger than {}: send a smaller one or several faxes",
            size::human(limit)
        ),
    )
}

fn spool_failed(error: std::io::Error) -> Error {
    Error {
        code: Code::Unavailable,
        detail: "the upload can't be stored: the disk is full or not writable; try again later".to_owned(),
        retry_after: Some(std::time::Duration::from_secs(5)),
        source: Some(error.into()),
    }
}
