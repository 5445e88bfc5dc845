//! `faxgate keys`: API keys, whether the service runs or not.

use std::process::ExitCode;

use serde_json::Value;

use super::control::{ControlClient, Missing};
use super::output::{errln, json, outln, table};
use super::settings::Settings;
use crate::control::Request;
use faxgate_service::NewKey;

/// `faxgate keys …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key and show its token, once
    Create(Create),
    /// List the keys
    List(List),
    /// End a key now
    Revoke(Revoke),
    /// Give a key a new secret
    Rotate(Rotate),
}

/// Arguments of `faxgate keys create`.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// What people call it
    #[arg(long)]
    name: String,
    /// Whose faxes it sees; the name when not given
    #[arg(long)]
    owner: Option<String>,
    /// What it may do: fax:send, fax:resolve, fax:read, fax:read_all, inbound:list, inbound:read, keys:manage, admin:read, *
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "fax:send,fax:read",
        value_name = "SCOPE,…"
    )]
    scopes: Vec<String>,
    /// When it ends, with an offset, such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// Requests per minute, instead of the configured limit; 0 is no limit
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// Free text
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `faxgate keys list`.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    common: Common,
}

/// Arguments of `faxgate keys revoke`.
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    /// Id of the key: the part of the token after fbk_live_
    key_id: String,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `faxgate keys rotate`.
#[derive(Debug, clap::Args)]
pub(super) struct Rotate {
    /// Id of the key: the part of the token after fbk_live_
    key_id: String,
    /// How long the old secret works on
    #[arg(long, default_value_t = 0, value_name = "MINUTES")]
    overlap_minutes: u64,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(args) => create(args).await?,
        Command::List(args) => list(args).await?,
        Command::Revoke(args) => {
            let request = Request::RevokeKey { key_id: args.key_id };
            let key = ask(&args.common, Missing::Refuse, request).await?;
            show(
                &args.common,
                &key,
                &format!("key {} no longer works", text(&key, "key_id")),
            );
        }
        Command::Rotate(args) => {
            let request = Request::RotateKey {
                key_id: args.key_id,
                overlap_minutes: args.overlap_minutes,
            };
            let key = ask(&args.common, Missing::Refuse, request).await?;
            show_token(&args.common, &key);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(args: Create) -> anyhow::Result<()> {
    let request = Request::CreateKey(NewKey {
        name: Some(args.name),
        owner: args.owner,
        scopes: Some(args.scopes),
        expires_at: args.expires_at,
        note: args.note,
        requests_per_minute: args.requests_per_minute,
    });
    let key = ask(&args.common, Missing::Create, request).await?;
    show_token(&args.common, &key);
    Ok(())
}

async fn list(args: List) -> anyhow::Result<()> {
    let mut client = ControlClient::open(&args.common.settings.load()?.config, Missing::Refuse).await?;
    let mut keys = Vec::new();
    let mut cursor = None;
    loop {
        let mut page = client.ask(Request::ListKeys { cursor }).await?;
        if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
            keys.extend(items);
        }
        cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if args.common.json {
        json(&keys);
        return Ok(());
    }
    let rows: Vec<[String; 7]> = keys.iter().map(row).collect();
    table(
        ["id", "name", "owner", "scopes", "state", "created", "last used"],
        &rows,
    );
    Ok(())
}

fn row(key: &Value) -> [String; 7] {
    let scopes = key.get("scopes").and_then(Value::as_array).into_iter().flatten();
    let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
    let state = match (text(key, "revoked_at"), text(key, "expires_at")) {
        ("", "") => "works".to_owned(),
        ("", end) => format!("until {end}"),
        (_, _) => "revoked".to_owned(),
    };
    let field = |name| text(key, name).to_owned();
    let scopes = scopes.join(",");
    [
        field("key_id"),
        field("name"),
        field("owner"),
        scopes,
        state,
        field("created_at"),
        field("last_used_at"),
    ]
}

async fn ask(common: &Common, missing: Missing, request: Request) -> anyhow::Result<Value> {
    let config = common.settings.load()?.config;
    ControlClient::open(&config, missing).await?.ask(request).await
}

/// The token goes to standard output alone, so that a script can take it from there.
fn show_token(common: &Common, key: &Value) {
    if common.json {
        json(key);
        return;
    }
    errln!(
        "key {} of {}; its token is shown only now:",
        text(key, "key_id"),
        text(key, "owner")
    );
    outln!("{}", text(key, "token"));
}

fn show(common: &Common, key: &Value, sentence: &str) {
    if common.json {
        json(key);
    } else {
        outln!("{sentence}");
    }
}

fn text<'a>(key: &'a Value, field: &str) -> &'a str {
    key.get(field).and_then(Value::as_str).unwrap_or_default()
}
