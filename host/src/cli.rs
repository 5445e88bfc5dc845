//! The command line, one file per command.
//!
//! Exit codes: 0 when the command did what it says, 1 when it did not, 2 for a command line that makes no sense.

mod api;
mod audit;
mod check;
mod control;
mod demo;
mod health;
mod keys;
mod man;
mod output;
pub mod plugin;
mod sample;
mod send;
mod serve;
mod settings;
mod simulate;
mod simulator;
mod status;
mod verify_callback;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::errln;

/// A secure fax API in one binary.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[allow(clippy::large_enum_variant, reason = "one value, parsed at start")]
#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole system at work on this machine, without account or file
    Demo(demo::Args),
    /// Run the service
    Serve(serve::Args),
    /// Look for problems in configuration, certificate, plugins and data folder without serving
    Check(check::Args),
    /// Manage API keys of this machine's service, whether it runs or not
    #[command(subcommand)]
    Keys(keys::Command),
    /// Make, check and try policies
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Run the Phaxio simulator alone
    Simulator(simulator::Args),
    /// Send a fax through a running service
    Send(send::Args),
    /// Show a fax of a running service
    Status(status::Args),
    /// Say whether the signature of a saved callback holds and, if not, what differs
    VerifyCallback(verify_callback::Args),
    /// Check the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Ask the service of this configuration whether it is alive (for container health checks)
    Health(health::Args),
    /// Write the manual page, or those of all commands into a folder
    Man(man::ManArgs),
    /// Write a script that completes this command line in a shell
    Completions(man::CompletionArgs),
}

/// Runs the command of this process.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = run(Cli::parse().command);
    faxgate_telemetry::logs::flush();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // Each cause says more about the one before it.
            errln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Demo(args) => Box::pin(demo::run(args)).await,
            Command::Serve(args) => Box::pin(serve::run(args)).await,
            Command::Check(args) => Box::pin(check::run(args)).await,
            Command::Keys(command) => Box::pin(keys::run(command)).await,
            Command::Plugin(command) => Box::pin(plugin::run(command)).await,
            Command::Simulator(args) => Box::pin(simulator::run(args)).await,
            Command::Send(args) => Box::pin(send::run(args)).await,
            Command::Status(args) => Box::pin(status::run(args)).await,
            Command::VerifyCallback(args) => Box::pin(verify_callback::run(args)).await,
            Command::Audit(command) => Box::pin(audit::run(command)).await,
            Command::Health(args) => Box::pin(health::run(args)).await,
            Command::Man(args) => man::man(&args),
            Command::Completions(args) => Ok(man::completions(&args)),
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
