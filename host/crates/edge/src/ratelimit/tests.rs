//! Allowances over time.

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
fn a_peek_counts_nothing() {
    let (limiter, clock) = limiter(2);
    for _ in 0..10 {
        assert!(limiter.would_allow(&1, None));
    }
    assert!(limiter.check(&1, None).allowed && limiter.check(&1, None).allowed);
    assert!(!limiter.would_allow(&1, None));
    assert!(limiter.would_allow(&2, None) && limiter.would_allow(&1, Some(0)));
    clock.advance(Duration::from_secs(30));
    assert!(limiter.would_allow(&1, None) && limiter.check(&1, None).allowed);
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
fn a_million_addresses_leave_no_more_than_the_memory_holds() {
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
    assert!(limiter.remembered() <= MAX_KEYS, "{}", limiter.remembered());
}

#[test]
fn limits_that_are_set_by_keys_are_bounded_too() {
    let (limiter, _clock) = limiter(0);
    for limit in 1..2_000 {
        assert!(limiter.check(&1, Some(limit)).allowed);
    }
    assert!(limiter.meters.read().by_limit.len() <= MAX_LIMITS);
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
