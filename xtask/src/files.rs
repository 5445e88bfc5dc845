//! `cargo xtask files`: every source file and what it is for.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Result;

use crate::sources;

/// Prints one line for each file.
pub(crate) fn list(root: &Path) -> Result<()> {
    let files = sources::rust(root)?;
    let width = files.iter().map(|file| file.path.len()).max().unwrap_or(0);
    let mut list = String::new();
    for file in &files {
        let purpose = file.purpose();
        let purpose = purpose.as_deref().unwrap_or("(no module documentation)");
        writeln!(list, "{:width$}  {purpose}", file.path)?;
    }
    match io::stdout().write_all(list.as_bytes()) {
        // The reader, such as `head`, has what it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}
