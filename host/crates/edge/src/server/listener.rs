//! Bound sockets.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::tls::ServerTls;

/// Connections that the kernel queues until they are accepted.
const BACKLOG: u32 = 4096;

/// A bound socket, not yet served.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<ServerTls>,
}

/// An address that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{}", hint(source))]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// The error of the operating system.
    #[source]
    pub source: io::Error,
}

impl Listener {
    /// Binds `address`, for TLS when `tls` is given.
    ///
    /// # Errors
    /// When the address can't be bound, with the remedy.
    pub fn bind(address: SocketAddr, tls: Option<ServerTls>) -> Result<Self, ListenError> {
        let bind = || {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }?;
            // A restart must not wait until connections of the previous run have left TIME_WAIT.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address, tls })
        };
        bind().map_err(|source| ListenError { address, source })
    }

    /// The address in use; differs from the requested one where that had port 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
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
