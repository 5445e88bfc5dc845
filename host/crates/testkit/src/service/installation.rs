//! A whole installation: program, provider, certificate, folder; stopped and checked for panics at the end.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use faxgate_simulator::SimulatorConfig;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use toml::{Table, Value};

use crate::service::client::Client;
use crate::service::provider::Provider;
use crate::service::server_process::ServerProcess;
use crate::{files, paths, ports};

/// The bootstrap key of every installation of the tests.
pub const BOOTSTRAP: &str = "bootstrap-canary-key-0123456789abcdef";
/// The provider's key, secret and callback token.
pub const API_KEY: &str = "provider-key-canary";
/// The secret that signs callbacks.
pub const API_SECRET: &str = "provider-secret-canary-5f1d";
/// The token that signs callbacks instead of the secret.
pub const CALLBACK_TOKEN: &str = "callback-token-canary-77aa";

/// The policies are compiled by whoever starts first, not by all at once.
static WARM: OnceCell<()> = OnceCell::const_new();

/// What to change before an installation starts.
pub struct Setup {
    config: Table,
    env: Vec<(String, String)>,
    /// How the provider is.
    pub provider: SimulatorConfig,
    /// Where the provider's API is reached, when not directly.
    pub api_url: Option<String>,
    folder: TempDir,
    https: SocketAddr,
    http: SocketAddr,
    cert_pem: String,
}

/// A running installation.
pub struct TestInstallation {
    /// The program.
    pub server: ServerProcess,
    /// The provider.
    pub provider: Provider,
    /// The holder of the bootstrap key.
    pub admin: Client,
    /// The TLS listener.
    pub https: SocketAddr,
    /// The plain listener.
    pub http: SocketAddr,
    /// The certificate of the TLS listener.
    pub cert_pem: String,
    config: Table,
    /// Dropped last: the program ends before its folder goes.
    folder: TempDir,
}

impl TestInstallation {
    /// With the defaults of [`Setup::new`].
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for whatever a test needs besides.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// The public address.
    pub fn public_url(&self) -> String {
        public_url(self.https)
    }

    /// A client with a new key for `owner` that may send and read.
    pub async fn sender(&self, owner: &str) -> Client {
        let token = self.admin.make_key(owner, &["fax:send", "fax:read"]).await;
        self.admin.with_key(&token)
    }

    /// The program ends without warning.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// The program starts again on the same folder and ports.
    pub async fn revive(&mut self) {
        let client = self.admin.without_key();
        self.server.start(|| healthy(&client)).await;
    }

    /// Changes a setting for the next start or reload.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        put(&mut self.config, key, value.into());
        self.server.configure(&self.config);
    }

    /// Every file of the data folder but the compiled policies, with its size.
    pub fn files(&self) -> Vec<(PathBuf, u64)> {
        files::below(&self.data())
    }

    /// A client that does not check certificates beyond ours, made anew: no connection is open.
    pub fn fresh_client(&self) -> Client {
        Client::new(http_client(&self.cert_pem), &self.public_url(), Some(BOOTSTRAP))
    }
}

impl Setup {
    /// TLS with a certificate of our own, a quick provider, short waits, everything logged.
    #[allow(clippy::new_without_default, reason = "tests name what they make")]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("faxgate-it-")
            .tempdir()
            .expect("folder");
        let (https, http) = (ports::reserve(), ports::reserve());
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = faxgate_edge::tls::self_signed(&names).expect("certificate");
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&cert, &made.cert_pem).expect("certificate file");
        fs::write(&key, made.key_pem.reveal()).expect("key file");
        let provider = SimulatorConfig {
            api_key: API_KEY.to_owned(),
            api_secret: API_SECRET.to_owned(),
            callback_token: Some(CALLBACK_TOKEN.to_owned()),
            time_scale: 20.0,
            trust_pem: Some(made.cert_pem.clone()),
            ..SimulatorConfig::default()
        };
        let mut setup = Self {
            config: Table::new(),
            env: Vec::new(),
            provider,
            api_url: None,
            https,
            http,
            cert_pem: made.cert_pem,
            folder,
        };
        setup.defaults();
        setup
            .set("tls.cert_file", cert.to_string_lossy().into_owned())
            .set("tls.key_file", key.to_string_lossy().into_owned());
        setup
    }

    fn defaults(&mut self) {
        let data = self.folder.path().join("data");
        let cache = paths::scratch().join("policies");
        let (https, http) = (self.https.to_string(), self.http.to_string());
        let public_url = public_url(self.https);
        self.set("data_dir", data.to_string_lossy().into_owned())
            .set("public_url", public_url)
            .set("listen.https", https)
            .set("listen.http", http)
            .set("auth.bootstrap_key", BOOTSTRAP)
            .set("phaxio.api_key", API_KEY)
            .set("phaxio.api_secret", API_SECRET)
            .set("phaxio.callback_token", CALLBACK_TOKEN)
            .set("phaxio.requests_per_second", 500.0)
            .set("phaxio.timeout_seconds", 2.0)
            .set("dispatch.backoff_seconds", 0.2)
            .set("dispatch.grace_seconds", 1.0)
            .set("dispatch.poll_after_seconds", 2.0)
            .set("plugins.cache_dir", cache.to_string_lossy().into_owned())
            .set("log.format", "json")
            .set("log.level", "info,faxgate=trace");
    }

    /// Sets one key of the configuration, for example `dispatch.grace_seconds`.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        put(&mut self.config, key, value.into());
        self
    }

    /// Sets a variable of the program's environment, which has none otherwise.
    pub fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Serves in clear on loopback as well, for clients that know no certificate of ours; answers that address.
    pub fn enforce_nothing(&mut self) -> String {
        self.set("enforce_public_https", false);
        format!("http://{}", self.http)
    }

    /// The port of the plain listener.
    pub fn http_port(&self) -> u16 {
        self.http.port()
    }

    /// The installation's folder, before it starts.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// Starts the provider and the program, and waits until it serves.
    pub async fn start(self) -> TestInstallation {
        let mut installation = self.prepare().await;
        let mut begun = false;
        WARM.get_or_init(|| {
            begun = true;
            installation.revive()
        })
        .await;
        if !begun {
            installation.revive().await;
        }
        installation
    }

    /// Starts the provider alone; the program is ready to start.
    pub async fn prepare(mut self) -> TestInstallation {
        let provider = Provider::start(self.provider.clone()).await;
        let api_url = self.api_url.clone().unwrap_or_else(|| provider.api_url());
        self.set("phaxio.api_url", api_url);
        let server = ServerProcess::new(self.folder.path(), &self.config, self.env);
        let admin = Client::new(
            http_client(&self.cert_pem),
            &public_url(self.https),
            Some(BOOTSTRAP),
        );
        TestInstallation {
            server,
            provider,
            admin,
            https: self.https,
            http: self.http,
            cert_pem: self.cert_pem,
            config: self.config,
            folder: self.folder,
        }
    }
}

fn public_url(https: SocketAddr) -> String {
    format!("https://localhost:{}", https.port())
}

/// Trusts our certificate and keeps connections as a browser would.
pub fn http_client(cert_pem: &str) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_pem(cert_pem.as_bytes()).expect("certificate");
    reqwest::Client::builder()
        .tls_certs_only([certificate])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(60))
        .build()
        .expect("client")
}

async fn healthy(client: &Client) -> bool {
    let request = client.request(http::Method::GET, "/health");
    client
        .try_ask(request)
        .await
        .is_ok_and(|answer| answer.status == 200)
}

fn put(config: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            config.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let section = config
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            put(section.as_table_mut().expect("a section"), rest, value);
        }
    }
}
