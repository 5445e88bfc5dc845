//! `faxgate send`: a fax through a running service.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::api::{Api, Service};
use super::output::{json, outln};
use super::status::{fetch, print, text};
use faxgate_base::clock::Clock;
use faxgate_base::id::{self, IdSource};

/// How often a fax is asked about while it is waited for.
const POLL: Duration = Duration::from_secs(1);
/// Questions in a row that may go unanswered before waiting is given up.
const MOST_UNANSWERED: u32 = 5;

/// Arguments of `faxgate send`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number to send to
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    to: String,
    /// Documents: PDF, text, PNG, JPEG or TIFF; several become one fax in this order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
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
    /// Size of pages made from text and pictures: letter, a4 or legal
    #[arg(long)]
    paper: Option<String>,
    /// Resolution of the fax: fine or standard
    #[arg(long)]
    resolution: Option<String>,
    /// How grey is drawn
    #[arg(long)]
    halftone: Option<String>,
    /// Cover page: whom the fax is for
    #[arg(long, value_name = "TEXT")]
    cover_to: Option<String>,
    /// Cover page: who sends it
    #[arg(long, value_name = "TEXT")]
    cover_from: Option<String>,
    /// Cover page: what it is about
    #[arg(long, value_name = "TEXT")]
    cover_subject: Option<String>,
    /// Cover page: a message
    #[arg(long, value_name = "TEXT")]
    cover_message: Option<String>,
    /// Label to find the fax by; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = tag)]
    tag: Vec<(String, String)>,
    /// Same key, same fax: repeating the command sends nothing twice
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait until the fax is delivered or has failed, at most so many seconds when given
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    wait: Option<Option<u64>>,
    /// Print the service's JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = args.service.api()?;
    let form = form(&args)?;
    // A key of our own makes it safe for anything on the way to repeat the request.
    let key = args
        .idempotency_key
        .unwrap_or_else(|| id::write(IdSource::default().next(Clock::system().now())));
    let request = api.post("/fax").header("idempotency-key", key).multipart(form);
    let mut fax = api.ask(request).await?;
    if let Some(limit) = args.wait {
        let id = text(&fax, "id").to_owned();
        if !args.json {
            outln!("{id} accepted, waiting");
        }
        let limit = limit.map(Duration::from_secs);
        let show = !args.json;
        match wait(&api, &id, limit, |event| {
            if show {
                print_event(event);
            }
        })
        .await?
        {
            Waited::Ended(end) => fax = end,
            Waited::StillUnderWay(now) => {
                let status = text(&now, "status");
                bail!("{id} is still {status} and goes on; ask again with: faxgate status {id} --events");
            }
        }
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

/// The form of `POST /fax`.
fn form(args: &Args) -> anyhow::Result<Form> {
    let mut form = Form::new().text("to", args.to.clone());
    let batch_delay = args.batch_delay.map(|seconds| seconds.to_string());
    let options = [
        ("region", &args.region),
        ("header_text", &args.header_text),
        ("caller_id", &args.caller_id),
        ("send_at", &args.send_at),
        ("batch_delay", &batch_delay),
        ("paper", &args.paper),
        ("resolution", &args.resolution),
        ("halftone", &args.halftone),
        ("cover[to]", &args.cover_to),
        ("cover[from]", &args.cover_from),
        ("cover[subject]", &args.cover_subject),
        ("cover[message]", &args.cover_message),
    ];
    for (field, value) in options {
        if let Some(value) = value {
            form = form.text(field, value.clone());
        }
    }
    for (name, value) in &args.tag {
        form = form.text(format!("tag[{name}]"), value.clone());
    }
    for file in &args.files {
        let name = file.file_name().map_or_else(
            || "document".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        let content = std::fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
        form = form.part("file", Part::bytes(content).file_name(name));
    }
    Ok(form)
}

/// How waiting ended.
pub(super) enum Waited {
    /// The fax has reached a final state.
    Ended(Value),
    /// The time was over first.
    StillUnderWay(Value),
}

/// Asks until the fax has reached a final state or `limit` is over; calls `changed` with every event of its timeline.
///
/// # Errors
/// When the service has no such fax, or stops answering.
pub(super) async fn wait(
    api: &Api,
    id: &str,
    limit: Option<Duration>,
    changed: impl Fn(&Value),
) -> anyhow::Result<Waited> {
    let clock = Clock::system();
    let begin = Instant::now();
    let (mut unanswered, mut shown, mut updated) = (0, 0, String::new());
    loop {
        match fetch(api, id).await {
            Ok(fax) => {
                unanswered = 0;
                if text(&fax, "updated_at") != updated {
                    text(&fax, "updated_at").clone_into(&mut updated);
                    // The next change shows what this question did not.
                    let events = api
                        .ask(api.get(&format!("/fax/{id}/events")))
                        .await
                        .unwrap_or_default();
                    let items = events.get("items").and_then(Value::as_array).map(Vec::as_slice);
                    for event in items.unwrap_or_default().iter().skip(shown) {
                        changed(event);
                        shown += 1;
                    }
                }
                if matches!(text(&fax, "status"), "SUCCESS" | "FAILED" | "disabled") {
                    return Ok(Waited::Ended(fax));
                }
                if limit.is_some_and(|limit| begin.elapsed() >= limit) {
                    return Ok(Waited::StillUnderWay(fax));
                }
            }
            Err(error) => {
                unanswered += 1;
                if unanswered == MOST_UNANSWERED {
                    bail!("stopped waiting for {id}: {error:#}");
                }
            }
        }
        clock.sleep(POLL).await;
    }
}

fn print_event(event: &Value) {
    let (at, what, detail) = (text(event, "at"), text(event, "event"), text(event, "detail"));
    let separator = if detail.is_empty() { "" } else { ": " };
    outln!("{at}  {what}{separator}{detail}");
}

fn tag(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE"),
    }
}
