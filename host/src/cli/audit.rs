//! `faxgate audit`: the chained log of who did what.

mod file;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use serde_json::Value;

use super::control::{ControlClient, Missing};
use super::output::outln;
use super::settings::Settings;
use crate::control::Request;

/// `faxgate audit …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Walk the chain and name the first record that does not fit
    Verify(VerifyArgs),
    /// Write every record as a line of JSON
    Export(Args),
}

/// Arguments of `faxgate audit verify`.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// Check the lines of this file (audit.file, or what export wrote) instead of the database
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// Arguments of `faxgate audit export`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let settings = match &command {
        Command::Verify(VerifyArgs { file: Some(file), .. }) => return verify_file(file),
        Command::Verify(args) => &args.settings,
        Command::Export(args) => &args.settings,
    };
    let mut client = ControlClient::open(&settings.load()?.config, Missing::Refuse).await?;
    match command {
        Command::Verify(_) => verify(&mut client).await,
        Command::Export(_) => export(&mut client).await,
    }
}

async fn verify(client: &mut ControlClient) -> anyhow::Result<ExitCode> {
    let verdict = client.ask(Request::VerifyAudit).await?;
    let number = |field| verdict.get(field).and_then(Value::as_u64).unwrap_or_default();
    let text = |field| verdict.get(field).and_then(Value::as_str).unwrap_or_default();
    if verdict.get("intact").and_then(Value::as_bool) == Some(true) {
        outln!("intact: {} records", number("records"));
        outln!(
            "head:   {} (kept elsewhere, it proves the log up to here)",
            text("head")
        );
        return Ok(ExitCode::SUCCESS);
    }
    outln!("broken at record {}: {}", number("seq"), text("fault"));
    Ok(ExitCode::FAILURE)
}

fn verify_file(path: &Path) -> anyhow::Result<ExitCode> {
    let cannot = || format!("{} can't be read", path.display());
    let lines = BufReader::new(File::open(path).with_context(cannot)?);
    match file::verify(lines).with_context(cannot)? {
        file::Verdict::Intact { first, last, head } => {
            outln!("intact: records {first} to {last}");
            outln!(
                "head:   {head} (the same in `faxgate audit verify` when the database has no later record)"
            );
            Ok(ExitCode::SUCCESS)
        }
        file::Verdict::Empty => {
            outln!("no records");
            Ok(ExitCode::SUCCESS)
        }
        file::Verdict::Broken { line, fault } => {
            outln!("broken at line {line}: {fault}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn export(client: &mut ControlClient) -> anyhow::Result<ExitCode> {
    let mut after = None;
    loop {
        let answer = client.ask(Request::ReadAudit { after }).await?;
        let records = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        for record in records {
            outln!("{record}");
        }
        let last = records
            .last()
            .and_then(|record| record.get("seq"))
            .and_then(Value::as_u64);
        match last {
            Some(last) => after = Some(last),
            None => return Ok(ExitCode::SUCCESS),
        }
    }
}
