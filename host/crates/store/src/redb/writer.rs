//! The one writer: a thread that commits everything waiting at once.
//!
//! A command runs inside the write transaction and may be run again: when one of a group fails by its own
//! fault the transaction is given up and each command gets one of its own, so that the others are not affected.
//! Answers leave after the commit, so an answer means that it is on the disk.

pub(crate) mod version;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::version::Version;
use self::worker::Worker;
use crate::Store;
use crate::error::StoreError;
use crate::redb::database::Db;
use crate::redb::tables::Tables;

/// Commands that may wait; callers beyond that wait for a place.
const QUEUE: usize = 1024;

/// How a command uses the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskBudget {
    /// Finishes or records something that is already here: runs on a nearly full disk too.
    Finish,
    /// Adds something new with this many bytes of document: refused when the disk is nearly full.
    Grow(usize),
}

/// Handle of the thread.
pub(crate) struct Writer {
    queue: Mutex<Option<Sender<Message>>>,
    deferred: Arc<DeferredWrites>,
    places: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
    state: Arc<State>,
}

/// A message to the thread.
enum Message {
    /// Do this.
    Run(Box<dyn Command>),
    /// Something lies in [`DeferredWrites`].
    Deferred,
}

/// Commands without a waiting caller. The thread is notified of the first, and finds those that came since then with it. None
/// when it has ended.
struct DeferredWrites(Mutex<Option<Vec<Box<dyn Command>>>>);

impl Default for DeferredWrites {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl DeferredWrites {
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

/// Something to do inside a write transaction.
trait Command: Send {
    /// Does it. `Err` gives the transaction up; an answer that is an error but wrote nothing is `Ok` here.
    fn run(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError>;
    /// What it needs of the disk.
    fn budget(&self) -> DiskBudget;
    /// Answers the caller, after the commit or its failure.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Pending<F, T> {
    action: F,
    budget: DiskBudget,
    result: Option<Result<T, StoreError>>,
    reply: Option<oneshot::Sender<Result<T, StoreError>>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Store {
    /// Runs `action` in a write transaction, with others; the answer comes after the durable commit. The
    /// action may be run more than once, each time on the tables as they were.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        budget: DiskBudget,
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
            budget,
            result: None,
            reply: Some(reply),
            _place: Some(place),
        })))?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`Store::write`], but does not wait for the commit. It comes before what the same caller writes after it.
    pub(crate) fn write_deferred(
        &self,
        action: impl FnMut(&mut Tables<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let writer = &self.shared.writer;
        let is_first = writer.deferred.push(Box::new(Pending {
            action,
            budget: DiskBudget::Finish,
            result: None,
            reply: None,
            _place: None,
        }))?;
        if is_first {
            writer.send(Message::Deferred)?;
        }
        Ok(())
    }
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(db: Arc<Db>) -> Result<Self, StoreError> {
        let (sender, queue) = channel();
        let state = Arc::new(State::default());
        let deferred = Arc::new(DeferredWrites::default());
        let worker = Worker {
            db,
            queue,
            deferred: Arc::clone(&deferred),
            state: Arc::clone(&state),
            last_group: 0,
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || worker.work())?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            deferred,
            places: Arc::new(Semaphore::new(QUEUE)),
            thread: Mutex::new(Some(thread)),
            state,
        })
    }

    /// Ends the thread after what is queued.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().take());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the database writer ended by a panic");
        }
    }

    /// Whether the thread lives and its last commit did not fail by the storage.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
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
    pub(crate) fn version(&self) -> Option<Version> {
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

    fn budget(&self) -> DiskBudget {
        self.budget
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

impl DiskBudget {
    const fn bytes(self) -> usize {
        match self {
            Self::Finish => 0,
            Self::Grow(bytes) => bytes,
        }
    }
}
