//! `faxgate verify-callback`: whether the signature of a saved callback holds and, if not, what differs.

mod diagnose;
mod saved;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bytes::Bytes;

use self::diagnose::{Keys, Verdict};
use self::saved::Saved;
use super::output::outln;
use super::settings::Settings;
use faxgate_base::secret::Secret;
use faxgate_config::Config;
use faxgate_policy::{Delivery, DeliveryKind, FilePart, RawBody};

/// Arguments of `faxgate verify-callback`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The saved request: as it went over the wire (request line, headers, empty line, body), or JSON with
    /// method, url, headers and body_base64; - is standard input
    request: PathBuf,
    /// Address the provider was given; without it, the configured one with the request's query
    #[arg(long)]
    url: Option<String>,
    /// File with the account's callback token; without it, the configured one
    #[arg(long, value_name = "FILE")]
    callback_token_file: Option<PathBuf>,
    /// File with the API secret; without it, the configured one
    #[arg(long, value_name = "FILE")]
    api_secret_file: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.settings.load()?.config;
    let content = read(&args.request)?;
    let saved = Saved::parse(&content)
        .await
        .with_context(|| format!("{} can't be read as a saved request", args.request.display()))?;
    let keys = Keys {
        callback_token: secret(
            args.callback_token_file.as_deref(),
            config.phaxio.callback_token.as_ref(),
        )?,
        api_secret: secret(args.api_secret_file.as_deref(), config.phaxio.api_secret.as_ref())?,
    };
    let url = args.url.unwrap_or_else(|| configured_url(&config, &saved));
    let verdict = diagnose::diagnose(&saved, &url, &keys);
    report(&saved, &url, &verdict);
    Ok(match verdict {
        Verdict::Holds { .. } => ExitCode::SUCCESS,
        Verdict::Fails { .. } | Verdict::Unclaimed { .. } => ExitCode::FAILURE,
    })
}

/// A saved request as the service would hand it to its policies.
///
/// # Errors
/// When it can't be read.
pub(super) async fn saved_delivery(config: &Config, content: &[u8]) -> anyhow::Result<Delivery> {
    let saved = Saved::parse(content).await?;
    let inbound = is_inbound(&saved);
    let query = saved.query().unwrap_or_default();
    let file = |file: &saved::SavedFile| FilePart {
        name: file.name.clone(),
        file_name: Some(file.file_name.clone()),
        media_type: file.media_type.clone(),
        size: file.size as u64,
        sha1: file.sha1.clone(),
        sha256: file.sha256.clone(),
    };
    Ok(Delivery {
        kind: if inbound {
            DeliveryKind::Inbound
        } else {
            DeliveryKind::Status
        },
        public_url: configured_url(config, &saved),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        files: saved.files.iter().map(file).collect(),
        headers: saved.headers,
        fields: saved.fields,
        body: RawBody::Memory(Bytes::from(saved.body)),
        proof_required: if inbound {
            config.inbound.verify_signature
        } else {
            config.phaxio.verify_signature
        },
    })
}

fn is_inbound(saved: &Saved) -> bool {
    saved.path().ends_with("/phaxio-inbound")
}

fn report(saved: &Saved, url: &str, verdict: &Verdict) {
    outln!("address    {url}");
    let names: Vec<&str> = saved.fields.iter().map(|(name, _)| name.as_str()).collect();
    outln!(
        "fields     {}",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    );
    for file in &saved.files {
        outln!(
            "file       {}: {} bytes, SHA-1 {}",
            file.name,
            file.size,
            file.sha1
        );
    }
    match verdict {
        Verdict::Holds { scheme } => {
            outln!("scheme     {}", scheme.name());
            outln!("signature  holds");
        }
        Verdict::Fails { scheme, reasons } => {
            outln!("scheme     {}", scheme.name());
            outln!("signature  does not hold");
            for reason in reasons {
                outln!("differs    {reason}");
            }
        }
        Verdict::Unclaimed { reason } => outln!("signature  {reason}"),
    }
}

/// What the provider was told to call, as far as configuration and request tell.
fn configured_url(config: &Config, saved: &Saved) -> String {
    let base = if is_inbound(saved) {
        config.public("/phaxio-inbound")
    } else {
        config.phaxio.callback_url.clone()
    };
    match saved.query() {
        Some(query) => format!("{base}?{query}"),
        None => base,
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut content = Vec::new();
        std::io::stdin().read_to_end(&mut content)?;
        return Ok(content);
    }
    std::fs::read(path).with_context(|| format!("{} can't be read", path.display()))
}

fn secret(file: Option<&Path>, configured: Option<&Secret>) -> anyhow::Result<Option<Secret>> {
    let Some(path) = file else {
        return Ok(configured.cloned());
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(Some(Secret::new(text.trim().to_owned())))
}
