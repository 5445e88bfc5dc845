//! The provider's pace: all requests share one stream of slots (Phaxio takes one a second).

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::base::clock::{Clock, after};

/// Hands out slots in the order of asking.
#[derive(Debug)]
pub(super) struct Pacer {
    clock: Clock,
    next: Mutex<Timestamp>,
    held_until: parking_lot::Mutex<Timestamp>,
}

impl Pacer {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            next: Mutex::new(Timestamp::MIN),
            held_until: parking_lot::Mutex::new(Timestamp::MIN),
        }
    }

    /// Waits for the next slot.
    pub(super) async fn slot(&self, per_second: f64) {
        // Whoever waits holds the lock, so slots go out first come, first served.
        let mut next = self.next.lock().await;
        let gap = Duration::try_from_secs_f64(1.0 / per_second.max(0.001)).unwrap_or(Duration::from_secs(1));
        // A clock set back must not hold everything until it has caught up.
        let due = (*next).min(after(self.clock.now(), gap));
        self.clock.sleep_until(due).await;
        loop {
            let held = *self.held_until.lock();
            if held <= self.clock.now() {
                break;
            }
            self.clock.sleep_until(held).await;
        }
        *next = after(self.clock.now(), gap);
    }

    /// Nobody gets a slot for `span`: the provider said so.
    pub(super) fn hold(&self, span: Duration) {
        *self.held_until.lock() = after(self.clock.now(), span.min(LONGEST_HOLD));
    }
}

/// A `Retry-After` beyond this is not believed.
const LONGEST_HOLD: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slots_are_a_gap_apart_on_the_clock() {
        let clock = Clock::system();
        let pacer = std::sync::Arc::new(Pacer::new(clock.clone()));
        pacer.slot(0.01).await;
        let waiting = tokio::spawn({
            let pacer = std::sync::Arc::clone(&pacer);
            async move { pacer.slot(0.01).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.shift(jiff::SignedDuration::from_secs(101));
        waiting.await.expect("a slot");
    }
}
