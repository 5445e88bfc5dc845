//! Abandoned requests are counted.

use futures_util::FutureExt as _;

use super::*;

#[test]
fn a_client_that_abandons_request_after_request_is_noticed() {
    let tracker = IdleTracker::new();
    for _ in 0..10 * MAX_ABANDONED {
        drop(tracker.begin());
        tracker.begin().complete();
    }
    assert!(tracker.too_many_abandoned().now_or_never().is_none());
    for _ in 0..=MAX_ABANDONED {
        drop(tracker.begin());
    }
    assert!(tracker.too_many_abandoned().now_or_never().is_some());
}
