//! `cargo xtask docs`: files that are generated from the table of configuration keys.

mod example;
mod reference;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// The generated files, and their content as it should be.
fn generated() -> [(&'static str, String); 2] {
    [
        ("config.example.toml", example::text()),
        ("docs/configuration.md", reference::text()),
    ]
}

/// Writes the files that differ.
pub(crate) fn write(root: &Path) -> Result<()> {
    for (path, text) in outdated(root)? {
        fs::write(root.join(path), text).with_context(|| format!("{path} can't be written"))?;
        println!("wrote {path}");
    }
    Ok(())
}

/// Fails when a file differs.
pub(crate) fn check(root: &Path) -> Result<()> {
    let outdated: Vec<&str> = outdated(root)?.into_iter().map(|(path, _)| path).collect();
    if outdated.is_empty() {
        return Ok(());
    }
    bail!("not up to date: {}; run `cargo xtask docs`", outdated.join(", "))
}

fn outdated(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let mut outdated = Vec::new();
    for (path, text) in generated() {
        match fs::read_to_string(root.join(path)) {
            Ok(found) if found == text => {}
            Ok(_) => outdated.push((path, text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => outdated.push((path, text)),
            Err(error) => return Err(error).with_context(|| format!("{path} can't be read")),
        }
    }
    Ok(outdated)
}

/// The section of a key and its name within the section; keys of no section have an empty one.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}
