//! The crate graph, as Cargo knows it, against the table in docs/architecture.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::sources::output;

/// Where the table is.
const DOCUMENT: &str = "docs/architecture.md";

/// A crate of the workspace.
pub(super) struct Package {
    name: String,
    /// Relative to the repository's root.
    folder: String,
    /// Crates of the workspace that its code uses outside tests.
    uses: BTreeSet<String>,
    /// Root files of its library and its binaries.
    pub(super) roots: Vec<PathBuf>,
}

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    folder: String,
    uses: BTreeSet<String>,
}

/// The workspace's crates.
pub(super) fn packages(root: &Path) -> Result<Vec<Package>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata: Value = serde_json::from_str(&output(cargo.current_dir(root))?)?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    packages
        .context("cargo metadata lists no packages")?
        .iter()
        .map(|package| read(root, package).context("an entry of cargo metadata has an unknown form"))
        .collect()
}

fn read(root: &Path, package: &Value) -> Option<Package> {
    let manifest = Path::new(package.get("manifest_path")?.as_str()?);
    let folder = manifest.parent()?.strip_prefix(root).ok()?;
    let dependencies = package.get("dependencies")?.as_array()?.iter();
    let uses = dependencies
        .filter(|dependency| dependency.get("kind").is_none_or(Value::is_null))
        .filter(|dependency| dependency.get("path").is_some())
        .filter_map(|dependency| Some(dependency.get("name")?.as_str()?.to_owned()));
    let targets = package.get("targets")?.as_array()?.iter();
    let roots = targets
        .filter(|target| {
            let kinds = target.get("kind").and_then(Value::as_array);
            let mut kinds = kinds.into_iter().flatten().filter_map(Value::as_str);
            kinds.any(|kind| matches!(kind, "lib" | "bin"))
        })
        .filter_map(|target| Some(PathBuf::from(target.get("src_path")?.as_str()?)));
    Some(Package {
        name: package.get("name")?.as_str()?.to_owned(),
        folder: folder.to_string_lossy().into_owned(),
        uses: uses.collect(),
        roots: roots.collect(),
    })
}

/// Every difference between graph and table, and every row that uses a crate below it.
pub(super) fn check(root: &Path, packages: &[Package]) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(root.join(DOCUMENT)).with_context(|| format!("{DOCUMENT} can't be read"))?;
    let table = rows(&text);
    let mut findings = order(&table);
    for package in packages {
        let found = Row {
            name: package.name.clone(),
            folder: package.folder.clone(),
            uses: package.uses.clone(),
        };
        match table.iter().find(|row| row.name == package.name) {
            None => findings.push(format!("{DOCUMENT}: no row for this crate: {}", found.line())),
            Some(row) if *row != found => findings.push(format!(
                "{DOCUMENT}: the row says {}, Cargo says {}",
                row.line(),
                found.line()
            )),
            Some(_) => {}
        }
    }
    let gone = table
        .iter()
        .filter(|row| packages.iter().all(|package| package.name != row.name));
    findings.extend(gone.map(|row| format!("{DOCUMENT}: {} is no crate of the workspace", row.name)));
    Ok(findings)
}

impl Row {
    /// As it is written in the table, without its description.
    fn line(&self) -> String {
        let uses: Vec<String> = self
            .uses
            .iter()
            .map(|name| format!("`{}`", short(name)))
            .collect();
        format!("| `{}` | `{}` | {} |", self.name, self.folder, uses.join(" "))
    }
}

/// Rows of every table whose first column is a crate, whose second one is its folder and whose third one names the
/// crates that it uses.
fn rows(text: &str) -> Vec<Row> {
    let cells = text
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .filter_map(|cells| match cells.as_slice() {
            ["", name, folder, uses, _, ..] => Some(Row {
                name: code(name)?.to_owned(),
                folder: code(folder)?.to_owned(),
                uses: uses.split_whitespace().filter_map(code).map(long).collect(),
            }),
            _ => None,
        })
        .collect()
}

fn order(table: &[Row]) -> Vec<String> {
    let mut above = BTreeSet::new();
    let mut findings = Vec::new();
    for row in table {
        for used in row.uses.difference(&above) {
            findings.push(format!(
                "{DOCUMENT}: {} uses {used}, which is not above it",
                row.name
            ));
        }
        above.insert(row.name.clone());
    }
    findings
}

/// The text of a cell that is nothing but code.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

fn short(name: &str) -> &str {
    name.strip_prefix("faxgate-").unwrap_or(name)
}

fn long(name: &str) -> String {
    match name {
        "faxgate" | "xtask" => name.to_owned(),
        name => format!("faxgate-{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| crate | folder | uses | contains |\n|---|---|---|---|\n\
        | `faxgate-base` | `host/crates/base` | | clock |\n\
        | `faxgate-domain` | `host/crates/domain` | `base` | jobs |\n";

    fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: format!("host/crates/{}", short(name)),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
            roots: Vec::new(),
        }
    }

    fn findings(packages: &[Package]) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("xtask-crates-{}", std::process::id()));
        fs::create_dir_all(folder.join("docs")).expect("a folder");
        fs::write(folder.join(DOCUMENT), TABLE).expect("a file");
        let found = check(&folder, packages).expect("a table");
        fs::remove_dir_all(&folder).expect("a folder");
        found
    }

    #[test]
    fn a_difference_between_graph_and_table_is_found() {
        let base = || package("faxgate-base", &[]);
        let domain = |uses: &[&str]| package("faxgate-domain", uses);
        assert_eq!(
            findings(&[base(), domain(&["faxgate-base"])]),
            Vec::<String>::new()
        );
        assert_eq!(findings(&[base(), domain(&[])]).len(), 1, "an arrow less");
        assert_eq!(findings(&[base()]).len(), 1, "a row too many");
        let more = [base(), domain(&["faxgate-base"]), package("faxgate-store", &[])];
        assert_eq!(findings(&more).len(), 1, "a crate without a row");
    }

    #[test]
    fn a_row_may_only_use_what_is_above_it() {
        assert_eq!(order(&rows(TABLE)), Vec::<String>::new());
        let turned: Vec<Row> = rows(TABLE).into_iter().rev().collect();
        assert_eq!(order(&turned).len(), 1);
    }
}
