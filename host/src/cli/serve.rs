//! `faxgate serve`: the service.

use std::net::SocketAddr;
use std::process::ExitCode;

use super::output::outln;
use super::settings::Settings;
use super::simulate::Simulation;
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
    /// Send through a simulated provider on this address instead of an account; nothing is dialled
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "127.0.0.1:9191"
    )]
    simulate: Option<SocketAddr>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    if args.print_config {
        outln!("{}", render::text(&loaded.config).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let (loaded, simulation) = match args.simulate {
        None => (loaded, None),
        Some(address) => {
            let simulation = Simulation::start(address, &loaded.config).await?;
            (simulation.load(&args.settings)?, Some(simulation))
        }
    };
    logs::init(loaded.config.log_format, &loaded.config.log_level)?;
    lifecycle::core_dumps::forbid();
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
    let load = || match &simulation {
        None => args.settings.load(),
        Some(simulation) => simulation.load(&args.settings),
    };
    if let Some(simulation) = &simulation {
        simulation.explain(&load()?.config, &args.settings)?;
    }
    lifecycle::run(service, signals, || Ok(load()?.config)).await;
    if let Some(simulation) = simulation {
        simulation.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}
