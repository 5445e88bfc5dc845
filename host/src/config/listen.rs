//! `[listen]`: sockets.

use std::net::SocketAddr;

use ipnet::IpNet;

/// `[listen]`
#[derive(Debug, Clone)]
pub struct ListenConfig {
    /// `http`, default `127.0.0.1:8080`; none when switched off
    pub http: Option<SocketAddr>,
    /// `https`, default off
    pub https: Option<SocketAddr>,
    /// `trusted_proxies`: whose forwarded headers are believed
    pub trusted_proxies: Vec<IpNet>,
    /// `max_connections`, default 4096: permits taken before a connection is accepted
    pub max_connections: usize,
    /// `max_connections_per_address`, default 256
    pub max_connections_per_address: usize,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            http: Some(SocketAddr::from(([127, 0, 0, 1], 8080))),
            https: None,
            trusted_proxies: Vec::new(),
            max_connections: 4096,
            max_connections_per_address: 256,
        }
    }
}
