//! A disk in memory that loses what was not synced in a power cut.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use redb::StorageBackend;

use crate::rng::TestRng;

/// The disk. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct PowerCutDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    content: Vec<u8>,
    synced: Vec<u8>,
    /// Writes since the last sync.
    since: Vec<Write>,
    /// The power is gone: whoever still uses it gets nothing done.
    dead: bool,
}

#[derive(Debug, Clone)]
enum Write {
    Data(usize, Vec<u8>),
    Len(usize),
}

impl PowerCutDisk {
    /// The disk as it is after a power cut now: what was synced, and any part of what was written since.
    pub fn cut(&self, rng: &mut TestRng) -> Self {
        let mut state = self.0.lock();
        state.dead = true;
        let mut content = state.synced.clone();
        for write in &state.since {
            if rng.below(2) == 0 || matches!(write, Write::Len(_)) {
                write.apply(&mut content);
            }
        }
        Self(Arc::new(Mutex::new(State {
            synced: content.clone(),
            content,
            ..State::default()
        })))
    }

    fn change(&self, write: Write) {
        let mut state = self.0.lock();
        write.apply(&mut state.content);
        state.since.push(write);
    }
}

impl Write {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Data(offset, data) => {
                let end = offset + data.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(data);
            }
            Self::Len(len) => content.resize(*len, 0),
        }
    }
}

impl StorageBackend for PowerCutDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock();
        let offset = usize::try_from(offset).expect("offset");
        let part = state
            .content
            .get(offset..offset + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Write::Len(usize::try_from(len).expect("length")));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let state = &mut *self.0.lock();
        if state.dead {
            return Err(io::Error::other("no power"));
        }
        for write in state.since.drain(..) {
            write.apply(&mut state.synced);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Write::Data(
            usize::try_from(offset).expect("offset"),
            data.to_vec(),
        ));
        Ok(())
    }
}
