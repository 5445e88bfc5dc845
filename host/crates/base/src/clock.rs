//! The only source of time.
//!
//! Everything that waits or stamps asks a [`Clock`], so that a test can move time instead of waiting for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A wall clock that can be shifted, and beside it a count of time that nobody can set. Clones share both.
///
/// What is written down is stamped by [`Clock::now`]. What a process waits for within its life goes by
/// [`Clock::uptime`]: a wall clock set back by an hour must not hold anything for an hour.
#[derive(Clone, Debug)]
pub struct Clock {
    shift: Arc<watch::Sender<Shift>>,
    began: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shift {
    wall: SignedDuration,
    /// The sum of the shifts forward.
    ahead: Duration,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self {
            shift: Arc::new(watch::Sender::new(Shift::default())),
            began: Instant::now(),
        }
    }

    /// The current time, to the millisecond (finer digits would only make records longer).
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let shifted = Timestamp::now()
            .saturating_add(self.shift.borrow().wall)
            .unwrap_or(Timestamp::MAX);
        Timestamp::from_millisecond(shifted.as_millisecond()).unwrap_or(shifted)
    }

    /// Time since this clock was made. It never goes back, whatever becomes of the wall clock.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.began.elapsed().saturating_add(self.shift.borrow().ahead)
    }

    /// Moves the clock by `by` (backwards when negative) and wakes every sleeper to look again. Forwards stands for
    /// time that passed, so that it moves [`Clock::uptime`] as well; backwards stands for somebody who sets the wall
    /// clock.
    pub fn shift(&self, by: SignedDuration) {
        self.shift.send_modify(|shift| {
            shift.wall = shift.wall.saturating_add(by);
            shift.ahead = shift
                .ahead
                .saturating_add(Duration::try_from(by).unwrap_or_default());
        });
    }

    /// Sets the wall clock by `by`, forwards or backwards, without any time having passed.
    pub fn set_by(&self, by: SignedDuration) {
        self.shift
            .send_modify(|shift| shift.wall = shift.wall.saturating_add(by));
    }

    /// Waits until the clock shows `at`. A shift of the clock moves the waiting with it.
    pub async fn sleep_until(&self, at: Timestamp) {
        while self.now() < at {
            self.doze_until(at).await;
        }
    }

    /// Waits until the clock shows `at`, or for a minute, or until somebody shifts the clock: for who looks again
    /// anyhow and must not oversleep when the wall clock is set back.
    pub async fn doze_until(&self, at: Timestamp) {
        let mut shifted = self.shift.subscribe();
        let Ok(left) = Duration::try_from(at.duration_since(self.now())) else {
            return;
        };
        Self::nap(left, &mut shifted).await;
    }

    /// Waits for `span`, whatever becomes of the wall clock meanwhile.
    pub async fn sleep(&self, span: Duration) {
        self.sleep_until_uptime(self.uptime().saturating_add(span)).await;
    }

    /// Waits until [`Clock::uptime`] is `at`.
    pub async fn sleep_until_uptime(&self, at: Duration) {
        let mut shifted = self.shift.subscribe();
        loop {
            let left = at.saturating_sub(self.uptime());
            if left.is_zero() {
                return;
            }
            Self::nap(left, &mut shifted).await;
        }
    }

    /// The machine's own clock may be set while we wait, or the machine sleep: look at it at least once a minute.
    async fn nap(left: Duration, shifted: &mut watch::Receiver<Shift>) {
        tokio::select! {
            () = tokio::time::sleep(left.min(Duration::from_secs(60))) => {}
            _ = shifted.changed() => {}
        }
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

/// Reads a time with its offset as RFC 3339 writes it; none for anything else, a time without an offset above all.
#[must_use]
pub fn read_time(text: &str) -> Option<Timestamp> {
    // The reader knows offsets of more than a day; this format ends before.
    let hours = match text.len().checked_sub(6).and_then(|at| text.get(at..)) {
        Some(offset) if offset.starts_with(['+', '-']) => {
            offset.get(1..3).and_then(|hours| hours.parse().ok())
        }
        _ => Some(0_u8),
    };
    hours.filter(|hours| *hours < 24)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_offsets() {
        let read = |text| read_time(text).map(|at| at.to_string());
        let noon = Some("2030-01-31T12:00:00Z".to_owned());
        for text in [
            "2030-01-31T12:00:00Z",
            "2030-01-31t12:00:00z",
            "2030-01-31T13:00:00+01:00",
            "2030-01-31T00:30:00-11:30",
            "2030-02-01T11:59:00+23:59",
        ] {
            assert_eq!(read(text), noon, "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2030-01-31",
            "2030-01-31T12:00:00",
            "2030-01-31T12:00:00+24:00",
            "2030-01-31T12:00:00-25:30",
            "2030-02-31T12:00:00Z",
            "2030-01-31T12:00:00+01:00[Europe/Paris",
            "é+:00é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

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

    #[tokio::test]
    async fn a_clock_set_back_makes_no_wait_longer_and_wakes_who_dozes() {
        let clock = Clock::system();
        let before = clock.uptime();
        let (hour, late) = (SignedDuration::from_hours(1), after(clock.now(), LONG));
        let dozer = tokio::spawn({
            let clock = clock.clone();
            async move { clock.doze_until(late).await }
        });
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(LONG).await }
        });
        tokio::task::yield_now().await;
        clock.shift(-hour);
        dozer.await.expect("woken");
        assert!(clock.uptime() >= before && !sleeper.is_finished());
        clock.shift(SignedDuration::try_from(LONG).expect("span"));
        sleeper.await.expect("as long as it was to be");
        let (uptime, now) = (clock.uptime(), clock.now());
        clock.set_by(hour);
        assert!(clock.now() >= now + hour && clock.uptime() < uptime + LONG);
    }

    const LONG: Duration = Duration::from_secs(1800);

    #[test]
    fn now_has_milliseconds_only() {
        assert_eq!(Clock::system().now().subsec_nanosecond() % 1_000_000, 0);
    }
}
