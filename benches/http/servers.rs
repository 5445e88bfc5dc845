//! The servers: each is a process of its own, as it would be in life.

use std::convert::Infallible;
use std::fs;
use std::net::{SocketAddr, TcpListener as Probe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use faxgate_config::tls::TlsConfig;
use faxgate_edge::tls::ServerTls;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The key that may do everything on the measured service.
pub(crate) const ROOT_KEY: &str = "bench-root-key-0123456789";
/// What the provider signs with.
pub(crate) const SECRET: &str = "bench-secret-0123456789";

/// A server that runs until it is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it speaks TLS.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // In order: nginx that is killed leaves its workers behind.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Lets this process and its children have as many files open as the system allows.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// The certificate that all servers use, and its key: the self-signed one of the service.
pub(crate) fn certificate(data: &Path) -> (PathBuf, PathBuf) {
    let folder = data.join("tls");
    ServerTls::open(&TlsConfig::default(), data, "localhost").unwrap();
    (folder.join("self-signed.crt"), folder.join("self-signed.key"))
}

/// The service, with its log in a file as under a supervisor; also the address of its plain listener.
pub(crate) async fn faxgate(data: &Path) -> (Process, SocketAddr) {
    let (https, http) = (free_port(), free_port());
    let log = fs::File::create(data.join("service.log")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_faxgate"))
        .arg("serve")
        .env("FAX_DATA_DIR", data)
        .env("HTTPS_LISTEN", https.to_string())
        .env("HTTP_LISTEN", http.to_string())
        .env("PUBLIC_API_URL", format!("https://localhost:{}", https.port()))
        .env("API_KEY", ROOT_KEY)
        .env("PHAXIO_API_SECRET", SECRET)
        .env("INBOUND_ENABLED", "true")
        .env("FAX_DISABLED", "true")
        .env("MAX_CONNECTIONS", "20000")
        .env("MAX_CONNECTIONS_PER_ADDRESS", "20000")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let address = https;
    let process = Process { child, address };
    reachable(https).await;
    (process, http)
}

/// nginx with `body` at `/small` and `file` at `/file`; none where it is not installed.
pub(crate) async fn nginx(data: &Path, body: &str, file: &Path) -> Option<Process> {
    let address = free_port();
    let (certificate, key) = certificate(data);
    let folder = data.join("nginx");
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("nginx.conf");
    let text = format!(
        "user root; daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/error.log;
         events {{ worker_connections 16384; }}
         http {{
           access_log {folder}/access.log; default_type application/json;
           keepalive_requests 1000000000; client_body_temp_path {folder}/body;
           server {{
             listen {address} ssl http2;
             ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
             location = /small {{ return 200 '{body}'; }}
             location = /file {{ alias {file}; }}
           }}
         }}",
        folder = folder.display(),
        certificate = certificate.display(),
        key = key.display(),
        file = file.display(),
    );
    fs::write(&config, text).unwrap();
    let child = Command::new("nginx")
        .arg("-c")
        .arg(&config)
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let process = Process { child, address };
    reachable(address).await;
    Some(process)
}

/// A server that answers `body` to everything: hyper and rustls, no routes, no limits, no log.
pub(crate) async fn bare(data: &Path, body: &Bytes) -> Process {
    let address = free_port();
    let file = data.join("bare.body");
    fs::write(&file, body).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .arg(BARE)
        .arg(address.to_string())
        .arg(data)
        .arg(&file)
        .spawn()
        .unwrap();
    let process = Process { child, address };
    reachable(address).await;
    process
}

/// First argument of the process that is to be a bare server.
pub(crate) const BARE: &str = "--bare";

/// Runs as the bare server: arguments are address, folder of the certificate, and file with the answer.
pub(crate) async fn be_bare(mut arguments: impl Iterator<Item = String>) {
    let address = arguments.next().unwrap();
    let data = PathBuf::from(arguments.next().unwrap());
    let answer = Bytes::from(fs::read(arguments.next().unwrap()).unwrap());
    let tls = ServerTls::open(&TlsConfig::default(), &data, "localhost").unwrap();
    let acceptor = TlsAcceptor::from(tls.acceptor_config());
    let listener = TcpListener::bind(address).await.unwrap();
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
                let server = http2::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(io, service).await;
            } else {
                let _ = http1::Builder::new().serve_connection(io, service).await;
            }
        });
    }
}

fn free_port() -> SocketAddr {
    Probe::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn reachable(address: SocketAddr) {
    for _ in 0..1200 {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing listens on {address}");
}
