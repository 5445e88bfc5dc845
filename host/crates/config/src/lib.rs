//! Floor 2: the configuration, checked.
//!
//! [`keys`] is the table of what there is, [`source`] where values come from, [`raw`] what was given, [`check`] turns
//! it into [`Config`], whose fields have real types. Sections are in files of their own with their defaults beside
//! them. [`load`] is the way in, [`render`] the way out.

pub mod auth;
pub mod check;
pub mod dispatch;
pub mod keys;
pub mod limits;
pub mod listen;
pub mod phaxio;
pub mod plugins;
pub mod problem;
pub mod raw;
pub mod render;
pub mod retention;
mod rules;
pub mod source;
pub mod storage;
pub mod telemetry;
#[cfg(test)]
mod tests;
pub mod tls;

use std::path::{Path, PathBuf};

use url::Url;

use check::Reader;
use problem::{Problem, Problems};
use raw::Raw;
use source::Source;

/// The whole configuration. Defaults are those of the product contract.
#[derive(Debug, Clone)]
pub struct Config {
    /// Accept and store, never call the provider (`disabled`).
    pub disabled: bool,
    /// Database, artifacts, spool, certificates (`data_dir`).
    pub data_dir: PathBuf,
    /// What the provider can reach, without trailing slash (`public_url`).
    pub public_url: Url,
    /// Refuse to serve in clear to anybody but loopback (`enforce_public_https`).
    pub enforce_public_https: bool,
    /// Provider account.
    pub phaxio: phaxio::PhaxioConfig,
    /// Sending and following.
    pub dispatch: dispatch::DispatchConfig,
    /// Sockets.
    pub listen: listen::ListenConfig,
    /// Certificates.
    pub tls: tls::TlsConfig,
    /// Keys.
    pub auth: auth::AuthConfig,
    /// Sizes and rates.
    pub limits: limits::LimitsConfig,
    /// Links.
    pub tokens: retention::TokensConfig,
    /// Forgetting.
    pub retention: retention::RetentionConfig,
    /// Receiving.
    pub inbound: phaxio::InboundConfig,
    /// Where documents are kept.
    pub storage: storage::StorageConfig,
    /// Policies.
    pub plugins: plugins::PluginsConfig,
    /// Dialled strings.
    pub numbers: plugins::NumbersConfig,
    /// JSON lines beside the chained audit log (`audit.file`).
    pub audit_file: Option<PathBuf>,
    /// How logs look (`log.format`).
    pub log_format: LogFormat,
    /// `tracing` filter directives (`log.level`, `LOG_LEVEL`), default `info`.
    pub log_level: String,
    /// Where spans go.
    pub telemetry: telemetry::TelemetryConfig,
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A configuration that can be served, and what its operator should know.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What works but is probably not meant.
    pub warnings: Vec<Problem>,
}

/// Reads the file, when there is one, lays the environment over it and checks the whole.
///
/// # Errors
/// Every problem found, each with its key and its remedy.
pub fn load(source: &dyn Source, file: Option<&Path>) -> Result<Loaded, Problems> {
    let (raw, problems) = Raw::read(source, file);
    let mut reader = Reader::new(source, &raw, problems);
    let config = Config::read(&mut reader);
    let warnings = match &config {
        Some(config) => rules::check(config, &mut reader),
        None => Vec::new(),
    };
    match config {
        Some(config) if reader.problems.is_empty() => Ok(Loaded { config, warnings }),
        _ => Err(Problems(reader.problems)),
    }
}

/// What the public address is until it is known.
const PUBLIC_URL: &str = "http://localhost:8080";
/// Where everything is kept unless said otherwise.
const DATA_DIR: &str = "./faxdata";
/// What is logged unless said otherwise.
const LOG_LEVEL: &str = "info";

impl Config {
    /// None when an address is unusable, which is then a problem of `from`.
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.word("backend", &[("phaxio", ())], ());
        let data_dir = from.path("data_dir").unwrap_or_else(|| PathBuf::from(DATA_DIR));
        let public_url = public_url(from);
        let phaxio = phaxio::PhaxioConfig::read(from, public_url.as_ref());
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
        // Every section is read before a missing address ends it: each may have problems.
        let sections = (
            dispatch::DispatchConfig::read(from),
            listen::ListenConfig::read(from),
            tls::TlsConfig::read(from),
            auth::AuthConfig::read(from),
            limits::LimitsConfig::read(from),
            retention::TokensConfig::read(from),
            retention::RetentionConfig::read(from),
            phaxio::InboundConfig::read(from),
            storage::StorageConfig::read(from),
            plugins::PluginsConfig::read(from, &data_dir),
            plugins::NumbersConfig::read(from),
        );
        let telemetry = telemetry::TelemetryConfig::read(from);
        let (dispatch, listen, tls, auth, limits, tokens, retention, inbound, storage, plugins, numbers) =
            sections;
        let rest = (
            from.flag("disabled", false),
            from.flag("enforce_public_https", true),
            from.path("audit.file"),
            from.word("log.format", &formats, None).unwrap_or(by_reader),
            from.text("log.level").unwrap_or_else(|| LOG_LEVEL.to_owned()),
        );
        let (disabled, enforce_public_https, audit_file, log_format, log_level) = rest;
        Some(Self {
            disabled,
            data_dir,
            public_url: public_url?,
            enforce_public_https,
            phaxio: phaxio?,
            dispatch,
            listen,
            tls,
            auth,
            limits,
            tokens,
            retention,
            inbound,
            storage,
            plugins,
            numbers,
            audit_file,
            log_format,
            log_level,
            telemetry,
        })
    }

    /// The database file.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("faxgate.redb")
    }

    /// The folder of locally kept documents.
    #[must_use]
    pub fn artifact_dir(&self) -> PathBuf {
        self.data_dir.join("artifacts")
    }

    /// The folder of uploads under way; emptied at start.
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

/// The public address, without query and without slashes at its end.
fn public_url(from: &mut Reader<'_>) -> Option<Url> {
    const KEY: &str = "public_url";
    let mut url = from.url(KEY, Some(PUBLIC_URL))?;
    if url.query().is_some() {
        from.problem(KEY, "has a query; give the address without what follows the ?");
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}
