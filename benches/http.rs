//! What the edge costs: requests a second over TLS 1.3 keep-alive, against a bare hyper and rustls server that
//! answers the same bytes in the same process.
//!
//! `cargo bench --bench http`. Load generator and servers share the machine, so only the ratios mean something:
//! each pair is measured in turns, and the best round of each counts. Not criterion: what matters is throughput
//! with many clients, not the time of one call.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench may fail loudly and prints its result"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use faxgate::app::{NewKey, Origin};
use faxgate::base::clock::Clock;
use faxgate::compose;
use faxgate::config::source::Fixed;
use faxgate::config::tls::TlsConfig;
use faxgate::tls::ServerTls;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Connections, each with one request at a time.
const CLIENTS: usize = 32;
/// Rounds of each measurement.
const ROUNDS: usize = 3;
/// Length of a round.
const ROUND: Duration = Duration::from_secs(3);
/// Between the parts of a form.
const BOUNDARY: &str = "bench-boundary";

/// A question, and how it is asked.
struct Case {
    name: &'static str,
    path: String,
    key: Option<String>,
    http2: bool,
    /// A form to post; without one it is a `GET`.
    form: Option<Bytes>,
}

#[derive(Clone)]
struct Target {
    address: SocketAddr,
    connector: TlsConnector,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap().to_owned();
    let variables = [
        ("FAX_DATA_DIR", data.as_str()),
        ("HTTP_LISTEN", ""),
        ("HTTPS_LISTEN", "127.0.0.1:0"),
        ("API_KEY", "bench-root-key-0123456789"),
        ("FAX_DISABLED", "true"),
    ];
    let config = faxgate::config::load(&Fixed::variables(variables), None)
        .unwrap()
        .config;
    let metrics = faxgate::telemetry::metrics::install().unwrap();
    let service = compose::start(config, Clock::system(), metrics).await.unwrap();
    let new = NewKey {
        scopes: Some(vec!["*".to_owned()]),
        ..NewKey::default()
    };
    let key = service
        .app()
        .create_key(&Origin::operator(), new)
        .await
        .unwrap()
        .token;
    let edge = service.https().unwrap();
    let first = post("", &key, &documents::text(50));
    let answer = sample(&target(edge, folder.path(), false), &first).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let id = answer["id"].as_str().unwrap().to_owned();
    let health = case("GET /health, HTTP/1.1", "/health", None, false);
    let cases = [
        health,
        case("GET /health, HTTP/2", "/health", None, true),
        case("GET /fax with a key, HTTP/1.1", "/fax", Some(key.clone()), false),
        case(
            "GET /fax/{id}, HTTP/1.1",
            &format!("/fax/{id}"),
            Some(key.clone()),
            false,
        ),
        post("POST /fax, 50 lines of text", &key, &documents::text(50)),
        post("POST /fax, PDF of 100 KB", &key, &documents::pdf(100 * 1024)),
    ];
    println!("{:<36} {:>10} {:>10} {:>7}", "", "bare /s", "edge /s", "ratio");
    for case in &cases {
        let target = target(edge, folder.path(), case.http2);
        let answer = sample(&target, case).await;
        let bare = bare(folder.path(), answer).await;
        let bare = Target {
            address: bare,
            ..target.clone()
        };
        let (mut best_bare, mut best_edge) = (0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            best_bare = best_bare.max(load(&bare, case).await);
            best_edge = best_edge.max(load(&target, case).await);
        }
        println!(
            "{:<36} {best_bare:>10.0} {best_edge:>10.0} {:>7.2}",
            case.name,
            best_edge / best_bare
        );
    }
    let target = target(edge, folder.path(), false);
    let bare = Target {
        address: bare(folder.path(), Bytes::from_static(b"{}")).await,
        ..target.clone()
    };
    let (bare, edge) = (handshakes(&bare).await, handshakes(&target).await);
    println!(
        "{:<36} {bare:>10.0} {edge:>10.0} {:>7.2}",
        "full handshakes",
        edge / bare
    );
    service.stop().await;
}

fn case(name: &'static str, path: &str, key: Option<String>, http2: bool) -> Case {
    Case {
        name,
        path: path.to_owned(),
        key,
        http2,
        form: None,
    }
}

/// A fax to be accepted and kept, not sent.
fn post(name: &'static str, key: &str, document: &[u8]) -> Case {
    let mut form = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"to\"\r\n\r\n+12125550142\r\n\
         --{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"bench\"\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(document);
    form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let form = Some(form.into());
    Case {
        form,
        ..case(name, "/fax", Some(key.to_owned()), false)
    }
}

fn target(address: SocketAddr, data: &Path, http2: bool) -> Target {
    let trusted = std::fs::read(data.join("tls/self-signed.crt")).unwrap();
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
    Target {
        address,
        connector: TlsConnector::from(Arc::new(config)),
    }
}

/// The server that the edge is compared with: the same TLS, no routes, no limits, no log.
async fn bare(data: &Path, answer: Bytes) -> SocketAddr {
    let tls = ServerTls::open(&TlsConfig::default(), data, "localhost").unwrap();
    let acceptor = TlsAcceptor::from(tls.acceptor_config());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else {
                    return;
                };
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let response = Response::builder().header("content-type", "application/json");
                    let response = response.body(Full::new(answer.clone())).unwrap();
                    async {
                        let _ = request.into_body().collect().await;
                        Ok::<_, Infallible>(response)
                    }
                });
                let io = TokioIo::new(stream);
                if http2 {
                    let _ = http2::Builder::new(TokioExecutor::new())
                        .serve_connection(io, service)
                        .await;
                } else {
                    let _ = http1::Builder::new().serve_connection(io, service).await;
                }
            });
        }
    });
    address
}

/// The body that both servers are to answer.
async fn sample(target: &Target, case: &Case) -> Bytes {
    let mut client = Client::connect(target, case.http2).await;
    client.ask(case).await
}

/// Requests a second of all clients together.
async fn load(target: &Target, case: &Case) -> f64 {
    let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::connect(target, case.http2).await);
    }
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for mut client in clients {
        let case = Case {
            path: case.path.clone(),
            key: case.key.clone(),
            form: case.form.clone(),
            ..*case
        };
        let (over, count) = (Arc::clone(&over), Arc::clone(&count));
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

/// Handshakes a second of all clients together.
async fn handshakes(target: &Target) -> f64 {
    let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (over, count, target) = (Arc::clone(&over), Arc::clone(&count), target.clone());
        tasks.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let stream = TcpStream::connect(target.address).await.unwrap();
                let name = ServerName::try_from("localhost").unwrap();
                drop(target.connector.connect(name, stream).await.unwrap());
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

#[allow(clippy::cast_precision_loss, reason = "a count of requests, far below 2^52")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// One connection.
enum Client {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Client {
    async fn connect(target: &Target, http2: bool) -> Self {
        let stream = TcpStream::connect(target.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let io = TokioIo::new(target.connector.connect(name, stream).await.unwrap());
        if http2 {
            let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
            tokio::spawn(connection);
            Self::Http2(client)
        } else {
            let (client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            Self::Http1(client)
        }
    }

    async fn ask(&mut self, case: &Case) -> Bytes {
        let uri = if case.http2 {
            format!("https://localhost{}", case.path)
        } else {
            case.path.clone()
        };
        let mut request = Request::builder().uri(uri);
        if !case.http2 {
            request = request.header("host", "localhost");
        }
        if let Some(key) = &case.key {
            request = request.header("x-api-key", key);
        }
        if case.form.is_some() {
            let kind = format!("multipart/form-data; boundary={BOUNDARY}");
            request = request.method("POST").header("content-type", kind);
        }
        let request = request
            .body(Full::new(case.form.clone().unwrap_or_default()))
            .unwrap();
        let response = match self {
            Self::Http1(client) => client.send_request(request).await,
            Self::Http2(client) => client.send_request(request).await,
        };
        let response = response.unwrap();
        assert!(
            response.status().is_success(),
            "{}: {}",
            case.name,
            response.status()
        );
        response.into_body().collect().await.unwrap().to_bytes()
    }
}

/// Documents to send.
mod documents {
    /// Lines of text.
    pub(super) fn text(lines: usize) -> Vec<u8> {
        "The quick brown fox jumps over the lazy dog, and the dog does not mind.\n"
            .repeat(lines)
            .into_bytes()
    }

    /// A PDF of about `size` bytes: pages of text, uncompressed.
    pub(super) fn pdf(size: usize) -> Vec<u8> {
        let line = "(The quick brown fox jumps over the lazy dog) Tj T*\n";
        let content = format!("BT /F1 11 Tf 14 TL 60 740 Td\n{}ET", line.repeat(48));
        let pages = size / content.len();
        let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" ")),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        ];
        for page in 0..pages {
            let resources = "<< /Font << /F1 3 0 R >> >>";
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources {resources} /Contents {} 0 R >>",
                5 + 2 * page
            ));
            objects.push(format!(
                "<< /Length {} >>\nstream\n{content}\nendstream",
                content.len()
            ));
        }
        let mut file = "%PDF-1.4\n".to_owned();
        let mut offsets = Vec::new();
        for (number, object) in objects.iter().enumerate() {
            offsets.push(file.len());
            file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
        }
        let start = file.len();
        file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
        for offset in offsets {
            file.push_str(&format!("{offset:010} 00000 n \n"));
        }
        let size = objects.len() + 1;
        file.push_str(&format!(
            "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
        ));
        file.into_bytes()
    }
}
