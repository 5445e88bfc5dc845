//! Counters and times of one plugin, without locks on the call path.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Buckets per doubling of time: the answer is at most 12.5 % too high.
const STEPS: u32 = 8;
/// Doublings from one microsecond on: 2^32 µs are 71 minutes.
const DOUBLINGS: u32 = 32;

/// What is known about a plugin's calls.
pub(crate) struct CallStatistics {
    calls: AtomicU64,
    errors: AtomicU64,
    memory_peak: AtomicU64,
    times: Histogram,
    last_error: Mutex<Option<String>>,
}

/// Counts of times by order of magnitude.
pub(crate) struct Histogram(Box<[AtomicU64]>);

impl CallStatistics {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            calls: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            times: Histogram::new(),
            last_error: Mutex::new(None),
        }
    }

    /// One call ended.
    pub(crate) fn ended(&self, time: Duration, memory: u64, error: Option<String>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.memory_peak.fetch_max(memory, Ordering::Relaxed);
        self.times.add(time);
        if let Some(error) = error {
            self.errors.fetch_add(1, Ordering::Relaxed);
            *self.last_error.lock() = Some(error);
        }
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Failed calls so far.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Most bytes of memory of one call.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }

    /// The time in microseconds that this share (0 to 1000, per mille) of the calls did not exceed.
    pub(crate) fn quantile_us(&self, per_mille: u64) -> u64 {
        self.times.quantile_us(per_mille)
    }

    /// The last failure.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().clone()
    }
}

impl Histogram {
    fn new() -> Self {
        Self((0..STEPS * DOUBLINGS).map(|_| AtomicU64::new(0)).collect())
    }

    fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let index = bucket(micros).min(self.0.len().saturating_sub(1));
        if let Some(count) = self.0.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn quantile_us(&self, per_mille: u64) -> u64 {
        let counts: Vec<u64> = self.0.iter().map(|c| c.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return 0;
        }
        let wanted = total.saturating_mul(per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (index, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(index);
            }
        }
        upper_bound(counts.len().saturating_sub(1))
    }
}

/// Where a time belongs: the doubling it is in, then the step within.
fn bucket(micros: u64) -> usize {
    let micros = micros.max(1);
    let doubling = micros.ilog2();
    let within = (micros - (1 << doubling)).saturating_mul(u64::from(STEPS)) >> doubling;
    (doubling * STEPS) as usize + usize::try_from(within).unwrap_or(0)
}

/// The longest time of a bucket, in microseconds.
fn upper_bound(index: usize) -> u64 {
    let index = index as u64;
    let (doubling, step) = (index / u64::from(STEPS), index % u64::from(STEPS));
    let base = 1_u64 << doubling.min(62);
    base + (base * (step + 1)) / u64::from(STEPS) - u64::from(doubling > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_close_above() {
        let histogram = Histogram::new();
        for micros in 1..=10_000 {
            histogram.add(Duration::from_micros(micros));
        }
        for (per_mille, exact) in [(500, 5_000), (990, 9_900), (1000, 10_000)] {
            let told = histogram.quantile_us(per_mille);
            assert!(
                told >= exact && told <= exact + exact / 8 + 1,
                "{per_mille}: {told}"
            );
        }
        assert_eq!(Histogram::new().quantile_us(500), 0);
    }

    #[test]
    fn every_time_has_a_bucket() {
        let histogram = Histogram::new();
        for time in [Duration::ZERO, Duration::from_micros(1), Duration::MAX] {
            histogram.add(time);
        }
        assert!(histogram.quantile_us(1000) > 1_000_000);
    }
}
