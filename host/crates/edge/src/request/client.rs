//! The connection that a request came on, and the client as a trusted proxy reports it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

use super::forwarded::{self, Reported};
use super::scheme::Scheme;
use crate::problem::Problem;
use faxgate_config::listen::ListenConfig;

/// One accepted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The address of the other end.
    pub peer: SocketAddr,
    /// How it travels.
    pub scheme: Scheme,
    /// It was accepted on an address that other machines can't reach.
    pub loopback_listener: bool,
    /// A trusted proxy named `peer` in a PROXY header.
    pub proxied: bool,
}

/// Where a request comes from. Every request that reaches the router has it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's address: the peer's, or the one that a trusted proxy reports.
    pub address: IpAddr,
    /// How the client reached the service or the trusted proxy.
    pub scheme: Scheme,
    /// `scheme` was reported by a trusted proxy.
    pub scheme_reported: bool,
    /// The request has a header of a proxy, trusted or not.
    pub forwarded: bool,
    /// The peer is a trusted proxy.
    pub by_trusted_proxy: bool,
    /// The connection that it came on.
    pub connection: Connection,
}

impl Client {
    /// Reads the forwarded headers if the peer may set them.
    pub(crate) fn of(connection: Connection, headers: &HeaderMap, listen: &ListenConfig) -> Self {
        let proxies = &listen.trusted_proxies;
        let peer = connection.peer.ip().to_canonical();
        let forwarded = forwarded::is_forwarded(headers);
        let by_trusted_proxy = forwarded::trusts(proxies, peer);
        let mut client = Self {
            address: peer,
            scheme: connection.scheme,
            scheme_reported: false,
            forwarded,
            by_trusted_proxy,
            connection,
        };
        if !(by_trusted_proxy && forwarded) {
            return client;
        }
        let Reported { address, scheme } = forwarded::read(headers, listen.forwarded_header, proxies);
        if let Some(address) = address {
            client.address = address;
        }
        if let Some(scheme) = scheme {
            client.scheme = scheme;
            client.scheme_reported = true;
        }
        client
    }

    /// Whether this is a program on this machine and not a proxy: an unknown proxy on this machine is recognised by its
    /// headers.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let Connection { peer, proxied, .. } = self.connection;
        peer.ip().to_canonical().is_loopback() && !self.forwarded && !proxied
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(Problem::internal)
    }
}

/// The address that limits count by: an IPv6 network of 64 bits is one site (RFC 6177).
#[must_use]
pub fn limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests;
