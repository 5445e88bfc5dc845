//! `faxgate send`: a fax through a running service.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::api::{Api, Service};
use super::output::{json, outln};
use super::status::{fetch, print, text};
use faxgate_base::clock::Clock;
use faxgate_base::id::{self, IdSource};

/// How often a fax is asked about while it is waited for.
const POLL: Duration = Duration::from_secs(2);
/// Questions in a row that may go unanswered before waiting is given up.
const PATIENCE: u32 = 5;

/// Arguments of `faxgate send`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number to send to
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    to: String,
    /// Document: PDF, text, PNG, JPEG or TIFF
    file: PathBuf,
    /// Country of a number written without country code (ISO 3166, such as US)
    #[arg(long)]
    region: Option<String>,
    /// Text at the head of every page
    #[arg(long, value_name = "TEXT")]
    header_text: Option<String>,
    /// Number to show as the sender; one of the account's own
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    caller_id: Option<String>,
    /// Not to be sent before this time, such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    send_at: Option<String>,
    /// Seconds the provider waits for further faxes to the same number, to send them in one call
    #[arg(long, value_name = "SECONDS")]
    batch_delay: Option<u32>,
    /// Label to find the fax by; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = tag)]
    tag: Vec<(String, String)>,
    /// Same key, same fax: repeating the command sends nothing twice
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait until the fax is delivered or has failed
    #[arg(long)]
    wait: bool,
    /// Print the service's JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = args.service.api()?;
    let name = args.file.file_name().map_or_else(
        || "document".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let content =
        std::fs::read(&args.file).with_context(|| format!("{} can't be read", args.file.display()))?;
    let mut form = Form::new().text("to", args.to);
    let options = [
        ("region", args.region),
        ("header_text", args.header_text),
        ("caller_id", args.caller_id),
        ("send_at", args.send_at),
        ("batch_delay", args.batch_delay.map(|seconds| seconds.to_string())),
    ];
    for (field, value) in options {
        if let Some(value) = value {
            form = form.text(field, value);
        }
    }
    for (name, value) in args.tag {
        form = form.text(format!("tag[{name}]"), value);
    }
    form = form.part("file", Part::bytes(content).file_name(name));
    // A key of our own makes it safe for anything on the way to repeat the request.
    let key = args
        .idempotency_key
        .unwrap_or_else(|| id::write(IdSource::default().next(Clock::system().now())));
    let request = api.post("/fax").header("idempotency-key", key).multipart(form);
    let mut fax = api.ask(request).await?;
    if args.wait {
        if !args.json {
            outln!("{} accepted, waiting", text(&fax, "id"));
        }
        fax = wait(&api, text(&fax, "id")).await?;
    }
    if args.json {
        json(&fax);
    } else {
        print(&fax);
    }
    let failed = text(&fax, "status") == "FAILED";
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Asks until the fax has reached a final state.
///
/// # Errors
/// When the service has no such fax, or stops answering.
pub(super) async fn wait(api: &Api, id: &str) -> anyhow::Result<Value> {
    let clock = Clock::system();
    let mut unanswered = 0;
    loop {
        match fetch(api, id).await {
            Ok(fax) if matches!(text(&fax, "status"), "SUCCESS" | "FAILED" | "disabled") => return Ok(fax),
            Ok(_) => unanswered = 0,
            Err(error) => {
                unanswered += 1;
                if unanswered == PATIENCE {
                    bail!("stopped waiting for {id}: {error:#}");
                }
            }
        }
        clock.sleep(POLL).await;
    }
}

fn tag(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE"),
    }
}
