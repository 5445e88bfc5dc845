//! The one writer: a thread that commits everything waiting at once.
//!
//! A command runs inside the write transaction and may be run again: when one of a group fails by its own
//! fault the transaction is given up and each command gets one of its own, so that neighbours don't suffer.
//! Answers leave after the commit, so an answer means that it is on the disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::Store;
use super::db::{Db, Room};
use super::error::StoreError;
use super::tables::Tables;

/// Commands that somebody waits for in one transaction at most: beyond this a commit takes noticeably longer than its
/// sync.
const GROUP_COMMANDS: usize = 256;
/// Document bytes in one transaction at most, about: keeps the wait of small commands short.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Commands that may wait; callers beyond that wait for a place.
const QUEUE: usize = 1024;
/// How long a group waits for commands of callers that were answered together a moment ago: without it they
/// would come back as a group of one and a group of all others.
const GATHER: Duration = Duration::from_micros(300);
/// How long commands that nobody waits for wait for more: each document that is read leaves a record, and to wake the
/// thread and to commit for every few of them would take as much of the processor as serving them does.
const GATHER_UNAWAITED: Duration = Duration::from_millis(25);

/// How a command uses the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// Finishes or records something that is already here: runs on a nearly full disk too.
    Settles,
    /// Adds something new with this many bytes of document: refused when the disk is nearly full.
    Adds(usize),
}

/// Handle of the thread.
pub(super) struct Writer {
    queue: Mutex<Option<Sender<Message>>>,
    later: Arc<Later>,
    places: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
    state: Arc<State>,
}

/// What the thread is told.
enum Message {
    /// Do this.
    Run(Box<dyn Command>),
    /// Something lies in [`Later`].
    Later,
}

/// Commands that nobody waits for. The thread is told of the first, and finds those that came since then with it. None
/// when it has ended.
struct Later(Mutex<Option<Vec<Box<dyn Command>>>>);

impl Default for Later {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl Later {
    /// Adds a command. Whether it is the first.
    fn push(&self, command: Box<dyn Command>) -> Result<bool, StoreError> {
        let mut waiting = self.0.lock();
        let waiting = waiting.as_mut().ok_or(StoreError::Closed)?;
        waiting.push(command);
        Ok(waiting.len() == 1)
    }

    fn take(&self) -> Vec<Box<dyn Command>> {
        self.0.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn close(&self) -> Vec<Box<dyn Command>> {
        self.0.lock().take().unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    // Goes up when a transaction begins and again when it has ended, committed or not: odd in between.
    version: AtomicU64,
    ended: AtomicBool,
    // The last commit failed by a fault of the storage.
    failing: AtomicBool,
}

/// A state of the database between two transactions, of those since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version(u64);

impl Version {
    /// Never 0.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// A transaction under way.
struct Changing<'a>(&'a AtomicU64);

impl<'a> Changing<'a> {
    fn begin(version: &'a AtomicU64) -> Self {
        version.fetch_add(1, Ordering::SeqCst);
        Self(version)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Something to do inside a write transaction.
trait Command: Send {
    /// Does it. `Err` gives the transaction up; an answer that is an error but wrote nothing is `Ok` here.
    fn run(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError>;
    /// What it needs of the disk.
    fn growth(&self) -> Growth;
    /// Answers the caller, after the commit or its failure.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Pending<F, T> {
    action: F,
    growth: Growth,
    result: Option<Result<T, StoreError>>,
    reply: Option<oneshot::Sender<Result<T, StoreError>>>,
    _place: Option<OwnedSemaphorePermit>,
}

struct Worker {
    db: Arc<Db>,
    queue: Receiver<Message>,
    later: Arc<Later>,
    state: Arc<State>,
    last_group: usize,
}

impl Store {
    /// Runs `action` in a write transaction, with others; the answer comes after the durable commit. The
    /// action may be run more than once, each time on the tables as they were.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        growth: Growth,
        action: impl FnMut(&mut Tables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let writer = &self.shared.writer;
        let place = Arc::clone(&writer.places)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        writer.send(Message::Run(Box::new(Pending {
            action,
            growth,
            result: None,
            reply: Some(reply),
            _place: Some(place),
        })))?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`Store::write`], but nobody waits for it. It comes before what the same caller writes after it.
    pub(super) fn write_later(
        &self,
        action: impl FnMut(&mut Tables<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let writer = &self.shared.writer;
        let is_first = writer.later.push(Box::new(Pending {
            action,
            growth: Growth::Settles,
            result: None,
            reply: None,
            _place: None,
        }))?;
        if is_first {
            writer.send(Message::Later)?;
        }
        Ok(())
    }
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(db: Arc<Db>) -> Result<Self, StoreError> {
        let (sender, queue) = channel();
        let state = Arc::new(State::default());
        let later = Arc::new(Later::default());
        let worker = Worker {
            db,
            queue,
            later: Arc::clone(&later),
            state: Arc::clone(&state),
            last_group: 0,
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || worker.work())?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            later,
            places: Arc::new(Semaphore::new(QUEUE)),
            thread: Mutex::new(Some(thread)),
            state,
        })
    }

    /// Ends the thread after what is queued.
    pub(super) fn close(&self) {
        drop(self.queue.lock().take());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the database writer ended by a panic");
        }
    }

    /// Whether the thread lives and its last commit did not fail by the storage.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.state.ended.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        if self.state.failing.load(Ordering::Acquire) {
            return Err(StoreError::Failed);
        }
        Ok(())
    }

    /// The state of the database; none while a transaction is under way. What is read between two calls with the same
    /// answer is of that state.
    pub(super) fn version(&self) -> Option<Version> {
        let version = self.state.version.load(Ordering::SeqCst);
        version.is_multiple_of(2).then_some(Version(version + 2))
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        let queue = self.queue.lock();
        let sender = queue.as_ref().ok_or(StoreError::Closed)?;
        sender.send(message).map_err(|_| StoreError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl<F, T> Command for Pending<F, T>
where
    F: FnMut(&mut Tables<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        let result = (self.action)(tables);
        match result {
            Err(error) if !error.is_answer() => return Err(error),
            Err(_) => tables.unchanged(),
            Ok(_) => {}
        }
        self.result = Some(result);
        Ok(())
    }

    fn growth(&self) -> Growth {
        self.growth
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let answer = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Panicked),
            (Err(error), _) => Err(error),
        };
        match (self.reply, answer) {
            // The caller may have gone away; what was asked is done all the same.
            (Some(reply), answer) => drop(reply.send(answer)),
            (None, Err(error)) => tracing::error!(%error, "a record could not be kept"),
            (None, Ok(_)) => {}
        }
    }
}

impl Worker {
    fn work(mut self) {
        while let Ok(first) = self.queue.recv() {
            let group = self.gather(first);
            self.settle(group);
        }
        self.settle(self.later.close());
    }

    /// Everything that waits, within the bounds of a group.
    fn gather(&mut self, first: Message) -> Vec<Box<dyn Command>> {
        let began = Instant::now();
        let mut bytes = 0_usize;
        let mut awaited = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            if let Message::Run(command) = message {
                bytes = bytes.saturating_add(command.growth().bytes());
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
        let mut group = self.later.take();
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
        let bytes: usize = group.iter().map(|command| command.growth().bytes()).sum();
        let room = self.db.room(bytes as u64);
        if room == Room::Enough {
            return group;
        }
        let (refused, rest): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|command| room == Room::None || matches!(command.growth(), Growth::Adds(_)));
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
        self.later.close();
        self.state.ended.store(true, Ordering::Release);
    }
}

impl Growth {
    const fn bytes(self) -> usize {
        match self {
            Self::Settles => 0,
            Self::Adds(bytes) => bytes,
        }
    }
}
