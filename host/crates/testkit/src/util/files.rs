//! What lies in a folder.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder, with its size in bytes. A folder that is not there has none.
#[must_use]
pub fn below(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(below(&path));
        } else {
            let bytes = fs::metadata(&path).map_or(0, |meta| meta.len());
            found.push((path, bytes));
        }
    }
    found
}
