//! The configuration: keys, sources, validation and rendering.
//!
//! [`keys`] is the table of all keys, [`source`] where values come from, `read` turns what was given into [`Config`], whose
//! fields have real types. [`load`] is the entry point, [`render`] shows a configuration, [`reload`] decides what a running
//! service can take over.

pub mod keys;
mod read;
pub mod reload;
pub mod render;
mod rules;
mod sections;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use url::Url;

pub use read::{problem, source};
pub use sections::network::{auth, limits, listen, tls};
pub use sections::{dispatch, phaxio, plugins, retention, storage, telemetry};

use problem::{Problem, Problems};
use read::raw::Raw;
use read::reader::Reader;
use source::Source;

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Accept and store, never call the provider (`disabled`).
    pub disabled: bool,
    /// Database, artifacts, spool, certificates (`data_dir`).
    pub data_dir: PathBuf,
    /// Address at which the provider reaches the service, without trailing slash (`public_url`).
    pub public_url: Url,
    /// Refuse to serve other machines without TLS (`enforce_public_https`).
    pub enforce_public_https: bool,
    /// The provider account.
    pub phaxio: phaxio::PhaxioConfig,
    /// Sending and tracking faxes.
    pub dispatch: dispatch::DispatchConfig,
    /// Listeners and connection limits.
    pub listen: listen::ListenConfig,
    /// TLS certificates.
    pub tls: tls::TlsConfig,
    /// API keys.
    pub auth: auth::AuthConfig,
    /// Size and rate limits.
    pub limits: limits::LimitsConfig,
    /// Lifetime of document links.
    pub tokens: retention::TokensConfig,
    /// When documents are destroyed.
    pub retention: retention::RetentionConfig,
    /// Receiving faxes.
    pub inbound: phaxio::InboundConfig,
    /// Where documents are stored.
    pub storage: storage::StorageConfig,
    /// Plugins.
    pub plugins: plugins::PluginsConfig,
    /// How dialled numbers are read.
    pub numbers: plugins::NumbersConfig,
    /// File to which the audit log is also written, as JSON lines (`audit.file`).
    pub audit_file: Option<PathBuf>,
    /// Format of the log (`log.format`).
    pub log_format: LogFormat,
    /// `tracing` filter directives (`log.level`, `LOG_LEVEL`), default `info`.
    pub log_level: String,
    /// Where spans are exported to.
    pub telemetry: telemetry::TelemetryConfig,
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A valid configuration, and its warnings.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What works but is probably a mistake.
    pub warnings: Vec<Problem>,
}

/// A configuration as far as it can be understood.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// What the good values give, with defaults in place of the others; none when an address is unusable.
    pub config: Option<Config>,
    /// What keeps it from being served.
    pub problems: Problems,
    /// What works but is probably not meant.
    pub warnings: Vec<Problem>,
}

/// Reads the file, when there is one, overrides it by the environment and checks the result.
///
/// # Errors
/// Every problem found, each with its key and its remedy.
pub fn load(source: &dyn Source, file: Option<&Path>) -> Result<Loaded, Problems> {
    match inspect(source, file) {
        Inspected {
            config: Some(config),
            problems,
            warnings,
        } if problems.0.is_empty() => Ok(Loaded { config, warnings }),
        Inspected { problems, .. } => Err(problems),
    }
}

/// As [`load`], for whoever wants to look further although there are problems.
#[must_use]
pub fn inspect(source: &dyn Source, file: Option<&Path>) -> Inspected {
    let (raw, problems) = Raw::read(source, file);
    let mut reader = Reader::new(source, &raw, problems);
    let config = Config::read(&mut reader);
    let warnings = match &config {
        Some(config) => rules::check(config, &mut reader),
        None => Vec::new(),
    };
    Inspected {
        config,
        problems: Problems(reader.problems),
        warnings,
    }
}

impl Config {
    /// None when an address is unusable, which is then a problem of `from`.
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.word("backend", &[("phaxio", ())]);
        let data_dir = from.path("data_dir").unwrap_or_default();
        let public_url = public_url(from);
        let phaxio = phaxio::PhaxioConfig::read(from, public_url.as_ref());
        Some(Self {
            disabled: from.flag("disabled"),
            enforce_public_https: from.flag("enforce_public_https"),
            dispatch: dispatch::DispatchConfig::read(from),
            listen: listen::ListenConfig::read(from),
            tls: tls::TlsConfig::read(from),
            auth: auth::AuthConfig::read(from),
            limits: limits::LimitsConfig::read(from),
            tokens: retention::TokensConfig::read(from),
            retention: retention::RetentionConfig::read(from),
            inbound: phaxio::InboundConfig::read(from),
            storage: storage::StorageConfig::read(from),
            plugins: plugins::PluginsConfig::read(from, &data_dir),
            numbers: plugins::NumbersConfig::read(from),
            audit_file: from.path("audit.file"),
            log_format: log_format(from),
            log_level: from.text("log.level").unwrap_or_default(),
            telemetry: telemetry::TelemetryConfig::read(from),
            data_dir,
            // Last, so that every other section has been read when an address is unusable.
            public_url: public_url?,
            phaxio: phaxio?,
        })
    }

    /// The database file.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("faxgate.redb")
    }

    /// The folder of locally stored documents.
    #[must_use]
    pub fn artifact_dir(&self) -> PathBuf {
        self.data_dir.join("artifacts")
    }

    /// The folder of uploads in progress; emptied at start.
    #[must_use]
    pub fn spool_dir(&self) -> PathBuf {
        self.data_dir.join("spool")
    }

    /// The socket through which the command line talks to a running server.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.data_dir.join("control.sock")
    }

    /// An address below the public URL.
    #[must_use]
    pub fn public(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// The public address, without query and trailing slashes.
fn public_url(from: &mut Reader<'_>) -> Option<Url> {
    const KEY: &str = "public_url";
    let mut url = from.url(KEY)?;
    if url.query().is_some() {
        from.problem(KEY, "has a query; give the address without what follows the ?");
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

/// The format of the log: by default text for people and JSON for programs.
fn log_format(from: &mut Reader<'_>) -> LogFormat {
    let formats = [
        ("text", Some(LogFormat::Text)),
        ("json", Some(LogFormat::Json)),
        ("auto", None),
    ];
    let by_reader = if from.terminal() {
        LogFormat::Text
    } else {
        LogFormat::Json
    };
    from.word("log.format", &formats).unwrap_or(by_reader)
}
