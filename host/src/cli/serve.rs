//! `faxgate serve`: the service.

use std::process::ExitCode;

use super::output::say;
use super::settings::Settings;
use crate::base::clock::Clock;
use crate::config::render;
use crate::telemetry::{logs, metrics, otlp};
use crate::{compose, lifecycle};

/// Arguments of `faxgate serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Show the effective configuration with secrets masked, and end
    #[arg(long)]
    print_config: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    if args.print_config {
        say!("{}", render::text(&loaded.config).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    logs::init(loaded.config.log_format, &loaded.config.log_level)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    otlp::begin(&loaded.config.telemetry)?;
    let handle = metrics::install()?;
    tokio::spawn(metrics::upkeep(handle.clone()));
    let service = compose::start(loaded.config, Clock::system(), handle).await?;
    tracing::info!(
        http = service.http().map(tracing::field::display),
        https = service.https().map(tracing::field::display),
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    lifecycle::run(service, || Ok(args.settings.load()?.config)).await?;
    Ok(ExitCode::SUCCESS)
}
