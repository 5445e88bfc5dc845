//! Error responses to bytes that HTTP/1 can't read as a request: they get a body, a request id and the headers that
//! every other response has.
//!
//! The HTTP library writes such a response itself, with an empty body, and has no hook for it. It is recognised by its
//! exact form when it is written while no request is in flight, and replaced.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::response::IntoResponse as _;
use bytes::{Buf, Bytes};
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::idle::IdleTracker;
use crate::problem::Problem;
use crate::request::client::{Client, Connection};
use crate::response::{access_log, headers};
use crate::server::state::ServerState;
use faxgate_telemetry::scope::Scope;

/// The library's own error responses are no longer than this, in bytes.
const MAX_BARE_RESPONSE: usize = 256;

/// A stream on which the HTTP library's error responses get a body.
pub(super) struct ErrorBodies<S> {
    inner: S,
    state: Arc<ServerState>,
    connection: Connection,
    tracker: Arc<IdleTracker>,
    /// The bytes that are written instead, and the length of those that they replace.
    replacement: Option<(Bytes, usize)>,
}

impl<S> ErrorBodies<S> {
    pub(super) fn new(
        inner: S,
        state: Arc<ServerState>,
        connection: Connection,
        tracker: Arc<IdleTracker>,
    ) -> Self {
        Self {
            inner,
            state,
            connection,
            tracker,
            replacement: None,
        }
    }

    /// Inspects what is about to be written. Cheap for everything that is longer than a bare error response.
    fn inspect(&mut self, written: &[u8]) {
        if self.replacement.is_none()
            && written.len() <= MAX_BARE_RESPONSE
            && let Some(status) = bare_status(written)
            && self.tracker.is_idle()
        {
            let response = error_response(&self.state, self.connection, status);
            self.replacement = Some((response, written.len()));
        }
    }
}

impl<S: AsyncWrite + Unpin> ErrorBodies<S> {
    /// Writes the replacement; ready with the length of what it replaces, which the library expects.
    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some((response, replaced)) = &mut self.replacement else {
            return Poll::Ready(Ok(0));
        };
        while response.has_remaining() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, response))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            response.advance(written);
        }
        let replaced = *replaced;
        self.replacement = None;
        Poll::Ready(Ok(replaced))
    }
}

/// The whole response to bytes that are no request.
fn error_response(state: &ServerState, connection: Connection, status: u16) -> Bytes {
    let mut more = HeaderMap::new();
    let config = state.config();
    let client = Client::of(connection, &more, &config.listen);
    let id = state.ids.of(&more, &client);
    let problem = Problem::unreadable(status);
    Scope::new(id.header_value(), None).within(|| {
        let response = problem.clone().into_response();
        access_log::record(&state.meter, "other", &response, &client, Duration::ZERO);
    });
    headers::set_common_headers(&mut more, &client, &id);
    problem.to_http1_bytes(more)
}

/// The status of an error response in exactly the form in which the library writes one.
fn bare_status(written: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(written).ok()?.strip_prefix("HTTP/1.")?;
    let mut lines = text.strip_suffix("\r\n\r\n")?.split("\r\n");
    let (_, status) = lines.next()?.split_once(' ')?;
    let bare = lines
        .all(|line| matches!(line, "connection: close" | "content-length: 0") || line.starts_with("date: "));
    let status = status.get(..3)?.parse().ok()?;
    (bare && matches!(status, 400 | 414 | 431)).then_some(status)
}

impl<S: AsyncRead + Unpin> AsyncRead for ErrorBodies<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ErrorBodies<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inspect(buf);
        if self.replacement.is_some() {
            return self.poll_replacement(cx);
        }
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = bufs.iter().filter(|buf| !buf.is_empty());
        if let (Some(only), None) = (filled.next(), filled.next()) {
            self.inspect(only);
        }
        if self.replacement.is_some() {
            return self.poll_replacement(cx);
        }
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
