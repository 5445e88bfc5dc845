//! `faxgate serve`: the service.

use std::process::ExitCode;

use super::output::outln;
use super::settings::Settings;
use crate::compose::{self, Environment};
use crate::lifecycle::{self, Signals};
use faxgate_config::render;
use faxgate_telemetry::{logs, metrics, otlp};

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
        outln!("{}", render::text(&loaded.config).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    logs::init(loaded.config.log_format, &loaded.config.log_level)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    otlp::begin(&loaded.config.telemetry)?;
    let handle = metrics::install()?;
    tokio::spawn(metrics::upkeep(handle.clone()));
    // Before anything answers: from then on a signal means what it says here and not the end of the process.
    let mut signals = Signals::listen()?;
    let starting = Box::pin(compose::start(loaded.config, Environment::of_process(handle)));
    let service = tokio::select! {
        service = starting => service?,
        () = signals.stop() => {
            tracing::info!("told to stop before it served");
            return Ok(ExitCode::SUCCESS);
        }
    };
    tracing::info!(
        http = service.http().map(tracing::field::display),
        https = service.https().map(tracing::field::display),
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    lifecycle::run(service, signals, || Ok(args.settings.load()?.config)).await;
    Ok(ExitCode::SUCCESS)
}
