//! The PROXY protocol, versions 1 and 2: what a trusted proxy says about a connection before anything else on it,
//! TLS included (haproxy.org, `proxy-protocol.txt`).

use std::io;
use std::net::{IpAddr, SocketAddr};

use ppp::v1;
use ppp::v2::{self, Command, PROTOCOL_PREFIX, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest header of version 1, its line end included.
const LONGEST_LINE: usize = 107;
/// Most bytes after the fixed part of version 2: addresses, and some room for what proxies add.
const MOST_EXTRA: usize = 4096;
/// Bytes of the fixed part of version 2: signature, version and command, family, length.
const FIXED: usize = 16;
/// In the type `SSL` of version 2: the client reached the proxy over TLS.
const CLIENT_SSL: u8 = 1;

/// For whom a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The client's address.
    pub(super) address: SocketAddr,
    /// The client reached the proxy over TLS.
    pub(super) tls: bool,
}

/// A header that is not one.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    /// The connection ended in it.
    #[error("the connection failed in the PROXY header: {0}")]
    Io(#[from] io::Error),
    /// It can't be understood.
    #[error("no valid PROXY header: {0}")]
    Malformed(String),
}

/// Reads the header, and not a byte more. None when the proxy speaks for itself (a health check) or doesn't say
/// for whom.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Source>, ProxyError> {
    // No header is shorter than this: nothing of what follows it is taken.
    let mut begin = [0; PROTOCOL_PREFIX.len()];
    stream.read_exact(&mut begin).await?;
    if begin == PROTOCOL_PREFIX {
        return binary(stream).await;
    }
    if begin.starts_with(b"PROXY ") {
        return line(stream, begin.to_vec()).await;
    }
    Err(ProxyError::Malformed("another beginning".to_owned()))
}

async fn line(
    stream: &mut (impl AsyncRead + Unpin),
    mut line: Vec<u8>,
) -> Result<Option<Source>, ProxyError> {
    while !line.ends_with(b"\r\n") {
        if line.len() >= LONGEST_LINE {
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
    header.resize(FIXED, 0);
    if let Some(rest) = header.get_mut(PROTOCOL_PREFIX.len()..) {
        stream.read_exact(rest).await?;
    }
    let extra = match header.as_slice() {
        [.., high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    if extra > MOST_EXTRA {
        return Err(ProxyError::Malformed("it is too long".to_owned()));
    }
    header.resize(FIXED + extra, 0);
    if let Some(rest) = header.get_mut(FIXED..) {
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
mod tests {
    use super::*;

    /// Reads a header; answers what was said and what is left.
    async fn of(mut bytes: &[u8]) -> (Result<Option<Source>, ProxyError>, Vec<u8>) {
        let read = read(&mut bytes).await;
        (read, bytes.to_vec())
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("length").to_be_bytes();
        [PROTOCOL_PREFIX, &[command, family], &length, rest, b"GET /"].concat()
    }

    const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x67, 1, 0xbb];

    #[tokio::test]
    async fn both_versions_name_the_client_and_leave_the_rest() {
        let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\nGET /".to_vec();
        let six = [
            &[0x20, 1, 0xd, 0xb8][..],
            &[0; 11],
            &[9],
            &[0; 16],
            &[0, 80, 1, 0xbb],
        ]
        .concat();
        let ssl = [&V4[..], &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
        for (bytes, address, tls) in [
            (line, "192.0.2.7:4711", false),
            (
                b"PROXY TCP6 2001:db8::9 2001:db8::1 80 443\r\nGET /".to_vec(),
                "[2001:db8::9]:80",
                false,
            ),
            (v2(0x21, 0x11, &V4), "192.0.2.7:4711", false),
            (v2(0x21, 0x21, &six), "[2001:db8::9]:80", false),
            (v2(0x21, 0x11, &ssl), "192.0.2.7:4711", true),
        ] {
            let (read, rest) = of(&bytes).await;
            let source = read.expect("header").expect("client");
            assert_eq!((source.address.to_string().as_str(), source.tls), (address, tls));
            assert_eq!(rest, b"GET /");
        }
    }

    #[tokio::test]
    async fn a_proxy_may_speak_for_itself() {
        for bytes in [
            b"PROXY UNKNOWN\r\nGET /".to_vec(),
            b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nGET /".to_vec(),
            v2(0x20, 0x00, &[]),
            v2(0x20, 0x11, &V4),
            v2(0x21, 0x00, &[]),
        ] {
            let (read, rest) = of(&bytes).await;
            assert_eq!(read.expect("header"), None, "{bytes:?}");
            assert_eq!(rest, b"GET /");
        }
    }

    #[tokio::test]
    async fn anything_else_is_no_header() {
        for bytes in [
            b"GET /health HTTP/1.1\r\n\r\n".to_vec(),
            b"PROXY".to_vec(),
            b"PROXY TCP4 192.0.2.7\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.777 10.0.0.1 1 2\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 1 70000\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::9 2001:db8::1 80 443\r\n".to_vec(),
            [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 200]].concat(),
            v2(0x31, 0x11, &V4),
            v2(0x2f, 0x11, &V4),
            v2(0x21, 0x11, &V4[..8]),
            v2(0x21, 0x11, &[0; 5000]),
            v2(0x21, 0x11, &V4)[..20].to_vec(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00".to_vec(),
        ] {
            let (read, _) = of(&bytes).await;
            assert!(read.is_err(), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
