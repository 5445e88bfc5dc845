//! From bytes to something that can be instantiated: kind, size, imports, exports, compilation and type check.
//! Nothing of the guest runs here.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::error::{ComponentError, ComponentErrors};
use crate::host::bindings::callback::CallbackPolicyPluginPre;
use crate::host::bindings::converter::ConverterPluginPre;
use crate::host::bindings::number::NumberNormalizerPluginPre;
use crate::host::host_api::CallState;
use crate::load::cache::Cache;
use crate::runtime::engine::Runtime;
use crate::runtime::limits::COMPONENT_BYTES;
use crate::types::Slot;

/// Bytes of a WebAssembly page.
const PAGE: u64 = 64 * 1024;

/// A component that fits its slot. Settings and limits come later, so it can be kept when only those change.
pub(crate) struct Prepared {
    pub(crate) sha256: [u8; 32],
    pub(crate) slot: Slot,
    pub(crate) entry: Entry,
    pub(crate) imports: Vec<String>,
    /// Bytes of memory it starts with.
    pub(crate) memory: u64,
}

/// The typed way into a component.
pub(crate) enum Entry {
    Converter(ConverterPluginPre<CallState>),
    Number(NumberNormalizerPluginPre<CallState>),
    Callback(CallbackPolicyPluginPre<CallState>),
}

/// What a component says about itself without being run.
struct InterfaceSurvey {
    slot: Option<Slot>,
    imports: Vec<String>,
    flaws: Vec<ComponentError>,
}

/// Compiles a component, whose digest is `sha256`, and checks it against the slots. Takes as long as compiling takes: not for a thread that
/// serves requests.
///
/// # Errors
/// With every flaw found.
pub(crate) fn prepare(
    runtime: &Runtime,
    cache: Option<&Cache>,
    bytes: &[u8],
    sha256: [u8; 32],
) -> Result<Prepared, ComponentErrors> {
    check_kind(bytes)?;
    let component = match cache.and_then(|cache| cache.get(runtime.engine(), &sha256)) {
        Some(component) => component,
        None => {
            let component = Component::from_binary(runtime.engine(), bytes).map_err(|e| refusal(&e))?;
            if let Some(cache) = cache {
                cache.put(runtime.engine(), &sha256, &component);
            }
            component
        }
    };
    let InterfaceSurvey { slot, imports, flaws } = survey(runtime, &component);
    let (Some(slot), true) = (slot, flaws.is_empty()) else {
        return Err(ComponentErrors(flaws));
    };
    let shape = |error: wasmtime::Error| ComponentError::Shape(one_line(&error));
    let pre = runtime.linker().instantiate_pre(&component).map_err(shape)?;
    let entry = match slot {
        Slot::Converter => Entry::Converter(ConverterPluginPre::new(pre).map_err(shape)?),
        Slot::NumberNormalizer => Entry::Number(NumberNormalizerPluginPre::new(pre).map_err(shape)?),
        Slot::CallbackPolicy => Entry::Callback(CallbackPolicyPluginPre::new(pre).map_err(shape)?),
    };
    let memory = component.resources_required().map_or(0, |needs| {
        let largest = needs.max_initial_memory_size.unwrap_or(0);
        largest.saturating_mul(PAGE)
    });
    Ok(Prepared {
        sha256,
        slot,
        entry,
        imports,
        memory,
    })
}

/// Tells a component from everything else that may lie in the folder, with the remedy.
fn check_kind(bytes: &[u8]) -> Result<(), ComponentError> {
    let size = bytes.len() as u64;
    if size > COMPONENT_BYTES {
        return Err(ComponentError::Size {
            bytes: size,
            cap: COMPONENT_BYTES,
        });
    }
    // Preamble: magic, then a version that differs between core modules and components (component-model, Binary.md).
    match (bytes.get(..4), bytes.get(4..8)) {
        (Some(b"\0asm"), Some([0x0d, 0, 1, 0])) => Ok(()),
        (Some(b"\0asm"), Some([1, 0, 0, 0])) => Err(ComponentError::CoreModule),
        (Some(b"\0asm"), Some(_)) => Err(ComponentError::NotWasm(
            "of a WebAssembly version that this gateway does not read",
        )),
        (Some(b"\0asm"), None) => Err(ComponentError::NotWasm("it ends after its first bytes")),
        (Some(b"\x7fELF"), _) => Err(ComponentError::NotWasm(
            "it is machine code; compiled components are never loaded",
        )),
        (None, _) if bytes.is_empty() => Err(ComponentError::NotWasm("it is empty")),
        _ if bytes.starts_with(b"(") => Err(ComponentError::NotWasm("it looks like the text format")),
        _ => Err(ComponentError::NotWasm("its first bytes are not `\\0asm`")),
    }
}

fn survey(runtime: &Runtime, component: &Component) -> InterfaceSurvey {
    let kind = component.component_type();
    let mut flaws = Vec::new();
    let mut slots = Vec::new();
    let mut describes = false;
    let mut exports = Vec::new();
    for (name, _) in kind.exports(runtime.engine()) {
        exports.push(name.to_owned());
        match ours(name) {
            Some((_, version)) if major(version) != "1" => {
                flaws.push(ComponentError::Version(name.to_owned()))
            }
            Some(("plugin", _)) => describes = true,
            Some((interface, _)) => slots.extend(Slot::ALL.into_iter().filter(|s| s.as_str() == interface)),
            None => {}
        }
    }
    match slots.as_slice() {
        [_] => {}
        [] if !flaws.is_empty() => {}
        [] => flaws.push(ComponentError::NoSlot(if exports.is_empty() {
            "nothing".to_owned()
        } else {
            exports.join(", ")
        })),
        several => {
            let names: Vec<&str> = several.iter().map(|slot| slot.as_str()).collect();
            flaws.push(ComponentError::SeveralSlots(names.join(", ")));
        }
    }
    let slot = slots.first().copied();
    if slot.is_some() && !describes {
        flaws.push(ComponentError::NoDescription);
    }
    let mut imports = Vec::new();
    for (name, item) in kind.imports(runtime.engine()) {
        // Types ask for nothing, nor does an interface of ours that holds only types.
        let is_type = |item: &ComponentItem| matches!(item, ComponentItem::Type(_));
        let harmless = match &item.ty {
            ComponentItem::ComponentInstance(interface) => {
                ours(name).is_some()
                    && interface
                        .exports(runtime.engine())
                        .all(|(_, item)| is_type(&item.ty))
            }
            item => is_type(item),
        };
        if !harmless {
            imports.push(name.to_owned());
        }
        if !harmless && let Err(remedy) = allowed(name, slot) {
            flaws.push(ComponentError::Import {
                name: name.to_owned(),
                remedy,
            });
        }
    }
    InterfaceSurvey { slot, imports, flaws }
}

/// Whether plugins of a slot may import this, else what to do about it.
fn allowed(name: &str, slot: Option<Slot>) -> Result<(), &'static str> {
    match ours(name) {
        Some((_, version)) if major(version) != "1" => Err("build it with the interfaces in wit/"),
        Some(("host" | "types", _)) => Ok(()),
        // Records of an interface may be named by an import of it.
        Some((interface, _)) if slot.is_some_and(|slot| slot.as_str() == interface) => Ok(()),
        Some(("fonts", _)) if slot.is_none_or(|slot| slot == Slot::Converter) => Ok(()),
        Some(("fonts", _)) => Err("only converters get it"),
        Some(("webhook", _)) if slot.is_none_or(|slot| slot == Slot::CallbackPolicy) => Ok(()),
        Some(("webhook", _)) => Err("only callback policies get it"),
        None if name.starts_with("wasi:") => {
            Err("policies have no files, network, clock or randomness; build for wasm32-unknown-unknown")
        }
        Some(_) | None => Err("only the interfaces in wit/ are there; remove what needs it"),
    }
}

/// Interface and version of a name of our package.
fn ours(name: &str) -> Option<(&str, &str)> {
    let name = name.strip_prefix("faxgate:policy/")?;
    Some(name.split_once('@').unwrap_or((name, "")))
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

fn refusal(error: &wasmtime::Error) -> ComponentError {
    let text = one_line(error);
    // The pool's own words for a component beyond its caps.
    if text.contains("exceeds the") {
        ComponentError::Parts(text)
    } else {
        ComponentError::Invalid(text)
    }
}

/// An engine error as one line of bounded length.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.truncate(line.floor_char_boundary(400));
    line
}
