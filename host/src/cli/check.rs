//! `faxgate check`: everything that can be wrong before serving, each on a line of its own.

mod certificate;
mod listeners;
mod public_url;

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use tokio::net::UnixStream;

use super::output::outln;
use super::settings::Settings;
use faxgate_base::clock::Clock;
use faxgate_config::storage::StorageConfig;
use faxgate_config::tls::{CertificateFiles, DEFAULT_DIRECTORY};
use faxgate_config::{Config, source::Process};
use faxgate_edge::tls::ServerTls;
use faxgate_policy::{Grants, Plugins};
use faxgate_store::{Store, StoreError, StoreOptions};
use faxgate_telemetry::{logs, otlp};

/// A certificate that ends within this many days is remarked on.
const SOON_DAYS: i64 = 14;

/// Arguments of `faxgate check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
}

/// What was found, printed as it is found.
#[derive(Debug, Default)]
struct Findings {
    problems: usize,
}

impl Findings {
    fn problem(&mut self, key: &str, message: impl std::fmt::Display) {
        self.problems += 1;
        let message = message.to_string().replace('\n', " ");
        outln!("problem: {key}: {message}");
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut found = Findings::default();
    let inspected = faxgate_config::inspect(&Process, args.settings.file());
    for problem in inspected.problems.0 {
        outln!("problem: {problem}");
        found.problems += 1;
    }
    for warning in inspected.warnings {
        outln!("warning: {warning}");
    }
    // With defaults in place of what is wrong: the rest is worth looking at all the same.
    if let Some(config) = inspected.config {
        examine(&config, &mut found).await;
    }
    Ok(match found.problems {
        0 => {
            outln!("ok: nothing keeps the service from starting");
            ExitCode::SUCCESS
        }
        1 => {
            outln!("1 problem");
            ExitCode::FAILURE
        }
        many => {
            outln!("{many} problems");
            ExitCode::FAILURE
        }
    })
}

async fn examine(config: &Config, found: &mut Findings) {
    if let Err(error) = logs::filter(&config.log_level) {
        found.problem("log.level (LOG_LEVEL)", error);
    }
    if let Err(error) = otlp::check(&config.telemetry) {
        found.problem("telemetry.otlp_headers (OTEL_EXPORTER_OTLP_HEADERS)", error);
    }
    certificate(config, found);
    let running = UnixStream::connect(config.control_socket()).await.is_ok();
    listeners::check(config, running, found);
    if running {
        public_url::check(config).await;
    }
    data_folder(config, found).await;
    plugins(config, found).await;
    if let StorageConfig::S3(s3) = &config.storage {
        outln!(
            "note: storage.s3.bucket (S3_BUCKET): {} is not asked; the service reports on it in /health/ready",
            s3.bucket
        );
    }
}

fn certificate(config: &Config, found: &mut Findings) {
    const FILES: &str = "tls.cert_file (TLS_CERT_FILE), tls.key_file (TLS_KEY_FILE)";
    let host = config.public_url.host_str().unwrap_or("localhost");
    if !config.tls.acme.domains.is_empty() {
        automatic(config, host, found);
    }
    // Without files, opening would make a certificate: a check changes nothing.
    if config.tls.files.is_empty() {
        return;
    }
    let tls = match ServerTls::open(&config.tls, &config.data_dir, host) {
        Ok(tls) => tls,
        Err(error) => return found.problem(FILES, error),
    };
    for CertificateFiles { cert, .. } in &config.tls.files {
        if certificate::covers(cert, host) == Some(false) && config.listen.https.is_some() {
            outln!(
                "warning: tls.cert_file (TLS_CERT_FILE): {} is not for {host}, the host of public_url (PUBLIC_API_URL); \
                 the provider refuses it",
                cert.display()
            );
        }
    }
    for expiry in tls.expiries() {
        let (file, Some(end)) = (expiry.certificate, expiry.not_after) else {
            continue;
        };
        let days = end.duration_since(Timestamp::now()).as_hours() / 24;
        if end <= Timestamp::now() {
            let message = format_args!("{file} expired on {end}; renew the certificate");
            found.problem("tls.cert_file (TLS_CERT_FILE)", message);
        } else if days < SOON_DAYS {
            outln!("warning: tls.cert_file (TLS_CERT_FILE): {file} ends in {days} days, on {end}; renew it");
        }
    }
}

/// Automatic certificates: the authority is not asked, since it counts what it is asked for.
fn automatic(config: &Config, host: &str, found: &mut Findings) {
    let acme = &config.tls.acme;
    if let Err(error) = ServerTls::check_acme(acme) {
        found.problem("tls.acme.ca_file (ACME_CA_FILE)", error);
    }
    let directory = acme
        .directory_url
        .as_ref()
        .map_or(DEFAULT_DIRECTORY, |url| url.as_str());
    let domains = acme.domains.join(", ");
    outln!("note: tls.acme.domains (ACME_DOMAINS): a certificate for {domains} comes from {directory}");
    if !acme
        .domains
        .iter()
        .any(|domain| domain.eq_ignore_ascii_case(host))
    {
        outln!(
            "warning: tls.acme.domains (ACME_DOMAINS): does not hold {host}, the host of public_url (PUBLIC_API_URL)"
        );
    }
}

async fn data_folder(config: &Config, found: &mut Findings) {
    const KEY: &str = "data_dir (FAX_DATA_DIR)";
    let folder = &config.data_dir;
    match folder.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Its nearest existing parent decides whether it can be made.
            let parent = folder
                .ancestors()
                .skip(1)
                .find(|parent| parent.exists() || parent.as_os_str().is_empty());
            let parent = parent
                .filter(|parent| !parent.as_os_str().is_empty())
                .unwrap_or_else(|| Path::new("."));
            if let Err(error) = writable(parent) {
                found.problem(
                    KEY,
                    format_args!(
                        "{} does not exist and can't be made in {} ({error}); give a folder that can be written",
                        folder.display(),
                        parent.display()
                    ),
                );
            }
            return;
        }
        Err(error) => {
            found.problem(
                KEY,
                format_args!(
                    "{} can't be used ({error}); check who may enter it",
                    folder.display()
                ),
            );
            return;
        }
        Ok(about) if !about.is_dir() => {
            found.problem(
                KEY,
                format_args!("{} is not a folder; give another path", folder.display()),
            );
            return;
        }
        Ok(about) if about.permissions().mode() & 0o077 != 0 => outln!(
            "warning: {KEY}: others may look into {}; the service makes it private when it starts",
            folder.display()
        ),
        Ok(_) => {}
    }
    if let Err(error) = writable(folder) {
        found.problem(
            KEY,
            format_args!("{} can't be written ({error}); check its owner", folder.display()),
        );
        return;
    }
    database(config, found).await;
}

async fn database(config: &Config, found: &mut Findings) {
    const KEY: &str = "data_dir (FAX_DATA_DIR)";
    let file = config.database_file();
    if !file.exists() {
        return;
    }
    if UnixStream::connect(config.control_socket()).await.is_ok() {
        outln!("note: {KEY}: a service is running on it");
        return;
    }
    match Store::open(&file, Clock::system(), StoreOptions::default()) {
        Ok(store) => {
            if let Err(error) = store.check().await {
                found.problem(KEY, error);
            }
            store.close();
        }
        Err(StoreError::Locked { .. }) => outln!("note: {KEY}: another process has the database open"),
        Err(error) => found.problem(KEY, error),
    }
}

/// Tries to write: modes alone don't say it (read-only mounts, quotas, access lists).
fn writable(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

async fn plugins(config: &Config, found: &mut Findings) {
    const KEY: &str = "plugins.dir (PLUGIN_DIR)";
    // Not the service's own cache: it may belong to another user, and a check changes nothing.
    let scratch = match tempfile::tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            return found.problem(
                "TMPDIR",
                format_args!("no temporary folder can be made ({error})"),
            );
        }
    };
    let mut settings = config.plugins.clone();
    settings.cache_dir = scratch.path().to_owned();
    let grants = Grants {
        callback_token: config.phaxio.callback_token.clone(),
        api_secret: config.phaxio.api_secret.clone(),
    };
    match Plugins::load(&settings, grants).await {
        Err(error) => found.problem(KEY, error),
        Ok(plugins) => {
            for problem in plugins.problems() {
                found.problem(KEY, format_args!("{}: {}", problem.file, problem.reason));
            }
            let loaded: Vec<String> = plugins.list().into_iter().map(|plugin| plugin.name).collect();
            for name in config.plugins.named.keys().filter(|name| !loaded.contains(name)) {
                outln!(
                    "warning: plugins.{name:?}: there is no plugin of this name; {}",
                    match loaded.as_slice() {
                        [] => "none is loaded".to_owned(),
                        names => format!("loaded are {}", names.join(", ")),
                    }
                );
            }
        }
    }
}
