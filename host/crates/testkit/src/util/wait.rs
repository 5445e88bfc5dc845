//! Waiting for something to become true, never for time to pass.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

/// Long enough for a loaded machine; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks again and again until `look` finds something.
pub async fn until<T, F, Fut>(what: &str, look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    until_or(what, PATIENCE, look, || async { String::new() }).await
}

/// As [`until`], with another limit and a last word for the failure.
pub async fn until_or<T, F, Fut, W, WFut>(what: &str, limit: Duration, mut look: F, why: W) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
    W: FnOnce() -> WFut,
    WFut: Future<Output = String>,
{
    let begin = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        if begin.elapsed() > limit {
            panic!("waited {limit:?} in vain for {what}\n{}", why().await);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks until the answer is `expected`, and shows the last other one when it never is.
pub async fn until_equal<T, F, Fut>(what: &str, expected: T, mut look: F)
where
    T: PartialEq + Debug,
    F: FnMut() -> Fut,
    Fut: Future<Output = T>,
{
    let begin = Instant::now();
    loop {
        let found = look().await;
        if found == expected {
            return;
        }
        assert!(
            begin.elapsed() < PATIENCE,
            "{what}: waited for {expected:?}, still {found:?}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}
