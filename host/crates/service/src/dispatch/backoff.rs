//! Waiting longer each time.

use std::time::Duration;

/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// `base` doubled `attempt - 1` times, at most an hour (or `base`, when that is longer).
#[must_use]
pub(super) fn exponential(base: Duration, attempt: u32) -> Duration {
    let doubled = base.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST.max(base))
}

/// [`exponential`], give or take a fifth, so that faxes that failed together don't come back together.
#[must_use]
pub(super) fn jittered(base: Duration, attempt: u32) -> Duration {
    let span = exponential(base, attempt);
    let mut byte = [128];
    // Without randomness the middle is as good.
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    span.mul_f64(0.8 + 0.4 * f64::from(byte) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_an_hour() {
        let base = Duration::from_secs(5);
        assert_eq!(exponential(base, 1), base);
        assert_eq!(exponential(base, 4), base * 8);
        assert_eq!(exponential(base, 40), LONGEST);
        assert_eq!(exponential(base, u32::MAX), LONGEST);
        assert_eq!(exponential(LONGEST * 2, 3), LONGEST * 2);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        for attempt in 1..10 {
            let (span, middle) = (
                jittered(LONGEST / 512, attempt),
                exponential(LONGEST / 512, attempt),
            );
            assert!(span >= middle.mul_f64(0.79) && span <= middle.mul_f64(1.21));
        }
    }
}
