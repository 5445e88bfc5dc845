//! `faxgate plugin check`: which slot a component fills, and whether it loads. Everything that is wrong with it is
//! told at once, each with its remedy.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::{grants, stem};
use crate::cli::output::{json, outln};
use crate::cli::settings::Settings;
use faxgate_base::size::human;
use faxgate_policy::{InspectError, Inspection, Inspector};

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
    let name = stem(&args.file)?;
    let wasm = std::fs::read(&args.file).with_context(|| format!("{} can't be read", args.file.display()))?;
    let own = config.plugins.named.get(&name).cloned().unwrap_or_default();
    match Inspector::open(&name, wasm, &own, &grants(&config), false).await {
        Ok(bench) if args.json => json(&bench.inspection()),
        Ok(bench) => tell(&bench.inspection()),
        Err(InspectError::ComponentErrors(unfit)) => {
            let problems: Vec<String> = unfit.0.iter().map(ToString::to_string).collect();
            if args.json {
                json(&json!({"name": name, "problems": problems}));
            }
            for problem in problems.iter().filter(|_| !args.json) {
                outln!("problem: {}: {problem}", args.file.display());
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(error @ InspectError::Engine(_)) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(inspection: &Inspection) {
    let plugin = &inspection.info;
    let limits = &plugin.limits;
    let or_none = |names: &[String]| match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    outln!("slot     {}", plugin.slot.as_str());
    outln!(
        "name     {} {} {}",
        plugin.name,
        plugin.version,
        plugin.description
    );
    outln!("SHA-256  {}", plugin.sha256);
    outln!("imports  {}", or_none(&plugin.imports));
    outln!("secrets  {}", or_none(&plugin.secrets));
    outln!(
        "limits   {} of memory, {} ms on the processor, {} ms in all, {} of output",
        human(limits.memory_bytes),
        limits.cpu_ms,
        limits.timeout_ms,
        human(limits.max_output_bytes)
    );
    outln!(
        "failure  {}",
        match plugin.on_error {
            "next" => "the next plugin of the slot is asked",
            _ => "the request fails",
        }
    );
    outln!(
        "start    {} of memory, compiled in {} ms, described itself and checked its settings in {} µs",
        human(inspection.initial_memory_bytes),
        inspection.compile_ms,
        inspection.startup_us
    );
}
