//! Documents on disk or in a bucket.
//!
//! A record in the database may point to a document only after [`Artifacts::put`] answered: by then the bytes
//! survive a power cut. New documents go where the configuration says, old ones are read where their
//! [`Place`] says, so a switch from local storage to S3 strands nothing. Documents of [`Place::Database`]
//! are written in the commit of their record and never come here.

mod check;
mod layout;
mod local;
mod s3;
mod syncer;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use ulid::Ulid;

use faxgate_base::clock::{Clock, before};
use faxgate_base::size::KIB;
use faxgate_config::storage::StorageConfig;
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_telemetry::metrics::ARTIFACT_SECONDS;

pub use layout::Kind;

/// Documents up to this size are written in the commit of their record when documents are kept locally: below it, one more
/// file and its share of a sync cost more than the longer commit.
pub const INLINE_LIMIT: u64 = 128 * KIB;

/// The bytes of a document as they are read.
pub type DocumentStream = BoxStream<'static, io::Result<Bytes>>;

/// Where documents are kept. Clones share everything.
#[derive(Clone)]
pub struct Artifacts {
    local: Arc<local::LocalStore>,
    s3: Option<Arc<s3::S3Store>>,
    clock: Clock,
}

/// What to keep.
#[derive(Debug)]
pub enum Content {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A file of ours, for example an upload in the spool folder. It is gone afterwards: moved or removed.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its SHA-256 if the writer already knows it; saves reading it once more.
        sha256: Option<[u8; 32]>,
    },
}

/// Why a document could not be kept, read or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Nothing is there.
    #[error("the document is not where it was kept")]
    NotFound,
    /// No space is left.
    #[error("the disk that keeps documents is full: free some space below the data folder")]
    Full,
    /// What is there is not what was put there.
    #[error("the kept document is damaged: {0}")]
    Damaged(&'static str),
    /// The file system refused.
    #[error("could not {doing} below the artifact folder: {source}")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The object storage refused or could not be reached.
    #[error("the object storage did not {doing}: {reason}")]
    Remote {
        /// What was tried, as a verb.
        doing: &'static str,
        /// What it said.
        reason: String,
    },
    /// A setting is missing.
    #[error("{0}")]
    Settings(&'static str),
    /// The document is in the database; asked of the wrong keeper.
    #[error("the document is kept in the database, not in files")]
    InDatabase,
}

impl Artifacts {
    /// Opens the folder `dir` (made 0700 when absent) and, when configured, the bucket. The bucket is not
    /// contacted: a missing S3 shows in [`Artifacts::check`] and must not keep the service from starting.
    ///
    /// # Errors
    /// When the folder can't be made or the S3 credentials are missing.
    // Opening is asynchronous for its callers' sake: a backend that has to be contacted may come.
    #[allow(clippy::unused_async, reason = "part of the agreed signature")]
    pub async fn open(storage: &StorageConfig, dir: &Path, clock: Clock) -> Result<Self, ArtifactError> {
        let s3 = match storage {
            StorageConfig::Local => None,
            StorageConfig::S3(config) => Some(Arc::new(s3::S3Store::new(config, s3::Patience::default())?)),
        };
        Ok(Self {
            local: Arc::new(local::LocalStore::open(dir)?),
            s3,
            clock,
        })
    }

    /// Documents up to this many bytes belong into the database commit; 0 when a bucket keeps documents.
    #[must_use]
    pub fn inline_limit(&self) -> u64 {
        if self.s3.is_some() { 0 } else { INLINE_LIMIT }
    }

    /// Keeps a document. Durable when the answer is `Ok`; a second `put` of the same id replaces the first.
    ///
    /// # Errors
    /// [`ArtifactError::Full`], [`ArtifactError::Io`] or [`ArtifactError::Remote`]; nothing is visible then.
    pub async fn put(
        &self,
        kind: Kind,
        id: Ulid,
        content: impl Into<Content>,
    ) -> Result<Artifact, ArtifactError> {
        let content = content.into();
        let _timer = Timer::start("put");
        match &self.s3 {
            // The client's futures are ten times as large as ours: those that wait for other things shall not carry them.
            Some(s3) => Box::pin(s3.put(kind, id, content)).await,
            None => Arc::clone(&self.local).put(kind, id, content).await,
        }
    }

    /// Reads a document or the bytes `range` of it (cut to what there is).
    ///
    /// The stream ends with an error instead of the last piece when the bytes are not those that were put
    /// there: a whole document is checked by its SHA-256, a range by its length.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`] when nothing is there.
    pub async fn read(
        &self,
        artifact: &Artifact,
        range: Option<Range<u64>>,
    ) -> Result<DocumentStream, ArtifactError> {
        let whole = 0..artifact.bytes;
        let range = range.map_or(whole.clone(), |r| r.start.min(whole.end)..r.end.min(whole.end));
        let sha256 = (range == whole).then_some(artifact.sha256);
        let length = range.end.saturating_sub(range.start);
        let timer = Timer::start("open");
        let stream = match &artifact.place {
            Place::Database => return Err(ArtifactError::InDatabase),
            Place::Local(name) => self.local.read(name, artifact.bytes, range).await?,
            Place::S3(key) => Box::pin(self.bucket()?.read(key, artifact.bytes, range)).await?,
        };
        drop(timer);
        Ok(check::checked(stream, length, sha256))
    }

    /// Reads a whole document into memory.
    ///
    /// # Errors
    /// As [`Artifacts::read`], and [`ArtifactError::Io`] when the bytes stop or don't match.
    pub async fn read_all(&self, artifact: &Artifact) -> Result<Bytes, ArtifactError> {
        let capacity = usize::try_from(artifact.bytes).unwrap_or(0);
        let mut pieces: Vec<Bytes> =
            self.read(artifact, None)
                .await?
                .try_collect()
                .await
                .map_err(|error| match error.kind() {
                    // What `check::checked` answers for other bytes than those that were kept.
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                        ArtifactError::Damaged("its bytes are not those that were kept")
                    }
                    _ => ArtifactError::io("read a document")(error),
                })?;
        if pieces.len() == 1 {
            return Ok(pieces.pop().unwrap_or_default());
        }
        let mut all = BytesMut::with_capacity(capacity);
        pieces.iter().for_each(|piece| all.extend_from_slice(piece));
        Ok(all.freeze())
    }

    /// Destroys a document. Nothing there is as good.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn delete(&self, artifact: &Artifact) -> Result<(), ArtifactError> {
        let _timer = Timer::start("delete");
        self.delete_place(&artifact.place).await
    }

    /// Whether documents can be kept now: the folder is writable and has space, the bucket answers.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn check(&self) -> Result<(), ArtifactError> {
        Arc::clone(&self.local).check().await?;
        match &self.s3 {
            Some(s3) => Box::pin(s3.check()).await,
            None => Ok(()),
        }
    }

    /// Removes documents older than `older_than` that no record points to: left by a crash between keeping a
    /// document and committing its record. Answers how many.
    ///
    /// `known` says whether a record points to a place; it is asked off the async threads.
    ///
    /// # Errors
    /// When the folder or the bucket can't be listed.
    pub async fn collect_orphans<F>(&self, known: F, older_than: Duration) -> Result<u64, ArtifactError>
    where
        F: Fn(&Place) -> bool + Send + Sync + 'static,
    {
        let cutoff = before(self.clock.now(), older_than);
        let known = Arc::new(known);
        let mut removed = Arc::clone(&self.local)
            .collect_orphans(Arc::clone(&known), cutoff)
            .await?;
        if let Some(s3) = &self.s3 {
            removed += Box::pin(s3.collect_orphans(known, cutoff)).await?;
        }
        Ok(removed)
    }

    async fn delete_place(&self, place: &Place) -> Result<(), ArtifactError> {
        match place {
            Place::Database => Err(ArtifactError::InDatabase),
            Place::Local(name) => Arc::clone(&self.local).delete(name).await,
            Place::S3(key) => Box::pin(self.bucket()?.delete(key)).await,
        }
    }

    fn bucket(&self) -> Result<&s3::S3Store, ArtifactError> {
        self.s3.as_deref().ok_or(ArtifactError::Settings(
            "this document is kept in S3, but storage.backend is local: configure [storage.s3] again",
        ))
    }
}

/// The document that a place of ours was made for; none for a place that no document of ours can have.
#[must_use]
pub fn document_of(place: &Place) -> Option<(Kind, Ulid)> {
    match place {
        Place::Database => None,
        Place::Local(name) | Place::S3(name) => layout::parse(name),
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<PathBuf> for Content {
    fn from(path: PathBuf) -> Self {
        Self::File { path, sha256: None }
    }
}

impl ArtifactError {
    /// Names what was tried, and tells a full disk from other errors.
    fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { doing, source },
        }
    }
}

/// Notes how long an operation on a document takes, to its drop.
struct Timer {
    operation: &'static str,
    begun: Instant,
}

impl Timer {
    fn start(operation: &'static str) -> Self {
        Self {
            operation,
            begun: Instant::now(),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        metrics::histogram!(ARTIFACT_SECONDS, "operation" => self.operation).record(seconds);
    }
}

/// Runs file system work off the async threads.
async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static,
) -> Result<T, ArtifactError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => Err(ArtifactError::Io {
            doing,
            source: io::Error::other(failed),
        }),
    }
}

#[cfg(test)]
mod tests;
