//! What one call may use: memory, processor time, wall time, log lines and MAC checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::engine::TICK;

/// Core module instances of one component: its own, and those that adapters add.
pub(super) const CORE_INSTANCES: u32 = 8;
/// Linear memories of one component.
pub(super) const MEMORIES: u32 = 2;
/// Tables of one component.
pub(super) const TABLES: u32 = 4;
/// Elements of one table.
pub(super) const TABLE_ELEMENTS: usize = 65_536;
/// Resource handles of one call, on either side.
pub(super) const HANDLES: usize = 64;
/// Bytes of a component file.
pub(super) const COMPONENT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes a guest may hand over per crossing beyond its output limit: names, messages, list heads.
pub(super) const CROSSING_SLACK: u64 = 64 * 1024;
/// Bytes per crossing for slots whose answers are small.
pub(super) const SMALL_CROSSING: u64 = 1024 * 1024;

/// What is known about a call from outside while it runs and after it ended, however it ended.
#[derive(Debug)]
pub(super) struct Meter {
    started: Instant,
    /// Wall deadline in microseconds after the start.
    deadline: AtomicU64,
    memory_peak: AtomicU64,
    denied: AtomicU64,
    fuel: AtomicU64,
}

/// Sums the linear memory of a store and denies what goes beyond the cap.
pub(super) struct Limiter {
    cap: usize,
    used: usize,
    meter: Arc<Meter>,
}

/// Processor time of a call, counted in ticks of the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct CpuBudget {
    full: u64,
    left: u64,
}

impl Meter {
    /// A meter that starts now.
    pub(super) fn start(wall: Duration) -> Self {
        Self {
            started: Instant::now(),
            deadline: AtomicU64::new(micros(wall)),
            memory_peak: AtomicU64::new(0),
            denied: AtomicU64::new(0),
            fuel: AtomicU64::new(0),
        }
    }

    /// Gives the call `wall` from now on, for its next step.
    pub(super) fn rearm(&self, wall: Duration) {
        let deadline = self.started.elapsed().saturating_add(wall);
        self.deadline.store(micros(deadline), Ordering::Relaxed);
    }

    /// Waits until the wall deadline has passed.
    pub(super) async fn expired(&self) {
        loop {
            let deadline = Duration::from_micros(self.deadline.load(Ordering::Relaxed));
            match deadline.checked_sub(self.started.elapsed()) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }

    /// Time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The most memory it had, in bytes.
    pub(super) fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }

    /// How often memory was denied.
    pub(super) fn denied(&self) -> u64 {
        self.denied.load(Ordering::Relaxed)
    }

    /// Fuel it used, where the engine counts it.
    pub(super) fn fuel(&self) -> u64 {
        self.fuel.load(Ordering::Relaxed)
    }

    /// Notes the fuel.
    pub(super) fn set_fuel(&self, used: u64) {
        self.fuel.store(used, Ordering::Relaxed);
    }
}

impl Limiter {
    /// A limiter of `cap` bytes.
    pub(super) fn new(cap: u64, meter: Arc<Meter>) -> Self {
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

impl CpuBudget {
    /// A budget of at least one tick. The tick under way when a call begins is not counted against it.
    pub(super) fn new(cpu: Duration) -> Self {
        let ticks = cpu.as_micros().div_ceil(TICK.as_micros().max(1));
        let full = u64::try_from(ticks).unwrap_or(u64::MAX).max(1);
        Self { full, left: full }
    }

    /// One tick passed while the guest ran.
    pub(super) fn tick(&mut self) -> UpdateDeadline {
        match self.left.checked_sub(1) {
            None => UpdateDeadline::Interrupt,
            Some(left) => {
                self.left = left;
                UpdateDeadline::Yield(1)
            }
        }
    }

    /// The whole budget again, for the next step.
    pub(super) fn rearm(&mut self) {
        self.left = self.full;
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
