//! `faxgate plugin check`: which slot a component fills, and whether it loads.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::Alone;
use crate::base::size::human;
use crate::cli::output::{json, say};
use crate::cli::settings::Settings;

/// Arguments of `faxgate plugin check`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.settings.load()?.config;
    let alone = Alone::load(&config, &args.file).await?;
    let problems = alone.plugins.problems();
    for problem in &problems {
        say!("problem: {}: {}", args.file.display(), problem.reason);
    }
    if !problems.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    let list = alone.plugins.list();
    let plugin = list
        .iter()
        .find(|plugin| !plugin.builtin && plugin.name == alone.name)
        .with_context(|| format!("{} was not taken up", args.file.display()))?;
    if args.json {
        json(plugin);
        return Ok(ExitCode::SUCCESS);
    }
    let limits = &plugin.limits;
    say!("slot     {}", plugin.slot.as_str());
    say!(
        "name     {} {} {}",
        plugin.name,
        plugin.version,
        plugin.description
    );
    say!("SHA-256  {}", plugin.sha256);
    say!(
        "imports  {}",
        if plugin.imports.is_empty() {
            "none".to_owned()
        } else {
            plugin.imports.join(", ")
        }
    );
    say!(
        "limits   {} of memory, {} ms on the processor, {} ms in all, {} of output",
        human(limits.memory_bytes),
        limits.cpu_ms,
        limits.timeout_ms,
        human(limits.max_output_bytes)
    );
    say!(
        "failure  {}",
        match plugin.on_error {
            "next" => "the next plugin of the slot is asked",
            _ => "the request fails",
        }
    );
    Ok(ExitCode::SUCCESS)
}
