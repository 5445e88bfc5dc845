//! `[listen]`: listeners, trusted proxies, connection limits.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::read::reader::Reader;

/// The header in which trusted proxies report their clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ForwardedHeader {
    const WORDS: [(&'static str, Self); 2] = [
        ("x-forwarded-for", Self::XForwardedFor),
        ("forwarded", Self::Forwarded),
    ];

    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// `[listen]`
#[derive(Debug, Clone)]
pub struct ListenConfig {
    /// `http`; none when switched off
    pub http: Option<SocketAddr>,
    /// `https`
    pub https: Option<SocketAddr>,
    /// `trusted_proxies`: networks of proxies whose reports about their clients are believed
    pub trusted_proxies: Vec<IpNet>,
    /// `forwarded_header`: the header of those reports
    pub forwarded_header: ForwardedHeader,
    /// `proxy_protocol`: connections from a trusted proxy begin with a PROXY header, version 1 or 2
    pub proxy_protocol: bool,
    /// `max_connections`: permits taken before a connection is accepted
    pub max_connections: usize,
    /// `max_connections_per_address`
    pub max_connections_per_address: usize,
    /// `max_requests`: requests that are answered at the same time, over all connections
    pub max_requests: usize,
}

impl ListenConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            http: from.listener("listen.http"),
            https: from.listener("listen.https"),
            trusted_proxies: networks(from, "listen.trusted_proxies"),
            forwarded_header: from.word("listen.forwarded_header", &ForwardedHeader::WORDS),
            proxy_protocol: from.flag("listen.proxy_protocol"),
            max_connections: from.count("listen.max_connections", 1_000_000),
            max_connections_per_address: from.count("listen.max_connections_per_address", 1_000_000),
            max_requests: from.count("listen.max_requests", 1_000_000),
        }
    }

    /// Whether every socket can be reached from this machine only.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        [self.http, self.https]
            .into_iter()
            .flatten()
            .all(|address| address.ip().to_canonical().is_loopback())
    }
}

/// A list of networks; an address without a prefix length is a network of its own.
fn networks(from: &mut Reader<'_>, key: &str) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in from.list(key) {
        let network = text
            .parse::<IpNet>()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match network {
            Some(network) => networks.push(network),
            None => from.problem(
                key,
                format!("has {text:?}; give networks such as 10.0.0.0/8 or fd00::/8"),
            ),
        }
    }
    networks
}
