//! Whether it makes sense to send at all: shut after refused credentials or repeated failure, and tried again
//! with one request at a time.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::backoff;
use faxgate_base::clock::Clock;
use faxgate_telemetry::board::Board;

/// The name under which the provider stands on the board.
const NAME: &str = "provider";
/// Failures in a row that shut the gate.
const THRESHOLD: u32 = 5;
/// First time it stays shut.
const PAUSE: Duration = Duration::from_secs(5);
/// The gate is never shut for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Time between probes with credentials that were refused.
const CREDENTIALS_PAUSE: Duration = Duration::from_secs(60);
/// How long to wait before asking what became of a probe.
const PROBE_LOOK: Duration = Duration::from_secs(1);

/// The state of the way to the provider. Goes by the time that nobody can set.
#[derive(Debug)]
pub(super) struct Gate {
    board: Board,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    shut_until: Option<Duration>,
    /// The request that finds out whether the provider is back.
    probe: Option<u64>,
    last_probe: u64,
}

/// The permission to make one request. Dropped, however the request ends, it lets the next one probe.
#[derive(Debug)]
pub(super) struct Entrance {
    gate: Arc<Gate>,
    probe: Option<u64>,
}

impl Gate {
    pub(super) fn new(board: Board, clock: Clock) -> Self {
        board.good(NAME);
        Self {
            board,
            clock,
            state: Mutex::default(),
        }
    }

    /// Lets a request through, or says how long to wait before asking again. After a pause one request probes, and
    /// the others wait for what becomes of it.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Entrance, Duration> {
        let mut state = self.state.lock();
        let now = self.clock.uptime();
        let probe = match state.shut_until {
            None => None,
            Some(until) if until > now => return Err(until.saturating_sub(now)),
            Some(_) if state.probe.is_some() => return Err(PROBE_LOOK),
            Some(_) => {
                state.last_probe = state.last_probe.wrapping_add(1);
                state.probe = Some(state.last_probe);
                state.probe
            }
        };
        Ok(Entrance {
            gate: Arc::clone(self),
            probe,
        })
    }

    /// The provider answered sensibly.
    pub(super) fn open(&self) {
        {
            let mut state = self.state.lock();
            state.failures = 0;
            state.shut_until = None;
            state.probe = None;
        }
        if self.board.good(NAME) {
            tracing::info!("the provider answers again");
        }
    }

    /// The provider could not be reached or failed.
    pub(super) fn failed(&self, why: &str) {
        let mut state = self.state.lock();
        state.probe = None;
        state.failures = state.failures.saturating_add(1);
        if state.failures < THRESHOLD {
            return;
        }
        let pause = backoff::exponential(PAUSE, state.failures - THRESHOLD + 1).min(LONGEST_PAUSE);
        state.shut_until = Some(self.clock.uptime().saturating_add(pause));
        drop(state);
        if self
            .board
            .bad(NAME, format!("the provider can't be reached: {why}"))
        {
            tracing::warn!(why, "the provider can't be reached; faxes wait");
        }
    }

    /// The provider refuses our credentials: everything waits, and it is said once.
    pub(super) fn refused(&self, why: &str) {
        {
            let mut state = self.state.lock();
            state.probe = None;
            state.failures = state.failures.max(THRESHOLD);
            state.shut_until = Some(self.clock.uptime().saturating_add(CREDENTIALS_PAUSE));
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

impl Drop for Entrance {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        if self.probe.is_some() && state.probe == self.probe {
            state.probe = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn gate() -> (Clock, Arc<Gate>) {
        let clock = Clock::system();
        let gate = Arc::new(Gate::new(Board::default(), clock.clone()));
        (clock, gate)
    }

    /// Shut by repeated failure, its pause over.
    fn shut() -> (Clock, Arc<Gate>) {
        let (clock, gate) = gate();
        for _ in 0..THRESHOLD {
            assert!(gate.enter().is_ok());
            gate.failed("refused");
        }
        assert!(gate.enter().is_err());
        clock.shift(SignedDuration::from_secs(10));
        (clock, gate)
    }

    #[test]
    fn shuts_after_repeated_failure_and_lets_one_probe_through() {
        let (_, gate) = shut();
        let probe = gate.enter().expect("the probe");
        assert!(gate.enter().is_err(), "only one probe");
        gate.open();
        drop(probe);
        assert!(gate.enter().is_ok() && gate.enter().is_ok());
    }

    #[test]
    fn a_probe_that_says_nothing_makes_room_for_the_next() {
        let (clock, gate) = shut();
        drop(gate.enter().expect("the probe"));
        let second = gate.enter().expect("another one");
        gate.failed("still");
        assert!(gate.enter().is_err(), "shut again, and for longer");
        clock.shift(SignedDuration::from_secs(30));
        let third = gate.enter().expect("the next");
        // One that ended long ago must not let a second one pass beside the third.
        drop(second);
        assert!(gate.enter().is_err());
        drop(third);
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_shut() {
        let (clock, gate) = gate();
        gate.refused("401");
        clock.shift(SignedDuration::from_hours(-1));
        assert!(gate.enter().is_err());
        clock.shift(SignedDuration::from_secs(61));
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn refused_credentials_stand_on_the_board() {
        let board = Board::default();
        let gate = Gate::new(board.clone(), Clock::system());
        gate.refused("401");
        assert!(
            board
                .all()
                .iter()
                .any(|(name, state)| *name == NAME && state.is_err())
        );
        gate.open();
        assert!(board.all().iter().all(|(_, state)| state.is_ok()));
    }
}
