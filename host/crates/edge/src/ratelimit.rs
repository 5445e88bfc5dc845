//! Floor 4: how often somebody may ask.
//!
//! A [`Limiter`] counts per key with the generic cell rate algorithm: a burst of one minute's requests is allowed,
//! then one every `60 s / limit`. What it remembers is bounded (see `memory`), whatever addresses are made up.

mod memory;

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, Reference as _};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};
use parking_lot::RwLock;

use memory::{Ask, Memory, Shared};

/// The period that limits are given for.
pub const WINDOW: Duration = Duration::from_secs(60);

/// Keys that are remembered at most, about.
const MOST_KEYS: usize = 100_000;
/// Different limits that are kept apart at most.
const MOST_LIMITS: usize = 256;

/// Counts requests per key.
#[derive(Debug)]
pub struct Limiter<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    per_minute: u32,
    clock: C,
    memory: Arc<Memory<(u64, K)>>,
    meters: RwLock<Meters<K, C>>,
}

/// A meter for each limit that is in use.
#[derive(Debug)]
struct Meters<K: Hash + Eq + Clone, C: Clock> {
    by_limit: HashMap<u32, Arc<Meter<K, C>>>,
    /// Given to each new meter, so that none reads what another one wrote.
    next: u64,
}

/// Counts against one limit.
#[derive(Debug)]
struct Meter<K: Hash + Eq + Clone, C: Clock> {
    number: u64,
    start: C::Instant,
    cells: Cells<(u64, K), C>,
}

type Cells<K, C> = RateLimiter<Ask<K>, Shared<K>, C, StateInformationMiddleware>;

/// Whether a request may pass, and what to tell the asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Whether it may.
    pub allowed: bool,
    /// Requests per minute; 0 means that there is no limit.
    pub limit: u32,
    /// Requests that may follow at once.
    pub remaining: u32,
    /// Until the whole limit is available again.
    pub reset: Duration,
    /// Until the next request may pass, when this one may not.
    pub retry_after: Option<Duration>,
}

impl Allowance {
    /// No limit applies.
    pub const UNLIMITED: Self = Self {
        allowed: true,
        limit: 0,
        remaining: u32::MAX,
        reset: Duration::ZERO,
        retry_after: None,
    };
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// Allows each key `per_minute` requests; 0 allows all.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self::with_clock(per_minute, DefaultClock::default())
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Limiter<K, C> {
    /// As [`Limiter::new`], by another clock.
    pub fn with_clock(per_minute: u32, clock: C) -> Self {
        Self {
            per_minute,
            clock,
            memory: Arc::new(Memory::new(MOST_KEYS)),
            meters: RwLock::new(Meters {
                by_limit: HashMap::new(),
                next: 0,
            }),
        }
    }

    /// Counts one request of `key`, against its own limit if it has one.
    pub fn check(&self, key: &K, per_minute: Option<u32>) -> Allowance {
        let Some(limit) = NonZeroU32::new(per_minute.unwrap_or(self.per_minute)) else {
            return Allowance::UNLIMITED;
        };
        let meter = self.meter(limit);
        let ask = Ask::new((meter.number, key.clone()));
        match meter.cells.check_key(&ask) {
            Ok(state) => {
                let full = Nanos::new(ask.full_at());
                let now = self.clock.now().duration_since(meter.start);
                Allowance {
                    allowed: true,
                    limit: limit.get(),
                    remaining: state.remaining_burst_capacity(),
                    reset: full.saturating_sub(now).into(),
                    retry_after: None,
                }
            }
            Err(refusal) => {
                let wait = refusal.wait_time_from(self.clock.now());
                Allowance {
                    allowed: false,
                    limit: limit.get(),
                    remaining: 0,
                    reset: interval(limit) * limit.get().saturating_sub(1) + wait,
                    retry_after: Some(wait),
                }
            }
        }
    }

    /// Keys remembered at the moment.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.memory.len()
    }

    fn meter(&self, limit: NonZeroU32) -> Arc<Meter<K, C>> {
        if let Some(known) = self.meters.read().by_limit.get(&limit.get()) {
            return Arc::clone(known);
        }
        let mut meters = self.meters.write();
        if meters.by_limit.len() >= MOST_LIMITS {
            // What their keys used up is forgotten; memory must not grow with what somebody sets.
            meters.by_limit.clear();
        }
        let number = meters.next;
        meters.next += 1;
        let fresh = || {
            let shared = Shared(Arc::clone(&self.memory));
            Arc::new(Meter {
                number,
                start: self.clock.now(),
                cells: RateLimiter::new(Quota::per_minute(limit), shared, self.clock.clone()),
            })
        };
        Arc::clone(meters.by_limit.entry(limit.get()).or_insert_with(fresh))
    }
}

/// Time in which one request becomes available again.
fn interval(limit: NonZeroU32) -> Duration {
    WINDOW / limit.get()
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limiter(per_minute: u32) -> (Limiter<u64, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limiter::with_clock(per_minute, clock.clone()), clock)
    }

    #[test]
    fn a_burst_of_one_minute_then_one_at_a_time() {
        let (limiter, clock) = limiter(6);
        for left in (0..6).rev() {
            let allowance = limiter.check(&1, None);
            assert!(allowance.allowed);
            assert_eq!((allowance.limit, allowance.remaining), (6, left));
            assert_eq!(allowance.reset, Duration::from_secs(10 * u64::from(6 - left)));
        }
        let refused = limiter.check(&1, None);
        assert!(!refused.allowed);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(10)));
        assert_eq!(refused.reset, Duration::from_secs(60));
        clock.advance(Duration::from_secs(9));
        assert_eq!(limiter.check(&1, None).retry_after, Some(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert!(limiter.check(&1, None).allowed);
        assert!(!limiter.check(&1, None).allowed);
    }

    #[test]
    fn keys_do_not_share_and_may_have_limits_of_their_own() {
        let (limiter, _clock) = limiter(1);
        assert!(limiter.check(&1, None).allowed);
        assert!(!limiter.check(&1, None).allowed);
        assert!(limiter.check(&2, None).allowed);
        for _ in 0..3 {
            assert!(limiter.check(&3, Some(3)).allowed);
        }
        assert!(!limiter.check(&3, Some(3)).allowed);
        assert_eq!(limiter.check(&1, Some(0)), Allowance::UNLIMITED);
    }

    #[test]
    fn zero_is_no_limit() {
        let (limiter, _clock) = limiter(0);
        assert!((0..1000).all(|_| limiter.check(&1, None) == Allowance::UNLIMITED));
        assert_eq!(limiter.remembered(), 0);
    }

    #[test]
    fn a_million_addresses_leave_no_more_than_there_is_room_for() {
        let (limiter, _clock) = limiter(1);
        // Somebody who is being limited while a flood of other addresses passes by.
        let persistent = u64::MAX;
        assert!(limiter.check(&persistent, None).allowed);
        for key in 0..1_000_000 {
            limiter.check(&key, None);
            if key % 1000 == 0 {
                assert!(!limiter.check(&persistent, None).allowed, "after {key}");
            }
        }
        assert!(limiter.remembered() <= MOST_KEYS, "{}", limiter.remembered());
    }

    #[test]
    fn limits_that_are_set_by_keys_are_bounded_too() {
        let (limiter, _clock) = limiter(0);
        for limit in 1..2_000 {
            assert!(limiter.check(&1, Some(limit)).allowed);
        }
        assert!(limiter.meters.read().by_limit.len() <= MOST_LIMITS);
    }

    proptest::proptest! {
        /// Whatever was asked before, at whatever times: a client that waits for exactly as many whole seconds as
        /// `Retry-After` says passes, one that comes a second earlier doesn't, and after `reset` the whole limit
        /// is there, a moment before it isn't.
        #[test]
        fn what_is_told_is_right_to_the_second(
            limit in 1_u32..200,
            steps in proptest::collection::vec((0_u64..70_000, 1_u32..40), 1..20),
        ) {
            let (limiter, clock) = limiter(limit);
            for (pause, asks) in steps {
                clock.advance(Duration::from_millis(pause));
                for _ in 0..asks {
                    let told = limiter.check(&1, None);
                    let Some(wait) = told.retry_after else {
                        continue;
                    };
                    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                    if seconds > 1 {
                        clock.advance(Duration::from_secs(seconds - 1));
                        proptest::prop_assert!(!limiter.check(&1, None).allowed);
                        clock.advance(Duration::from_secs(1));
                    } else {
                        clock.advance(Duration::from_secs(seconds));
                    }
                    proptest::prop_assert!(limiter.check(&1, None).allowed);
                }
            }
            let told = limiter.check(&1, None);
            clock.advance(told.reset.saturating_sub(Duration::from_nanos(1)));
            let early = limiter.check(&1, None);
            proptest::prop_assert!(!early.allowed || early.remaining + 1 < limit, "{early:?}");
            clock.advance(early.reset);
            proptest::prop_assert_eq!(limiter.check(&1, None).remaining, limit - 1);
        }
    }
}
