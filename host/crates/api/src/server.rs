//! The listeners: binding, accepting, draining.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::Admission;
use super::client::{Connection, Scheme};
use super::edge::Edge;
use super::{conn, router};
use faxgate_config::listen::ListenConfig;
use faxgate_edge::tls::ServerTls;
use faxgate_telemetry::metrics::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_REFUSED};

/// Connections that the kernel keeps for us until they are accepted.
const BACKLOG: u32 = 4096;
/// A rest after an error of the machine (no file descriptors, no memory), so as not to spin on it.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// Everything that listens, and the connections that came of it. Clones share them.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

pub(super) struct Inner {
    pub(super) edge: Edge,
    pub(super) router: Router,
    pub(super) admission: Admission,
    /// Answer what is in flight, then close.
    pub(super) draining: CancellationToken,
    /// Close now.
    pub(super) cut: CancellationToken,
    tasks: TaskTracker,
}

/// A bound socket, not yet served.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<ServerTls>,
}

/// An address that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{}", hint(source))]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because they did not end in time.
    pub cut: usize,
}

impl Listener {
    /// Binds `address`, for TLS when `tls` is given.
    ///
    /// # Errors
    /// When the address can't be had, with the remedy.
    pub fn bind(address: SocketAddr, tls: Option<ServerTls>) -> Result<Self, ListenError> {
        let bind = || {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }?;
            // A restart must not wait for connections of the last run to be forgotten.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address, tls })
        };
        bind().map_err(|source| ListenError { address, source })
    }

    /// The address in use; differs from the one asked for where that had port 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Server {
    /// Puts the routes on top of `edge`.
    #[must_use]
    pub fn new(edge: Edge, listen: &ListenConfig) -> Self {
        Self(Arc::new(Inner {
            router: router::build(&edge),
            edge,
            admission: Admission::new(listen.max_connections, listen.max_connections_per_address),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    /// Serves a listener in the background until the drain.
    pub fn serve(&self, listener: Listener) {
        let server = self.clone();
        self.0.tasks.spawn(async move { server.accept(listener).await });
    }

    /// Takes no more connections, answers what is in flight, asks idle connections to close, and cuts what is
    /// left when the time for it is over.
    pub async fn drain(&self) -> Drained {
        self.0.draining.cancel();
        self.0.tasks.close();
        let limit = self.0.edge.timeouts().drain;
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_ok() {
            return Drained { cut: 0 };
        }
        let cut = self.0.tasks.len();
        tracing::warn!(connections = cut, "cutting connections that did not end in time");
        self.0.cut.cancel();
        self.0.tasks.wait().await;
        Drained { cut }
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Connections and listeners at the moment.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.0.tasks.len()
    }

    async fn accept(self, listener: Listener) {
        let Listener { socket, address, tls } = listener;
        loop {
            let next = async {
                let permit = self.0.admission.permit().await;
                (permit, socket.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                biased;
                () = self.0.draining.cancelled() => return,
                next = next => next,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, listener = %address, "accept failed");
                    if is_exhaustion(&error) {
                        tokio::time::sleep(ACCEPT_REST).await;
                    }
                    continue;
                }
            };
            let trusted = self.0.edge.is_trusted_proxy(peer.ip());
            let slot = self.0.admission.slot(peer.ip());
            if slot.is_none() && !trusted {
                metrics::counter!(HTTP_CONNECTIONS_REFUSED, "reason" => "address").increment(1);
                continue;
            }
            let (scheme, name) = match tls {
                Some(_) => (Scheme::Https, "https"),
                None => (Scheme::Http, "http"),
            };
            let connection = Connection {
                peer,
                scheme,
                loopback_listener: address.ip().to_canonical().is_loopback(),
                proxied: false,
            };
            // Boxed: else the task has room for it twice, before it begins and while it runs.
            let serving = Box::pin(conn::serve(Arc::clone(&self.0), stream, connection, tls.clone()));
            self.0.tasks.spawn(async move {
                let open = metrics::gauge!(HTTP_CONNECTIONS, "listener" => name);
                open.increment(1.0);
                serving.await;
                open.decrement(1.0);
                drop((permit, slot));
            });
        }
    }
}

/// Errors of the machine, not of one connection: trying again at once would fail again.
fn is_exhaustion(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program has this port: stop it or choose another port in [listen]"
        }
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need CAP_NET_BIND_SERVICE (the systemd unit grants it) or choose another port in [listen]"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address: check [listen]",
        _ => "",
    }
}
