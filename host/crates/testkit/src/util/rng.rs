//! Pseudo-random numbers. The normal run uses a fixed seed, so that a sound tree never fails by luck; the long form
//! (`FAXGATE_STRESS`) takes another seed each time.
//!
//! A test that fails prints its seed and appends it to `failed-seeds.txt` in [`paths::scratch`];
//! `FAXGATE_TEST_SEED` repeats it. A seed that found a fault goes into the test's own list of kept seeds.

use std::io::Write as _;
use std::time::SystemTime;

use crate::paths;

/// The seed of the normal run.
const FIXED: u64 = 1;

/// A small generator of numbers (splitmix64).
#[derive(Debug)]
pub struct TestRng {
    seed: u64,
    state: u64,
}

impl TestRng {
    /// Seeded by the variable `FAXGATE_TEST_SEED`, in the long form by the clock, otherwise always the same.
    pub fn seeded() -> Self {
        let given = std::env::var("FAXGATE_TEST_SEED")
            .ok()
            .and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            if std::env::var_os("FAXGATE_STRESS").is_none() {
                return FIXED;
            }
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(FIXED, |since| since.as_nanos() as u64)
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

impl Drop for TestRng {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let thread = std::thread::current();
        let line = format!(
            "{} FAXGATE_TEST_SEED={}\n",
            thread.name().unwrap_or("?"),
            self.seed
        );
        let file = paths::scratch().join("failed-seeds.txt");
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // The test fails anyway, and has printed its seed.
        drop(opened.and_then(|mut file| file.write_all(line.as_bytes())));
    }
}

/// How many repetitions a variable asks for, or the number that suits every run of the tests.
pub fn repetitions(variable: &str, usual: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}
