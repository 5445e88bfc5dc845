//! The Rust sources of the repository, as git knows them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// One source file.
pub(crate) struct Source {
    /// Path relative to the repository's root, with forward slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl Source {
    /// First sentence of the module documentation.
    pub(crate) fn purpose(&self) -> Option<String> {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//! "));
        let paragraph = lines.collect::<Vec<_>>().join(" ");
        let sentence = paragraph
            .split_once(". ")
            .map(|(sentence, _)| format!("{sentence}."));
        Some(sentence.unwrap_or(paragraph)).filter(|text| !text.is_empty())
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable for the program it runs; the constant is for a program that is run without Cargo.
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().unwrap_or(&own).to_path_buf()
}

/// Every Rust file that is tracked, or new and not ignored, in the order of their paths.
pub(crate) fn rust(root: &Path) -> Result<Vec<Source>> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        "*.rs",
    ]);
    let listed = output(git.current_dir(root))?;
    let mut paths: Vec<&str> = listed.lines().collect();
    paths.sort_unstable();
    let mut sources = Vec::new();
    for path in paths {
        // A file that was deleted and not yet committed is still listed.
        if let Ok(text) = fs::read_to_string(root.join(path)) {
            let path = path.to_owned();
            sources.push(Source { path, text });
        }
    }
    ensure!(
        !sources.is_empty(),
        "git lists no Rust file below {}",
        root.display()
    );
    Ok(sources)
}

/// Standard output of a program that must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command
        .output()
        .with_context(|| format!("{} could not be started", command.get_program().display()))?;
    ensure!(
        done.status.success(),
        "{} failed: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&done.stderr).trim()
    );
    Ok(String::from_utf8(done.stdout)?)
}
