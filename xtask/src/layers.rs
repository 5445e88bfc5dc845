//! `cargo xtask layers`: crates, imports and sizes against the rules of docs/architecture.md.

mod crates;
mod imports;
mod known;
mod resolve;
mod sizes;
mod tree;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::sources;

/// Prints every finding on a line of its own and fails when one is not known.
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
    let mut new = 0;
    for finding in &findings {
        match known::reason(finding) {
            Some(reason) => println!("known ({reason}): {}", finding.lines().next().unwrap_or_default()),
            None => {
                println!("{finding}");
                new += 1;
            }
        }
    }
    for (beginning, _) in known::KNOWN {
        if findings.iter().all(|finding| !finding.starts_with(beginning)) {
            println!("no longer found, remove its line in xtask/src/layers/known.rs: {beginning}");
        }
    }
    println!(
        "{} crates, {} files, {new} new findings",
        packages.len(),
        files.len()
    );
    ensure!(
        new == 0,
        "see the findings above; docs/architecture.md has the rules"
    );
    Ok(())
}
