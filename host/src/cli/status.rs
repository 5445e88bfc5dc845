//! `faxgate status`: one fax of a running service.

use std::process::ExitCode;

use serde_json::Value;

use super::api::{Api, Service};
use super::output::{json, outln, table};

/// Arguments of `faxgate status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Id of the fax
    id: String,
    /// Show its timeline too
    #[arg(long)]
    events: bool,
    /// Print the service's JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let api = args.service.api()?;
    let fax = fetch(&api, &args.id).await?;
    if args.json {
        json(&fax);
    } else {
        print(&fax);
    }
    if args.events {
        let path = format!("/fax/{}/events", segment(&args.id));
        let events = api.ask(api.get(&path)).await?;
        if args.json {
            json(&events);
        } else {
            outln!();
            print_events(&events);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The fax of this id.
///
/// # Errors
/// When the service has none, or does not answer.
pub(super) async fn fetch(api: &Api, id: &str) -> anyhow::Result<Value> {
    api.ask(api.get(&format!("/fax/{}", segment(id)))).await
}

/// A text of a fax, empty when it has none.
pub(super) fn text<'a>(fax: &'a Value, field: &str) -> &'a str {
    fax.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The lines people want to see.
pub(super) fn print(fax: &Value) {
    let fields = [
        "id",
        "status",
        "error",
        "error_type",
        "to",
        "pages",
        "attempts",
        "provider_sid",
        "cost_cents",
        "send_at",
        "created_at",
        "updated_at",
        "completed_at",
    ];
    for field in fields {
        let shown = match fax.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        outln!("{field:13} {shown}");
    }
}

fn print_events(events: &Value) {
    let rows: Vec<[String; 3]> = events
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|event| ["at", "event", "detail"].map(|field| text(event, field).to_owned()))
        .collect();
    table(["when", "what", "why"], &rows);
}

/// An id as one segment of a path, whatever was typed.
fn segment(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}
