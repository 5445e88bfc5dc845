//! `faxgate plugin new`: a crate to start a policy from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::output::outln;
use faxgate_policy::{Slot, tools::wit};

/// A slot, by the name of its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Template {
    /// What a dialled string means
    NumberNormalizer,
    /// Which callback to believe
    CallbackPolicy,
    /// How a document becomes fax pages
    Converter,
}

/// Arguments of `faxgate plugin new`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Name of the plugin, and of its folder
    name: String,
    /// What it decides
    #[arg(long, value_enum, default_value_t = Template::NumberNormalizer)]
    slot: Template,
    /// Folder to make it in
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

const MANIFEST: &str = include_str!("../../../../plugins/templates/Cargo.toml.txt");
const GITIGNORE: &str = include_str!("../../../../plugins/templates/gitignore.txt");

impl Template {
    /// The slot.
    pub(super) const fn slot(self) -> Slot {
        match self {
            Self::NumberNormalizer => Slot::NumberNormalizer,
            Self::CallbackPolicy => Slot::CallbackPolicy,
            Self::Converter => Slot::Converter,
        }
    }

    /// The rules, the component's face, and a sentence about them.
    fn sources(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::NumberNormalizer => (
                include_str!("../../../../plugins/templates/number-normalizer/lib.rs"),
                include_str!("../../../../plugins/templates/number-normalizer/guest.rs"),
                "Writes extensions of this house out as full numbers",
            ),
            Self::CallbackPolicy => (
                include_str!("../../../../plugins/templates/callback-policy/lib.rs"),
                include_str!("../../../../plugins/templates/callback-policy/guest.rs"),
                "Refuses news of jobs that are not on a list",
            ),
            Self::Converter => (
                include_str!("../../../../plugins/templates/converter/lib.rs"),
                include_str!("../../../../plugins/templates/converter/guest.rs"),
                "Turns blank documents into one white page",
            ),
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let folder = create(&args.name, args.slot, &args.dir)?;
    let shown = folder.display();
    outln!(
        "{shown} is a plugin that works. Its rules are in {shown}/src/lib.rs.\n\n  \
         cd {shown} && cargo test\n  faxgate plugin build {shown}\n  faxgate plugin check {name}.wasm\n\n\
         Then put {name}.wasm into the plugin folder of the service.",
        name = args.name
    );
    Ok(ExitCode::SUCCESS)
}

/// Makes the crate and returns its folder.
fn create(name: &str, template: Template, parent: &Path) -> anyhow::Result<PathBuf> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !starts_well || name.len() > 64 || !name.bytes().all(plain) {
        bail!("a plugin's name is made of a-z, 0-9 and - and starts with a letter, for example dial-plan");
    }
    let folder = parent.join(name);
    if folder.exists() {
        bail!(
            "{} exists already: choose another name or remove it",
            folder.display()
        );
    }
    let (rules, face, description) = template.sources();
    let manifest = MANIFEST
        .replace("{{name}}", name)
        .replace("{{description}}", description);
    let crate_files = [
        ("Cargo.toml", manifest.as_str()),
        (".gitignore", GITIGNORE),
        ("src/lib.rs", rules),
        ("src/guest.rs", face),
    ];
    for (file, text) in crate_files {
        write(&folder.join(file), text)?;
    }
    // The WIT package too, so that a crate needs nothing but itself.
    for (file, text) in wit::FILES {
        write(&folder.join("wit").join(file), text)?;
    }
    Ok(folder)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    fs::write(path, text).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use wit_parser::Resolve;

    #[test]
    fn every_slot_has_a_template_that_names_its_world() {
        let parent = tempfile::tempdir().expect("a folder");
        for template in Template::value_variants() {
            let name = template
                .to_possible_value()
                .expect("a name")
                .get_name()
                .to_owned();
            let folder = create(&name, *template, parent.path()).expect("a crate");
            let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml"))
                .expect("a manifest")
                .parse()
                .expect("TOML");
            assert_eq!(manifest["package"]["name"].as_str(), Some(name.as_str()));
            assert!(!manifest["package"]["description"].to_string().contains("{{"));
            let face = fs::read_to_string(folder.join("src/guest.rs")).expect("a face");
            let world = format!("{name}-plugin");
            assert!(face.contains(&format!("world: \"{world}\"")), "{name}");
            let mut resolve = Resolve::default();
            let (package, _) = resolve
                .push_dir(folder.join("wit"))
                .expect("the WIT package is whole");
            resolve
                .select_world(&[package], Some(&world))
                .expect("the world exists");
        }
    }

    #[test]
    fn refuses_odd_names_and_existing_folders() {
        let parent = tempfile::tempdir().expect("a folder");
        for odd in ["", "-a", "1a", "A", "a b", "../a", "a/b", &"a".repeat(65)] {
            assert!(create(odd, Template::Converter, parent.path()).is_err(), "{odd}");
        }
        create("twice", Template::Converter, parent.path()).expect("once");
        let error = create("twice", Template::Converter, parent.path())
            .expect_err("twice")
            .to_string();
        assert!(error.contains("exists already"), "{error}");
    }
}
