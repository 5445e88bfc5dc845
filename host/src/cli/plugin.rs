//! `faxgate plugin`: make, check and try policies.

mod check;
mod list;
mod run;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::config::Config;
use crate::plugin::{Grants, Plugins};

/// `faxgate plugin …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say which slot a component fills and whether it loads within its limits
    Check(check::Args),
    /// Run a component once on an input file
    Run(run::Args),
    /// List what a service with this configuration would load
    List(list::Args),
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(args) => check::run(args).await,
        Command::Run(args) => run::run(args).await,
        Command::List(args) => list::run(args).await,
    }
}

/// A set of policies with one file of the operator's in front of the built-in ones.
struct Alone {
    plugins: Plugins,
    /// Name of the file, without `.wasm`.
    name: String,
    /// Holds the file and the compiled components for as long as they are in use.
    _folder: TempDir,
}

impl Alone {
    /// Loads `file` as a service with this configuration would.
    ///
    /// # Errors
    /// When the file can't be read or the engine can't start; a file that doesn't load is one of the problems of
    /// the plugins.
    async fn load(config: &Config, file: &Path) -> anyhow::Result<Self> {
        let name = file
            .file_stem()
            .and_then(|name| name.to_str())
            .with_context(|| format!("{} has no usable file name", file.display()))?
            .to_owned();
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let drop_in = folder.path().join("plugins");
        std::fs::create_dir(&drop_in)?;
        std::fs::copy(file, drop_in.join(format!("{name}.wasm")))
            .with_context(|| format!("{} can't be read", file.display()))?;
        let mut settings = config.plugins.clone();
        settings.dir = drop_in;
        settings.cache_dir = folder.path().join("cache");
        let plugins = Plugins::load(&settings, grants(config)).await?;
        Ok(Self {
            plugins,
            name,
            _folder: folder,
        })
    }
}

fn grants(config: &Config) -> Grants {
    Grants {
        callback_token: config.phaxio.callback_token.clone(),
        api_secret: config.phaxio.api_secret.clone(),
    }
}
