//! Runs a module's preparation once, when it is built, and keeps the memory as it was afterwards.
//!
//! Every call gets a fresh instance, so tables that a guest makes at its first use would be made in every call. A
//! crate that names a function under `[package.metadata.faxgate] snapshot = "NAME"` has them made at build time.

use futures_util::FutureExt as _;
use thiserror::Error;
use wasmtime::{Engine, Instance, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// Memory the preparation may have, in bytes.
const MEMORY: usize = 1 << 30;

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The module has no such function, or the function takes or returns something.
    #[error(
        "the module exports no function `{0}` without parameters and results: name the one of \
         `[package.metadata.faxgate] snapshot`, for example \
         `#[unsafe(export_name = \"{0}\")] extern \"C\" fn prepare() {{ … }}`"
    )]
    NoFunction(String),
    /// The function did not come to its end.
    #[error(
        "`{0}` trapped ({1}): it runs when the plugin is built, where the gateway can't be asked for anything, \
         settings and log lines included"
    )]
    Trapped(String, String),
    /// The module is not one that can be kept.
    #[error("the state after `{0}` can't be kept ({1}): leave `snapshot` out")]
    ComponentErrors(String, String),
}

/// An instance whose state is read out.
struct State<'a> {
    store: &'a mut Store<StoreLimits>,
    instance: Instance,
}

/// Runs the exported function `prepare` of a core module and returns the module as it is afterwards, without that
/// function at its component_interface. What the module imports may not be called meanwhile.
///
/// # Errors
/// When there is no such function, it traps, or the module uses what a snapshot can't hold (changed tables).
pub fn snapshot(module: &[u8], prepare: &str) -> Result<Vec<u8>, SnapshotError> {
    let unfit =
        |error: wasmtime::Error| SnapshotError::ComponentErrors(prepare.to_owned(), format!("{error:#}"));
    let mut wizer = Wizer::new();
    wizer.init_func(prepare);
    let (context, instrumented) = wizer.instrument(module).map_err(unfit)?;

    let engine = Engine::default();
    let compiled = Module::new(&engine, &instrumented).map_err(unfit)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&compiled).map_err(unfit)?;
    let instance = linker.instantiate(&mut store, &compiled).map_err(unfit)?;
    let trapped =
        |error: wasmtime::Error| SnapshotError::Trapped(prepare.to_owned(), error.root_cause().to_string());
    if let Ok(begin) = instance.get_typed_func::<(), ()>(&mut store, "_initialize") {
        begin.call(&mut store, ()).map_err(trapped)?;
    }
    let function = instance
        .get_typed_func::<(), ()>(&mut store, prepare)
        .map_err(|_| SnapshotError::NoFunction(prepare.to_owned()))?;
    function.call(&mut store, ()).map_err(trapped)?;

    let mut state = State {
        store: &mut store,
        instance,
    };
    // Nothing below waits: the state is read from memory.
    let kept = wizer.snapshot(&context, &mut state).now_or_never();
    kept.unwrap_or_else(|| Err(wasmtime::Error::msg("reading the state was interrupted")))
        .map_err(unfit)
}

impl InstanceState for State<'_> {
    async fn global_get(&mut self, name: &str, kind: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut *self.store, name);
        match global.map(|global| global.get(&mut *self.store)) {
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(bits)) => SnapshotVal::F32(bits),
            Some(Val::F64(bits)) => SnapshotVal::F64(bits),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            // The instrumented module exports every global under the name that is asked for; one of another kind
            // does not exist without the proposals that the engine leaves out.
            _ => zero(kind),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        match self.instance.get_memory(&mut *self.store, name) {
            Some(memory) => contents(memory.data(&*self.store)),
            None => contents(&[]),
        }
    }
}

fn zero(kind: ValType) -> SnapshotVal {
    match kind {
        ValType::I64 => SnapshotVal::I64(0),
        ValType::F32 => SnapshotVal::F32(0),
        ValType::F64 => SnapshotVal::F64(0),
        ValType::V128 => SnapshotVal::V128(0),
        ValType::I32 | ValType::Ref(_) => SnapshotVal::I32(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"(module
        (import "host" "ask" (func $ask))
        (memory (export "memory") 1)
        (global $ready (mut i32) (i32.const 0))
        (func (export "prepare") (i32.store (i32.const 64) (i32.const 42)) (global.set $ready (i32.const 1)))
        (func (export "asks") (call $ask))
        (func (export "takes") (param i32))
        (func (export "answer") (result i32) (i32.mul (i32.load (i32.const 64)) (global.get $ready)))
        (@custom "component-type:kept" "text"))"#;

    fn module() -> Vec<u8> {
        wat::parse_str(MODULE).expect("a module")
    }

    #[test]
    fn what_was_prepared_is_there_at_the_start() {
        let kept = snapshot(&module(), "prepare").expect("a snapshot");
        let engine = Engine::default();
        let compiled = Module::new(&engine, &kept).expect("a module");
        assert!(compiled.get_export("prepare").is_none());
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker
            .define_unknown_imports_as_traps(&compiled)
            .expect("imports");
        let instance = linker.instantiate(&mut store, &compiled).expect("an instance");
        let answer = instance
            .get_typed_func::<(), i32>(&mut store, "answer")
            .expect("a function");
        assert_eq!(answer.call(&mut store, ()).expect("an answer"), 42);
        // The world is described in a section of its own, which has to stay.
        assert!(kept.windows(19).any(|bytes| bytes == b"component-type:kept"));
        assert_eq!(
            snapshot(&module(), "prepare").expect("again"),
            kept,
            "the same every time"
        );
    }

    #[test]
    fn says_why_there_is_none() {
        let of = |name| snapshot(&module(), name).expect_err(name);
        for name in ["nothing", "takes", "memory"] {
            assert!(matches!(of(name), SnapshotError::NoFunction(_)), "{name}");
        }
        let asked = of("asks");
        assert!(asked.to_string().contains("settings"), "{asked}");
        let noise = snapshot(b"noise", "prepare").expect_err("noise");
        assert!(matches!(noise, SnapshotError::ComponentErrors(..)), "{noise}");
    }
}
