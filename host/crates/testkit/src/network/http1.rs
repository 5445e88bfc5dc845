//! Bytes over sockets, without an HTTP library in between: what no well-behaved client would send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One answer of HTTP/1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The status code.
    pub status: u16,
    /// Status line and headers, in lower case.
    pub head: String,
    /// The decoded body.
    pub body: Vec<u8>,
}

impl Message {
    /// One header, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(found, _)| *found == name)
            .map_or("", |(_, value)| value)
    }
}

/// A connection without TLS.
pub async fn tcp(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("connect")
}

/// The same from another address of this machine.
pub async fn tcp_from(source: [u8; 4], address: SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("socket");
    socket
        .bind(SocketAddr::from((source, 0)))
        .expect("an address of this machine");
    socket.connect(address).await.expect("connect")
}

/// A TLS connection to `localhost` that trusts `cert_pem` and offers one protocol.
pub async fn tls(address: SocketAddr, cert_pem: &str, alpn: &[u8]) -> TlsStream<TcpStream> {
    over(tcp(address).await, cert_pem, alpn).await
}

/// The same on a connection that stands already.
pub async fn over(stream: TcpStream, cert_pem: &str, alpn: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(cert_pem.as_bytes()).expect("certificate");
    roots.add(certificate).expect("certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let name = ServerName::try_from("localhost").expect("name");
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .expect("handshake")
}

/// Sends everything, ends our side if told to, and reads until the server closes. A server that refuses may close
/// before it has taken everything.
pub async fn exchange<S>(mut stream: S, bytes: &[u8], end: bool) -> Vec<u8>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut answer = Vec::new();
    let all = async {
        let _ = stream.write_all(bytes).await;
        let _ = stream.flush().await;
        if end {
            let _ = stream.shutdown().await;
        }
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .expect("the server ends the connection");
    answer
}

/// Takes what was read apart into answers; interim ones (100 Continue) are left out.
pub fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, _) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no whole head: {text:?}"));
        assert!(head.starts_with("HTTP/1."), "not an answer: {text:?}");
        let status: u16 = head[9..12].parse().expect("status");
        bytes = &bytes[head.len() + 4..];
        if (100..200).contains(&status) {
            continue;
        }
        let mut message = Message {
            status,
            head: head.to_lowercase(),
            body: Vec::new(),
        };
        let length = match message.header("content-length") {
            "" => 0,
            length => length.parse::<usize>().expect("length"),
        };
        assert!(bytes.len() >= length, "a body is cut short: {text:?}");
        message.body = bytes[..length].to_vec();
        bytes = &bytes[length..];
        found.push(message);
    }
    found
}

/// Reads one answer and leaves the connection open.
pub async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> Message {
    let mut bytes = Vec::new();
    let read = async {
        loop {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap_or_default();
            bytes.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")
                        .map(str::to_owned)
                });
                let length: usize = length.map_or(0, |length| length.parse().expect("length"));
                if bytes.len() >= head.len() + 4 + length {
                    break;
                }
            }
            assert!(read > 0, "closed before an answer: {text:?}");
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("an answer");
    messages(&bytes).remove(0)
}

/// Waits until the server has closed; answers what it still sent.
pub async fn closed(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    let _ = read.expect("the server closes");
    rest
}
