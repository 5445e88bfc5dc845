//! What one call may use: memory, processor time, wall time, log lines and MAC checks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::runtime::engine::INLINE_BUDGET;
use crate::runtime::epoch_ticker::{TICK, YIELD_INTERVAL};
use faxgate_base::cpu;

/// Core module instances of one component: its own, and those that adapters add.
pub(crate) const CORE_INSTANCES: u32 = 8;
/// Linear memories of one component.
pub(crate) const MEMORIES: u32 = 2;
/// Tables of one component.
pub(crate) const TABLES: u32 = 4;
/// Elements of one table.
pub(crate) const TABLE_ELEMENTS: usize = 65_536;
/// Resource handles of one call, on either side.
pub(crate) const HANDLES: usize = 64;
/// Bytes of a component file.
pub(crate) const COMPONENT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes a guest may hand over per crossing beyond its output limit: names, messages, list heads.
pub(crate) const CROSSING_SLACK: u64 = 64 * 1024;
/// Bytes per crossing for slots whose answers are small.
pub(crate) const SMALL_CROSSING: u64 = 1024 * 1024;

/// What is known about a call from outside while it runs and after it ended, however it ended.
#[derive(Debug)]
pub(crate) struct Meter {
    started: Instant,
    /// Wall deadline in microseconds after the start.
    deadline: AtomicU64,
    memory_peak: AtomicU64,
    denied: AtomicU64,
    fuel: AtomicU64,
}

/// Sums the linear memory of a store and denies what goes beyond the cap.
pub(crate) struct Limiter {
    cap: usize,
    used: usize,
    meter: Arc<Meter>,
}

/// Processor time that a call has had, whatever its threads did besides: a busy machine makes a call later, not
/// more expensive. Written around each poll of the call, read at each tick of the epoch.
#[derive(Debug, Default)]
pub(crate) struct CpuClock {
    /// Nanoseconds of the polls that ended.
    spent: AtomicU64,
    /// The thread's own clock when the present poll began, in nanoseconds. In the first poll it is 0 until a tick
    /// passes, and what was before is not counted: most calls end there, and reading the clock would be a good part
    /// of what they cost.
    since: AtomicU64,
    /// Whether the first poll has ended.
    resumed: AtomicBool,
}

/// A call whose processor time is kept.
pub(crate) struct CpuTimed<F> {
    call: Pin<Box<F>>,
    clock: Arc<CpuClock>,
}

/// Processor time that a call may have.
#[derive(Debug, Clone)]
pub(crate) struct CpuBudget {
    clock: Arc<CpuClock>,
    full: Duration,
    until: Duration,
    ticks: u32,
}

impl Meter {
    /// A meter that starts now.
    pub(crate) fn start(wall: Duration) -> Self {
        Self {
            started: Instant::now(),
            deadline: AtomicU64::new(micros(wall)),
            memory_peak: AtomicU64::new(0),
            denied: AtomicU64::new(0),
            fuel: AtomicU64::new(0),
        }
    }

    /// Gives the call `wall` from now on, for its next step.
    pub(crate) fn rearm(&self, wall: Duration) {
        let deadline = self.started.elapsed().saturating_add(wall);
        self.deadline.store(micros(deadline), Ordering::Relaxed);
    }

    /// Waits until the wall deadline has passed.
    pub(crate) async fn expired(&self) {
        loop {
            let deadline = Duration::from_micros(self.deadline.load(Ordering::Relaxed));
            match deadline.checked_sub(self.started.elapsed()) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The most memory it had, in bytes.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }

    /// How often memory was denied.
    pub(crate) fn denied(&self) -> u64 {
        self.denied.load(Ordering::Relaxed)
    }

    /// Fuel it used, where the engine counts it.
    pub(crate) fn fuel(&self) -> u64 {
        self.fuel.load(Ordering::Relaxed)
    }

    /// Notes the fuel.
    pub(crate) fn set_fuel(&self, used: u64) {
        self.fuel.store(used, Ordering::Relaxed);
    }
}

impl Limiter {
    /// A limiter of `cap` bytes.
    pub(crate) fn new(cap: u64, meter: Arc<Meter>) -> Self {
        Self {
            cap: usize::try_from(cap).unwrap_or(usize::MAX),
            used: 0,
            meter,
        }
    }

    fn deny(&self) {
        self.meter.denied.fetch_add(1, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.cap {
            self.deny();
            return Ok(false);
        }
        self.used = used;
        self.meter.memory_peak.fetch_max(used as u64, Ordering::Relaxed);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // The sum stays too high by what was not given: that errs on the safe side.
        tracing::debug!(%error, "memory could not be given to a plugin");
        self.deny();
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.deny();
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

impl CpuClock {
    fn begin(&self) {
        let now = nanos(cpu::thread_time()).max(1);
        self.since.store(now, Ordering::Relaxed);
    }

    fn is_running(&self) -> bool {
        self.since.load(Ordering::Relaxed) != 0
    }

    fn used(&self) -> Duration {
        let since = self.since.load(Ordering::Relaxed);
        let running = if since == 0 {
            0
        } else {
            nanos(cpu::thread_time()).saturating_sub(since)
        };
        Duration::from_nanos(self.spent.load(Ordering::Relaxed).saturating_add(running))
    }
}

impl<F> CpuTimed<F> {
    /// Keeps the time of `call` on `clock`.
    pub(crate) fn new(call: F, clock: Arc<CpuClock>) -> Self {
        Self {
            call: Box::pin(call),
            clock,
        }
    }
}

impl<F: Future> Future for CpuTimed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.clock.resumed.load(Ordering::Relaxed) {
            self.clock.begin();
        }
        let state = self.call.as_mut().poll(context);
        if state.is_pending() {
            let used = self.clock.used();
            self.clock.spent.store(nanos(used), Ordering::Relaxed);
            self.clock.since.store(0, Ordering::Relaxed);
            self.clock.resumed.store(true, Ordering::Relaxed);
        }
        state
    }
}

impl CpuBudget {
    /// A budget of at least one tick. The tick under way when a call begins is not counted against it.
    pub(crate) fn new(cpu: Duration) -> Self {
        let full = cpu.max(TICK);
        Self {
            clock: Arc::default(),
            full,
            until: full,
            ticks: 0,
        }
    }

    /// The clock that it is measured by.
    pub(crate) fn clock(&self) -> Arc<CpuClock> {
        Arc::clone(&self.clock)
    }

    /// One tick passed while the guest ran: it is stopped, or makes way for others, or lets threads that serve requests
    /// go first and runs on.
    pub(crate) fn tick(&mut self) -> UpdateDeadline {
        if !self.clock.is_running() {
            // Ticks come when they come: this one may have passed a moment after the call began.
            self.clock.begin();
            return UpdateDeadline::Continue(1);
        }
        let used = self.clock.used();
        if used >= self.until {
            return UpdateDeadline::Interrupt;
        }
        if !self.clock.resumed.load(Ordering::Relaxed) {
            return match used >= INLINE_BUDGET {
                true => UpdateDeadline::Yield(1),
                false => UpdateDeadline::Continue(1),
            };
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(YIELD_INTERVAL) {
            return UpdateDeadline::Yield(1);
        }
        // A thread that slept too shortly to be owed its turn again does not push this one off its core when it wakes,
        // and the kernel looks again only in its timer interrupt. This makes it look now.
        thread::yield_now();
        UpdateDeadline::Continue(1)
    }

    /// The whole budget again, for the next step.
    pub(crate) fn rearm(&mut self) {
        self.until = self.clock.used().saturating_add(self.full);
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(span: Duration) {
        let end = cpu::thread_time() + span;
        while cpu::thread_time() < end {}
    }

    #[test]
    fn a_call_is_slow_by_its_own_time_and_not_by_when_a_tick_comes() {
        let mut budget = CpuBudget::new(10 * INLINE_BUDGET);
        assert!(matches!(budget.tick(), UpdateDeadline::Continue(1)));
        assert!(matches!(budget.tick(), UpdateDeadline::Continue(1)));
        burn(INLINE_BUDGET);
        assert!(matches!(budget.tick(), UpdateDeadline::Yield(1)));
        burn(10 * INLINE_BUDGET);
        assert!(matches!(budget.tick(), UpdateDeadline::Interrupt));
    }

    #[test]
    fn guests_take_turns() {
        let mut budget = CpuBudget::new(Duration::from_secs(3600));
        budget.clock.begin();
        budget.clock.resumed.store(true, Ordering::Relaxed);
        let turn = (0..100)
            .take_while(|_| matches!(budget.tick(), UpdateDeadline::Continue(1)))
            .count();
        assert_eq!(turn as u32, YIELD_INTERVAL - 1);
    }
}
