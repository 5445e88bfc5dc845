//! The configuration of a command: `--config`, then the environment.

use std::path::PathBuf;

use anyhow::anyhow;

use faxgate_config::Loaded;
use faxgate_config::source::Process;
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
        let file = self.config.as_deref().filter(|path| !path.as_os_str().is_empty());
        let loaded = faxgate_config::load(&Process, file)
            .map_err(|problems| anyhow!("the configuration can't be used\n{problems}"))?;
        logs::filter(&loaded.config.log_level)?;
        Ok(loaded)
    }
}
