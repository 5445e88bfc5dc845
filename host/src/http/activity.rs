//! Whether anything happens on a connection, so that one on which nothing does can be let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::socket::Unread;
use super::timeouts::Timeouts;

/// What one connection is doing. Shared by the connection and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    since: Instant,
    in_flight: AtomicUsize,
    /// Milliseconds after `since` at which something last moved.
    moved: AtomicU64,
    unread: Unread,
}

/// A request being answered; ends when its response body does.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

/// What the watch over a connection found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// No request for long: ask the connection to close.
    Idle,
    /// A request is under way but nothing has moved for very long: cut it.
    Stuck,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            since: Instant::now(),
            in_flight: AtomicUsize::new(0),
            moved: AtomicU64::new(0),
            unread: Unread::default(),
        })
    }

    /// Set when a request's body was left unread.
    pub(super) fn unread(&self) -> &Unread {
        &self.unread
    }

    /// A request begins.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.touch();
        InFlight(Arc::clone(self))
    }

    /// Something moved.
    pub(super) fn touch(&self) {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(millis, Ordering::Relaxed);
    }

    /// Waits until nothing has happened for too long.
    pub(super) async fn quiet(&self, timeouts: &Timeouts) -> Quiet {
        loop {
            let (limit, verdict) = match self.in_flight.load(Ordering::Relaxed) {
                0 => (timeouts.idle, Quiet::Idle),
                _ => (timeouts.stuck, Quiet::Stuck),
            };
            let moved = Duration::from_millis(self.moved.load(Ordering::Relaxed));
            let quiet = self.since.elapsed().saturating_sub(moved);
            match limit.checked_sub(quiet) {
                Some(left) if !left.is_zero() => {
                    // A request may begin or end meanwhile, which changes the limit.
                    tokio::time::sleep(left.min(timeouts.idle).max(Duration::from_millis(1))).await;
                }
                _ => return verdict,
            }
        }
    }
}

impl InFlight {
    /// Something of this request moved.
    pub(super) fn touch(&self) {
        self.0.touch();
    }

    /// The connection it is on.
    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.0)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.touch();
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
