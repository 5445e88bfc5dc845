//! A circuit breaker for requests to the provider: opens after repeated failure or refused credentials, then lets
//! one request at a time probe.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::backoff;
use faxgate_base::clock::Clock;
use faxgate_telemetry::board::Board;

/// The name of the health check.
const NAME: &str = "provider";
/// Failures in a row that open the breaker.
const THRESHOLD: u32 = 5;
/// How long it stays open the first time.
const PAUSE: Duration = Duration::from_secs(5);
/// It never stays open for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Time between probes after the credentials were refused.
const CREDENTIALS_PAUSE: Duration = Duration::from_secs(60);
/// How long to wait while a probe is under way.
const PROBE_LOOK: Duration = Duration::from_secs(1);

/// The circuit breaker. Goes by the monotonic clock.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    board: Board,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Duration>,
    /// The request that probes.
    probe: Option<u64>,
    last_probe: u64,
}

/// The permission to make one request. When it is dropped, the next request may probe.
#[derive(Debug)]
pub(super) struct Permit {
    breaker: Arc<CircuitBreaker>,
    probe: Option<u64>,
}

impl CircuitBreaker {
    pub(super) fn new(board: Board, clock: Clock) -> Self {
        board.good(NAME);
        Self {
            board,
            clock,
            state: Mutex::default(),
        }
    }

    /// Permits a request, or returns how long to wait before asking again. After a pause one request probes, and
    /// the others wait for its outcome.
    pub(super) fn try_acquire(self: &Arc<Self>) -> Result<Permit, Duration> {
        let mut state = self.state.lock();
        let now = self.clock.uptime();
        let probe = match state.open_until {
            None => None,
            Some(until) if until > now => return Err(until.saturating_sub(now)),
            Some(_) if state.probe.is_some() => return Err(PROBE_LOOK),
            Some(_) => {
                state.last_probe = state.last_probe.wrapping_add(1);
                state.probe = Some(state.last_probe);
                state.probe
            }
        };
        Ok(Permit {
            breaker: Arc::clone(self),
            probe,
        })
    }

    /// Closes the breaker: the provider gave a proper answer.
    pub(super) fn record_success(&self) {
        {
            let mut state = self.state.lock();
            state.failures = 0;
            state.open_until = None;
            state.probe = None;
        }
        if self.board.good(NAME) {
            tracing::info!("the provider answers again");
        }
    }

    /// Counts a failure: the provider could not be reached or answered with an error.
    pub(super) fn record_failure(&self, why: &str) {
        let mut state = self.state.lock();
        state.probe = None;
        state.failures = state.failures.saturating_add(1);
        if state.failures < THRESHOLD {
            return;
        }
        let pause = backoff::exponential(PAUSE, state.failures - THRESHOLD + 1).min(LONGEST_PAUSE);
        state.open_until = Some(self.clock.uptime().saturating_add(pause));
        drop(state);
        if self
            .board
            .bad(NAME, format!("the provider can't be reached: {why}"))
        {
            tracing::warn!(why, "the provider can't be reached; faxes wait");
        }
    }

    /// Opens the breaker because the provider refuses our credentials. It is logged once.
    pub(super) fn record_unauthorized(&self, why: &str) {
        {
            let mut state = self.state.lock();
            state.probe = None;
            state.failures = state.failures.max(THRESHOLD);
            state.open_until = Some(self.clock.uptime().saturating_add(CREDENTIALS_PAUSE));
        }
        if self.board.bad(
            NAME,
            "the provider refuses our credentials: set PHAXIO_API_KEY and PHAXIO_API_SECRET and reload",
        ) {
            tracing::error!(
                why,
                "the provider refuses our credentials; faxes wait until they are replaced"
            );
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.breaker.state.lock();
        if self.probe.is_some() && state.probe == self.probe {
            state.probe = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn breaker() -> (Clock, Arc<CircuitBreaker>) {
        let clock = Clock::system();
        let breaker = Arc::new(CircuitBreaker::new(Board::default(), clock.clone()));
        (clock, breaker)
    }

    /// Opened by repeated failure, its pause over.
    fn open() -> (Clock, Arc<CircuitBreaker>) {
        let (clock, breaker) = breaker();
        for _ in 0..THRESHOLD {
            assert!(breaker.try_acquire().is_ok());
            breaker.record_failure("refused");
        }
        assert!(breaker.try_acquire().is_err());
        clock.shift(SignedDuration::from_secs(10));
        (clock, breaker)
    }

    #[test]
    fn opens_after_repeated_failure_and_permits_one_probe() {
        let (_, breaker) = open();
        let probe = breaker.try_acquire().expect("the probe");
        assert!(breaker.try_acquire().is_err(), "only one probe");
        breaker.record_success();
        drop(probe);
        assert!(breaker.try_acquire().is_ok() && breaker.try_acquire().is_ok());
    }

    #[test]
    fn a_probe_without_an_outcome_is_followed_by_another() {
        let (clock, breaker) = open();
        drop(breaker.try_acquire().expect("the probe"));
        let second = breaker.try_acquire().expect("another one");
        breaker.record_failure("still");
        assert!(breaker.try_acquire().is_err(), "open again, and for longer");
        clock.shift(SignedDuration::from_secs(30));
        let third = breaker.try_acquire().expect("the next");
        // Dropping an old permission must not permit a second probe beside the third.
        drop(second);
        assert!(breaker.try_acquire().is_err());
        drop(third);
    }

    #[test]
    fn a_wall_clock_set_back_does_not_keep_it_open() {
        let (clock, breaker) = breaker();
        breaker.record_unauthorized("401");
        clock.shift(SignedDuration::from_hours(-1));
        assert!(breaker.try_acquire().is_err());
        clock.shift(SignedDuration::from_secs(61));
        assert!(breaker.try_acquire().is_ok());
    }

    #[test]
    fn refused_credentials_are_reported_as_unhealthy() {
        let board = Board::default();
        let breaker = CircuitBreaker::new(board.clone(), Clock::system());
        breaker.record_unauthorized("401");
        assert!(
            board
                .all()
                .iter()
                .any(|(name, state)| *name == NAME && state.is_err())
        );
        breaker.record_success();
        assert!(board.all().iter().all(|(_, state)| state.is_ok()));
    }
}
