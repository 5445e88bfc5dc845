//! The modules of one crate with what each of them refers to, read from its files. Test code is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Names from the crate's root to an item, without the crate's own.
pub(super) type ItemPath = Vec<String>;

/// A module that is a file.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The file.
    pub(super) file: PathBuf,
    /// What it refers to within its crate, with the line.
    pub(super) references: Vec<(ItemPath, usize)>,
    /// Names that it passes on from elsewhere with `pub use`.
    pub(super) exports: BTreeMap<String, ItemPath>,
}

/// Every module by its path.
pub(super) type Tree = BTreeMap<ItemPath, Module>;

/// Reads the crate whose root is this file.
pub(super) fn read(root: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    let folder = root.parent().context("a crate's root is in a folder")?;
    add(&mut tree, Vec::new(), root, folder)?;
    Ok(tree)
}

/// Adds the module of a file; the files of its submodules are in `folder`.
fn add(tree: &mut Tree, path: ItemPath, file: &Path, folder: &Path) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let parsed = syn::parse_file(&text).with_context(|| format!("{} can't be parsed", file.display()))?;
    let mut collector = Collector::new(path.clone());
    collector.visit_file(&parsed);
    let Collector {
        module, submodules, ..
    } = collector;
    let file_path = file.to_path_buf();
    tree.insert(
        path.clone(),
        Module {
            file: file_path,
            ..module
        },
    );
    for (mut names, other_file) in submodules {
        let name = names.pop().unwrap_or_default();
        // Inline modules between the file and the submodule are folders.
        let inline = names.get(path.len()..).unwrap_or_default();
        let place = inline
            .iter()
            .fold(folder.to_path_buf(), |place, name| place.join(name));
        let beside = file.parent().unwrap_or(folder);
        let found = match other_file {
            Some(other) => beside.join(other),
            None => place.join(format!("{name}.rs")),
        };
        names.push(name.clone());
        add(tree, names, &found, &place.join(name))?;
    }
    Ok(())
}

/// Walks one file.
struct Collector {
    /// The module that is walked, inline modules included.
    within: ItemPath,
    module: Module,
    /// Paths of `mod name;` items, with the file that a `path` attribute names.
    submodules: Vec<(ItemPath, Option<String>)>,
}

impl Collector {
    fn new(within: ItemPath) -> Self {
        Self {
            within,
            module: Module::default(),
            submodules: Vec::new(),
        }
    }

    /// The path from the crate's root; none when it leads elsewhere.
    fn absolute(&self, names: &[String]) -> Option<ItemPath> {
        let (first, rest) = names.split_first()?;
        let mut base = match first.as_str() {
            "crate" | "$crate" => Vec::new(),
            "self" | "super" => self.within.clone(),
            _ => return None,
        };
        if first == "super" {
            base.pop();
        }
        let above = rest.iter().take_while(|name| *name == "super").count();
        base.truncate(base.len().saturating_sub(above));
        base.extend(rest.iter().skip(above).cloned());
        Some(base)
    }

    fn refer(&mut self, names: &[String], line: usize) {
        if let Some(path) = self.absolute(names) {
            self.module.references.push((path, line));
        }
    }

    fn import(&mut self, tree: &syn::UseTree, names: &mut ItemPath, public: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                names.push(path.ident.to_string());
                self.import(&path.tree, names, public);
                names.pop();
            }
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.import(item, names, public)),
            syn::UseTree::Glob(glob) => self.refer(names, glob.span().start().line),
            syn::UseTree::Name(name) => self.imported(names, &name.ident, &name.ident, public),
            syn::UseTree::Rename(rename) => self.imported(names, &rename.ident, &rename.rename, public),
        }
    }

    fn imported(&mut self, names: &ItemPath, item: &syn::Ident, name: &syn::Ident, public: bool) {
        let mut names = names.clone();
        if item != "self" {
            names.push(item.to_string());
        }
        self.refer(&names, item.span().start().line);
        if public {
            // A path that begins with a name begins at a submodule, or in another crate, which resolves to nothing.
            let below = || self.within.iter().chain(&names).cloned().collect();
            let path = self.absolute(&names).unwrap_or_else(below);
            self.module.exports.insert(name.to_string(), path);
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.within.push(item.ident.to_string());
        if item.content.is_some() {
            visit::visit_item_mod(self, item);
        } else {
            self.submodules
                .push((self.within.clone(), named_file(&item.attrs)));
        }
        self.within.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        self.import(&item.tree, &mut Vec::new(), public);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: ItemPath = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.refer(&names, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        visit::visit_macro(self, item);
        let line = item.span().start().line;
        let text = item.tokens.to_string().replace(' ', "");
        for root in ["crate::", "super::"] {
            for (at, _) in text.match_indices(root) {
                let before = text.get(..at).and_then(|before| before.chars().next_back());
                let in_word = before.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c));
                let end = |c: char| !(c.is_alphanumeric() || "_:".contains(c));
                let found = text.get(at..).and_then(|rest| rest.split(end).next());
                if let Some(found) = found.filter(|_| !in_word) {
                    let names: ItemPath = found.split("::").map(str::to_owned).collect();
                    self.refer(&names, line);
                }
            }
        }
    }
}

/// Whether the item exists in test builds only.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        _ => false,
    })
}

fn named_file(attributes: &[syn::Attribute]) -> Option<String> {
    let attribute = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    match &attribute.meta.require_name_value().ok()?.value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
