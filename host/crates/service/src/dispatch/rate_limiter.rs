//! Limits the rate of requests to the provider: all requests share one sequence of slots.

use std::time::Duration;

use tokio::sync::Mutex;

use faxgate_base::clock::Clock;

/// Grants slots in the order of asking, by the monotonic clock.
#[derive(Debug)]
pub(super) struct RateLimiter {
    clock: Clock,
    next: Mutex<Duration>,
    paused_until: parking_lot::Mutex<Duration>,
}

impl RateLimiter {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            next: Mutex::new(Duration::ZERO),
            paused_until: parking_lot::Mutex::new(Duration::ZERO),
        }
    }

    /// Waits for the next slot.
    pub(super) async fn acquire(&self, per_second: f64) {
        // The waiting task holds the lock, so slots are granted first come, first served.
        let mut next = self.next.lock().await;
        let gap = Duration::try_from_secs_f64(1.0 / per_second.max(0.001)).unwrap_or(Duration::from_secs(1));
        // A rate that was lower when the last slot was granted no longer counts.
        let due = (*next).min(self.clock.uptime().saturating_add(gap));
        self.clock.sleep_until_uptime(due).await;
        loop {
            let paused = *self.paused_until.lock();
            if paused <= self.clock.uptime() {
                break;
            }
            self.clock.sleep_until_uptime(paused).await;
        }
        *next = self.clock.uptime().saturating_add(gap);
    }

    /// Grants no slot for `span`, at most [`MAX_PAUSE`]: the provider asked for it.
    pub(super) fn pause(&self, span: Duration) {
        *self.paused_until.lock() = self.clock.uptime().saturating_add(span.min(MAX_PAUSE));
    }
}

/// A longer `Retry-After` is cut to this.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::*;

    /// A slot was granted just now, the next one is 100 s away, and a task waits for it.
    async fn waiting() -> (Clock, tokio::task::JoinHandle<()>) {
        let clock = Clock::system();
        let rate_limiter = Arc::new(RateLimiter::new(clock.clone()));
        rate_limiter.acquire(0.01).await;
        let waiting = tokio::spawn(async move { rate_limiter.acquire(0.01).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        (clock, waiting)
    }

    #[tokio::test]
    async fn slots_are_a_gap_apart_on_the_clock() {
        let (clock, waiting) = waiting().await;
        clock.shift(SignedDuration::from_secs(101));
        waiting.await.expect("a slot");
    }

    #[tokio::test]
    async fn a_clock_set_back_holds_nobody_longer() {
        let (clock, waiting) = waiting().await;
        clock.shift(SignedDuration::from_hours(-1));
        tokio::task::yield_now().await;
        clock.shift(SignedDuration::from_secs(101));
        waiting.await.expect("a slot");
    }
}
