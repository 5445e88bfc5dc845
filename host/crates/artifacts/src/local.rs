//! Documents in files of the data folder.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;
use ulid::Ulid;

use super::layout::{self, Kind};
use super::syncer::{Syncer, Written};
use super::{ArtifactError, Content, DocumentStream, blocking};
use faxgate_base::size::{KIB, MIB};
use faxgate_domain::artifact::{Artifact, Place};

/// Folder of files that have no name yet; on the same file system as the names.
const INCOMING: &str = "incoming";
/// Documents up to this size are read in one go.
const ONE_READ: u64 = 256 * KIB;
/// Piece size of longer ones.
const PIECE: usize = 128 * 1024;
/// With less space than this left, the disk counts as full before it is.
const SPARE: u64 = 32 * MIB;

pub(super) struct LocalStore {
    root: PathBuf,
    syncer: Syncer,
    /// Makes the names of incoming files differ.
    serial: AtomicU64,
}

/// A file with its bytes written, about to become durable.
struct Staged {
    written: Written,
    bytes: u64,
    sha256: [u8; 32],
    /// The file that was copied since it could not be moved.
    copied_from: Option<PathBuf>,
}

impl LocalStore {
    pub(super) fn open(dir: &Path) -> Result<Self, ArtifactError> {
        let error = ArtifactError::io("make the folders");
        for folder in [dir.to_path_buf(), dir.join(INCOMING)] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(&error)?;
            fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(&error)?;
        }
        let root = dir.canonicalize().map_err(&error)?;
        if let Some(above) = root.parent() {
            File::open(above)
                .and_then(|above| above.sync_all())
                .map_err(&error)?;
        }
        Ok(Self {
            syncer: Syncer::start(root.clone()).map_err(&error)?,
            root,
            serial: AtomicU64::new(0),
        })
    }

    pub(super) async fn put(
        self: Arc<Self>,
        kind: Kind,
        id: Ulid,
        content: Content,
    ) -> Result<Artifact, ArtifactError> {
        let name = layout::name(kind, id);
        let to = self.root.join(&name);
        let staged = blocking("keep a document", {
            let store = Arc::clone(&self);
            move || {
                store
                    .stage(content, to)
                    .map_err(ArtifactError::io("keep a document"))
            }
        })
        .await?;
        let Staged {
            written,
            bytes,
            sha256,
            copied_from,
        } = staged;
        let synced = self
            .syncer
            .publish(written)
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the sync thread is gone")));
        synced.map_err(ArtifactError::io("make a document durable"))?;
        if let Some(path) = copied_from {
            // What stays behind here is emptied with the spool folder at the next start.
            let _ = tokio::fs::remove_file(path).await;
        }
        Ok(Artifact {
            place: Place::Local(name),
            bytes,
            sha256,
        })
    }

    /// Writes content into a file on the right file system.
    fn stage(&self, content: Content, to: PathBuf) -> io::Result<Staged> {
        match content {
            Content::Bytes(bytes) => {
                let sha256 = Sha256::digest(&bytes).into();
                let (file, from) = self.incoming(|file| file.write_all(&bytes))?;
                Ok(Staged {
                    written: Written { file, from, to },
                    bytes: bytes.len() as u64,
                    sha256,
                    copied_from: None,
                })
            }
            Content::File { path, sha256 } => self.stage_file(path, sha256, to),
        }
    }

    fn stage_file(&self, path: PathBuf, sha256: Option<[u8; 32]>, to: PathBuf) -> io::Result<Staged> {
        let mut source = File::open(&path)?;
        let meta = source.metadata()?;
        let sha256 = match sha256 {
            Some(known) => known,
            None => hash_file(&mut source)?,
        };
        let movable = meta.dev() == fs::metadata(&self.root)?.dev();
        let (written, copied_from) = if movable {
            source.set_permissions(Permissions::from_mode(0o600))?;
            let written = Written {
                file: source,
                from: path,
                to,
            };
            (written, None)
        } else {
            source.seek(SeekFrom::Start(0))?;
            let (file, from) = self.incoming(|file| io::copy(&mut source, file).map(|_| ()))?;
            (Written { file, from, to }, Some(path))
        };
        Ok(Staged {
            written,
            bytes: meta.len(),
            sha256,
            copied_from,
        })
    }

    /// A new file of the incoming folder, written by `write`; removed again when that fails.
    fn incoming(&self, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<(File, PathBuf)> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let path = self
            .root
            .join(INCOMING)
            .join(format!("{}-{serial}.part", std::process::id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        match write(&mut file) {
            Ok(()) => Ok((file, path)),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    }

    pub(super) async fn read(
        &self,
        name: &str,
        bytes: u64,
        range: Range<u64>,
    ) -> Result<DocumentStream, ArtifactError> {
        let path = self.path(name)?;
        let length = range.end.saturating_sub(range.start);
        let (file, head) = blocking("read a document", move || {
            let error = ArtifactError::io("read a document");
            let mut file = File::open(path).map_err(&error)?;
            if file.metadata().map_err(&error)?.len() != bytes {
                return Err(ArtifactError::Damaged("its size is not what was kept"));
            }
            file.seek(SeekFrom::Start(range.start)).map_err(&error)?;
            if length > ONE_READ {
                return Ok((Some(file), Bytes::new()));
            }
            let mut head = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            file.take(length).read_to_end(&mut head).map_err(&error)?;
            Ok((None, Bytes::from(head)))
        })
        .await?;
        Ok(match file {
            None => stream::iter([Ok(head)]).boxed(),
            Some(file) => {
                ReaderStream::with_capacity(tokio::fs::File::from_std(file).take(length), PIECE).boxed()
            }
        })
    }

    pub(super) async fn delete(self: Arc<Self>, name: &str) -> Result<(), ArtifactError> {
        let path = self.path(name)?;
        blocking("delete a document", move || {
            self.remove(&path).map_err(ArtifactError::io("delete a document"))
        })
        .await
    }

    pub(super) async fn check(self: Arc<Self>) -> Result<(), ArtifactError> {
        blocking("write", move || {
            let error = ArtifactError::io("write");
            let space = rustix::fs::statvfs(&self.root)
                .map_err(io::Error::from)
                .map_err(&error)?;
            if space.f_bavail.saturating_mul(space.f_frsize) < SPARE {
                return Err(ArtifactError::Full);
            }
            let (_, path) = self.incoming(|file| file.write_all(b"check")).map_err(&error)?;
            fs::remove_file(path).map_err(&error)
        })
        .await
    }

    /// Removes old files that `known` does not know, left incoming files, and empty folders of past times.
    pub(super) async fn collect_orphans<F>(
        self: Arc<Self>,
        known: Arc<F>,
        cutoff: Timestamp,
    ) -> Result<u64, ArtifactError>
    where
        F: Fn(&Place) -> bool + Send + Sync + 'static,
    {
        blocking("look for orphans", move || {
            let mut sweep = Sweep {
                store: &self,
                known: &*known,
                cutoff,
                removed: 0,
            };
            sweep
                .folder(&self.root, 0)
                .map_err(ArtifactError::io("look for orphans"))?;
            Ok(sweep.removed)
        })
        .await
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Ok(()) => {
                if let Some(folder) = path.parent() {
                    self.syncer.deleted(folder.to_path_buf());
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, ArtifactError> {
        if layout::is_inside(name) {
            Ok(self.root.join(name))
        } else {
            Err(ArtifactError::Damaged(
                "its name leads out of the artifact folder",
            ))
        }
    }
}

/// One pass over the artifact folder.
struct Sweep<'a, F> {
    store: &'a LocalStore,
    known: &'a F,
    cutoff: Timestamp,
    removed: u64,
}

impl<F: Fn(&Place) -> bool> Sweep<'_, F> {
    fn folder(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            // What was deleted or moved since it was listed is no error.
            let Ok(meta) = fs::symlink_metadata(&path) else {
                continue;
            };
            let old = Timestamp::try_from(meta.modified()?).is_ok_and(|at| at < self.cutoff);
            if meta.is_dir() {
                self.folder(&path, depth + 1)?;
                // Spans of identifiers long past get no new files: an empty folder may go. One that is not
                // empty stays, the system sees to that.
                if old && depth > 0 {
                    let _ = fs::remove_dir(&path);
                }
            } else if old && self.is_orphan(&path) {
                self.store.remove(&path)?;
                self.removed += 1;
            }
        }
        Ok(())
    }

    fn is_orphan(&self, path: &Path) -> bool {
        let Some(name) = path.strip_prefix(&self.store.root).ok().and_then(Path::to_str) else {
            return false;
        };
        if name.starts_with(INCOMING) {
            return true;
        }
        // Files that are none of ours are left alone.
        let place = Place::Local(name.to_owned());
        layout::parse(name).is_some() && !(self.known)(&place)
    }
}

pub(super) fn hash_file(file: &mut File) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        let Some(part) = piece.get(..read).filter(|part| !part.is_empty()) else {
            return Ok(hash.finalize().into());
        };
        hash.update(part);
    }
}
