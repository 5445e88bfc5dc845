//! The composition root, the only file that knows every part.
//!
//! Parts are built in the order of their dependencies and handed down; none is fetched from a global. Sockets are
//! bound before the database is opened, so that a taken port is told before a job is touched.

mod background;
mod metrics_page;
mod reload;

use std::fs::{DirBuilder, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use faxgate_api::ApiParts;
use faxgate_artifacts::Artifacts;
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_config::Config;
use faxgate_edge::tls::ServerTls;
use faxgate_edge::{Listener, Server, Timeouts};
use faxgate_policy::{Grants, Plugins};
use faxgate_provider::phaxio::Phaxio;
use faxgate_service::App;
use faxgate_service::dispatch::Dispatcher;
use faxgate_store::{Store, StoreOptions};
use faxgate_telemetry::board::Board;

/// A service: built, and running as far as it was started.
pub struct Service {
    app: App,
    server: Server,
    tls: Option<ServerTls>,
    dispatcher: Dispatcher,
    parts: faxgate_service::Parts,
    /// Bound and not served yet.
    listeners: Listeners,
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    background: JoinSet<()>,
}

/// What a service takes from outside instead of making it: everything that a test may want to be another.
pub struct Environment {
    /// The time.
    pub clock: Clock,
    /// Where ids come from.
    pub ids: IdSource,
    /// An open database; none opens the one in the data folder.
    pub store: Option<Store>,
    /// Policies that are compiled already; none compiles those of the configuration.
    pub plugins: Option<Plugins>,
    /// An open plain listener; none opens the configured one.
    pub http: Option<Listener>,
    /// The recorder of this process; none serves an empty page of metrics.
    pub metrics: Option<PrometheusHandle>,
}

impl Environment {
    /// The one of a process that is the service: the time and the disk of this machine.
    #[must_use]
    pub fn of_process(metrics: PrometheusHandle) -> Self {
        Self {
            metrics: Some(metrics),
            ..Self::default()
        }
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            ids: IdSource::default(),
            store: None,
            plugins: None,
            http: None,
            metrics: None,
        }
    }
}

/// Builds the service and starts all of it.
///
/// # Errors
/// Whatever keeps it from serving, with the remedy.
pub async fn start(config: Config, environment: Environment) -> anyhow::Result<Service> {
    let mut service = build(config, environment).await?;
    service.start_dispatcher();
    service.start_maintenance();
    service.listen();
    Ok(service)
}

/// Builds the service. Its sockets are bound and its database is open; nothing runs until it is started.
///
/// # Errors
/// Whatever keeps it from serving, with the remedy.
pub async fn build(config: Config, environment: Environment) -> anyhow::Result<Service> {
    private_folder(&config.data_dir)?;
    let host = config.public_url.host_str().unwrap_or("localhost").to_owned();
    let tls = match config.listen.https {
        Some(_) => Some(ServerTls::open(&config.tls, &config.data_dir, &host)?),
        None => None,
    };
    let Environment {
        clock,
        ids,
        store,
        plugins,
        http,
        metrics,
    } = environment;
    let listeners = bind(&config, http, tls.as_ref())?;
    let parts = parts(config, clock, ids, store, plugins).await?;
    let app = App::new(parts.clone());
    app.clear_spool().context("the spool folder can't be prepared")?;
    let metrics = match metrics {
        Some(handle) => metrics_page::metrics_page(handle, app.clone(), parts.board.clone(), tls.clone()),
        None => metrics_page::empty_page(),
    };
    let server = faxgate_api::server(ApiParts {
        app: app.clone(),
        ids: parts.ids.clone(),
        metrics,
        timeouts: Timeouts::default(),
    });
    Ok(Service {
        app,
        server,
        dispatcher: dispatcher(&parts),
        http: listeners.http.as_ref().map(Listener::address),
        https: listeners.https.as_ref().map(Listener::address),
        listeners,
        tls,
        parts,
        stop: watch::channel(false).0,
        background: JoinSet::new(),
    })
}

impl Service {
    /// The use cases.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The address of the plain listener.
    #[must_use]
    pub const fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// The address of the TLS listener.
    #[must_use]
    pub const fn https(&self) -> Option<SocketAddr> {
        self.https
    }

    /// The records.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.parts.store
    }

    /// Serves the listeners.
    pub fn listen(&mut self) {
        for listener in [self.listeners.http.take(), self.listeners.https.take()]
            .into_iter()
            .flatten()
        {
            self.server.serve(listener);
        }
    }

    /// Ends in order: no new connections, requests under way finish, the queue stops, the database closes.
    pub async fn stop(mut self) {
        let limit_seconds = crate::lifecycle::SHUTDOWN_GRACE.as_secs();
        let connections = self.server.tasks();
        tracing::info!(
            phase = "requests",
            connections,
            limit_seconds,
            "stopping: no new connections"
        );
        let drained = self.server.drain().await;
        tracing::info!(
            phase = "queue",
            cut = drained.cut,
            limit_seconds,
            "stopping: requests have ended"
        );
        self.stop.send_replace(true);
        let ended = async { while self.background.join_next().await.is_some() {} };
        if tokio::time::timeout(crate::lifecycle::SHUTDOWN_GRACE, ended)
            .await
            .is_err()
        {
            // What is cut here is looked up at the provider after the next start.
            tracing::warn!("requests to the provider did not end in time");
            self.background.shutdown().await;
        }
        tracing::info!(phase = "database", "stopping: the queue has ended");
        self.parts.store.close();
        tracing::info!(phase = "end", cut = drained.cut, "stopped");
    }
}

struct Listeners {
    http: Option<Listener>,
    https: Option<Listener>,
}

fn bind(config: &Config, http: Option<Listener>, tls: Option<&ServerTls>) -> anyhow::Result<Listeners> {
    let http = match (http, config.listen.http) {
        (None, Some(address)) => Some(Listener::bind(address, None)?),
        (open, _) => open,
    };
    let https = config
        .listen
        .https
        .map(|address| Listener::bind(address, tls.cloned()))
        .transpose()?;
    anyhow::ensure!(
        http.is_some() || https.is_some(),
        "nothing to listen on: set HTTP_LISTEN (listen.http) or HTTPS_LISTEN (listen.https)"
    );
    Ok(Listeners { http, https })
}

/// Everything below the use cases.
async fn parts(
    config: Config,
    clock: Clock,
    ids: IdSource,
    store: Option<Store>,
    plugins: Option<Plugins>,
) -> anyhow::Result<faxgate_service::Parts> {
    let store = match store {
        Some(store) => store,
        None => open_store(&config, clock.clone()).await?,
    };
    let artifacts = Artifacts::open(&config.storage, &config.artifact_dir(), clock.clone()).await?;
    let plugins = match plugins {
        Some(plugins) => plugins,
        None => Plugins::load(&config.plugins, grants(&config)).await?,
    };
    let phaxio = Phaxio::new(&config.phaxio)?;
    Ok(faxgate_service::Parts {
        config: Arc::new(ArcSwap::from_pointee(config)),
        clock,
        ids,
        links: store.link_key(),
        store,
        artifacts,
        plugins,
        phaxio,
        board: Board::default(),
        work: Arc::new(Notify::new()),
    })
}

/// What the policies of this configuration may use.
#[must_use]
pub fn grants(config: &Config) -> Grants {
    Grants {
        callback_token: config.phaxio.callback_token.clone(),
        api_secret: config.phaxio.api_secret.clone(),
    }
}

async fn open_store(config: &Config, clock: Clock) -> anyhow::Result<Store> {
    let options = StoreOptions {
        artifact_ttl: config.retention.artifact_span(),
        ..StoreOptions::default()
    };
    let file = config.database_file();
    Ok(tokio::task::spawn_blocking(move || Store::open(&file, clock, options)).await??)
}

fn dispatcher(parts: &faxgate_service::Parts) -> Dispatcher {
    Dispatcher::new(faxgate_service::dispatch::Parts {
        config: Arc::clone(&parts.config),
        clock: parts.clock.clone(),
        store: parts.store.clone(),
        artifacts: parts.artifacts.clone(),
        phaxio: parts.phaxio.clone(),
        links: parts.links.clone(),
        board: parts.board.clone(),
        work: Arc::clone(&parts.work),
    })
}

/// Makes the data folder for its owner only.
fn private_folder(dir: &Path) -> anyhow::Result<()> {
    let cannot = || {
        format!(
            "the data folder {} can't be used: set FAX_DATA_DIR to one that can",
            dir.display()
        )
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(cannot)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700)).with_context(cannot)
}
