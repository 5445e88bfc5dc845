//! The load: clients with a connection each that ask the same thing again and again.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Connections, each with one request at a time.
const CLIENTS: usize = 32;
/// Length of a round.
const ROUND: Duration = Duration::from_secs(3);
/// Between the parts of a form.
const BOUNDARY: &str = "bench-boundary";

/// A question, and how it is asked.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) http2: bool,
    /// A form to post; without one it is a `GET`.
    pub(crate) form: Option<Bytes>,
}

/// A server, and how its certificate is checked.
#[derive(Clone)]
pub(crate) struct Target {
    address: SocketAddr,
    connector: TlsConnector,
}

/// One connection.
enum Client {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Case {
    pub(crate) fn get(name: &'static str, path: &str, key: Option<&str>) -> Self {
        Self {
            name,
            path: path.to_owned(),
            key: key.map(str::to_owned),
            http2: false,
            form: None,
        }
    }

    /// A fax to be accepted and kept, not sent.
    pub(crate) fn fax(name: &'static str, key: &str, document: &[u8]) -> Self {
        let mut form = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"to\"\r\n\r\n+12125550142\r\n\
             --{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"bench\"\r\n\r\n"
        )
        .into_bytes();
        form.extend_from_slice(document);
        form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let form = Some(form.into());
        Self {
            form,
            ..Self::get(name, "/fax", Some(key))
        }
    }

    pub(crate) fn over_http2(self) -> Self {
        Self { http2: true, ..self }
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::builder();
        request = if self.http2 {
            request.uri(format!("https://localhost{}", self.path))
        } else {
            request.uri(&self.path).header("host", "localhost")
        };
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        if self.form.is_some() {
            let kind = format!("multipart/form-data; boundary={BOUNDARY}");
            request = request.method("POST").header("content-type", kind);
        }
        request
            .body(Full::new(self.form.clone().unwrap_or_default()))
            .unwrap()
    }
}

impl Target {
    /// The server at `address`, whose certificate is the one in `certificate`.
    pub(crate) fn new(address: SocketAddr, certificate: &Path, http2: bool) -> Self {
        let trusted = std::fs::read(certificate).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(&trusted).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![if http2 {
            b"h2".to_vec()
        } else {
            b"http/1.1".to_vec()
        }];
        // Every connection is a full handshake.
        config.resumption = rustls::client::Resumption::disabled();
        Self {
            address,
            connector: TlsConnector::from(Arc::new(config)),
        }
    }

    /// The answer to one request.
    pub(crate) async fn sample(&self, case: &Case) -> Bytes {
        Client::connect(self, case.http2).await.ask(case).await
    }

    /// The time of each of `count` requests of one client, with a pause between them.
    pub(crate) async fn each(&self, case: &Case, count: usize, pause: Duration) -> Vec<Duration> {
        let mut client = Client::connect(self, case.http2).await;
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let begin = Instant::now();
            client.ask(case).await;
            times.push(begin.elapsed());
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        times
    }

    /// Requests a second of all clients together.
    pub(crate) async fn load(&self, case: &Case) -> f64 {
        let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Client::connect(self, case.http2).await);
        }
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for mut client in clients {
            let (over, count, case) = (Arc::clone(&over), Arc::clone(&count), case.clone());
            tasks.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    client.ask(&case).await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        tokio::time::sleep(ROUND).await;
        over.store(true, Ordering::Relaxed);
        let (count, took) = (count.load(Ordering::Relaxed), started.elapsed());
        tasks.join_all().await;
        per_second(count, took)
    }

    /// Holds `count` connections that say nothing, and looks at the server meanwhile.
    pub(crate) async fn idle<T>(&self, count: usize, look: impl FnOnce() -> T) -> T {
        let mut held = Vec::with_capacity(count);
        for _ in 0..count {
            let stream = TcpStream::connect(self.address).await.unwrap();
            held.push(self.connector.connect(name(), stream).await.unwrap());
        }
        let seen = look();
        drop(held);
        seen
    }

    /// Full handshakes a second of all clients together.
    pub(crate) async fn handshakes(&self) -> f64 {
        let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..CLIENTS {
            let (over, count, target) = (Arc::clone(&over), Arc::clone(&count), self.clone());
            tasks.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let stream = TcpStream::connect(target.address).await.unwrap();
                    drop(target.connector.connect(name(), stream).await.unwrap());
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        tokio::time::sleep(ROUND).await;
        over.store(true, Ordering::Relaxed);
        let (count, took) = (count.load(Ordering::Relaxed), started.elapsed());
        tasks.join_all().await;
        per_second(count, took)
    }
}

impl Client {
    async fn connect(target: &Target, http2: bool) -> Self {
        let stream = TcpStream::connect(target.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let io = TokioIo::new(target.connector.connect(name(), stream).await.unwrap());
        if http2 {
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
            let (client, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            Self::Http2(client)
        } else {
            let (client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            Self::Http1(client)
        }
    }

    async fn ask(&mut self, case: &Case) -> Bytes {
        let response = match self {
            Self::Http1(client) => {
                client.ready().await.unwrap();
                client.send_request(case.request()).await
            }
            Self::Http2(client) => {
                client.ready().await.unwrap();
                client.send_request(case.request()).await
            }
        };
        let response = response.unwrap();
        let status = response.status();
        assert!(status.is_success(), "{}: {status}", case.name);
        response.into_body().collect().await.unwrap().to_bytes()
    }
}

fn name() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

#[allow(clippy::cast_precision_loss, reason = "a count of requests, far below 2^52")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
