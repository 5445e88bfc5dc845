//! The provider's pace: all requests share one stream of slots (Phaxio takes one a second).

use std::time::Duration;

use tokio::sync::Mutex;

use faxgate_base::clock::Clock;

/// Hands out slots in the order of asking. Goes by the time that nobody can set.
#[derive(Debug)]
pub(super) struct Pacer {
    clock: Clock,
    next: Mutex<Duration>,
    held_until: parking_lot::Mutex<Duration>,
}

impl Pacer {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            next: Mutex::new(Duration::ZERO),
            held_until: parking_lot::Mutex::new(Duration::ZERO),
        }
    }

    /// Waits for the next slot.
    pub(super) async fn slot(&self, per_second: f64) {
        // Whoever waits holds the lock, so slots go out first come, first served.
        let mut next = self.next.lock().await;
        let gap = Duration::try_from_secs_f64(1.0 / per_second.max(0.001)).unwrap_or(Duration::from_secs(1));
        // A pace that was slower when the last slot went out holds nobody now.
        let due = (*next).min(self.clock.uptime().saturating_add(gap));
        self.clock.sleep_until_uptime(due).await;
        loop {
            let held = *self.held_until.lock();
            if held <= self.clock.uptime() {
                break;
            }
            self.clock.sleep_until_uptime(held).await;
        }
        *next = self.clock.uptime().saturating_add(gap);
    }

    /// Nobody gets a slot for `span`: the provider said so.
    pub(super) fn hold(&self, span: Duration) {
        *self.held_until.lock() = self.clock.uptime().saturating_add(span.min(LONGEST_HOLD));
    }
}

/// A `Retry-After` beyond this is not believed.
const LONGEST_HOLD: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::*;

    /// A slot was taken a moment ago, the next one is 100 s away, and somebody waits for it.
    async fn waiting() -> (Clock, tokio::task::JoinHandle<()>) {
        let clock = Clock::system();
        let pacer = Arc::new(Pacer::new(clock.clone()));
        pacer.slot(0.01).await;
        let waiting = tokio::spawn(async move { pacer.slot(0.01).await });
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
