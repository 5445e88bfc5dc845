//! The server: accepts connections, serves them, and drains them at the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::application::Application;
use super::listener::Listener;
use super::state::ServerState;
use crate::connection::admission::Admission;
use crate::connection::serve;
use crate::request::client::Connection;
use crate::request::id::RequestIds;
use crate::request::pipeline;
use crate::request::scheme::Scheme;
use crate::timeouts::Timeouts;
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_telemetry::metrics::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_REFUSED};
use faxgate_telemetry::requests::RequestMeter;

/// The pause after an error of the machine (no file descriptors, no memory), so that the accept loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The part of all requests in flight that one address may have: one in this many.
const ADDRESS_SHARE: usize = 4;

/// What a server is made of.
pub struct ServerParts {
    /// The application.
    pub application: Arc<dyn Application>,
    /// Its routes.
    pub router: Router,
    /// Identifiers, for request ids.
    pub ids: IdSource,
    /// The clock, for request ids.
    pub clock: Clock,
    /// How long to wait for clients.
    pub timeouts: Timeouts,
}

/// All listeners and their connections. Clones share them.
#[derive(Clone)]
pub struct Server {
    state: Arc<ServerState>,
    tasks: TaskTracker,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because they did not end in time.
    pub cut: usize,
}

impl Server {
    /// A server without listeners. The limits of connections and requests are those of the configuration in force.
    #[must_use]
    pub fn new(parts: ServerParts) -> Self {
        let ServerParts {
            application,
            router,
            ids,
            clock,
            timeouts,
        } = parts;
        let config = application.config();
        let listen = &config.listen;
        let most = listen.max_requests;
        let state = ServerState {
            connections: Admission::new(listen.max_connections, listen.max_connections_per_address),
            requests: Admission::new(most, most.div_ceil(ADDRESS_SHARE)),
            application,
            router,
            ids: RequestIds::new(ids, clock),
            timeouts,
            meter: RequestMeter::default(),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
        };
        Self {
            state: Arc::new(state),
            tasks: TaskTracker::new(),
        }
    }

    /// Serves a listener in the background until the drain.
    pub fn serve(&self, listener: Listener) {
        let server = self.clone();
        self.tasks.spawn(async move { server.accept(listener).await });
    }

    /// Answers one request as if it came over this connection, without a socket: for callers in the same process.
    pub fn respond(
        &self,
        connection: Connection,
        request: Request<Body>,
    ) -> impl Future<Output = Response> + Send + use<> {
        pipeline::respond(&self.state, connection, request, None)
    }

    /// Takes no more connections, answers what is in flight, asks idle connections to close, and cuts what is
    /// left when the time is over.
    pub async fn drain(&self) -> Drained {
        self.state.draining.cancel();
        self.tasks.close();
        let limit = self.state.timeouts.drain;
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_ok() {
            return Drained { cut: 0 };
        }
        let cut = self.tasks.len();
        tracing::warn!(connections = cut, "cutting connections that did not end in time");
        self.state.cut.cancel();
        self.tasks.wait().await;
        Drained { cut }
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.state.draining.is_cancelled()
    }

    /// Connections and listeners at the moment.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    async fn accept(self, listener: Listener) {
        let Listener { socket, address, tls } = listener;
        let state = &self.state;
        let (scheme, name) = match tls {
            Some(_) => (Scheme::Https, "https"),
            None => (Scheme::Http, "http"),
        };
        loop {
            let next = async {
                let permit = state.connections.wait().await;
                (permit, socket.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                biased;
                () = state.draining.cancelled() => return,
                next = next => next,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, listener = %address, "accept failed");
                    if is_exhaustion(&error) {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                    continue;
                }
            };
            let trusted = state.is_trusted_proxy(peer.ip());
            let slot = state.connections.address_slot(peer.ip());
            if slot.is_none() && !trusted {
                metrics::counter!(HTTP_CONNECTIONS_REFUSED, "reason" => "address").increment(1);
                continue;
            }
            let connection = Connection {
                peer,
                scheme,
                loopback_listener: address.ip().to_canonical().is_loopback(),
                proxied: false,
            };
            // Boxed: otherwise the task would contain the future twice, before it starts and while it runs.
            let serving = Box::pin(serve::serve(Arc::clone(state), stream, connection, tls.clone()));
            self.tasks.spawn(async move {
                let open = metrics::gauge!(HTTP_CONNECTIONS, "listener" => name);
                open.increment(1.0);
                serving.await;
                open.decrement(1.0);
                drop((permit, slot));
            });
        }
    }
}

/// Errors of the machine, not of one connection: accepting again at once would fail again.
fn is_exhaustion(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
