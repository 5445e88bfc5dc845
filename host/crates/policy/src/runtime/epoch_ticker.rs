//! The clock of the engine: a thread that moves the epoch on, as often as the calls under way need it, and not at all
//! while there are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// One tick of the epoch while no guest runs on a thread of its own.
pub(crate) const TICK: Duration = Duration::from_millis(2);
/// One tick while documents are converted on threads of their own: how long, at most, a thread that serves requests
/// waits for a core of theirs.
const SHORT_TICK: Duration = Duration::from_micros(500);
/// The same while others than converters take long, which they are not meant to do: they pay for shorter waits.
const SHORTEST_TICK: Duration = Duration::from_micros(100);
/// Short ticks that a guest runs before another guest has its turn.
pub(crate) const YIELD_INTERVAL: u32 = 10;
/// Ticks without any call after which the thread sleeps until there is one. Waking it takes as long as a small call.
const IDLE_TICKS: u32 = 50;

/// The thread's handle. It ends with this.
pub(crate) struct Ticker {
    calls: Arc<Calls>,
    thread: Thread,
}

/// What there is of a call, as far as time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Any call, from its beginning.
    Call,
    /// A conversion, on a thread for guests.
    Conversion,
    /// Another guest that is on such a thread since it takes long.
    Slow,
}

/// A part of a call under way; counted until it is dropped.
pub(crate) struct ActiveCall {
    calls: Arc<Calls>,
    part: Part,
}

#[derive(Debug, Default)]
struct Calls {
    present: [AtomicU32; 3],
    /// The thread sleeps, or is about to look once more whether it may.
    asleep: AtomicBool,
    ended: AtomicBool,
}

impl Ticker {
    /// Starts the thread for `engine`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let calls = Arc::new(Calls::default());
        let engine = engine.clone();
        let seen = Arc::clone(&calls);
        let thread = thread::Builder::new()
            .name("plugin-ticker".to_owned())
            .spawn(move || seen.tick(|| engine.increment_epoch()))?;
        Ok(Self {
            calls,
            thread: thread.thread().clone(),
        })
    }

    /// Counts a part of a call, so that time passes for it.
    pub(crate) fn enter(&self, part: Part) -> ActiveCall {
        self.calls.of(part).fetch_add(1, Ordering::SeqCst);
        // Either it sees this call before it sleeps, or this sees that it sleeps.
        if self.calls.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        ActiveCall {
            calls: Arc::clone(&self.calls),
            part,
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.calls.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Drop for ActiveCall {
    fn drop(&mut self) {
        self.calls.of(self.part).fetch_sub(1, Ordering::SeqCst);
    }
}

impl Calls {
    fn of(&self, part: Part) -> &AtomicU32 {
        let [calls, conversions, slow] = &self.present;
        match part {
            Part::Call => calls,
            Part::Conversion => conversions,
            Part::Slow => slow,
        }
    }

    fn has(&self, part: Part) -> bool {
        self.of(part).load(Ordering::SeqCst) > 0
    }

    /// The tick that the calls under way ask for; none without any.
    fn wanted(&self) -> Option<Duration> {
        if self.has(Part::Slow) {
            Some(SHORTEST_TICK)
        } else if self.has(Part::Conversion) {
            Some(SHORT_TICK)
        } else {
            self.has(Part::Call).then_some(TICK)
        }
    }

    fn tick(&self, mut advance: impl FnMut()) {
        let mut quiet = 0;
        while !self.ended.load(Ordering::SeqCst) {
            let wanted = self.wanted();
            quiet = if wanted.is_some() { 0 } else { quiet + 1 };
            if quiet > IDLE_TICKS {
                self.sleep();
                quiet = 0;
            }
            thread::sleep(wanted.unwrap_or(TICK));
            advance();
        }
    }

    /// Sleeps until there is a call, or the end.
    fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        while self.wanted().is_none() && !self.ended.load(Ordering::SeqCst) {
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, Receiver};

    /// A ticker whose ticks are told.
    fn told() -> (Ticker, Receiver<()>) {
        let calls = Arc::new(Calls::default());
        let seen = Arc::clone(&calls);
        let (tell, ticks) = mpsc::channel();
        let thread = thread::spawn(move || seen.tick(|| tell.send(()).unwrap_or_default()));
        let thread = thread.thread().clone();
        (Ticker { calls, thread }, ticks)
    }

    fn wait_until_asleep(ticker: &Ticker) {
        while !ticker.calls.asleep.load(Ordering::SeqCst) {
            thread::sleep(TICK);
        }
    }

    #[test]
    fn ticks_are_as_short_as_the_calls_ask_for() {
        let (ticker, _ticks) = told();
        assert_eq!(ticker.calls.wanted(), None);
        let call = ticker.enter(Part::Call);
        assert_eq!(ticker.calls.wanted(), Some(TICK));
        let conversion = ticker.enter(Part::Conversion);
        assert_eq!(ticker.calls.wanted(), Some(SHORT_TICK));
        let slow = ticker.enter(Part::Slow);
        assert_eq!(ticker.calls.wanted(), Some(SHORTEST_TICK));
        drop((call, slow));
        assert_eq!(ticker.calls.wanted(), Some(SHORT_TICK));
        drop(conversion);
        assert_eq!(ticker.calls.wanted(), None);
    }

    #[test]
    fn no_call_waits_for_time_and_no_time_passes_without_calls() {
        let (ticker, ticks) = told();
        for round in 0..20 {
            wait_until_asleep(&ticker);
            let before = ticks.try_iter().count();
            assert!(
                round == 0 || before as u32 >= IDLE_TICKS,
                "it slept at once: {before}"
            );
            let part = [Part::Call, Part::Conversion, Part::Slow][round % 3];
            let presence = ticker.enter(part);
            for _ in 0..3 {
                ticks.recv_timeout(Duration::from_secs(10)).expect("a tick");
            }
            drop(presence);
        }
    }

    #[test]
    fn it_ends_asleep_or_awake() {
        let (ticker, ticks) = told();
        drop(ticker);
        while ticks.recv().is_ok() {}
        let (ticker, ticks) = told();
        wait_until_asleep(&ticker);
        drop(ticker);
        while ticks.recv().is_ok() {}
    }
}
