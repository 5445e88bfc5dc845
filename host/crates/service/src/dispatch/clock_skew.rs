//! Detects a wall clock that was set back, so that due jobs do not wait for it to catch up.
//!
//! The wake-up time of a job is a wall clock time. When the clock is set back by an hour, a job that was due a moment
//! ago would wait for an hour. The time that the clock showed before is therefore continued here, and a job that was
//! written by it (its change lies in the future) is due by it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use faxgate_base::clock::{Clock, after};
use faxgate_domain::job::Job;

/// A clock that is adjusted by less is left alone.
const LEAST: Duration = Duration::from_secs(1);

/// The latest time that the wall clock showed, and how far it was ahead of the monotonic clock then.
#[derive(Debug, Default)]
pub(super) struct ClockSkew(Mutex<Option<Highest>>);

#[derive(Debug, Clone, Copy)]
struct Highest {
    wall: Timestamp,
    /// The wall clock minus the uptime, as a time.
    origin: Timestamp,
}

impl ClockSkew {
    /// Notes that the wall clock showed `wall` before this process started.
    pub(super) fn observe(&self, clock: &Clock, wall: Timestamp) {
        let origin = origin(wall, clock.uptime());
        if wall > clock.now() {
            *self.0.lock() = Some(Highest { wall, origin });
        }
    }

    /// The time now, and how far the clock was set back as long as it has not caught up.
    pub(super) fn now(&self, clock: &Clock) -> (Timestamp, Duration) {
        let mut highest = self.0.lock();
        let (wall, uptime) = (clock.now(), clock.uptime());
        let origin = origin(wall, uptime);
        let lead = match *highest {
            Some(highest) if wall < highest.wall => {
                Duration::try_from(highest.origin.duration_since(origin)).unwrap_or_default()
            }
            _ => {
                *highest = Some(Highest { wall, origin });
                Duration::ZERO
            }
        };
        (wall, if lead < LEAST { Duration::ZERO } else { lead })
    }
}

fn origin(wall: Timestamp, uptime: Duration) -> Timestamp {
    let uptime = SignedDuration::try_from(uptime).unwrap_or(SignedDuration::MAX);
    wall.saturating_sub(uptime).unwrap_or(Timestamp::MIN)
}

/// Whether `job`, to be woken at `at`, is due at `now` by a clock that was set back by `lead`.
pub(super) fn is_due(job: &Job, at: Timestamp, now: Timestamp, lead: Duration) -> bool {
    if at <= now {
        return true;
    }
    let scheduled = job.options.send_at.is_some_and(|at| at > now);
    !scheduled && job.updated_at > now && at <= after(now, lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_is_noticed_until_it_has_caught_up() {
        let (clock, clock_skew) = (Clock::system(), ClockSkew::default());
        let (_, none) = clock_skew.now(&clock);
        assert_eq!(none, Duration::ZERO);
        clock.shift(SignedDuration::from_hours(-1));
        let near = |lead: Duration, minutes: u64| lead.abs_diff(Duration::from_secs(60 * minutes)) < LEAST;
        assert!(near(clock_skew.now(&clock).1, 60));
        clock.shift(SignedDuration::from_mins(30));
        assert!(
            near(clock_skew.now(&clock).1, 60),
            "time that passes changes nothing"
        );
        clock.shift(SignedDuration::from_mins(31));
        assert_eq!(clock_skew.now(&clock).1, Duration::ZERO, "caught up");
        clock.set_by(SignedDuration::from_hours(1));
        assert_eq!(
            clock_skew.now(&clock).1,
            Duration::ZERO,
            "set forward is no clock_skew"
        );
        clock.set_by(SignedDuration::from_hours(-1));
        assert!(near(clock_skew.now(&clock).1, 60));
    }

    #[test]
    fn a_time_of_before_the_start_counts() {
        let (clock, clock_skew) = (Clock::system(), ClockSkew::default());
        let ahead = after(clock.now(), Duration::from_secs(600));
        clock_skew.observe(&clock, ahead);
        assert!(clock_skew.now(&clock).1 > Duration::from_secs(590));
    }
}
