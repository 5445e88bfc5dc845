//! A whole installation for tests: real store, real documents, the built-in policies, in a folder of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::application::over;
use crate::state::{AppState, MetricsPage};
use faxgate_artifacts::Artifacts;
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_config::Config;
use faxgate_config::source::Fixed;
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::{InboundId, JobId};
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::number::E164;
use faxgate_edge::{Connection, Scheme, Server, Timeouts};
use faxgate_policy::{Grants, Plugins};
use faxgate_provider::phaxio::Phaxio;
use faxgate_service::{Actor, App, NewKey, Parts};
use faxgate_store::{NewInbound, NewJob, Store, StoreOptions};
use faxgate_telemetry::board::Board;

/// The bootstrap key of every test.
pub(crate) const ROOT_KEY: &str = "root-key-of-the-tests";

/// A document.
pub(crate) const PDF: &[u8] = b"%PDF-1.7 a document that is served as it is kept";

/// A server without listeners, and its parts.
pub(crate) struct TestInstallation {
    pub(crate) server: Server,
    pub(crate) app: App,
    state: AppState,
    pub(crate) store: Store,
    pub(crate) links: faxgate_domain::link::LinkKey,
    pub(crate) clock: Clock,
    ids: IdSource,
    _folder: TempDir,
}

impl TestInstallation {
    /// With defaults.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, Timeouts::default()).await
    }

    /// With other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config), timeouts: Timeouts) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let data = folder.path().to_str().expect("path").to_owned();
        let source = Fixed::variables([
            ("FAX_DATA_DIR", data.as_str()),
            ("API_KEY", ROOT_KEY),
            ("FAX_DISABLED", "true"),
        ]);
        let mut config = faxgate_config::load(&source, None).expect("config").config;
        change(&mut config);
        let (clock, ids) = (Clock::system(), IdSource::default());
        let store =
            Store::open(&config.database_file(), clock.clone(), StoreOptions::default()).expect("store");
        let artifacts = Artifacts::open(&config.storage, &config.artifact_dir(), clock.clone())
            .await
            .expect("artifacts");
        let plugins = plugins(&config).await;
        let links = store.link_key();
        let app = App::new(Parts {
            phaxio: Phaxio::new(&config.phaxio).expect("client"),
            config: Arc::new(ArcSwap::from_pointee(config)),
            clock: clock.clone(),
            ids: ids.clone(),
            store: store.clone(),
            artifacts,
            plugins,
            links: links.clone(),
            board: Board::default(),
            work: Arc::default(),
        });
        app.clear_spool().expect("spool");
        let metrics: MetricsPage = Arc::new(|| Box::pin(std::future::ready("faxgate_up 1\n".to_owned())));
        let state = AppState::new(app.clone(), metrics);
        let server = over(state.clone(), ids.clone(), timeouts);
        Self {
            server,
            app,
            state,
            store,
            links,
            clock,
            ids,
            _folder: folder,
        }
    }

    /// What the handlers share.
    pub(crate) fn state(&self) -> &AppState {
        &self.state
    }

    /// One request from this machine on a loopback listener.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Response {
        self.ask_from(local(), request).await
    }

    /// One request from somewhere.
    pub(crate) async fn ask_from(&self, connection: Connection, request: Request<Body>) -> Response {
        self.server.respond(connection, request).await
    }

    /// A key of `owner` with these scopes.
    pub(crate) async fn key(&self, owner: &str, scopes: &[&str]) -> String {
        let new = NewKey {
            owner: Some(owner.to_owned()),
            scopes: Some(scopes.iter().map(ToString::to_string).collect()),
            ..NewKey::default()
        };
        self.app
            .create_key(&Actor::operator(), new)
            .await
            .expect("key")
            .token
    }

    /// Moves the clock of everything.
    pub(crate) fn wait(&self, span: jiff::SignedDuration) {
        self.clock.shift(span);
    }

    /// A received fax of `owner` with a document.
    pub(crate) async fn received(&self, owner: &str) -> InboundId {
        let now = self.clock.now();
        let id = InboundId(self.ids.next(now));
        let fax = InboundFax {
            id,
            provider_id: id.to_string(),
            owner: owner.to_owned(),
            from: Some("+12125550101".to_owned()),
            to: Some("+12125550100".to_owned()),
            status: InboundStatus::Received,
            error: None,
            pages: Some(1),
            is_test: false,
            artifact: Some(Artifact {
                place: Place::Database,
                bytes: PDF.len() as u64,
                sha256: [7; 32],
            }),
            purged_at: None,
            received_at: now,
            created_at: now,
            expires_at: None,
        };
        let new = NewInbound {
            fax,
            document: Some(Bytes::from_static(PDF)),
            audit: AuditEntry::new(now, "test", "inbound.received", id),
        };
        self.store.create_inbound(new).await.expect("received fax");
        id
    }

    /// A fax of `owner` with this document.
    pub(crate) async fn fax(&self, owner: &str, pdf: &'static [u8]) -> JobId {
        let now = self.clock.now();
        let id = JobId(self.ids.next(now));
        let job = Job {
            phase: Phase::Disabled,
            wake_at: None,
            deadline: now,
            artifact: Some(Artifact {
                place: Place::Database,
                bytes: pdf.len() as u64,
                sha256: [7; 32],
            }),
            ..Job::queued(id, owner, E164::new("+12125550100").expect("number"), now)
        };
        let new = NewJob {
            job,
            document: Some(Bytes::from_static(pdf)),
            timeline: Vec::new(),
            idempotency: None,
            audit: AuditEntry::new(now, "test", "fax.accepted", id),
        };
        self.store.create_job(new).await.expect("job");
        id
    }
}

/// The built-in policies, compiled once for all tests.
async fn plugins(config: &Config) -> Plugins {
    static SHARED: OnceCell<Plugins> = OnceCell::const_new();
    let load = async || {
        Plugins::load(&config.plugins, Grants::default())
            .await
            .expect("plugins")
    };
    SHARED.get_or_init(load).await.clone()
}

/// A request without body.
pub(crate) fn get(path: &str) -> Request<Body> {
    Request::builder().uri(path).body(Body::empty()).expect("request")
}

/// The same with a key.
pub(crate) fn get_as(key: &str, path: &str) -> Request<Body> {
    Request::builder()
        .uri(path)
        .header("x-api-key", key)
        .body(Body::empty())
        .expect("request")
}

/// A program on this machine, on a loopback listener.
pub(crate) fn local() -> Connection {
    Connection {
        peer: SocketAddr::from(([127, 0, 0, 1], 4711)),
        scheme: Scheme::Http,
        loopback_listener: true,
        proxied: false,
    }
}

/// Somebody else on a listener that everybody reaches.
pub(crate) fn remote(scheme: Scheme) -> Connection {
    Connection {
        peer: SocketAddr::from(([192, 0, 2, 7], 4711)),
        scheme,
        loopback_listener: false,
        proxied: false,
    }
}

/// The body of an answer.
pub(crate) async fn body(response: Response) -> Bytes {
    axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("body")
}

/// The same as JSON.
pub(crate) async fn json(response: Response) -> serde_json::Value {
    serde_json::from_slice(&body(response).await).expect("json")
}
