//! `faxgate plugin list`: what a service with this configuration would load, and why not what it would not.

use std::process::ExitCode;

use serde_json::json;

use super::{compiled, grants};
use crate::cli::output::{errln, json, table};
use crate::cli::settings::Settings;
use faxgate_policy::{PluginInfo, Plugins};

/// Arguments of `faxgate plugin list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.settings.load()?.config;
    let mut settings = config.plugins.clone();
    let scratch = tempfile::tempdir()?;
    settings.cache_dir = compiled(&scratch);
    let plugins = Plugins::load(&settings, grants(&config)).await?;
    let (list, problems) = (plugins.list(), plugins.problems());
    if args.json {
        json(&json!({"items": list, "problems": problems}));
    } else {
        let rows: Vec<[String; 6]> = list.iter().map(row).collect();
        table(["slot", "order", "name", "version", "from", "SHA-256"], &rows);
    }
    for problem in &problems {
        errln!("not loaded: {}: {}", problem.file, problem.reason);
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn row(plugin: &PluginInfo) -> [String; 6] {
    [
        plugin.slot.as_str().to_owned(),
        plugin.order.to_string(),
        plugin.name.clone(),
        plugin.version.clone(),
        if plugin.builtin { "built in" } else { "folder" }.to_owned(),
        plugin.sha256.clone(),
    ]
}
