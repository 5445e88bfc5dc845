//! Rules of the source tree that no compiler checks: sizes, module docs, no paths of a machine.
//!
//! Each rule is a pure function over one file's text, tested below on an example that breaks it.

use std::fs;
use std::path::{Path, PathBuf};

mod scan;

/// No file is longer.
const FILE_LINES: usize = 500;
/// No function is longer.
const FUNCTION_LINES: usize = 80;
/// Functions that are tables and may be longer, as `path: name`.
const TABLES: &[&str] = &[
    "host/crates/config/src/tests/names.rs: every_variable_has_its_effect",
    "host/crates/store/src/tests/counters.rs: agree",
];
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

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("workspace")
        .to_path_buf()
}

fn sources() -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
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
fn files_are_short() {
    let long = rust().iter().filter_map(|s| too_long(&s.path, &s.text)).collect();
    none("files that are too long", long);
}

#[test]
fn functions_are_short() {
    let long = rust()
        .iter()
        .flat_map(|s| long_functions(&s.path, &s.text))
        .collect();
    none("functions that are too long", long);
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

fn too_long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > FILE_LINES).then(|| format!("{path}: {lines} lines, at most {FILE_LINES}"))
}

fn long_functions(path: &str, text: &str) -> Vec<String> {
    scan::functions(text)
        .into_iter()
        .filter(|(name, _, lines)| *lines > FUNCTION_LINES && !TABLES.contains(&&*format!("{path}: {name}")))
        .map(|(name, line, lines)| format!("{path}:{line} {name}: {lines} lines, at most {FUNCTION_LINES}"))
        .collect()
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
    assert!(too_long("x.rs", &"\n".repeat(FILE_LINES + 1)).is_some());
    assert!(too_long("x.rs", &"\n".repeat(FILE_LINES)).is_none());
    let function = |lines: usize| format!("fn long() {{\n{}}}\n", "    // \"{\" }\n".repeat(lines - 2));
    assert_eq!(long_functions("x.rs", &function(FUNCTION_LINES + 1)).len(), 1);
    assert_eq!(
        long_functions("x.rs", &function(FUNCTION_LINES)),
        Vec::<String>::new()
    );
    assert!(!opens_with_doc("use std::fs;\n//! late\n") && !opens_with_doc("") && !opens_with_doc("//!\n"));
    assert!(opens_with_doc("//! What it is.\n"));
    assert_eq!(
        machine_paths("x.md", concat!("see /ho", "me/somebody/notes")).len(),
        1
    );
}
