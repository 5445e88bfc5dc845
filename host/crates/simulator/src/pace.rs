//! The provider's time, which may run faster than ours.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A clock that counts from the start of the simulator, scaled, and can be advanced.
#[derive(Debug)]
pub(super) struct Pace {
    start: Instant,
    scale: f64,
    advanced: watch::Sender<Duration>,
}

impl Pace {
    /// Provider seconds per second of ours; none when that is not a positive number.
    pub(super) fn new(scale: f64) -> Option<Self> {
        (scale.is_finite() && scale > 0.0).then(|| Self {
            start: Instant::now(),
            scale: scale.clamp(1e-3, 1e6),
            advanced: watch::Sender::new(Duration::ZERO),
        })
    }

    /// Provider time since the start.
    pub(super) fn now(&self) -> Duration {
        let scaled = seconds(self.start.elapsed().as_secs_f64() * self.scale);
        scaled.saturating_add(*self.advanced.borrow())
    }

    /// Moves the clock on and wakes every sleeper to look again.
    pub(super) fn advance(&self, by: Duration) {
        self.advanced
            .send_modify(|advanced| *advanced = advanced.saturating_add(by));
    }

    /// Waits until the clock shows `at`.
    pub(super) async fn sleep_until(&self, at: Duration) {
        let mut advanced = self.advanced.subscribe();
        loop {
            let left = at.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(self.real(left)) => {}
                _ = advanced.changed() => {}
            }
        }
    }

    /// How long `span` of provider time is in ours.
    pub(super) fn real(&self, span: Duration) -> Duration {
        seconds(span.as_secs_f64() / self.scale)
    }
}

/// Seconds as a span: none for what is not positive, a century for what is beyond.
pub(super) fn seconds(seconds: f64) -> Duration {
    const LONGEST: f64 = 100.0 * 365.0 * 86_400.0;
    if seconds.is_nan() {
        return Duration::ZERO;
    }
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn advancing_wakes_sleepers() {
        let pace = Arc::new(Pace::new(1.0).unwrap());
        let sleeper = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.sleep_until(Duration::from_secs(6 * 3600)).await }
        });
        tokio::task::yield_now().await;
        pace.advance(Duration::from_secs(6 * 3600));
        sleeper.await.unwrap();
    }

    #[test]
    fn scales_that_are_none_are_refused() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Pace::new(bad).is_none());
        }
        assert_eq!(
            Pace::new(60.0).unwrap().real(Duration::from_secs(300)),
            Duration::from_secs(5)
        );
        assert_eq!(seconds(f64::NAN), Duration::ZERO);
        assert_eq!(seconds(-3.0), Duration::ZERO);
    }
}
