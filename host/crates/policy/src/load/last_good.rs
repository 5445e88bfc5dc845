//! The last good version of each required plugin, kept in the data folder: its rule holds although its file is missing
//! or broken, also after a restart.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use faxgate_base::private_file;
use sha2::{Digest, Sha256};

use crate::runtime::limits::COMPONENT_BYTES;

/// The folder of last good versions, `NAME.wasm` each.
pub(crate) struct LastGood(PathBuf);

impl LastGood {
    /// Versions in this folder, which is made when the first one is kept.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Keeps the component that serves now, unless it is the one that is kept.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let kept = self.read(name)?;
        if kept.is_some_and(|kept| Sha256::digest(&kept) == Sha256::digest(bytes)) {
            return Ok(());
        }
        private_file::make_folder(&self.0)?;
        private_file::write(&self.path(name), bytes)
    }

    /// The component that served last under this name.
    ///
    /// # Errors
    /// When there is one that can't be read.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(name);
        match fs::metadata(&path) {
            Ok(meta) if meta.len() > COMPONENT_BYTES => Err(io::Error::other("the file is too large")),
            Ok(_) => fs::read(&path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the versions of plugins that are not in `wanted`: without a section a rule ends with its file.
    pub(crate) fn retain(&self, wanted: impl Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(&self.0) else {
            return;
        };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            if !name.is_some_and(|name| wanted(&name)) {
                remove(&path);
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.wasm"))
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(file = %path.display(), %error, "the version of a plugin that is not configured any more stays");
    }
}
