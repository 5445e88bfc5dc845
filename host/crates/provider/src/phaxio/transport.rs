//! Connections to the provider, and how much of a request left on them.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::ClientError;
use faxgate_base::redact;
use faxgate_config::phaxio::PhaxioConfig;

/// The longest time to wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an unused connection is kept. Shorter than any server's limit that is known, since a request on a
/// connection that the server is closing is an unsure one.
const IDLE: Duration = Duration::from_secs(15);

/// A body that tells whether any of it was handed over for writing.
///
/// While it was not, the provider cannot have seen a whole request: a connection that broke before is as good as
/// none.
pub(super) struct Watched {
    data: Option<Bytes>,
    taken: Arc<AtomicBool>,
}

/// Knows whether the body it belongs to was handed over.
pub(super) struct Watch(Arc<AtomicBool>);

/// Makes the client: redirects are not followed (the credentials belong to one host), no proxy is taken from the
/// environment, nothing is repeated behind our back, and HTTP/1.1 only, so that a lost connection concerns one
/// request.
pub(super) fn client(config: &PhaxioConfig) -> Result<reqwest::Client, ClientError> {
    let secure = match config.api_url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(ClientError::BadUrl),
    };
    if !config.api_url.has_host() || config.api_url.cannot_be_a_base() {
        return Err(ClientError::BadUrl);
    }
    let builder = reqwest::Client::builder()
        .user_agent(concat!("faxgate/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_only()
        .connect_timeout(CONNECT.min(config.timeout))
        .read_timeout(config.timeout)
        .pool_idle_timeout(IDLE);
    // A machine without certificate authorities can still talk to a simulator in clear.
    let builder = if secure {
        builder.tls_version_min(reqwest::tls::Version::TLS_1_2)
    } else {
        builder.tls_certs_only([])
    };
    builder
        .build()
        .map_err(|error| ClientError::Transport(chain(&error)))
}

/// What a failed request says, without the address (it carries tags) and without numbers.
pub(super) fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let kind = if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "connection lost"
    };
    format!("{kind} ({})", redact::provider_text(&chain(&error)))
}

/// An error with its causes; only the innermost usually says what happened.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

impl Watched {
    /// A body and its watch.
    pub(super) fn new(data: String) -> (Self, Watch) {
        let taken = Arc::new(AtomicBool::new(false));
        let body = Self {
            data: Some(Bytes::from(data)),
            taken: Arc::clone(&taken),
        };
        (body, Watch(taken))
    }
}

impl Watch {
    /// Whether any of the body may have been written.
    pub(super) fn may_have_left(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken.store(true, Ordering::Release);
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}
