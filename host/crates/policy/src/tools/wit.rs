//! The WIT package as it is in the binary: it goes into new crates, and it describes core modules of compilers that
//! know nothing of the component model.

use thiserror::Error;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap, WorldId};

use crate::tools::encode;
use crate::types::Slot;

/// The files of `wit/` by name.
pub const FILES: &[(&str, &str)] = &[
    (
        "callback-policy.wit",
        include_str!("../../../../../wit/callback-policy.wit"),
    ),
    ("converter.wit", include_str!("../../../../../wit/converter.wit")),
    ("fonts.wit", include_str!("../../../../../wit/fonts.wit")),
    ("host.wit", include_str!("../../../../../wit/host.wit")),
    (
        "number-normalizer.wit",
        include_str!("../../../../../wit/number-normalizer.wit"),
    ),
    ("webhook.wit", include_str!("../../../../../wit/webhook.wit")),
    ("worlds.wit", include_str!("../../../../../wit/worlds.wit")),
];

/// Why a module can't be described.
#[derive(Debug, Error)]
pub enum DescribeError {
    /// It is no core module.
    #[error(
        "this is not a core WebAssembly module: compile for wasm32-unknown-unknown and give the linker's output"
    )]
    NoModule,
    /// It is one, but damaged.
    #[error("the module can't be read ({0}): link it again")]
    Unreadable(String),
    /// The WIT package of the binary is not whole.
    #[error("the interfaces of this binary can't be read ({0}): install faxgate again")]
    Interfaces(String),
}

/// Writes into a core module which world it implements, as wit-bindgen does for Rust. What the module exports and
/// imports is judged afterwards, by [`encode::encode`].
///
/// # Errors
/// When the bytes are no core module.
pub fn describe(module: &[u8], slot: Slot) -> Result<Vec<u8>, DescribeError> {
    if encode::kind(module) != Some(encode::Kind::Module) {
        return Err(DescribeError::NoModule);
    }
    let (resolve, world) = world(slot).map_err(DescribeError::Interfaces)?;
    let mut described = module.to_vec();
    embed_component_metadata(&mut described, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| DescribeError::Unreadable(format!("{error:#}")))?;
    Ok(described)
}

/// The world of a slot.
fn world(slot: Slot) -> Result<(Resolve, WorldId), String> {
    let mut sources = SourceMap::new();
    for (name, text) in FILES {
        sources.push_str(name, *text);
    }
    let group = sources.parse().map_err(|(_, error)| error.to_string())?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).map_err(|error| error.to_string())?;
    let world = resolve
        .select_world(&[package], Some(&format!("{slot}-plugin")))
        .map_err(|error| format!("{error:#}"))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use wit_parser::TypeDefKind;

    use super::*;
    use faxgate_testkit::components::{NORMALIZER, normalizer};

    #[test]
    fn the_package_is_whole_and_has_a_world_for_every_slot() {
        let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
        let mut names: Vec<String> = std::fs::read_dir(wit)
            .unwrap()
            .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let copied: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(copied, names);
        for slot in Slot::ALL {
            world(slot).unwrap();
        }
    }

    #[test]
    fn the_guide_explains_every_item() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/plugins.md");
        let guide = std::fs::read_to_string(path).unwrap();
        // A word of code, alone or at the beginning of one: `log(level, message)`, `document.pages()`.
        let words: std::collections::BTreeSet<&str> = guide
            .split('`')
            .skip(1)
            .step_by(2)
            .flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'))
            .collect();
        let mut missing = Vec::new();
        let mut count = 0;
        let mut look = |name: &str| {
            count += 1;
            if !words.contains(name) {
                missing.push(name.to_owned());
            }
        };
        let (resolve, _) = world(Slot::Converter).unwrap();
        for (_, interface) in &resolve.interfaces {
            look(interface.name.as_deref().unwrap());
            interface
                .functions
                .values()
                .for_each(|function| look(function.item_name()));
        }
        for (_, item) in &resolve.types {
            item.name.as_deref().into_iter().for_each(&mut look);
            match &item.kind {
                TypeDefKind::Record(record) => record.fields.iter().for_each(|field| look(&field.name)),
                TypeDefKind::Enum(kinds) => kinds.cases.iter().for_each(|case| look(&case.name)),
                TypeDefKind::Variant(kinds) => kinds.cases.iter().for_each(|case| look(&case.name)),
                _ => {}
            }
        }
        assert!(count > 100, "{count} items");
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn a_described_module_becomes_the_component_that_other_tools_make() {
        let module = wat::parse_str(NORMALIZER).unwrap();
        let described = describe(&module, Slot::NumberNormalizer).unwrap();
        let component = encode::encode(&described).unwrap();
        let component_interface = encode::component_interface(&component).unwrap();
        assert_eq!(
            component_interface,
            encode::component_interface(&normalizer(NORMALIZER)).unwrap()
        );
        // For a slot it does not fill, the encoder names what is missing.
        let other = describe(&module, Slot::Converter).unwrap();
        let error = encode::encode(&other).unwrap_err().to_string();
        assert!(error.contains("converter"), "{error}");
    }

    #[test]
    fn only_modules_are_described() {
        for other in [&b""[..], b"(module)", b"\0asm\x0d\0\x01\0"] {
            let error = describe(other, Slot::Converter).unwrap_err();
            assert!(matches!(error, DescribeError::NoModule), "{error}");
        }
    }
}
