//! Import cycles between the modules of one crate.
//!
//! The modules directly below one module are compared with each other, each together with everything below it. A
//! module and its own submodules are one unit: a submodule may use the types of the module that contains it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::resolve;
use super::tree::{self, ItemPath, Tree};

/// Modules with the same parent: which uses which, and one place where it does.
type Siblings = BTreeMap<ItemPath, BTreeMap<ItemPath, String>>;

/// Every cycle in the crate whose root is this file.
pub(super) fn check(root: &Path, crate_root: &Path) -> Result<Vec<String>> {
    let tree = tree::read(crate_root)?;
    let name = crate_root.strip_prefix(root).unwrap_or(crate_root).display();
    let mut findings = Vec::new();
    for siblings in graphs(root, &tree).into_values() {
        for cycle in cycles(&siblings) {
            findings.push(format!("{name}: {}", describe(&siblings, &cycle)));
        }
    }
    Ok(findings)
}

/// The graph of siblings below each module.
fn graphs(root: &Path, tree: &Tree) -> BTreeMap<ItemPath, Siblings> {
    let mut graphs: BTreeMap<ItemPath, Siblings> = BTreeMap::new();
    for (from, module) in tree {
        for (item, line) in &module.references {
            let to = resolve::module(tree, item);
            let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            let (Some(parent), Some(user), Some(used)) =
                (from.get(..common), from.get(..=common), to.get(..=common))
            else {
                continue;
            };
            let file = module.file.strip_prefix(root).unwrap_or(&module.file);
            let uses = graphs.entry(parent.to_vec()).or_default();
            let uses = uses.entry(user.to_vec()).or_default();
            let place = || format!("{}:{line}", file.display());
            uses.entry(used.to_vec()).or_insert_with(place);
        }
    }
    graphs
}

/// Groups of modules that use each other, directly or through others of the group.
fn cycles(siblings: &Siblings) -> Vec<BTreeSet<&ItemPath>> {
    let reach: BTreeMap<&ItemPath, BTreeSet<&ItemPath>> = siblings
        .keys()
        .map(|module| (module, reachable(siblings, module)))
        .collect();
    let reaches = |a: &ItemPath, b: &ItemPath| reach.get(a).is_some_and(|reached| reached.contains(b));
    let mut cycles: Vec<BTreeSet<&ItemPath>> = Vec::new();
    for module in siblings.keys().filter(|module| reaches(module, module)) {
        if cycles.iter().any(|cycle| cycle.contains(module)) {
            continue;
        }
        let mutual = siblings
            .keys()
            .filter(|other| reaches(module, other) && reaches(other, module));
        cycles.push(mutual.collect());
    }
    cycles
}

fn reachable<'a>(siblings: &'a Siblings, module: &ItemPath) -> BTreeSet<&'a ItemPath> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&ItemPath> = siblings
        .get(module)
        .into_iter()
        .flat_map(BTreeMap::keys)
        .collect();
    while let Some(module) = next.pop() {
        if found.insert(module) {
            next.extend(siblings.get(module).into_iter().flat_map(BTreeMap::keys));
        }
    }
    found
}

fn describe(siblings: &Siblings, cycle: &BTreeSet<&ItemPath>) -> String {
    let names: Vec<String> = cycle.iter().map(|module| module.join("::")).collect();
    let mut text = format!("import cycle between {}", names.join(", "));
    for user in cycle {
        for (used, place) in siblings.get(*user).into_iter().flatten() {
            if cycle.contains(used) {
                text.push_str(&format!(
                    "\n    {place} {} uses {}",
                    user.join("::"),
                    used.join("::")
                ));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Findings in a crate of these files.
    fn findings(name: &str, files: &[(&str, &str)]) -> Vec<String> {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let found = check(&folder, &folder.join("lib.rs")).expect("a crate");
        fs::remove_dir_all(&folder).expect("a folder");
        found
    }

    #[test]
    fn modules_that_use_each_other_are_found() {
        let lib = ("lib.rs", "mod a; mod b; mod c;");
        let found = findings(
            "cycle",
            &[
                lib,
                ("a.rs", "use crate::{b::B, std::X};"),
                ("b.rs", "mod inner; pub(crate) use self::inner::B;"),
                (
                    "b/inner.rs",
                    "pub struct B; fn f() { log!(x, super::super::c::f()); }",
                ),
                ("c.rs", "type X = Vec<crate::a::A>;"),
            ],
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("lib.rs: import cycle between a, b, c\n"),
            "{found:?}"
        );
    }

    #[test]
    fn a_name_that_is_passed_on_counts_where_it_is_defined() {
        let found = findings(
            "export",
            &[
                ("lib.rs", "mod a; mod b; pub use b::B;"),
                ("a.rs", "use crate::B;"),
                ("b.rs", "use crate::a;"),
            ],
        );
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn what_is_no_cycle_is_not_found() {
        let found = findings(
            "none",
            &[
                ("lib.rs", "mod a; mod b; pub struct Root;"),
                (
                    "a.rs",
                    "use crate::{Root, b::B}; mod inner { use super::super::b; }",
                ),
                (
                    "b.rs",
                    "use crate::Root; pub struct B; mod below; #[cfg(test)] mod tests { use crate::a; }",
                ),
                ("b/below.rs", "use super::B;"),
            ],
        );
        assert_eq!(found, Vec::<String>::new());
    }
}
