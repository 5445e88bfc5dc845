//! Whether it makes sense to send at all: shut after refused credentials or repeated failure, and tried again
//! with one request at a time.

use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::backoff;
use crate::base::clock::after;
use crate::telemetry::board::Board;

/// The name under which the provider stands on the board.
const NAME: &str = "provider";
/// Failures in a row that shut the gate.
const THRESHOLD: u32 = 5;
/// First time it stays shut.
const PAUSE: Duration = Duration::from_secs(5);
/// Time between probes with credentials that were refused.
const CREDENTIALS_PAUSE: Duration = Duration::from_secs(60);

/// The state of the way to the provider.
#[derive(Debug)]
pub(super) struct Gate {
    board: Board,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    shut_until: Option<Timestamp>,
    probing: bool,
}

impl Gate {
    pub(super) fn new(board: Board) -> Self {
        board.good(NAME);
        Self {
            board,
            state: Mutex::default(),
        }
    }

    /// Whether a request may leave at `now`; otherwise when to ask again. After a pause one request probes, and
    /// the others wait for what becomes of it.
    pub(super) fn enter(&self, now: Timestamp) -> Result<(), Timestamp> {
        let mut state = self.state.lock();
        match state.shut_until {
            None => Ok(()),
            // A clock set back must not keep the gate shut for longer than the longest pause.
            Some(until) if until > now && until <= after(now, LONGEST_PAUSE) => Err(until),
            Some(_) if state.probing => Err(after(now, Duration::from_secs(1))),
            Some(_) => {
                state.probing = true;
                Ok(())
            }
        }
    }

    /// The provider answered sensibly.
    pub(super) fn open(&self) {
        *self.state.lock() = State::default();
        if self.board.good(NAME) {
            tracing::info!("the provider answers again");
        }
    }

    /// The request that entered ended without saying anything about the provider.
    pub(super) fn leave(&self) {
        self.state.lock().probing = false;
    }

    /// The provider could not be reached or failed.
    pub(super) fn failed(&self, now: Timestamp, why: &str) {
        let mut state = self.state.lock();
        state.probing = false;
        state.failures = state.failures.saturating_add(1);
        if state.failures < THRESHOLD {
            return;
        }
        state.shut_until = Some(after(
            now,
            backoff::exponential(PAUSE, state.failures - THRESHOLD + 1).min(LONGEST_PAUSE),
        ));
        drop(state);
        if self
            .board
            .bad(NAME, format!("the provider can't be reached: {why}"))
        {
            tracing::warn!(why, "the provider can't be reached; faxes wait");
        }
    }

    /// The provider refuses our credentials: everything waits, and it is said once.
    pub(super) fn refused(&self, now: Timestamp, why: &str) {
        {
            let mut state = self.state.lock();
            state.probing = false;
            state.failures = state.failures.max(THRESHOLD);
            state.shut_until = Some(after(now, CREDENTIALS_PAUSE));
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

/// The gate is never shut for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("time")
    }

    #[test]
    fn shuts_after_repeated_failure_and_lets_one_probe_through() {
        let gate = Gate::new(Board::default());
        for _ in 0..THRESHOLD {
            assert_eq!(gate.enter(at(0)), Ok(()));
            gate.failed(at(0), "refused");
        }
        assert!(gate.enter(at(1)).is_err());
        assert_eq!(gate.enter(at(10)), Ok(()), "the probe");
        assert!(gate.enter(at(10)).is_err(), "only one probe");
        gate.open();
        assert_eq!(gate.enter(at(10)), Ok(()));
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_shut() {
        let gate = Gate::new(Board::default());
        gate.refused(at(100_000), "401");
        assert_eq!(gate.enter(at(1)), Ok(()));
    }

    #[test]
    fn refused_credentials_stand_on_the_board() {
        let board = Board::default();
        let gate = Gate::new(board.clone());
        gate.refused(at(0), "401");
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
