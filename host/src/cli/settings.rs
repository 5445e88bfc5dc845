//! The configuration of a command: `--config`, then the environment.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use faxgate_config::Loaded;
use faxgate_config::source::{Process, Source};
use faxgate_telemetry::logs;

/// Where the configuration is.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Settings {
    /// Configuration file (TOML); the environment wins over it
    #[arg(long, value_name = "FILE", env = "FAXGATE_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

impl Settings {
    /// Reads and checks it.
    ///
    /// # Errors
    /// With every problem on a line of its own.
    pub(super) fn load(&self) -> anyhow::Result<Loaded> {
        self.load_from(&Process)
    }

    /// The same with other variables than those of the process.
    ///
    /// # Errors
    /// With every problem on a line of its own.
    pub(super) fn load_from(&self, source: &impl Source) -> anyhow::Result<Loaded> {
        let loaded = faxgate_config::load(source, self.file())
            .map_err(|problems| anyhow!("the configuration can't be used\n{problems}"))?;
        logs::filter(&loaded.config.log_level)?;
        Ok(loaded)
    }

    /// The configuration file, when one is named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref().filter(|path| !path.as_os_str().is_empty())
    }
}
