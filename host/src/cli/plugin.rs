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
use super::output::outln;
use faxgate_config::Config;
use faxgate_policy::{Grants, Plugins};

/// `faxgate plugin …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a crate to start a policy from
    New(new::Args),
    /// Compile a plugin to a component: a crate, a folder of C, or a core module of any compiler
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
    /// Folder of the crate or of sources in C, or a core module
    #[arg(default_value = ".", value_name = "PATH")]
    source: PathBuf,
    /// What it decides, for C and core modules; a crate says so itself
    #[arg(long, value_enum, conflicts_with = "first_party")]
    slot: Option<new::Template>,
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
        for entry in build::build_first_party(&args.source, &args.only)?.components {
            outln!(
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
        source: args.source,
        slot: args.slot.map(new::Template::slot),
        out: args.out,
    };
    let Built {
        file,
        size,
        sha256,
        compiler,
        interface,
        name,
    } = build::build(&request)?;
    outln!("{name}: {} ({size} bytes, {compiler})", file.display());
    outln!("SHA-256  {sha256}");
    outln!("imports  {}", list_or_none(&interface.imports));
    outln!("exports  {}", list_or_none(&interface.exports));
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
    /// Holds the file for as long as it is in use.
    _folder: TempDir,
}

impl Alone {
    /// Loads `file` as a service with this configuration would.
    ///
    /// # Errors
    /// When the file can't be read or the engine can't start; a file that doesn't load is one of the problems of
    /// the plugins.
    async fn load(config: &Config, file: &Path) -> anyhow::Result<Self> {
        let name = stem(file)?;
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let drop_in = folder.path().join("plugins");
        std::fs::create_dir(&drop_in)?;
        std::fs::copy(file, drop_in.join(format!("{name}.wasm")))
            .with_context(|| format!("{} can't be read", file.display()))?;
        let mut settings = config.plugins.clone();
        settings.dir = drop_in;
        settings.cache_dir = compiled(&folder);
        let plugins = Plugins::load(&settings, grants(config)).await?;
        Ok(Self {
            plugins,
            _folder: folder,
        })
    }
}

/// Name of a plugin: that of its file, without `.wasm`.
fn stem(file: &Path) -> anyhow::Result<String> {
    let name = file.file_stem().and_then(|name| name.to_str());
    Ok(name
        .with_context(|| format!("{} has no usable file name", file.display()))?
        .to_owned())
}

/// Where compiled components are kept for these commands: the service's own cache may belong to another user, so
/// they have one of theirs (XDG base directories), or none beyond the run.
fn compiled(scratch: &TempDir) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    match base.filter(|base| base.is_absolute()) {
        Some(base) => base.join("faxgate"),
        None => scratch.path().join("cache"),
    }
}

fn grants(config: &Config) -> Grants {
    Grants {
        callback_token: config.phaxio.callback_token.clone(),
        api_secret: config.phaxio.api_secret.clone(),
    }
}
