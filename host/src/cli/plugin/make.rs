//! `faxgate plugin build`: the command around [`super::build`].

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::build::{BuildRequest, build, build_first_party};
use crate::cli::output::say;

/// Arguments of `faxgate plugin build`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the plugin crate
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Where the component goes; without it NAME.wasm in this folder
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Rebuild the components that come with the binary, below the source tree DIR
    #[arg(long, conflicts_with = "out")]
    first_party: bool,
    /// With --first-party: only these
    #[arg(long, value_name = "NAME", requires = "first_party")]
    only: Vec<String>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    // Cargo runs for minutes: not on a thread that has other things to do.
    tokio::task::spawn_blocking(move || work(&args))
        .await
        .context("the build ended unexpectedly")?
}

fn work(args: &Args) -> anyhow::Result<ExitCode> {
    if args.first_party {
        let manifest = build_first_party(&args.dir, &args.only)?;
        for entry in manifest.components {
            say!("{}  {} bytes  sha256 {}", entry.file, entry.size, entry.sha256);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let built = build(&BuildRequest {
        dir: args.dir.clone(),
        out: args.out.clone(),
    })?;
    say!(
        "{}  {} bytes  sha256 {}",
        built.file.display(),
        built.size,
        built.sha256
    );
    say!("exports {}", built.doors.exports.join(", "));
    say!("check it: faxgate plugin check {}", built.file.display());
    Ok(ExitCode::SUCCESS)
}
