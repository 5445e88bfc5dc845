//! How long files and functions are, and how many files a folder holds.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::sources::Source;

/// Most lines of a file.
const FILE_LINES: usize = 500;
/// Most lines of a function.
const FUNCTION_LINES: usize = 80;
/// Most Rust files directly in one folder.
const FOLDER_FILES: usize = 9;

/// Every file, function and folder that is too large.
pub(super) fn check(files: &[Source]) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            findings.push(format!("{}: {lines} lines, at most {FILE_LINES}", file.path));
        }
        findings.extend(long_functions(&file.path, &file.text)?);
    }
    let wide = folders.into_iter().filter(|(_, count)| *count > FOLDER_FILES);
    findings.extend(wide.map(|(folder, count)| format!("{folder}/: {count} files, at most {FOLDER_FILES}")));
    Ok(findings)
}

fn long_functions(path: &str, text: &str) -> Result<Vec<String>> {
    let parsed = syn::parse_file(text).with_context(|| format!("{path} can't be parsed"))?;
    let mut functions = Functions::default();
    functions.visit_file(&parsed);
    let long = functions
        .found
        .into_iter()
        .filter(|(_, _, lines)| *lines > FUNCTION_LINES);
    let findings = long.map(|(name, at, lines)| {
        format!("{path}: {name} has {lines} lines, at most {FUNCTION_LINES} (line {at})")
    });
    Ok(findings.collect())
}

/// Name, first line and number of lines of every function with a body.
#[derive(Default)]
struct Functions {
    found: Vec<(String, usize, usize)>,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (first, last) = (signature.span().start().line, body.span().end().line);
        self.found
            .push((signature.ident.to_string(), first, last + 1 - first));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> Source {
        let text = format!("//! x\nfn long() {{\n{}}}\n", "    // {\n".repeat(lines - 4));
        let path = path.to_owned();
        Source {
            path,
            text: text + "\n",
        }
    }

    fn findings(files: &[Source]) -> usize {
        check(files).expect("Rust").len()
    }

    #[test]
    fn what_is_too_large_is_found() {
        // The function has two lines less than the file.
        assert_eq!(findings(&[file("a.rs", FUNCTION_LINES + 2)]), 0);
        assert_eq!(findings(&[file("a.rs", FUNCTION_LINES + 3)]), 1, "the function");
        assert_eq!(findings(&[file("a.rs", FILE_LINES)]), 1, "the function");
        assert_eq!(findings(&[file("a.rs", FILE_LINES + 1)]), 2, "function and file");
        let folder = |count: usize| {
            (0..count)
                .map(|at| file(&format!("a/{at}.rs"), 9))
                .collect::<Vec<_>>()
        };
        assert_eq!(findings(&folder(FOLDER_FILES)), 0);
        assert_eq!(findings(&folder(FOLDER_FILES + 1)), 1, "the folder");
    }
}
