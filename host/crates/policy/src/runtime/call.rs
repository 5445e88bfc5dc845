//! One call of one plugin: a fresh store and instance, its budgets, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, WasmBacktrace};

use crate::error::{FailureKind, PluginFailure};
use crate::host::host_api::{CallState, Identity};
use crate::host::webhook::HostFault;
use crate::load::compile::Prepared;
use crate::runtime::engine::{Permit, Placement, Runtime, SlowCallCounter};
use crate::runtime::limits::{CROSSING_SLACK, CpuBudget, CpuTimed, Limiter, Meter, SMALL_CROSSING};
use crate::types::Slot;
use faxgate_config::plugins::PluginConfig;

/// A component together with who it is to be: what a call needs.
pub(crate) struct CallTarget {
    pub(crate) identity: Arc<Identity>,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) pace: SlowCallCounter,
}

/// What a call may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Bytes of linear memory.
    pub(crate) memory: u64,
    /// Processor time of each step.
    pub(crate) cpu: Duration,
    /// Time of each step.
    pub(crate) wall: Duration,
    /// Bytes that may cross from the guest at once.
    pub(crate) crossing: u64,
}

/// The state that one call keeps between its steps.
pub(crate) struct Session {
    /// The store; dead after an error.
    pub(crate) store: Store<CallState>,
    meter: Arc<Meter>,
    wall: Duration,
}

/// Why a call ended before its answer could be used.
pub(crate) enum Fault {
    /// The engine says so: a trap, or an answer that can't be read.
    Guest(wasmtime::Error),
    /// The answer was read and breaks the contract.
    BadAnswer(String),
}

/// A call that ended.
pub(crate) struct Ended<T> {
    pub(crate) outcome: Result<T, PluginFailure>,
    pub(crate) meter: Arc<Meter>,
}

impl CallTarget {
    /// Where its next call begins.
    pub(crate) fn next_placement(&self) -> Placement {
        self.pace.next(self.prepared.slot)
    }
}

impl Budget {
    /// The budget that the configuration gives to calls of a slot.
    pub(crate) fn of(config: &PluginConfig, slot: Slot) -> Self {
        let crossing = match slot {
            Slot::Converter => config.max_output.saturating_add(CROSSING_SLACK),
            Slot::NumberNormalizer | Slot::CallbackPolicy => config.max_output.min(SMALL_CROSSING),
        };
        Self {
            memory: config.memory,
            cpu: config.cpu,
            wall: config.wall,
            crossing,
        }
    }
}

impl Session {
    /// Gives the next step its full time again.
    pub(crate) fn next_step(&mut self) {
        self.store.data_mut().cpu.rearm();
        self.meter.rearm(self.wall);
    }
}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Guest(error)
    }
}

/// Runs one call to its end, whatever that is.
pub(crate) async fn run<T, F>(
    runtime: &Arc<Runtime>,
    callee: &Arc<CallTarget>,
    budget: Budget,
    permit: Option<Permit>,
    work: F,
) -> Ended<T>
where
    T: Send + 'static,
    F: for<'a> FnOnce(&'a mut Session, &'a CallTarget) -> BoxFuture<'a, Result<T, Fault>> + Send + 'static,
{
    let placement = permit
        .as_ref()
        .map_or_else(|| callee.next_placement(), Permit::placement);
    let meter = Arc::new(Meter::start(budget.wall));
    let limiter = Limiter::new(budget.memory, Arc::clone(&meter));
    let cpu = CpuBudget::new(budget.cpu);
    let clock = cpu.clock();
    let mut state = CallState::new(Arc::clone(&callee.identity), limiter, cpu);
    state.fonts = Arc::clone(runtime.fonts());
    let mut session = Session {
        store: runtime.store(state, budget.crossing),
        meter: Arc::clone(&meter),
        wall: budget.wall,
    };
    let guest = {
        let callee = Arc::clone(callee);
        let fuel = runtime.counts_fuel();
        async move {
            // Declared first, dropped last: the place is free only when the instance is gone.
            let _permit = permit;
            let session = &mut session;
            let outcome = work(session, &callee).await;
            if fuel && let Ok(left) = session.store.get_fuel() {
                session.meter.set_fuel(u64::MAX.saturating_sub(left));
            }
            outcome
        }
    };
    let name = &callee.identity.name;
    let outcome = tokio::select! {
        biased;
        done = runtime.run(placement, &callee.pace, CpuTimed::new(guest, clock)) => match done {
            Some(outcome) => outcome.map_err(|fault| failure(name, fault, &meter)),
            None => Err(PluginFailure {
                plugin: name.clone(),
                kind: FailureKind::Host,
                cause: "the gateway panicked while serving the plugin".to_owned(),
            }),
        },
        () = meter.expired() => Err(PluginFailure::late(name, FailureKind::WallDeadline, meter.elapsed())),
    };
    Ended { outcome, meter }
}

fn failure(plugin: &str, fault: Fault, meter: &Meter) -> PluginFailure {
    let (kind, cause) = match fault {
        Fault::BadAnswer(cause) => (FailureKind::BadAnswer, cause),
        Fault::Guest(error) => (classify(&error, meter), explain(&error)),
    };
    if kind == FailureKind::CpuDeadline {
        return PluginFailure::late(plugin, kind, meter.elapsed());
    }
    PluginFailure {
        plugin: plugin.to_owned(),
        kind,
        cause,
    }
}

fn classify(error: &wasmtime::Error, meter: &Meter) -> FailureKind {
    if error.downcast_ref::<HostFault>().is_some()
        || error.downcast_ref::<PoolConcurrencyLimitError>().is_some()
    {
        return FailureKind::Host;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => FailureKind::CpuDeadline,
        Some(Trap::StackOverflow) => FailureKind::StackOverflow,
        // Guests end by a trap when an allocation fails: memory was denied before, so that is the cause.
        _ if meter.denied() > 0 => FailureKind::OutOfMemory,
        Some(_) => FailureKind::Trap,
        // The error is private to the engine; its text is all there is.
        None if error
            .root_cause()
            .to_string()
            .contains("fuel allocated for hostcalls") =>
        {
            FailureKind::TooMuchData
        }
        None => FailureKind::BadAnswer,
    }
}

/// The root cause and, where the component has names, the innermost functions.
fn explain(error: &wasmtime::Error) -> String {
    let mut text = error.root_cause().to_string();
    text.truncate(text.floor_char_boundary(300));
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        let names: Vec<&str> = backtrace
            .frames()
            .iter()
            .filter_map(wasmtime::FrameInfo::func_name)
            .take(3)
            .collect();
        if !names.is_empty() {
            text.push_str(" in ");
            text.push_str(&names.join(" < "));
        }
    }
    text
}
