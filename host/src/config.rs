//! Floor 2: the configuration, checked.
//!
//! [`raw`] is what a file may say, [`source`] where values come from, [`check`] turns both into [`Config`], whose
//! fields have real types. Sections are in files of their own with their defaults beside them.

pub mod auth;
pub mod dispatch;
pub mod limits;
pub mod listen;
pub mod phaxio;
pub mod plugins;
pub mod retention;
pub mod storage;
pub mod tls;

use std::path::PathBuf;

use url::Url;

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
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
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
