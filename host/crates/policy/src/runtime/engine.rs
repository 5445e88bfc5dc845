//! The one engine: how components are compiled, where their instances live, on which threads they run, and the component_interface in
//! front of the pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::error::LoadError;
use crate::host::bindings::callback::CallbackPolicyPlugin;
use crate::host::bindings::converter::faxgate::policy::fonts;
use crate::host::fonts::Fonts;
use crate::host::host_api::CallState;
use crate::runtime::epoch_ticker::{Part, Ticker};
use crate::runtime::limits::{self, HANDLES};
use crate::types::Slot;
use faxgate_base::cpu;

/// Processor time that a guest may have on a thread that serves requests, from the first tick on. Two ticks at most pass
/// until that is seen.
pub(crate) const INLINE_BUDGET: Duration = Duration::from_millis(1);
/// How many calls of a plugin begin on the threads for guests after one that took longer than [`INLINE_BUDGET`].
const BACKGROUND_CALLS: u32 = 1000;
/// How long a call waits for a free instance.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Instances beyond `plugins.instances`, for loading and checking while all others are busy.
const SPARE_INSTANCES: u32 = 4;
/// Stack of guest code.
const WASM_STACK: usize = 512 * 1024;
/// Stack of guest code and of the gateway's functions that it calls.
const FIBER_STACK: usize = WASM_STACK + 512 * 1024;

/// The engine and what surrounds it.
pub(crate) struct Runtime {
    engine: Engine,
    linker: Linker<CallState>,
    /// Bounds all calls under way; fewer than the pool has slots, so that the pool itself never runs out.
    all: Arc<Semaphore>,
    /// Bounds conversions: more at once than there are cores only makes all of them late and large.
    blocking: Arc<Semaphore>,
    /// Bounds the calls of plugins that answer slowly where microseconds are expected. While half of the cores are free
    /// of them, a request that wakes up finds one, instead of a queue of threads that the kernel looks at once in a
    /// timer interrupt, which is 4 ms on many systems.
    background: Arc<Semaphore>,
    guests: GuestThreads,
    ticker: Ticker,
    fuel: bool,
    cores: usize,
    fonts: Arc<Fonts>,
}

/// Where a call begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// On the thread that asks, for two ticks at most.
    Inline,
    /// On the threads for guests, beside half as many others as there are cores: it was slow before.
    Background,
    /// On the threads for guests, on all cores: a conversion.
    Blocking,
}

/// The right to make one call; given back when dropped, which must be after its store.
pub(crate) struct Permit {
    placement: Placement,
    _bounded: Option<OwnedSemaphorePermit>,
    _all: OwnedSemaphorePermit,
}

/// No permit came free in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Saturated;

/// Threads of their own for guests that run longer than [`INLINE_BUDGET`], so that they don't hold threads that serve
/// requests. They run at lower priority where the system allows it.
struct GuestThreads(Option<tokio::runtime::Runtime>);

/// Whether the calls of a plugin may begin on the thread that asks for them: the calls that may not, counted down.
#[derive(Debug, Default)]
pub(crate) struct SlowCallCounter(AtomicU32);

/// Stops a task when the one that waits for it goes away.
struct AbortOnDrop(AbortHandle);

impl Runtime {
    /// Starts an engine for `instances` calls at once, which may ask for `fonts`. With `fuel`, instructions are counted (for reproducible
    /// cost reports; guests run slower).
    ///
    /// # Errors
    /// When the engine or its threads can't be made.
    pub(crate) fn start(instances: u32, fuel: bool, fonts: Fonts) -> Result<Arc<Self>, LoadError> {
        let instances = instances.clamp(1, 1000);
        let failed = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let engine = match Engine::new(&config(Some(instances.saturating_add(SPARE_INSTANCES)), fuel)) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(
                    %error,
                    "no address space for a pool of plugin instances; calls get slower. \
                     Lower plugins.instances or lift the limit on virtual memory (ulimit -v)"
                );
                Engine::new(&config(None, fuel)).map_err(failed)?
            }
        };
        let mut linker = Linker::new(&engine);
        CallbackPolicyPlugin::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)
            .map_err(failed)?;
        fonts::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state).map_err(failed)?;
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let no_thread = |error: std::io::Error| LoadError::Engine(error.to_string());
        let ticker = Ticker::start(&engine).map_err(no_thread)?;
        let guests = GuestThreads::start(cores).map_err(no_thread)?;
        let instances = instances as usize;
        Ok(Arc::new(Self {
            engine,
            linker,
            all: Arc::new(Semaphore::new(instances)),
            // At least one instance stays free for the slots that answer in microseconds.
            blocking: Arc::new(Semaphore::new(
                cores.saturating_mul(2).min(instances.saturating_sub(1)).max(1),
            )),
            background: Arc::new(Semaphore::new((cores / 2).max(1))),
            guests,
            ticker,
            fuel,
            cores,
            fonts: Arc::new(fonts),
        }))
    }

    /// The engine itself.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What plugins may import.
    pub(crate) fn linker(&self) -> &Linker<CallState> {
        &self.linker
    }

    /// Whether instructions are counted.
    pub(crate) fn counts_fuel(&self) -> bool {
        self.fuel
    }

    /// What converters may print with.
    pub(crate) fn fonts(&self) -> &Arc<Fonts> {
        &self.fonts
    }

    /// How many guests can really run at once.
    pub(crate) fn cores(&self) -> usize {
        self.cores
    }

    /// A store for one call. Every store of this crate is made here: one without a deadline would trap at once,
    /// one without limits would have none.
    pub(crate) fn store(&self, state: CallState, crossing: u64) -> Store<CallState> {
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| Ok(context.data_mut().cpu.tick()));
        store.set_hostcall_fuel(usize::try_from(crossing).unwrap_or(usize::MAX));
        store.set_max_component_handles(HANDLES);
        if self.fuel {
            // Fuel is only counted: time limits come from the epoch. It fails without `consume_fuel`, which is on.
            let _ = store.set_fuel(u64::MAX);
        }
        store
    }

    /// Waits for a permit for one call.
    ///
    /// # Errors
    /// When none came free in time.
    pub(crate) async fn admit(&self, placement: Placement) -> Result<Permit, Saturated> {
        let both = async {
            let bounded = match placement {
                Placement::Blocking => Some(&self.blocking),
                Placement::Background => Some(&self.background),
                Placement::Inline => None,
            };
            // First: one that waits here must not hold an instance that others could have.
            let bounded = match bounded {
                Some(bound) => Some(Arc::clone(bound).acquire_owned().await.map_err(|_| Saturated)?),
                None => None,
            };
            let all = Arc::clone(&self.all)
                .acquire_owned()
                .await
                .map_err(|_| Saturated)?;
            Ok(Permit {
                placement,
                _bounded: bounded,
                _all: all,
            })
        };
        // A free place costs no timer.
        let mut both = Box::pin(both);
        match both.as_mut().now_or_never() {
            Some(permit) => permit,
            None => tokio::time::timeout(PERMIT_TIMEOUT, both)
                .await
                .unwrap_or(Err(Saturated)),
        }
    }

    /// Placement for one more conversion if there is some right now.
    pub(crate) fn admit_now(&self) -> Option<Permit> {
        let blocking = Arc::clone(&self.blocking).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Permit {
            placement: Placement::Blocking,
            _bounded: Some(blocking),
            _all: all,
        })
    }

    /// Runs a call. Calls of microseconds begin on the caller's thread and mostly end there, which spares the
    /// hand-over; what is left after [`INLINE_BUDGET`] runs on the threads for guests. So do the next calls of a plugin that took
    /// longer, and every conversion: once is all that it keeps others waiting. `None` when the call panicked.
    pub(crate) async fn run<F>(
        &self,
        placement: Placement,
        pace: &SlowCallCounter,
        call: F,
    ) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut call = Box::pin(call);
        let _present = self.ticker.enter(Part::Call);
        if placement == Placement::Inline {
            match call.as_mut().now_or_never() {
                Some(output) => return Some(output),
                None => pace.was_slow(),
            }
        }
        // Counted there as well: the guest may run on for a moment when nobody waits for it any more.
        let present = self.ticker.enter(match placement {
            Placement::Blocking => Part::Conversion,
            Placement::Inline | Placement::Background => Part::Slow,
        });
        let task = self.guests.spawn(async move {
            let _present = present;
            call.await
        })?;
        let _abort = AbortOnDrop(task.abort_handle());
        task.await.ok()
    }
}

impl Permit {
    /// Where the call begins.
    pub(crate) fn placement(&self) -> Placement {
        self.placement
    }
}

impl SlowCallCounter {
    /// Where the next call of a slot begins.
    pub(crate) fn next(&self, slot: Slot) -> Placement {
        let less = |left: u32| left.checked_sub(1);
        match slot {
            Slot::Converter => Placement::Blocking,
            Slot::NumberNormalizer | Slot::CallbackPolicy => {
                match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
                    Ok(_) => Placement::Background,
                    Err(_) => Placement::Inline,
                }
            }
        }
    }

    fn was_slow(&self) {
        self.0.store(BACKGROUND_CALLS, Ordering::Relaxed);
    }
}

impl GuestThreads {
    fn start(threads: usize) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("plugin")
            .on_thread_start(cpu::step_back)
            .build()?;
        Ok(Self(Some(runtime)))
    }

    fn spawn<F>(&self, call: F) -> Option<tokio::task::JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.as_ref().map(|runtime| runtime.spawn(call))
    }
}

impl Drop for GuestThreads {
    fn drop(&mut self) {
        // A runtime must not be waited for on a thread of another one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn config(pool: Option<u32>, fuel: bool) -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .gc_support(false)
        .epoch_interruption(true)
        .consume_fuel(fuel)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK);
    if let Some(slots) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(slots)));
    }
    config
}

/// All totals follow from one number, so that a component within the per-component caps always finds a slot.
fn pooling(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let times = |per_component: u32| slots.saturating_mul(per_component);
    pool.total_component_instances(slots)
        .total_core_instances(times(limits::CORE_INSTANCES))
        .total_memories(times(limits::MEMORIES))
        .total_tables(times(limits::TABLES))
        .total_stacks(slots)
        .max_core_instances_per_component(limits::CORE_INSTANCES)
        .max_memories_per_component(limits::MEMORIES)
        .max_tables_per_component(limits::TABLES)
        .max_tables_per_module(limits::TABLES)
        .table_elements(limits::TABLE_ELEMENTS)
        .linear_memory_keep_resident(keep_resident())
        .table_keep_resident(64 * 1024)
        .pagemap_scan(Enabled::Auto)
        // Slots of replaced components are taken again soon, so that swaps don't spread over the whole pool.
        .max_unused_warm_slots(8);
    pool
}

/// Bytes of a memory that stay with it after a call. The pages that the next call touches beyond them have to be mapped
/// again, which takes longer than a small call itself, and a fifth of the time that a page of text is drawn in.
///
/// Where the kernel can tell which pages a call wrote (Linux 6.7), only those are written back. Else all that stay are.
fn keep_resident() -> usize {
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        8 * 1024 * 1024
    } else {
        512 * 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_plugin_stands_aside_for_a_while() {
        let pace = SlowCallCounter::default();
        let next = || pace.next(Slot::NumberNormalizer);
        assert_eq!([next(), next()], [Placement::Inline; 2]);
        pace.was_slow();
        let background = (0..=BACKGROUND_CALLS)
            .take_while(|_| next() == Placement::Background)
            .count();
        assert_eq!(background, BACKGROUND_CALLS as usize);
        assert_eq!(next(), Placement::Inline);
    }
}
