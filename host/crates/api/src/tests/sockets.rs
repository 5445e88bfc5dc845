//! The API over real sockets: slow, broken and parting clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::installation::{ROOT_KEY, TestInstallation};
use faxgate_config::Config;
use faxgate_config::tls::TlsConfig;
use faxgate_edge::tls::ServerTls;
use faxgate_edge::{Drained, Listener, Server, Timeouts};

/// A server on loopback.
struct Running {
    server: Server,
    address: SocketAddr,
    _test: TestInstallation,
}

/// Short enough to be waited for.
fn short() -> Timeouts {
    let short = Duration::from_millis(60);
    Timeouts {
        handshake: short,
        head: short,
        body: short,
        ..Timeouts::default()
    }
}

async fn run(change: impl FnOnce(&mut Config), timeouts: Timeouts, tls: Option<ServerTls>) -> Running {
    let test = TestInstallation::with(change, timeouts).await;
    let server = test.server.clone();
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), tls).unwrap();
    let address = listener.address();
    server.serve(listener);
    Running {
        server,
        address,
        _test: test,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `text` and reads until the server closes.
    async fn ask(&self, text: &str) -> String {
        let mut socket = self.connect().await;
        socket.write_all(text.as_bytes()).await.unwrap();
        rest(&mut socket).await
    }
}

async fn rest(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one response with a `content-length`.
async fn response(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = socket.read(&mut chunk).await.unwrap();
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            body.len() >= length.map_or(0, |length| length.parse().unwrap())
        });
        if complete || read == 0 {
            return text;
        }
    }
}

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let running = run(|_| {}, Timeouts::default(), None).await;
    let mut socket = running.connect().await;
    for _ in 0..3 {
        socket
            .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let answer = response(&mut socket).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && !answer.contains("connection: close"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn heads_that_never_end_are_not_waited_for() {
    let running = run(|_| {}, short(), None).await;
    for begun in ["", "GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        assert!(!running.ask(begun).await.contains("200 OK"));
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered_408() {
    let running = run(|_| {}, short(), None).await;
    let head = format!(
        "POST /fax HTTP/1.1\r\nHost: x\r\nX-API-Key: {ROOT_KEY}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: 500\r\n\r\n--b\r\n"
    );
    let answer = running.ask(&head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_refused_upload_is_not_read_and_its_answer_arrives() {
    let running = run(|_| {}, Timeouts::default(), None).await;
    let mut socket = running.connect().await;
    let length = 64 << 20;
    let head = format!("POST /fax HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = socket.into_split();
    let sending = tokio::spawn(async move {
        let chunk = vec![0; 1 << 16];
        // The server reads on for a while so that the answer isn't lost to a reset.
        for _ in 0..32 {
            if write.write_all(&chunk).await.is_err() {
                break;
            }
        }
        write
    });
    let answer = response(&mut read).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn malformed_requests_are_refused_or_have_one_meaning() {
    let running = run(|_| {}, short(), None).await;
    for text in [
        "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        "GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /health HTTP/1.1\r\n folded\r\n\r\n",
        "GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        let answer = running.ask(text).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{text:?}: {answer}"
        );
    }
    let head = format!(
        "GET /health HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    let answer = running.ask(&head).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn an_address_holds_only_so_many_connections() {
    let running = run(
        |config| config.listen.max_connections_per_address = 1,
        Timeouts::default(),
        None,
    )
    .await;
    let mut first = running.connect().await;
    first
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(response(&mut first).await.starts_with("HTTP/1.1 200"));
    assert_eq!(running.ask("").await, "");
    first
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(response(&mut first).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_drain_ends_idle_connections_and_finishes_requests() {
    let running = run(|_| {}, Timeouts::default(), None).await;
    let mut idle = running.connect().await;
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    response(&mut idle).await;
    let body = "to=%2B12125550100";
    let mut busy = running.connect().await;
    let head = format!(
        "POST /phaxio-callback HTTP/1.1\r\nHost: x\r\nX-Phaxio-Signature: 0123456789abcdef0123456789abcdef01234567\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is in its handler.
    assert!(response(&mut busy).await.starts_with("HTTP/1.1 100"));
    let drain = tokio::spawn({
        let server = running.server.clone();
        async move { server.drain().await }
    });
    assert_eq!(rest(&mut idle).await, "");
    busy.write_all(body.as_bytes()).await.unwrap();
    let answer = rest(&mut busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 ") && answer.contains("connection: close"),
        "{answer}"
    );
    drop((idle, busy));
    assert_eq!(drain.await.unwrap(), Drained { cut: 0 });
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_drain_cuts_what_does_not_end() {
    let timeouts = Timeouts {
        drain: Duration::from_millis(30),
        ..Timeouts::default()
    };
    let running = run(|_| {}, timeouts, None).await;
    let mut busy = running.connect().await;
    busy.write_all(
        b"POST /phaxio-callback HTTP/1.1\r\nHost: x\r\nX-Phaxio-Signature: 0123456789abcdef0123456789abcdef01234567\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    )
    .await
    .unwrap();
    assert!(response(&mut busy).await.starts_with("HTTP/1.1 100"));
    assert_eq!(running.server.drain().await, Drained { cut: 1 });
    assert_eq!(rest(&mut busy).await, "");
}

async fn tls_client(
    running: &Running,
    trusted: &str,
    alpn: &[u8],
) -> impl AsyncRead + AsyncWrite + Unpin + use<> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, running.connect().await)
        .await
        .unwrap()
}

async fn run_tls(timeouts: Timeouts) -> (Running, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let tls = ServerTls::open(&TlsConfig::default(), folder.path(), "localhost").unwrap();
    let trusted = std::fs::read_to_string(folder.path().join("tls/self-signed.crt")).unwrap();
    (run(|_| {}, timeouts, Some(tls)).await, trusted, folder)
}

#[tokio::test]
async fn https_speaks_http1_with_strict_transport_security() {
    let (running, trusted, _folder) = run_tls(Timeouts::default()).await;
    let mut socket = tls_client(&running, &trusted, b"http/1.1").await;
    socket
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = response(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
}

#[tokio::test]
async fn https_speaks_http2_and_says_goodbye() {
    let (running, trusted, _folder) = run_tls(Timeouts::default()).await;
    let socket = tls_client(&running, &trusted, b"h2").await;
    let io = hyper_util::rt::TokioIo::new(socket);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut client, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request =
        http::Request::get("https://localhost/health").body(http_body_util::Empty::<bytes::Bytes>::new());
    let answer = client.send_request(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.version(), http::Version::HTTP_2);
    drop(answer);
    assert_eq!(running.server.drain().await, Drained { cut: 0 });
    // GOAWAY, not a broken connection.
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn handshakes_that_never_end_are_not_waited_for() {
    let (running, _trusted, _folder) = run_tls(short()).await;
    assert_eq!(running.ask("").await, "");
    assert!(
        !running
            .ask("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .contains("200 OK")
    );
}

/// Waits until nothing but the listener is left.
async fn alone(running: &Running) {
    while running.server.tasks() > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_client_that_never_takes_its_answer_is_let_go() {
    let timeouts = Timeouts {
        write: Duration::from_millis(60),
        ..Timeouts::default()
    };
    let running = run(|_| {}, timeouts, None).await;
    // More than all buffers on the way together.
    let document: &'static [u8] = Box::leak(vec![b'x'; 16 << 20].into_boxed_slice());
    let id = running._test.fax("one", document).await;
    let mut socket = running.connect().await;
    let request = format!("GET /fax/{id}/pdf HTTP/1.1\r\nHost: x\r\nX-API-Key: {ROOT_KEY}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut begin = [0; 15];
    socket.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    alone(&running).await;
}

#[tokio::test]
async fn a_request_on_which_nothing_moves_is_cut() {
    let timeouts = Timeouts {
        stalled: Duration::from_millis(60),
        idle: Duration::from_millis(60),
        ..Timeouts::default()
    };
    let running = run(|_| {}, timeouts, None).await;
    let answer = running
        .ask("POST /phaxio-callback HTTP/1.1\r\nHost: x\r\nX-Phaxio-Signature: 0123456789abcdef0123456789abcdef01234567\r\nContent-Length: 5\r\n\r\n")
        .await;
    assert_eq!(answer, "");
    alone(&running).await;
}

#[tokio::test]
async fn an_http2_connection_without_requests_is_told_goodbye() {
    let timeouts = Timeouts {
        idle: Duration::from_millis(60),
        ..Timeouts::default()
    };
    let (running, trusted, _folder) = run_tls(timeouts).await;
    let socket = tls_client(&running, &trusted, b"h2").await;
    let io = hyper_util::rt::TokioIo::new(socket);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (client, connection) =
        hyper::client::conn::http2::handshake::<_, _, http_body_util::Empty<bytes::Bytes>>(executor, io)
            .await
            .unwrap();
    connection.await.unwrap();
    drop(client);
    alone(&running).await;
}

#[tokio::test]
async fn a_proxy_that_announces_nobody_is_not_waited_for() {
    let trusting = |config: &mut Config| {
        config.listen.proxy_protocol = true;
        config.listen.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    let running = run(trusting, short(), None).await;
    for begun in ["", "PROXY TCP4 192.0.2.7"] {
        assert_eq!(running.ask(begun).await, "");
    }
    alone(&running).await;
}

#[tokio::test]
async fn the_end_does_not_wait_for_clients_that_ask_nothing() {
    let timeouts = Timeouts {
        close: Duration::from_millis(10),
        ..Timeouts::default()
    };
    let (running, trusted, _folder) = run_tls(timeouts).await;
    let mut silent = tls_client(&running, &trusted, b"http/1.1").await;
    // It never answers the ping with which the library makes sure that it was told.
    let mut deaf = tls_client(&running, &trusted, b"h2").await;
    deaf.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    assert_eq!(running.server.drain().await, Drained { cut: 0 });
    assert_eq!(rest(&mut silent).await, "");
    rest(&mut deaf).await;
}
