//! The PROXY protocol, versions 1 and 2: the header with the client's address that a trusted proxy sends first on a
//! connection, before TLS (haproxy.org, `proxy-protocol.txt`).

use std::io;
use std::net::{IpAddr, SocketAddr};

use ppp::v1;
use ppp::v2::{self, Command, PROTOCOL_PREFIX, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest header of version 1, its line end included.
const MAX_LINE: usize = 107;
/// Most bytes after the fixed part of version 2: addresses and the extensions that proxies add.
const MAX_EXTRA: usize = 4096;
/// Bytes of the fixed part of version 2: signature, version and command, family, length.
const FIXED_PART: usize = 16;
/// In the type `SSL` of version 2: the client reached the proxy over TLS.
const CLIENT_SSL: u8 = 1;

/// The client that a proxy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The client's address.
    pub(crate) address: SocketAddr,
    /// The client reached the proxy over TLS.
    pub(crate) tls: bool,
}

/// A header that can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// The connection ended in it.
    #[error("the connection failed in the PROXY header: {0}")]
    Io(#[from] io::Error),
    /// It can't be understood.
    #[error("no valid PROXY header: {0}")]
    Malformed(String),
}

/// Reads the header, and not a byte more. None when the connection is the proxy's own (a health check) or it does not
/// name the client.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Source>, ProxyError> {
    // No header is shorter than this, so that nothing after it is read.
    let mut begin = [0; PROTOCOL_PREFIX.len()];
    stream.read_exact(&mut begin).await?;
    if begin == PROTOCOL_PREFIX {
        return binary(stream).await;
    }
    if begin.starts_with(b"PROXY ") {
        return line(stream, begin.to_vec()).await;
    }
    Err(ProxyError::Malformed("it begins otherwise".to_owned()))
}

async fn line(
    stream: &mut (impl AsyncRead + Unpin),
    mut line: Vec<u8>,
) -> Result<Option<Source>, ProxyError> {
    while !line.ends_with(b"\r\n") {
        if line.len() >= MAX_LINE {
            return Err(ProxyError::Malformed("the line is too long".to_owned()));
        }
        line.push(stream.read_u8().await?);
    }
    let header =
        v1::Header::try_from(line.as_slice()).map_err(|error| ProxyError::Malformed(error.to_string()))?;
    let address = match header.addresses {
        v1::Addresses::Tcp4(of) => SocketAddr::new(IpAddr::V4(of.source_address), of.source_port),
        v1::Addresses::Tcp6(of) => SocketAddr::new(IpAddr::V6(of.source_address), of.source_port),
        v1::Addresses::Unknown => return Ok(None),
    };
    Ok(Some(Source { address, tls: false }))
}

async fn binary(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Source>, ProxyError> {
    let mut header = PROTOCOL_PREFIX.to_vec();
    header.resize(FIXED_PART, 0);
    if let Some(rest) = header.get_mut(PROTOCOL_PREFIX.len()..) {
        stream.read_exact(rest).await?;
    }
    let extra = match header.as_slice() {
        [.., high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    if extra > MAX_EXTRA {
        return Err(ProxyError::Malformed("it is too long".to_owned()));
    }
    header.resize(FIXED_PART + extra, 0);
    if let Some(rest) = header.get_mut(FIXED_PART..) {
        stream.read_exact(rest).await?;
    }
    let header =
        v2::Header::try_from(header.as_slice()).map_err(|error| ProxyError::Malformed(error.to_string()))?;
    if header.command == Command::Local {
        return Ok(None);
    }
    let address = match header.addresses {
        v2::Addresses::IPv4(of) => SocketAddr::new(IpAddr::V4(of.source_address), of.source_port),
        v2::Addresses::IPv6(of) => SocketAddr::new(IpAddr::V6(of.source_address), of.source_port),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => return Ok(None),
    };
    let tls = header.tlvs().flatten().any(|entry| {
        let client = entry.value.first().copied().unwrap_or_default();
        entry.kind == u8::from(Type::SSL) && client & CLIENT_SSL != 0
    });
    Ok(Some(Source { address, tls }))
}

#[cfg(test)]
mod tests;
