//! `cargo xtask layers`: crates, imports and sizes against the rules of docs/architecture.md.

mod crates;
mod imports;
mod resolve;
mod sizes;
mod tree;

use std::path::Path;

use anyhow::{Result, bail};

use crate::sources;

/// Prints every finding on a line of its own and fails when there is one.
pub(crate) fn check(root: &Path) -> Result<()> {
    let files = sources::rust(root)?;
    let packages = crates::packages(root)?;
    let mut findings = crates::check(root, &packages)?;
    findings.extend(sizes::check(&files)?);
    for package in &packages {
        for target in &package.roots {
            findings.extend(imports::check(root, target)?);
        }
    }
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("{} crates, {} files: no finding", packages.len(), files.len());
            Ok(())
        }
        1 => bail!("1 finding"),
        many => bail!("{many} findings"),
    }
}
