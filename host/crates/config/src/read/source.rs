//! Where configuration values come from: the process, or fixed values in tests.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Longest file that is read as configuration or as a secret, in bytes. A path to an endless device ends there.
const LONGEST_FILE: u64 = 1 << 20;

/// Environment variables and files.
pub trait Source {
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// A small file.
    ///
    /// # Errors
    /// When it can't be read or is larger than 1 MiB.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Whether standard error is a terminal.
    fn terminal(&self) -> bool;
}

/// The environment and the files of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

/// Fixed values, for tests and the demo.
#[derive(Debug, Clone, Default)]
pub struct Fixed {
    /// Environment variables.
    pub variables: BTreeMap<String, OsString>,
    /// Files by path.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// See [`Source::terminal`].
    pub terminal: bool,
}

impl Source for Process {
    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(path)?
            .take(LONGEST_FILE + 1)
            .read_to_end(&mut content)?;
        if content.len() as u64 > LONGEST_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
        }
        Ok(content)
    }

    fn terminal(&self) -> bool {
        io::stderr().is_terminal()
    }
}

impl Fixed {
    /// These environment variables and no file.
    #[must_use]
    pub fn variables<N: Into<String>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            ..Self::default()
        }
    }

    /// With one more file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }
}

impl Source for Fixed {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).cloned()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn terminal(&self) -> bool {
        self.terminal
    }
}
