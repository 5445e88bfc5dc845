//! Tracks what happens on a connection, so that one that is idle, stalled or abused can be closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::socket::UnreadInput;
use crate::timeouts::{MAX_ABANDONED, Timeouts};

/// The activity of one connection. Shared by the connection and its requests.
#[derive(Debug)]
pub(crate) struct IdleTracker {
    created: Instant,
    in_flight: AtomicUsize,
    /// Milliseconds after `created` at which bytes last moved or a request began or ended.
    last_progress: AtomicU64,
    unread: UnreadInput,
    /// Requests that the client abandoned, less those that ended well.
    abandoned: AtomicUsize,
    too_many_abandoned: Notify,
}

/// A request in flight; ends when its response body does.
#[derive(Debug)]
pub(crate) struct InFlight {
    tracker: Arc<IdleTracker>,
    completed: bool,
}

/// Why a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inactivity {
    /// There was no request for long: ask the connection to close.
    Idle,
    /// A request is in flight but nothing moved for very long: cut the connection.
    Stalled,
}

impl IdleTracker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            created: Instant::now(),
            in_flight: AtomicUsize::new(0),
            last_progress: AtomicU64::new(0),
            unread: UnreadInput::default(),
            abandoned: AtomicUsize::new(0),
            too_many_abandoned: Notify::new(),
        })
    }

    /// Set when a request's body was not read to its end.
    pub(crate) fn unread_input(&self) -> &UnreadInput {
        &self.unread
    }

    /// A request begins.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.progress();
        InFlight {
            tracker: Arc::clone(self),
            completed: false,
        }
    }

    /// Whether no request is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) == 0
    }

    /// Waits until the client has abandoned too many of its requests: each costs the server more than the client
    /// (rapid reset, CVE-2023-44487).
    pub(crate) async fn too_many_abandoned(&self) {
        self.too_many_abandoned.notified().await;
    }

    /// Counts the end of a request. One that completed makes up for one that was abandoned.
    fn ended(&self, completed: bool) {
        let count = |abandoned: usize| {
            Some(if completed {
                abandoned.saturating_sub(1)
            } else {
                abandoned + 1
            })
        };
        let before = self
            .abandoned
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        if !completed && before.is_ok_and(|before| before >= MAX_ABANDONED) {
            self.too_many_abandoned.notify_one();
        }
    }

    /// Bytes moved.
    pub(crate) fn progress(&self) {
        let millis = u64::try_from(self.created.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_progress.store(millis, Ordering::Relaxed);
    }

    /// Waits until the connection was inactive for too long.
    pub(crate) async fn inactivity(&self, timeouts: &Timeouts) -> Inactivity {
        loop {
            let (limit, inactivity) = match self.in_flight.load(Ordering::Relaxed) {
                0 => (timeouts.idle, Inactivity::Idle),
                _ => (timeouts.stalled, Inactivity::Stalled),
            };
            let last = Duration::from_millis(self.last_progress.load(Ordering::Relaxed));
            let inactive = self.created.elapsed().saturating_sub(last);
            match limit.checked_sub(inactive) {
                Some(left) if !left.is_zero() => {
                    // A request may begin or end meanwhile, which changes the limit.
                    tokio::time::sleep(left.min(timeouts.idle).max(Duration::from_millis(1))).await;
                }
                _ => return inactivity,
            }
        }
    }
}

impl InFlight {
    /// Bytes of this request moved.
    pub(crate) fn progress(&self) {
        self.tracker.progress();
    }

    /// The tracker of its connection.
    pub(crate) fn tracker(&self) -> Arc<IdleTracker> {
        Arc::clone(&self.tracker)
    }

    /// Its response was given whole.
    pub(crate) fn complete(&mut self) {
        self.completed = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.tracker.progress();
        self.tracker.ended(self.completed);
        self.tracker.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
