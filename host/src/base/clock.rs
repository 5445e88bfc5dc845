//! The only source of time.
//!
//! Everything that waits or stamps asks a [`Clock`], so that a test can move time instead of waiting for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A wall clock that can be shifted. Clones share the shift.
#[derive(Clone, Debug)]
pub struct Clock {
    shift: Arc<watch::Sender<SignedDuration>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            shift: Arc::new(watch::Sender::new(SignedDuration::ZERO)),
        }
    }

    /// The current time, to the millisecond (finer digits would only make records longer).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let shifted = Timestamp::now()
            .saturating_add(*self.shift.borrow())
            .unwrap_or(Timestamp::MAX);
        Timestamp::from_millisecond(shifted.as_millisecond()).unwrap_or(shifted)
    }

    /// Moves the clock by `by` (backwards when negative) and wakes every sleeper to look again.
    pub fn shift(&self, by: SignedDuration) {
        self.shift.send_modify(|shift| *shift = shift.saturating_add(by));
    }

    /// Waits until the clock shows `at`. A shift of the clock moves the waiting with it.
    pub async fn sleep_until(&self, at: Timestamp) {
        let mut shifted = self.shift.subscribe();
        loop {
            let left = at.duration_since(self.now());
            let Ok(left) = Duration::try_from(left) else {
                return;
            };
            if left.is_zero() {
                return;
            }
            // The machine's own clock may be set while we wait: look at it at least once a minute.
            let nap = left.min(Duration::from_secs(60));
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                _ = shifted.changed() => {}
            }
        }
    }

    /// Waits for `span` of this clock's time.
    pub async fn sleep(&self, span: Duration) {
        self.sleep_until(after(self.now(), span)).await;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// `span` after `at`, stopping at the end of time instead of overflowing.
#[must_use]
pub fn after(at: Timestamp, span: Duration) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// `span` before `at`, stopping at the beginning of time.
#[must_use]
pub fn before(at: Timestamp, span: Duration) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    at.saturating_sub(span).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_shift_wakes_a_sleeper() {
        let clock = Clock::system();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3600)).await }
        });
        tokio::task::yield_now().await;
        clock.shift(SignedDuration::from_secs(3601));
        sleeper.await.expect("sleeper ends");
    }

    #[test]
    fn now_has_milliseconds_only() {
        assert_eq!(Clock::system().now().subsec_nanosecond() % 1_000_000, 0);
    }
}
