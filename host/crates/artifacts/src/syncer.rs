//! One thread that makes files durable, many at a time.
//!
//! A file is durable when its bytes, its name and the folders on the way to it are. Everything that waits is
//! taken together: the bytes of each file, side by side so that the file system can put them into one journal
//! commit, then the renames, then each folder once. A name becomes visible only when its bytes are safe.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::oneshot;

/// At most this many files in one go, so that the first does not wait for too many others.
const BATCH: usize = 128;
/// Threads that sync the bytes of one batch.
const THREADS: usize = 4;
/// A deleted name may come back after a power cut for this long at most.
const LAZY: Duration = Duration::from_secs(2);

/// The way to the thread. It ends, with everything synced, when this is dropped.
pub(super) struct Syncer {
    work: Sender<Work>,
}

/// A file whose bytes are written but not yet safe.
pub(super) struct Written {
    /// Open, for syncing.
    pub(super) file: File,
    /// Its present name.
    pub(super) from: PathBuf,
    /// The name it gets.
    pub(super) to: PathBuf,
}

enum Work {
    Publish(Written, oneshot::Sender<io::Result<()>>),
    Deleted(PathBuf),
}

impl Syncer {
    /// Starts the thread. Folders are made below `root`, which exists.
    pub(super) fn start(root: PathBuf) -> io::Result<Self> {
        let (work, inbox) = channel();
        std::thread::Builder::new()
            .name("artifact-sync".to_owned())
            .spawn(move || run(&root, &inbox))?;
        Ok(Self { work })
    }

    /// Asks for a file to be made durable and visible. The answer comes when it is.
    pub(super) fn publish(&self, written: Written) -> oneshot::Receiver<io::Result<()>> {
        let (reply, answer) = oneshot::channel();
        // A thread that is gone drops the reply, and the waiting side sees that.
        let _ = self.work.send(Work::Publish(written, reply));
        answer
    }

    /// Notes that a name of `folder` is gone; synced with the next batch or soon.
    pub(super) fn deleted(&self, folder: PathBuf) {
        let _ = self.work.send(Work::Deleted(folder));
    }
}

fn run(root: &Path, inbox: &Receiver<Work>) {
    let mut dirty = BTreeSet::new();
    loop {
        let first = if dirty.is_empty() {
            inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            inbox.recv_timeout(LAZY)
        };
        let mut batch = Vec::new();
        match first {
            Ok(work) => take(work, &mut batch, &mut dirty),
            Err(RecvTimeoutError::Timeout) => {
                sync_folders(&mut dirty);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => {
                sync_folders(&mut dirty);
                return;
            }
        }
        while batch.len() < BATCH
            && let Ok(work) = inbox.try_recv()
        {
            take(work, &mut batch, &mut dirty);
        }
        if !batch.is_empty() {
            publish_all(root, batch, &mut dirty);
        }
    }
}

type Waiting = (Written, oneshot::Sender<io::Result<()>>);

fn take(work: Work, batch: &mut Vec<Waiting>, dirty: &mut BTreeSet<PathBuf>) {
    match work {
        Work::Publish(written, reply) => batch.push((written, reply)),
        Work::Deleted(folder) => {
            dirty.insert(folder);
        }
    }
}

fn publish_all(root: &Path, batch: Vec<Waiting>, dirty: &mut BTreeSet<PathBuf>) {
    let synced = sync_files(&batch);
    let mut named = Vec::with_capacity(batch.len());
    for ((written, reply), synced) in batch.into_iter().zip(synced) {
        match synced.and_then(|()| rename(root, &written, dirty)) {
            Ok(folder) => named.push((folder, reply)),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }
    let failed = sync_folders(dirty);
    for (folder, reply) in named {
        // A folder that could not be synced fails those in it, and those in it alone.
        let outcome = match failed.iter().find(|(path, _)| folder.starts_with(path)) {
            Some((_, error)) => Err(io::Error::new(error.kind(), error.to_string())),
            None => Ok(()),
        };
        let _ = reply.send(outcome);
    }
}

/// Syncs the bytes of every file; answers in the same order.
fn sync_files(batch: &[Waiting]) -> Vec<io::Result<()>> {
    let sync = |part: &[Waiting]| -> Vec<io::Result<()>> {
        part.iter().map(|(written, _)| written.file.sync_data()).collect()
    };
    if batch.len() < THREADS {
        return sync(batch);
    }
    let share = batch.len().div_ceil(THREADS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = batch
            .chunks(share)
            .map(|part| (part.len(), scope.spawn(move || sync(part))))
            .collect();
        threads
            .into_iter()
            .flat_map(|(files, thread)| {
                thread
                    .join()
                    .unwrap_or_else(|_| (0..files).map(|_| Err(io::Error::other("sync failed"))).collect())
            })
            .collect()
    })
}

/// Gives a file its name. Answers its folder; that and every folder made on the way is to be synced.
fn rename(root: &Path, written: &Written, dirty: &mut BTreeSet<PathBuf>) -> io::Result<PathBuf> {
    let folder = written.to.parent().unwrap_or(root);
    if let Err(error) = fs::rename(&written.from, &written.to) {
        if error.kind() != io::ErrorKind::NotFound || folder.is_dir() {
            return Err(error);
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Which of the folders on the way are new is not known any more: sync them all, it is rare.
        let above = folder
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(root));
        dirty.extend(above.map(Path::to_path_buf));
        fs::rename(&written.from, &written.to)?;
    }
    dirty.insert(folder.to_path_buf());
    Ok(folder.to_path_buf())
}

/// Syncs folders; answers those that could not be. A folder that is gone needs none.
fn sync_folders(dirty: &mut BTreeSet<PathBuf>) -> Vec<(PathBuf, io::Error)> {
    let mut failed = Vec::new();
    for folder in std::mem::take(dirty) {
        match File::open(&folder).and_then(|folder| folder.sync_all()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failed.push((folder, error)),
        }
    }
    failed
}
