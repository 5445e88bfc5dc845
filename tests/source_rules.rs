//! Rules of the source tree that no compiler checks: module docs, file names, no paths of a machine. `cargo xtask layers`
//! checks sizes and the crate graph.
//!
//! Each rule is a pure function over one file's text, tested below on an example that breaks it.

use std::fs;
use std::path::Path;

/// Folders that hold nothing written by hand.
const NOT_OURS: &[&str] = &["target", ".git", "dist", "node_modules"];
/// Endings of the text files in which a path of somebody's machine would be a mistake.
const TEXTS: &[&str] = &[
    "rs", "toml", "md", "wit", "yml", "yaml", "sh", "json", "service", "py", "run",
];

/// A text file of the repository.
struct Source {
    /// Relative to the root of the repository, with forward slashes.
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = faxgate_testkit::paths::repository();
    let mut found = Vec::new();
    collect(root, root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                collect(root, &path, found);
            }
            continue;
        }
        let ending = name.rsplit('.').next().unwrap_or_default();
        if (TEXTS.contains(&ending) || ["Dockerfile", "run"].contains(&name.as_str()))
            && let Ok(text) = fs::read_to_string(&path)
        {
            let path = path
                .strip_prefix(root)
                .expect("inside")
                .to_string_lossy()
                .into_owned();
            found.push(Source { path, text });
        }
    }
}

fn rust() -> Vec<Source> {
    let rust: Vec<Source> = sources()
        .into_iter()
        .filter(|s| s.path.ends_with(".rs"))
        .collect();
    // A walk that finds nothing would pass every rule.
    assert!(
        rust.iter().any(|s| s.path == "host/src/lib.rs"),
        "found {} files",
        rust.len()
    );
    rust
}

/// Fails with every breach on its own line.
fn none(what: &str, breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{what}:\n  {}", breaches.join("\n  "));
}

#[test]
fn every_file_says_what_it_is() {
    let silent = rust()
        .iter()
        .filter(|s| !opens_with_doc(&s.text))
        .map(|s| s.path.clone())
        .collect();
    none("files without a module doc at the top", silent);
}

#[test]
fn modules_are_files_with_names() {
    let unnamed = rust()
        .iter()
        .filter(|s| s.path.ends_with("/mod.rs"))
        .map(|s| s.path.clone())
        .collect();
    none("foo.rs beside foo/ instead of", unnamed);
}

#[test]
fn no_path_of_a_machine() {
    let found = sources()
        .iter()
        .flat_map(|s| machine_paths(&s.path, &s.text))
        .collect();
    none("paths of somebody's machine", found);
}

fn opens_with_doc(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|line| line.starts_with("//! ") && line.len() > 8)
}

fn machine_paths(path: &str, text: &str) -> Vec<String> {
    // In two parts, so that this file does not break its own rule.
    let needles = [
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
    ];
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| needles.iter().any(|needle| line.contains(needle)))
        .map(|(at, line)| format!("{path}:{} {}", at + 1, line.trim()))
        .collect()
}

#[test]
fn each_rule_notices_a_breach() {
    assert!(!opens_with_doc("use std::fs;\n//! late\n") && !opens_with_doc("") && !opens_with_doc("//!\n"));
    assert!(opens_with_doc("//! What it is.\n"));
    assert_eq!(
        machine_paths("x.md", concat!("see /ho", "me/somebody/notes")).len(),
        1
    );
}
