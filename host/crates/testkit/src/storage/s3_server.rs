//! A real S3 server on loopback, in this process, with faults on request.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The access key that the server knows.
pub const ACCESS_KEY: &str = "TESTACCESSKEY";
/// Its secret.
pub const SECRET_KEY: &str = "test-secret-of-the-object-store";
/// The bucket that exists.
pub const BUCKET: &str = "faxes";

type Body = BoxBody<Bytes, std::io::Error>;

/// What the next request meets instead of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An empty answer with this status; the request has no effect.
    Status(u16),
    /// No answer at all; the request has no effect.
    Hang,
    /// Half of the answer's body, then the connection breaks.
    Truncate,
    /// The answer's body with one byte changed.
    Corrupt,
    /// The request takes effect, but the connection breaks instead of the answer.
    LoseAnswer,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The path with bucket and key.
    pub path: String,
    /// The header fields.
    pub headers: HeaderMap,
}

/// A running server; ends with this value.
pub struct S3Server {
    /// Where it listens.
    pub addr: SocketAddr,
    root: TempDir,
    control: Arc<Control>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Control {
    faults: Mutex<VecDeque<Fault>>,
    always: Mutex<Option<Fault>>,
    seen: Mutex<Vec<Seen>>,
}

impl S3Server {
    /// Starts a server with an empty bucket.
    pub async fn start() -> Self {
        let root = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(root.path().join(BUCKET)).expect("bucket");
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).expect("file system"));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let addr = listener.local_addr().expect("address");
        let control = Arc::new(Control::default());
        let task = tokio::spawn(accept(listener, service, Arc::clone(&control)));
        Self {
            addr,
            root,
            control,
            task,
        }
    }

    /// Its address for `storage.s3.endpoint_url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The next requests meet these faults, one each.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.control.faults.lock().extend(faults);
    }

    /// Every request without a scripted fault meets this one; none ends it.
    pub fn always(&self, fault: Option<Fault>) {
        *self.control.always.lock() = fault;
    }

    /// The requests since the last call.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.control.seen.lock())
    }

    /// Whether there is an object of this name.
    pub fn has(&self, key: &str) -> bool {
        self.root.path().join(BUCKET).join(key).is_file()
    }

    /// How many objects have names with this end.
    pub fn count_of(&self, end: &str) -> usize {
        self.objects().iter().filter(|name| name.ends_with(end)).count()
    }

    /// Names of the objects in the bucket, sorted.
    pub fn objects(&self) -> Vec<String> {
        let bucket = self.root.path().join(BUCKET);
        let mut names = Vec::new();
        walk(&bucket, &mut |path| {
            let name = path
                .strip_prefix(&bucket)
                .expect("inside")
                .to_string_lossy()
                .into_owned();
            names.push(name);
        });
        names.sort();
        names
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn walk(folder: &std::path::Path, visit: &mut impl FnMut(&std::path::Path)) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            walk(&path, visit);
        } else {
            visit(&path);
        }
    }
}

async fn accept(listener: TcpListener, service: S3Service, control: Arc<Control>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        let (service, control) = (service.clone(), Arc::clone(&control));
        tokio::spawn(async move {
            let handle = service_fn(move |request| answer(service.clone(), Arc::clone(&control), request));
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // Broken connections are what some of the tests are about.
            let _ = builder.serve_connection(TokioIo::new(socket), handle).await;
        });
    }
}

async fn answer(
    service: S3Service,
    control: Arc<Control>,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::io::Error> {
    control.seen.lock().push(Seen {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        headers: request.headers().clone(),
    });
    let scripted = control.faults.lock().pop_front();
    let fault = scripted.or(*control.always.lock());
    match fault {
        Some(Fault::Status(status)) => {
            let body = Empty::new().map_err(|never: Infallible| match never {}).boxed();
            let mut answer = Response::new(body);
            *answer.status_mut() = StatusCode::from_u16(status).expect("status");
            return Ok(answer);
        }
        Some(Fault::Hang) => std::future::pending().await,
        _ => {}
    }
    let answer = service.call(request.map(s3s::Body::from)).await;
    let answer = answer.map_err(|error| std::io::Error::other(format!("{error:?}")))?;
    if fault == Some(Fault::LoseAnswer) {
        return Err(std::io::Error::other("answer lost on purpose"));
    }
    let (head, body) = answer.into_parts();
    let whole = BodyExt::collect(body)
        .await
        .map_err(std::io::Error::other)?
        .to_bytes();
    let (first, cut) = match fault {
        Some(Fault::Truncate) => (whole.slice(..whole.len() / 2), true),
        Some(Fault::Corrupt) => {
            let mut bytes = whole.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            (Bytes::from(bytes), false)
        }
        _ => (whole, false),
    };
    let rest = stream::iter(cut.then_some(())).then(|()| async {
        // The first half has to leave before the connection breaks.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut on purpose"))
    });
    let pieces = stream::iter([Ok(first)]).chain(rest);
    let body = StreamBody::new(pieces.map(|piece| piece.map(Frame::data)));
    Ok(Response::from_parts(head, BodyExt::boxed(body)))
}
