//! Storage for tests: it remembers every write and sync in order, and can run full or fail.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use redb::StorageBackend;

const BLOCK: u64 = 4096;

/// What was done to the disk.
#[derive(Debug, Clone)]
pub(super) enum Done {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// A disk in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    content: Arc<Mutex<Vec<u8>>>,
    log: Arc<Mutex<Vec<Done>>>,
    /// Blocks that were written, and how many more may be; none for no limit. As with a file with holes,
    /// writing again where something is takes no room.
    blocks: Arc<Mutex<(BTreeSet<u64>, Option<usize>)>>,
    pub(super) sync_fails: Arc<AtomicBool>,
    pub(super) refused: Arc<AtomicU64>,
}

impl Disk {
    /// A disk with this content.
    pub(super) fn with(content: Vec<u8>) -> Self {
        Self {
            content: Arc::new(Mutex::new(content)),
            ..Self::default()
        }
    }

    /// How much was done so far.
    pub(super) fn done(&self) -> usize {
        self.log.lock().len()
    }

    /// Everything that was done.
    pub(super) fn log(&self) -> Vec<Done> {
        self.log.lock().clone()
    }

    /// From now on only so many more blocks can be written.
    pub(super) fn limit(&self, blocks: Option<usize>) {
        self.blocks.lock().1 = blocks;
    }

    fn reserve(&self, offset: u64, len: usize) -> io::Result<()> {
        let (written, room) = &mut *self.blocks.lock();
        for block in offset / BLOCK..(offset + len as u64).div_ceil(BLOCK) {
            if written.contains(&block) {
                continue;
            }
            if let Some(room) = room {
                *room = room.checked_sub(1).ok_or_else(|| {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    io::Error::from(io::ErrorKind::StorageFull)
                })?;
            }
            written.insert(block);
        }
        Ok(())
    }
}

/// Does one thing to the content of a disk, the first `part` bytes of it if it is a write.
pub(super) fn apply(content: &mut Vec<u8>, done: &Done, part: usize) {
    match done {
        Done::Write(offset, data) => {
            let offset = usize::try_from(*offset).unwrap();
            let data = &data[..part.min(data.len())];
            if content.len() < offset + data.len() {
                content.resize(offset + data.len(), 0);
            }
            content[offset..offset + data.len()].copy_from_slice(data);
        }
        Done::SetLen(len) => content.resize(usize::try_from(*len).unwrap(), 0),
        Done::Sync => {}
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content.lock().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let content = self.content.lock();
        let offset = usize::try_from(offset).unwrap();
        let part = content
            .get(offset..offset + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let done = Done::SetLen(len);
        apply(&mut self.content.lock(), &done, usize::MAX);
        self.log.lock().push(done);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.sync_fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is broken"));
        }
        self.log.lock().push(Done::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.reserve(offset, data.len())?;
        let done = Done::Write(offset, data.to_vec());
        apply(&mut self.content.lock(), &done, usize::MAX);
        self.log.lock().push(done);
        Ok(())
    }
}
