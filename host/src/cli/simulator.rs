//! `faxgate simulator`: the Phaxio simulator alone.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use super::output::outln;
use faxgate_simulator::{Scheme, Simulator, SimulatorConfig, WebhookVersion};

/// Arguments of `faxgate simulator`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9090", value_name = "ADDR")]
    listen: SocketAddr,
    /// Key of the simulated account
    #[arg(long, default_value = "simulated-key")]
    api_key: String,
    /// Secret of the simulated account
    #[arg(long, default_value = "simulated-secret")]
    api_secret: String,
    /// Callback token of the simulated account; empty for none
    #[arg(long, default_value = "simulated-callback-token")]
    callback_token: String,
    /// Shape of callbacks: v1, v2, v2.1 or flat
    #[arg(long, default_value = "v2.1", value_name = "VERSION")]
    webhook_version: WebhookVersion,
    /// How callbacks are signed: sha1, sha256, none or wrong
    #[arg(long, default_value = "sha1", value_name = "SCHEME")]
    signature: Scheme,
    /// Provider seconds per second
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    time_scale: f64,
    /// Provider seconds that a fax takes
    #[arg(long, default_value_t = 4.0, value_name = "N")]
    completion_seconds: f64,
    /// Where callbacks of faxes go that name no address
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
    /// Where received faxes are delivered
    #[arg(long, value_name = "URL")]
    inbound_url: Option<String>,
    /// PEM file of a certificate authority to trust as well
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Fetch and deliver over TLS whatever the certificate
    #[arg(long)]
    insecure: bool,
    /// Keep faxes and rules in this file across starts
    #[arg(long, value_name = "FILE")]
    state_file: Option<PathBuf>,
    /// Answer more requests a second than this with 429
    #[arg(long, value_name = "N")]
    requests_per_second: Option<f64>,
    /// Report pages under way
    #[arg(long)]
    inflight: bool,
    /// An account that is no test account
    #[arg(long)]
    live: bool,
    /// Refuse test_fail on a live account, which ignores it else
    #[arg(long, requires = "live")]
    refuse_test_fail: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let trust_pem = match &args.ca {
        Some(path) => {
            Some(std::fs::read_to_string(path).with_context(|| format!("--ca {}", path.display()))?)
        }
        None => None,
    };
    let completion = Duration::try_from_secs_f64(args.completion_seconds).context("--completion-seconds")?;
    let running = Simulator::start(SimulatorConfig {
        listen: args.listen,
        api_key: args.api_key,
        api_secret: args.api_secret,
        callback_token: Some(args.callback_token).filter(|token| !token.is_empty()),
        webhook_version: args.webhook_version,
        signature: args.signature,
        time_scale: args.time_scale,
        completion,
        callback_url: args.callback_url,
        inbound_url: args.inbound_url,
        trust_pem,
        accept_invalid_certs: args.insecure,
        state_file: args.state_file,
        test_account: !args.live,
        refuse_test_fail: args.refuse_test_fail,
        requests_per_second: args.requests_per_second,
        inflight: args.inflight,
        keep_files: true,
    })
    .await?;
    outln!("listening on http://{}", running.addr);
    outln!("PHAXIO_API_URL={}", running.api_url());
    crate::lifecycle::Signals::listen()?.next().await;
    running.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
