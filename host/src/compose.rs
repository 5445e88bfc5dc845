//! The composition root, the only file that knows every part.
//!
//! Parts are built in the order of their dependencies and handed down; none is fetched from a global. Sockets are
//! bound before the database is opened, so that a taken port is told before a job is touched.

mod background;
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

use faxgate_api::{Edge, EdgeParts, Listener, Server, Timeouts};
use faxgate_artifacts::Artifacts;
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_config::Config;
use faxgate_edge::tls::ServerTls;
use faxgate_policy::{Grants, Plugins};
use faxgate_provider::phaxio::Phaxio;
use faxgate_service::App;
use faxgate_service::dispatch::Dispatcher;
use faxgate_store::{Store, StoreOptions};
use faxgate_telemetry::board::Board;
use faxgate_telemetry::metrics as names;

/// A service that runs.
pub struct Service {
    app: App,
    server: Server,
    store: Store,
    tls: Option<ServerTls>,
    dispatcher: Dispatcher,
    config: Arc<ArcSwap<Config>>,
    phaxio: Phaxio,
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    background: JoinSet<()>,
}

/// Builds the service and starts it.
///
/// # Errors
/// Whatever keeps it from serving, with the remedy.
pub async fn start(config: Config, clock: Clock, metrics: PrometheusHandle) -> anyhow::Result<Service> {
    private_folder(&config.data_dir)?;
    let host = config.public_url.host_str().unwrap_or("localhost").to_owned();
    let tls = match config.listen.https {
        Some(_) => Some(ServerTls::open(&config.tls, &config.data_dir, &host)?),
        None => None,
    };
    let listeners = bind(&config, tls.as_ref())?;
    let parts = parts(config, clock).await?;
    let app = App::new(parts.clone());
    app.clear_spool().context("the spool folder can't be prepared")?;

    let (stop, stopped) = watch::channel(false);
    let edge = Edge::new(EdgeParts {
        app: app.clone(),
        ids: parts.ids.clone(),
        metrics: metrics_page(metrics, app.clone(), parts.board.clone(), tls.clone()),
        timeouts: Timeouts::default(),
    });
    let server = Server::new(edge, &parts.config.load().listen);
    let dispatcher = dispatcher(&parts);
    let mut service = Service {
        app,
        server,
        store: parts.store.clone(),
        tls,
        dispatcher,
        config: Arc::clone(&parts.config),
        phaxio: parts.phaxio.clone(),
        http: listeners.http.as_ref().map(Listener::address),
        https: listeners.https.as_ref().map(Listener::address),
        stop,
        background: JoinSet::new(),
    };
    service.begin(&parts, &stopped);
    for listener in [listeners.http, listeners.https].into_iter().flatten() {
        service.server.serve(listener);
    }
    Ok(service)
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

    /// Whatever has to answer while the service lives.
    #[must_use]
    pub fn probe(&self) -> Store {
        self.store.clone()
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
        self.store.close();
        tracing::info!(phase = "end", cut = drained.cut, "stopped");
    }
}

struct Listeners {
    http: Option<Listener>,
    https: Option<Listener>,
}

fn bind(config: &Config, tls: Option<&ServerTls>) -> anyhow::Result<Listeners> {
    let http = config
        .listen
        .http
        .map(|address| Listener::bind(address, None))
        .transpose()?;
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
async fn parts(config: Config, clock: Clock) -> anyhow::Result<faxgate_service::Parts> {
    let options = StoreOptions {
        artifact_ttl: config.retention.artifact_span(),
        ..StoreOptions::default()
    };
    let file = config.database_file();
    let store = {
        let clock = clock.clone();
        tokio::task::spawn_blocking(move || Store::open(&file, clock, options)).await??
    };
    let artifacts = Artifacts::open(&config.storage, &config.artifact_dir(), clock.clone()).await?;
    let grants = Grants {
        callback_token: config.phaxio.callback_token.clone(),
        api_secret: config.phaxio.api_secret.clone(),
    };
    let plugins = Plugins::load(&config.plugins, grants).await?;
    let phaxio = Phaxio::new(&config.phaxio)?;
    Ok(faxgate_service::Parts {
        config: Arc::new(ArcSwap::from_pointee(config)),
        clock,
        ids: IdSource::default(),
        links: store.link_key(),
        store,
        artifacts,
        plugins,
        phaxio,
        board: Board::default(),
        work: Arc::new(Notify::new()),
    })
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

/// The page of metrics, with the gauges that are read rather than counted.
fn metrics_page(
    handle: PrometheusHandle,
    app: App,
    board: Board,
    tls: Option<ServerTls>,
) -> faxgate_api::MetricsPage {
    metrics::gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Arc::new(move || {
        for (status, count) in app.depth().unwrap_or_default() {
            #[allow(clippy::cast_precision_loss, reason = "a count of jobs, far below 2^52")]
            metrics::gauge!(names::JOBS, "status" => status).set(count as f64);
        }
        #[allow(clippy::cast_precision_loss, reason = "bytes on a disk, far below 2^52")]
        metrics::gauge!(names::SPOOL_BYTES).set(app.spool_bytes() as f64);
        let held = board
            .all()
            .iter()
            .any(|(name, state)| *name == "provider" && state.is_err());
        metrics::gauge!(names::DISPATCH_HELD).set(f64::from(u8::from(held)));
        for expiry in tls.as_ref().map(ServerTls::expiries).unwrap_or_default() {
            let Some(end) = expiry.not_after else { continue };
            #[allow(
                clippy::cast_precision_loss,
                reason = "seconds of our millennium, far below 2^52"
            )]
            metrics::gauge!(names::CERTIFICATE_EXPIRY, "certificate" => expiry.certificate)
                .set(end.as_second() as f64);
        }
        handle.render()
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
