//! Rate limits: how many requests of one key are allowed in a minute.
//!
//! A [`Limiter`] counts per key with the generic cell rate algorithm: a burst of one minute's requests is allowed,
//! then one every `60 s / limit`. Its memory is bounded (see `memory`), however many addresses a client makes up.

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

use memory::{Memory, Shared, TrackedKey};

/// The period that limits are given for.
pub const WINDOW: Duration = Duration::from_secs(60);

/// About the most keys that are remembered.
const MAX_KEYS: usize = 100_000;
/// Most different limits that are counted separately.
const MAX_LIMITS: usize = 256;

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

type Cells<K, C> = RateLimiter<TrackedKey<K>, Shared<K>, C, StateInformationMiddleware>;

/// Whether a request is allowed, and what to report to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Requests per minute; 0 means that there is no limit.
    pub limit: u32,
    /// Further requests that are allowed at once.
    pub remaining: u32,
    /// Until the whole limit is available again.
    pub reset: Duration,
    /// Until the next request is allowed, when this one is not.
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
            memory: Arc::new(Memory::new(MAX_KEYS)),
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
        let tracked = TrackedKey::new((meter.number, key.clone()));
        match meter.cells.check_key(&tracked) {
            Ok(state) => {
                let full = Nanos::new(tracked.full_at());
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

    /// Whether a request of `key` would be allowed now; counts nothing.
    pub fn would_allow(&self, key: &K, per_minute: Option<u32>) -> bool {
        let Some(limit) = NonZeroU32::new(per_minute.unwrap_or(self.per_minute)) else {
            return true;
        };
        let meter = self.meter(limit);
        meter
            .cells
            .check_key(&TrackedKey::peek((meter.number, key.clone())))
            .is_ok()
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
        if meters.by_limit.len() >= MAX_LIMITS {
            // The counts of their keys are forgotten: memory must not grow with the number of limits.
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
mod tests;
