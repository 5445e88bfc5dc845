//! From a core module to a component, and what a component imports and exports.
//!
//! Compilers for `wasm32-unknown-unknown` make core modules; wit-bindgen leaves a description of the world in
//! them, from which the component around the module is made. No tool besides the gateway is needed.

use thiserror::Error;
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{Resolve, WorldId, WorldKey};

/// What the first eight bytes of a WebAssembly binary say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A core module (WebAssembly core specification, 5.5.16).
    Module,
    /// A component (component model, binary format, layer 1).
    Component,
}

/// Interfaces at the component_interface of a component, by full name such as `faxgate:policy/host@1.0.0`. Functions and types
/// that stand alone have their plain names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentInterface {
    /// What it asks for, sorted.
    pub imports: Vec<String>,
    /// What it offers, sorted.
    pub exports: Vec<String>,
}

/// Why there is no component.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The bytes are neither a module nor a component.
    #[error("this is not a WebAssembly binary: build the crate for the target wasm32-unknown-unknown")]
    NotWasm,
    /// The module does not say which world it is for.
    #[error("the module names no world: add --slot, or export one with wit-bindgen (see docs/plugins.md)")]
    NoWorld,
    /// The module does not fit its own description of the world.
    #[error(
        "the module does not fit the world it names ({0}): a plugin is given the interfaces of its world and \
         nothing else, so build for wasm32-unknown-unknown and leave out what needs an operating system"
    )]
    Misfit(String),
    /// The component can't be read.
    #[error("the component cannot be read ({0}): build it again")]
    Unreadable(String),
}

/// What kind of binary the bytes start as; none when they are no WebAssembly.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    match bytes.first_chunk::<8>()? {
        [0, b'a', b's', b'm', 1, 0, 0, 0] => Some(Kind::Module),
        // Version 13 of layer 1 is the one every tool writes; the engine judges others.
        [0, b'a', b's', b'm', _, _, 1, 0] => Some(Kind::Component),
        _ => None,
    }
}

/// Makes a component of a core module and validates it; a component is returned as it is.
pub fn encode(bytes: &[u8]) -> Result<Vec<u8>, EncodeError> {
    match kind(bytes) {
        Some(Kind::Component) => return Ok(bytes.to_vec()),
        Some(Kind::Module) => {}
        None => return Err(EncodeError::NotWasm),
    }
    let (_, described) =
        wit_component::metadata::decode(bytes).map_err(|error| EncodeError::Misfit(format!("{error:#}")))?;
    if described
        .resolve
        .worlds
        .get(described.world)
        .is_none_or(|world| world.exports.is_empty())
    {
        return Err(EncodeError::NoWorld);
    }
    ComponentEncoder::default()
        .validate(true)
        .module(bytes)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| EncodeError::Misfit(format!("{error:#}")))
}

/// Reads the component_interface of a component.
pub fn component_interface(component: &[u8]) -> Result<ComponentInterface, EncodeError> {
    match kind(component) {
        Some(Kind::Component) => {}
        _ => return Err(EncodeError::NotWasm),
    }
    match wit_component::decode(component).map_err(|error| EncodeError::Unreadable(format!("{error:#}")))? {
        DecodedWasm::Component(resolve, world) => Ok(interface_of(&resolve, world)),
        DecodedWasm::WitPackage(..) => Err(EncodeError::NoWorld),
    }
}

fn interface_of(resolve: &Resolve, world: WorldId) -> ComponentInterface {
    let names = |items: &mut dyn Iterator<Item = &WorldKey>| {
        let mut names: Vec<String> = items.map(|key| resolve.name_world_key(key)).collect();
        names.sort();
        names
    };
    match resolve.worlds.get(world) {
        Some(world) => ComponentInterface {
            imports: names(&mut world.imports.keys()),
            exports: names(&mut world.exports.keys()),
        },
        None => ComponentInterface {
            imports: Vec::new(),
            exports: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wit_component::{StringEncoding, embed_component_metadata};

    const WIT: &str = "package test:door@1.2.0;
        interface answer { get: func() -> u32; }
        interface ask { it: func() -> u32; }
        world guest { import ask; export answer; }";

    /// A core module that names the world above.
    fn module(text: &str) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("door.wit", WIT).expect("a package");
        let world = resolve.select_world(&[package], Some("guest")).expect("a world");
        let mut module = wat::parse_str(text).expect("a module");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
        module
    }

    const FITTING: &str = r#"(module
        (import "test:door/ask@1.2.0" "it" (func $it (result i32)))
        (func (export "test:door/answer@1.2.0#get") (result i32) call $it))"#;

    #[test]
    fn a_module_becomes_a_component_with_the_doors_of_its_world() {
        let component = encode(&module(FITTING)).expect("a component");
        assert_eq!(kind(&component), Some(Kind::Component));
        let component_interface = component_interface(&component).expect("component_interface");
        assert_eq!(component_interface.imports, ["test:door/ask@1.2.0"]);
        assert_eq!(component_interface.exports, ["test:door/answer@1.2.0"]);
        assert_eq!(encode(&component).expect("a component is one already"), component);
    }

    #[test]
    fn tells_kinds_apart() {
        assert_eq!(kind(b"\0asm\x01\0\0\0"), Some(Kind::Module));
        assert_eq!(kind(b"\0asm\x0d\0\x01\0"), Some(Kind::Component));
        for other in [&b""[..], b"\0asm", b"%PDF-1.4", b"(module)", b"\0asm\x02\0\0\0"] {
            assert_eq!(kind(other), None);
            assert!(matches!(encode(other), Err(EncodeError::NotWasm)));
            assert!(matches!(component_interface(other), Err(EncodeError::NotWasm)));
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_module() {
        assert!(matches!(encode(b"\0asm\x01\0\0\0"), Err(EncodeError::NoWorld)));
        assert!(matches!(
            encode(b"\0asm\x01\0\0\0garbage"),
            Err(EncodeError::Misfit(_))
        ));
        let foreign = module(
            r#"(module (import "env" "time" (func))
                (func (export "test:door/answer@1.2.0#get") (result i32) i32.const 1))"#,
        );
        let error = encode(&foreign)
            .expect_err("an import from elsewhere")
            .to_string();
        assert!(
            error.contains("`env`") && error.contains("wasm32-unknown-unknown"),
            "{error}"
        );
        assert!(
            matches!(encode(&module("(module)")), Err(EncodeError::Misfit(_))),
            "nothing is exported"
        );
        assert!(matches!(
            component_interface(b"\0asm\x0d\0\x01\0garbage"),
            Err(EncodeError::Unreadable(_))
        ));
    }
}
