//! When certificates are renewed and failures retried.

use jiff::ToSpan as _;

use super::*;

#[test]
fn waits_double_up_to_a_limit() {
    for (failures, seconds) in [(1, 60), (2, 120), (5, 960), (20, 21_600), (200, 21_600)] {
        for _ in 0..20 {
            let wait = back_off(failures).as_secs_f64() / f64::from(seconds);
            assert!((0.75..=1.25).contains(&wait), "{failures}: {wait}");
        }
    }
}

#[test]
fn a_certificate_is_renewed_after_two_thirds_of_its_life() {
    let begin: Timestamp = "2030-01-01T00:00:00Z".parse().expect("time");
    let renew = renewal(begin, begin + (90 * 24).hours());
    assert!(renew >= begin + (60 * 24).hours(), "{renew}");
    assert!(renew <= begin + (65 * 24).hours(), "{renew}");
}
