//! The TCP socket of a connection: a write that the client does not read fails after a time, and closing waits for a
//! client that is still sending (what nginx calls `lingering_close`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::timeouts::Timeouts;

/// Reads of discarded input before the next pause.
const LINGER_READS: u32 = 8;
/// Most bytes of one such read.
const LINGER_READ_BYTES: usize = 8 * 1024;
/// The pause after them. It limits discarded input to 12.5 MiB a second, so that a client that goes on sending after it
/// was refused takes little processor time from others.
const LINGER_PAUSE: Duration = Duration::from_millis(5);

/// A socket with limits on how long it waits.
#[derive(Debug)]
pub(crate) struct Socket<S = TcpStream> {
    inner: S,
    write: Duration,
    linger: Duration,
    close: Duration,
    write_deadline: Option<Pin<Box<Sleep>>>,
    closing: Closing,
    at_end: bool,
    unread: UnreadInput,
}

/// Whether a client may still be sending a request body that will not be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnreadInput(Arc<AtomicBool>);

#[derive(Debug)]
enum Closing {
    No,
    /// The sending side is closed. Input is read and discarded: with unread input the kernel would answer with a reset,
    /// and the client would lose the last response.
    Lingering {
        until: Instant,
        idle: Pin<Box<Sleep>>,
        pause: Option<Pin<Box<Sleep>>>,
    },
    Done,
}

impl UnreadInput {
    /// A body was not read to its end: closing must wait for its sender.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> Socket<S> {
    pub(crate) fn new(inner: S, timeouts: &Timeouts, unread: UnreadInput) -> Self {
        Self {
            inner,
            write: timeouts.write,
            linger: timeouts.linger,
            close: timeouts.close,
            write_deadline: None,
            closing: Closing::No,
            at_end: false,
            unread,
        }
    }

    /// Passes the result of a write on, and fails a write of which the client has read nothing for too long.
    fn limited<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let write = self.write;
        let deadline = self
            .write_deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(write)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client does not read its response",
        )))
    }
}

impl<S: AsyncRead + Unpin> Socket<S> {
    /// Whether there is unread input: closing the socket would send a reset.
    fn has_input(&mut self, cx: &mut Context<'_>) -> bool {
        let mut buffer = [0_u8; LINGER_READ_BYTES];
        let mut buffer = ReadBuf::new(&mut buffer);
        let read = Pin::new(&mut self.inner).poll_read(cx, &mut buffer);
        matches!(read, Poll::Ready(Ok(()))) && !buffer.filled().is_empty()
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger;
        let Closing::Lingering { until, idle, pause } = &mut self.closing else {
            return Poll::Ready(());
        };
        let mut buffer = [0_u8; LINGER_READ_BYTES];
        loop {
            if let Some(wait) = pause {
                ready!(wait.as_mut().poll(cx));
                *pause = None;
            }
            for _ in 0..LINGER_READS {
                let mut buffer = ReadBuf::new(&mut buffer);
                match Pin::new(&mut self.inner).poll_read(cx, &mut buffer) {
                    Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return idle.as_mut().poll(cx),
                }
                let now = Instant::now();
                if now >= *until {
                    return Poll::Ready(());
                }
                idle.as_mut().reset((now + linger).min(*until));
            }
            *pause = Some(Box::pin(tokio::time::sleep(LINGER_PAUSE)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let room = buf.remaining() > 0;
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.at_end |= room && buf.filled().len() == before;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.limited(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.limited(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.closing, Closing::No) {
            let closed = Pin::new(&mut self.inner).poll_shutdown(cx);
            ready!(self.limited(cx, closed))?;
            let sending = !self.at_end && (self.unread.is_set() || self.has_input(cx));
            self.closing = if !sending {
                Closing::Done
            } else {
                Closing::Lingering {
                    until: Instant::now() + self.close,
                    idle: Box::pin(tokio::time::sleep(self.linger)),
                    pause: None,
                }
            };
        }
        ready!(self.poll_linger(cx));
        self.closing = Closing::Done;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
