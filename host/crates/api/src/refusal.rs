//! What HTTP/1 refuses before it is a request: the answer gets a body, a request id and the headers that every
//! other answer has.
//!
//! The HTTP library writes such an answer itself, with an empty body and without asking anybody. It is recognised on
//! its way out, when no request is under way, by its exact form, and replaced.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::client::Connection;
use super::edge;
use super::server::Inner;

/// The library's own refusals are no longer than this.
const LONGEST: usize = 256;

/// A stream on which refusals say what is wrong.
pub(super) struct Refusals<S> {
    inner: S,
    server: Arc<Inner>,
    connection: Connection,
    activity: Arc<Activity>,
    /// What goes out instead, and for how many bytes it stands.
    instead: Option<(Bytes, usize)>,
}

impl<S> Refusals<S> {
    pub(super) fn new(inner: S, server: Arc<Inner>, connection: Connection, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            server,
            connection,
            activity,
            instead: None,
        }
    }

    /// Looks at what is about to be written. Cheap for everything that is longer than a bare refusal.
    fn inspect(&mut self, written: &[u8]) {
        if self.instead.is_none()
            && written.len() <= LONGEST
            && let Some(status) = bare_status(written)
            && self.activity.is_idle()
        {
            let answer = edge::refuse_unread(&self.server.edge, self.connection, status);
            self.instead = Some((answer, written.len()));
        }
    }
}

impl<S: AsyncWrite + Unpin> Refusals<S> {
    /// Writes what goes out instead; ready with the length that the library thinks it has written.
    fn poll_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some((answer, stands_for)) = &mut self.instead else {
            return Poll::Ready(Ok(0));
        };
        while answer.has_remaining() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, answer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            answer.advance(written);
        }
        let stands_for = *stands_for;
        self.instead = None;
        Poll::Ready(Ok(stands_for))
    }
}

/// The status of a refusal in exactly the form in which the library writes one.
fn bare_status(written: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(written).ok()?.strip_prefix("HTTP/1.")?;
    let mut lines = text.strip_suffix("\r\n\r\n")?.split("\r\n");
    let (_, status) = lines.next()?.split_once(' ')?;
    let bare = lines
        .all(|line| matches!(line, "connection: close" | "content-length: 0") || line.starts_with("date: "));
    let status = status.get(..3)?.parse().ok()?;
    (bare && matches!(status, 400 | 414 | 431)).then_some(status)
}

impl<S: AsyncRead + Unpin> AsyncRead for Refusals<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Refusals<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inspect(buf);
        if self.instead.is_some() {
            return self.poll_instead(cx);
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
        if self.instead.is_some() {
            return self.poll_instead(cx);
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
mod tests {
    use super::*;

    #[test]
    fn only_the_librarys_own_refusals_are_replaced() {
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\
                    date: Mon, 01 Jan 2029 00:00:00 GMT\r\n\r\n";
        assert_eq!(bare_status(bare.as_bytes()), Some(431));
        for other in [
            bare.replace("431", "200"),
            bare.replace("date:", "x-request-id: a\r\ndate:"),
            bare.replace("content-length: 0", "content-length: 1"),
            format!("{bare}x"),
            format!("x{bare}"),
        ] {
            assert_eq!(bare_status(other.as_bytes()), None, "{other}");
        }
    }
}
