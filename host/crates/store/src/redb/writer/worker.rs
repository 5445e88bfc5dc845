//! The writer thread: gathers what waits into a group, runs it in one transaction and commits it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::version::Changing;
use super::{Command, DeferredWrites, DiskBudget, Message, State};
use crate::error::StoreError;
use crate::redb::database::{Db, FreeSpace};
use crate::redb::tables::Tables;

/// Commands with a waiting caller in one transaction at most: beyond this a commit takes noticeably longer than its
/// sync.
const GROUP_COMMANDS: usize = 256;
/// Document bytes in one transaction at most, about: keeps the wait of small commands short.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// How long a group waits for commands of callers that were answered together a moment ago: without it they
/// would come back as a group of one and a group of all others.
const GATHER: Duration = Duration::from_micros(300);
/// How long deferred commands wait for more: each document that is read leaves a record, and to wake the
/// thread and to commit for every few of them would take as much of the processor as serving them does.
const GATHER_UNAWAITED: Duration = Duration::from_millis(25);

/// The thread's own data.
pub(super) struct Worker {
    pub(super) db: Arc<Db>,
    pub(super) queue: Receiver<Message>,
    pub(super) deferred: Arc<DeferredWrites>,
    pub(super) state: Arc<State>,
    pub(super) last_group: usize,
}

impl Worker {
    /// Works until the queue is closed, then finishes what is left.
    pub(super) fn work(mut self) {
        while let Ok(first) = self.queue.recv() {
            let group = self.gather(first);
            self.settle(group);
        }
        self.settle(self.deferred.close());
    }

    /// Everything that waits, within the bounds of a group.
    fn gather(&mut self, first: Message) -> Vec<Box<dyn Command>> {
        let began = Instant::now();
        let mut bytes = 0_usize;
        let mut awaited = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            if let Message::Run(command) = message {
                bytes = bytes.saturating_add(command.budget().bytes());
                awaited.push(command);
            }
            if awaited.len() >= GROUP_COMMANDS || bytes >= GROUP_BYTES {
                break;
            }
            next = self.queue.try_recv().ok().or_else(|| {
                let most = match awaited.len() {
                    0 => GATHER_UNAWAITED,
                    enough if enough >= self.last_group / 2 => return None,
                    _ => GATHER,
                };
                self.queue.recv_timeout(most.saturating_sub(began.elapsed())).ok()
            });
        }
        self.last_group = awaited.len();
        // What lies there may have come before the others, from the same caller.
        let mut group = self.deferred.take();
        group.append(&mut awaited);
        group
    }

    fn settle(&self, group: Vec<Box<dyn Command>>) {
        let mut group = self.refuse_growth(group);
        let result = self.attempt(&mut group);
        match result {
            Err(error) if error.is_of_command() && group.len() > 1 => {
                tracing::warn!(%error, "a database command failed: running its group one by one");
                for mut command in group {
                    let result = self.attempt(std::slice::from_mut(&mut command));
                    command.answer(result);
                }
            }
            result => {
                for command in group {
                    command.answer(result.clone());
                }
            }
        }
    }

    /// Answers [`StoreError::Full`] to what would grow a nearly full database: the rest of the space is for
    /// finishing what was accepted.
    fn refuse_growth(&self, group: Vec<Box<dyn Command>>) -> Vec<Box<dyn Command>> {
        let bytes: usize = group.iter().map(|command| command.budget().bytes()).sum();
        let space = self.db.free_space(bytes as u64);
        if space == FreeSpace::Enough {
            return group;
        }
        let (refused, rest): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|command| space == FreeSpace::None || matches!(command.budget(), DiskBudget::Grow(_)));
        for command in refused {
            command.answer(Err(StoreError::Full));
        }
        rest
    }

    /// Runs the commands in one transaction and commits it. A storage that failed is started again, here or
    /// before the next attempt.
    fn attempt(&self, group: &mut [Box<dyn Command>]) -> Result<(), StoreError> {
        if group.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let size = group.len();
        // Until the storage was started again, too, where that is needed.
        let _changing = Changing::begin(&self.state.version);
        let result =
            catch_unwind(AssertUnwindSafe(|| self.commit(group))).unwrap_or(Err(StoreError::Panicked));
        metrics::histogram!("faxgate_store_commit_seconds").record(started.elapsed().as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "groups are small")]
        metrics::histogram!("faxgate_store_commit_writes").record(size as f64);
        match &result {
            Ok(()) => self.state.failing.store(false, Ordering::Release),
            Err(error) if error.is_of_command() => {}
            Err(error) => {
                tracing::error!(%error, commands = size, "a database commit failed");
                let restarted = self.db.restart();
                let healthy = restarted.is_ok() && self.db.is_sound();
                self.state.failing.store(!healthy, Ordering::Release);
                if let Err(error) = restarted {
                    tracing::error!(%error, "the database could not be started again");
                }
            }
        }
        result
    }

    fn commit(&self, group: &mut [Box<dyn Command>]) -> Result<(), StoreError> {
        if !self.db.is_sound() {
            return Err(StoreError::Failed);
        }
        let transaction = self.db.write()?;
        let mut tables = Tables::open(&transaction)?;
        for command in group.iter_mut() {
            command.run(&mut tables)?;
        }
        if tables.unchanged_count() == group.len() {
            drop(tables);
            transaction.abort()?;
        } else {
            tables.finish()?;
            transaction
                .commit()
                .map_err(|error| StoreError::from(error).of_commit())?;
        }
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // However it ended: what comes now is refused, not forgotten.
        self.deferred.close();
        self.state.ended.store(true, Ordering::Release);
    }
}
