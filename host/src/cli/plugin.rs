//! `faxgate plugin`: make, check and try policies.

pub mod build;
mod check;
mod list;
mod new;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use tempfile::TempDir;

use self::build::{BuildRequest, Built};
use super::output::say;
use crate::config::Config;
use crate::plugin::{Grants, Plugins};

/// `faxgate plugin …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a crate to start a policy from
    New(new::Args),
    /// Compile a plugin crate to a component
    Build(BuildArgs),
    /// Say which slot a component fills and whether it loads within its limits
    Check(check::Args),
    /// Run a component once on an input file
    Run(run::Args),
    /// List what a service with this configuration would load
    List(list::Args),
}

/// Arguments of `faxgate plugin build`.
#[derive(Debug, clap::Args)]
pub(super) struct BuildArgs {
    /// Folder of the crate
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Where the component goes; NAME.wasm in the current folder without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Build the components that come with faxgate anew, in a clone of its sources
    #[arg(long, conflicts_with = "out")]
    first_party: bool,
    /// With --first-party: this one alone (may be given several times)
    #[arg(long, value_name = "NAME", requires = "first_party")]
    only: Vec<String>,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New(args) => new::run(&args),
        Command::Build(args) => {
            tokio::task::spawn_blocking(move || compile(args)).await??;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check(args) => check::run(args).await,
        Command::Run(args) => run::run(args).await,
        Command::List(args) => list::run(args).await,
    }
}

fn compile(args: BuildArgs) -> anyhow::Result<()> {
    if args.first_party {
        for entry in build::build_first_party(&args.dir, &args.only)?.components {
            say!(
                "{}  {} bytes  {}  {}",
                entry.sha256,
                entry.size,
                entry.file,
                entry.compiler
            );
        }
        return Ok(());
    }
    let request = BuildRequest {
        dir: args.dir,
        out: args.out,
    };
    let Built {
        file,
        size,
        sha256,
        compiler,
        doors,
        name,
    } = build::build(&request)?;
    say!("{name}: {} ({size} bytes, {compiler})", file.display());
    say!("SHA-256  {sha256}");
    say!("imports  {}", list_or_none(&doors.imports));
    say!("exports  {}", list_or_none(&doors.exports));
    Ok(())
}

fn list_or_none(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
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
