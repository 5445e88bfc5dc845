//! Whether anything happens on a connection, so that one on which nothing does can be let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::socket::Unread;
use super::timeouts::{MAX_GIVEN_UP, Timeouts};

/// What one connection is doing. Shared by the connection and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    since: Instant,
    in_flight: AtomicUsize,
    /// Milliseconds after `since` at which something last moved.
    moved: AtomicU64,
    unread: Unread,
    /// Requests that the client gave up, less those that ended well.
    given_up: AtomicUsize,
    abused: Notify,
}

/// A request being answered; ends when its response body does.
#[derive(Debug)]
pub(super) struct InFlight {
    activity: Arc<Activity>,
    ended: bool,
}

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
            given_up: AtomicUsize::new(0),
            abused: Notify::new(),
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
        InFlight {
            activity: Arc::clone(self),
            ended: false,
        }
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) == 0
    }

    /// Waits until the client has given up too many of its requests: each costs us more than it costs the client
    /// (rapid reset, CVE-2023-44487).
    pub(super) async fn abused(&self) {
        self.abused.notified().await;
    }

    fn ended(&self, well: bool) {
        let count = |given_up: usize| {
            Some(if well {
                given_up.saturating_sub(1)
            } else {
                given_up + 1
            })
        };
        let before = self
            .given_up
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        if !well && before.is_ok_and(|before| before >= MAX_GIVEN_UP) {
            self.abused.notify_one();
        }
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
        self.activity.touch();
    }

    /// The connection it is on.
    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.activity)
    }

    /// Its answer was given whole.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.activity.touch();
        self.activity.ended(self.ended);
        self.activity.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_client_that_gives_up_again_and_again_is_noticed() {
        let activity = Activity::new();
        for _ in 0..10 * MAX_GIVEN_UP {
            drop(activity.begin());
            // One that ends well makes up for one that did not.
            activity.begin().end();
        }
        assert!(activity.abused().now_or_never().is_none());
        for _ in 0..=MAX_GIVEN_UP {
            drop(activity.begin());
        }
        assert!(activity.abused().now_or_never().is_some());
    }
}
