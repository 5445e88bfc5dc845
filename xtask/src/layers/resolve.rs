//! Which module a path leads to.

use super::tree::{ItemPath, Tree};

/// Longest chain of `pub use` that is followed.
const LONGEST_CHAIN: usize = 8;

/// The module in which an item is defined: the innermost one on its path, through every `pub use`.
pub(super) fn module(tree: &Tree, item: &[String]) -> ItemPath {
    let mut item = item.to_vec();
    for _ in 0..LONGEST_CHAIN {
        let known = (0..=item.len()).rev().find(|length| {
            let path = item.get(..*length).unwrap_or_default();
            tree.contains_key(path)
        });
        let (module, rest) = item.split_at(known.unwrap_or(0));
        let exported = rest.first().and_then(|name| tree.get(module)?.exports.get(name));
        match exported {
            // A name that is passed on from another crate resolves to the module that passes it on.
            Some(path) if !path.starts_with(&item) => {
                item = path.iter().chain(rest.iter().skip(1)).cloned().collect();
            }
            _ => return module.to_vec(),
        }
    }
    Vec::new()
}
