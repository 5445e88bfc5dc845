//! Numbers that differ from run to run; a test that fails prints the seed.

use std::time::SystemTime;

/// A small generator of numbers (splitmix64).
#[derive(Debug)]
pub struct TestRng {
    seed: u64,
    state: u64,
}

impl TestRng {
    /// Seeded by the variable `FAXGATE_TEST_SEED`, or by the clock.
    pub fn seeded() -> Self {
        let given = std::env::var("FAXGATE_TEST_SEED")
            .ok()
            .and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(1, |since| since.as_nanos() as u64)
        });
        eprintln!("FAXGATE_TEST_SEED={seed}");
        Self::of(seed)
    }

    /// Seeded so.
    pub fn of(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// The seed that repeats this run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A number from 0 to `limit - 1`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as usize % limit.max(1)
    }
}

/// How many repetitions a variable asks for, or the number that suits every run of the tests.
pub fn repetitions(variable: &str, usual: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}
