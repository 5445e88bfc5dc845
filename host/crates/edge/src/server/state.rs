//! What all connections and requests of a server share.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::application::Application;
use crate::connection::admission::Admission;
use crate::request::id::RequestIds;
use crate::timeouts::Timeouts;
use faxgate_config::Config;
use faxgate_telemetry::requests::RequestMeter;

/// The shared state.
pub(crate) struct ServerState {
    /// The application.
    pub(crate) application: Arc<dyn Application>,
    /// Its routes.
    pub(crate) router: Router,
    /// Makes request ids.
    pub(crate) ids: RequestIds,
    /// How long to wait for clients.
    pub(crate) timeouts: Timeouts,
    /// Limits the connections.
    pub(crate) connections: Admission,
    /// Limits the requests in flight over all connections.
    pub(crate) requests: Admission,
    /// Counts and times requests.
    pub(crate) meter: RequestMeter,
    /// Set when the requests in flight are to be answered and the connections closed.
    pub(crate) draining: CancellationToken,
    /// Set when the connections are to be closed at once.
    pub(crate) cut: CancellationToken,
}

impl ServerState {
    /// The configuration in force.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.application.config()
    }

    /// Whether the configuration names this address as a proxy's.
    pub(crate) fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        is_trusted_proxy(&self.config(), address)
    }

    /// Whether connections from this address begin with a PROXY header.
    pub(crate) fn expects_proxy_header(&self, address: IpAddr) -> bool {
        let config = self.config();
        config.listen.proxy_protocol && is_trusted_proxy(&config, address)
    }
}

fn is_trusted_proxy(config: &Config, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let networks = &config.listen.trusted_proxies;
    networks.iter().any(|net| net.contains(&address))
}
