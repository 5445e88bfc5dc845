//! Floor 4: how often somebody may ask.
//!
//! A [`Limiter`] counts per key with the generic cell rate algorithm: a burst of one minute's requests is allowed,
//! then one every `60 s / limit`. What it remembers is bounded: keys that have recovered their whole burst are
//! forgotten, and when too many have not, all are.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::RwLock;

/// The period that limits are given for.
pub const WINDOW: Duration = Duration::from_secs(60);

/// Keys of one limit that are remembered at most.
const MOST_KEYS: usize = 100_000;
/// Different limits that are kept apart at most.
const MOST_LIMITS: usize = 256;
/// Checks between two looks at the size of what is remembered.
const CHECKS_PER_SWEEP: usize = 4096;

/// Counts requests per key.
#[derive(Debug)]
pub struct Limiter<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    per_minute: u32,
    clock: C,
    buckets: RwLock<HashMap<u32, Arc<Buckets<K, C>>>>,
    checks: AtomicUsize,
}

/// The keys of one limit.
type Buckets<K, C> = RateLimiter<K, DashMapStateStore<K>, C, StateInformationMiddleware>;

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
            buckets: RwLock::new(HashMap::new()),
            checks: AtomicUsize::new(0),
        }
    }

    /// Counts one request of `key`, against its own limit if it has one.
    pub fn check(&self, key: &K, per_minute: Option<u32>) -> Allowance {
        let Some(limit) = NonZeroU32::new(per_minute.unwrap_or(self.per_minute)) else {
            return Allowance::UNLIMITED;
        };
        self.sweep_sometimes();
        let buckets = self.buckets(limit);
        match buckets.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Allowance {
                    allowed: true,
                    limit: limit.get(),
                    remaining,
                    reset: interval(limit) * limit.get().saturating_sub(remaining),
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
        self.buckets.read().values().map(|buckets| buckets.len()).sum()
    }

    fn buckets(&self, limit: NonZeroU32) -> Arc<Buckets<K, C>> {
        if let Some(known) = self.buckets.read().get(&limit.get()) {
            return Arc::clone(known);
        }
        let fresh = || {
            let quota = Quota::per_minute(limit);
            let state = DashMapStateStore::default();
            Arc::new(RateLimiter::new(quota, state, self.clock.clone()))
        };
        Arc::clone(self.buckets.write().entry(limit.get()).or_insert_with(fresh))
    }

    fn sweep_sometimes(&self) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.sweep(MOST_KEYS);
        }
    }

    /// Forgets keys that have recovered, limits without keys, and everything where more than `most` are left.
    fn sweep(&self, most: usize) {
        let mut limits = self.buckets.write();
        limits.retain(|_, buckets| {
            buckets.retain_recent();
            (1..=most).contains(&buckets.len())
        });
        if limits.len() > MOST_LIMITS {
            limits.clear();
        }
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
    fn what_is_remembered_is_bounded() {
        let (limiter, clock) = limiter(60);
        for key in 0..5000 {
            limiter.check(&key, None);
        }
        clock.advance(Duration::from_secs(61));
        limiter.check(&0, None);
        limiter.sweep(MOST_KEYS);
        assert_eq!(limiter.remembered(), 1);
        for key in 0..11 {
            limiter.check(&key, None);
        }
        limiter.sweep(10);
        assert_eq!(limiter.remembered(), 0);
    }
}
