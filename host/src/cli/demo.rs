//! `faxgate demo`: the whole system on this machine, without account or file.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::api::Api;
use super::output::outln;
use super::sample;
use super::send::{Waited, wait};
use super::status::text;
use crate::compose::{self, Environment, Service};
use crate::lifecycle::Signals;
use faxgate_base::secret::Secret;
use faxgate_config::source::Fixed;
use faxgate_config::{Config, LogFormat};
use faxgate_edge::tls::self_signed;
use faxgate_simulator::{RunningSimulator, Simulator, SimulatorConfig};
use faxgate_telemetry::{logs, metrics};

/// A number of the range that is kept free for fiction.
const NUMBER: &str = "+12125550142";
/// How much faster than the real provider the simulated one works.
const TIME_SCALE: f64 = 8.0;

/// Arguments of `faxgate demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End when the sample faxes have arrived
    #[arg(long)]
    once: bool,
    /// Port of the HTTPS listener; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What to log, on standard error
    #[arg(long, default_value = "warn", env = "LOG_LEVEL")]
    log_level: String,
}

/// Everything that runs, and where its files are.
struct Stage {
    service: Service,
    simulator: RunningSimulator,
    api: Api,
    url: String,
    folder: TempDir,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    logs::init(LogFormat::Text, &args.log_level)?;
    let mut signals = Signals::listen()?;
    let stage = tokio::select! {
        stage = set_up(args.port) => stage?,
        _ = signals.next() => return Ok(ExitCode::FAILURE),
    };
    let shown = tokio::select! {
        shown = show(&stage) => shown,
        _ = signals.next() => Err(anyhow::anyhow!("interrupted")),
    };
    let code = match shown {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            outln!("\nfailed: {error:#}");
            ExitCode::FAILURE
        }
    };
    if !args.once && code == ExitCode::SUCCESS {
        outln!("\nThe service stays up: try the lines above. Ctrl-C ends it and removes its folder.");
        signals.next().await;
    }
    stage.service.stop().await;
    stage.simulator.shutdown().await;
    Ok(code)
}

async fn set_up(port: u16) -> anyhow::Result<Stage> {
    let folder = tempfile::Builder::new()
        .prefix("faxgate-demo-")
        .tempdir()
        .context("no temporary folder can be made")?;
    outln!(
        "1. A folder for everything the demo keeps: {}",
        folder.path().display()
    );
    let certificate = self_signed(&["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert_file, &certificate.cert_pem)?;
    std::fs::write(&key_file, certificate.key_pem.reveal())?;
    outln!("2. A self-signed certificate: {}", cert_file.display());
    let simulator = Simulator::start(SimulatorConfig {
        time_scale: TIME_SCALE,
        trust_pem: Some(certificate.cert_pem.clone()),
        ..SimulatorConfig::default()
    })
    .await?;
    outln!(
        "3. A simulated Phaxio: {} ({TIME_SCALE} times faster than life)",
        simulator.api_url()
    );
    let port = if port == 0 { free_port()? } else { port };
    let url = format!("https://localhost:{port}");
    let bootstrap = random_key()?;
    let config = configuration(folder.path(), port, &url, &simulator, bootstrap.reveal())?;
    let service = compose::start(config, Environment::of_process(metrics::install()?)).await?;
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(certificate.cert_pem.as_bytes())?])
        .no_proxy()
        .build()?;
    let admin = Api::new(client.clone(), &url, Some(bootstrap));
    let health = admin.ask(admin.get("/health")).await?;
    outln!("4. The service: {url}, health: {}", text(&health, "status"));
    outln!("   curl --cacert {} {url}/health", cert_file.display());
    let request = json!({ "name": "demo", "scopes": ["fax:send", "fax:read"] });
    let key = admin.ask(admin.post("/admin/api-keys").json(&request)).await?;
    let token = text(&key, "token").to_owned();
    outln!("5. An API key that may send and read its own faxes, shown only once:");
    outln!("   export FAXGATE_API_KEY={token}");
    Ok(Stage {
        service,
        simulator,
        api: Api::new(client, &url, Some(Secret::new(token))),
        url,
        folder,
    })
}

/// The same configuration that a file and an environment would give.
fn configuration(
    folder: &Path,
    port: u16,
    url: &str,
    simulator: &RunningSimulator,
    bootstrap: &str,
) -> anyhow::Result<Config> {
    let path = |name: &str| folder.join(name).display().to_string();
    let account = SimulatorConfig::default();
    let variables = [
        ("FAX_DATA_DIR", path("data")),
        ("HTTP_LISTEN", String::new()),
        (
            "HTTPS_LISTEN",
            SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string(),
        ),
        ("TLS_CERT_FILE", path("cert.pem")),
        ("TLS_KEY_FILE", path("key.pem")),
        ("PUBLIC_API_URL", url.to_owned()),
        ("API_KEY", bootstrap.to_owned()),
        ("PHAXIO_API_URL", simulator.api_url()),
        ("PHAXIO_API_KEY", account.api_key),
        ("PHAXIO_API_SECRET", account.api_secret),
        (
            "PHAXIO_CALLBACK_TOKEN",
            account.callback_token.unwrap_or_default(),
        ),
        ("PHAXIO_REQUESTS_PER_SECOND", "20".to_owned()),
        ("POLL_AFTER_SECONDS", "10".to_owned()),
    ];
    Ok(faxgate_config::load(&Fixed::variables(variables), None)?.config)
}

/// Sends the samples; whether all of them arrived.
async fn show(stage: &Stage) -> anyhow::Result<bool> {
    let pdf = stage.folder.path().join("sample.pdf");
    let txt = stage.folder.path().join("sample.txt");
    std::fs::write(&pdf, sample::pdf())?;
    std::fs::write(&txt, sample::TEXT)?;
    let first = send(stage, 6, &pdf).await?;
    let second = send(stage, 7, &txt).await?;
    Ok(first && second)
}

/// Sends one document and follows it to its end; whether it arrived.
async fn send(stage: &Stage, step: u32, file: &Path) -> anyhow::Result<bool> {
    let (api, url) = (&stage.api, &stage.url);
    let curl = format!(
        "curl --cacert {} -H \"X-API-Key: $FAXGATE_API_KEY\"",
        stage.folder.path().join("cert.pem").display()
    );
    outln!("\n{step}. Send {} to {NUMBER}", file.display());
    outln!("   {curl} -F to={NUMBER} -F file=@{} {url}/fax", file.display());
    outln!(
        "   {} send --ca {} --url {url} --to {NUMBER} {}",
        std::env::current_exe()?.display(),
        stage.folder.path().join("cert.pem").display(),
        file.display()
    );
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let part = Part::bytes(std::fs::read(file)?).file_name(name);
    let form = Form::new().text("to", NUMBER).part("file", part);
    let fax = api.ask(api.post("/fax").multipart(form)).await?;
    let id = text(&fax, "id");
    if id.is_empty() {
        bail!("the service accepted the fax without an id");
    }
    outln!(
        "   accepted as {id}, {} pages, to {}",
        fax.get("pages").unwrap_or(&Value::Null),
        text(&fax, "to")
    );
    let (Waited::Ended(fax) | Waited::StillUnderWay(fax)) = wait(api, id, None, |_| {}).await?;
    let status = text(&fax, "status");
    match text(&fax, "error") {
        "" => outln!("   {status}"),
        error => outln!("   {status}: {error}"),
    }
    outln!("   {curl} {url}/fax/{id}");
    outln!("   {curl} {url}/fax/{id}/events");
    let events = api.ask(api.get(&format!("/fax/{id}/events"))).await?;
    for event in events
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        outln!(
            "     {}  {:18} {}",
            text(event, "at"),
            text(event, "event"),
            text(event, "detail")
        );
    }
    let tiff = api.get(&format!("/fax/{id}/tiff")).send().await?;
    let size = tiff
        .error_for_status()
        .context("what the far machine prints can't be had")?
        .bytes()
        .await?
        .len();
    outln!("   What the far machine prints, {size} bytes:");
    outln!("   {curl} -o fax.tiff {url}/fax/{id}/tiff");
    Ok(status == "SUCCESS")
}

/// A port that nothing listens on now. The public address has to be known before the listener is there.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// A key nobody can guess, for as long as the demo runs.
fn random_key() -> anyhow::Result<Secret> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).context("the machine has no randomness to give")?;
    Ok(Secret::new(hex::encode(bytes)))
}
