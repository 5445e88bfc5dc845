//! The TCP socket under a connection: a write that the client never takes fails, and closing waits for a client
//! that is still sending.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::timeouts::Timeouts;

/// Reads of what nobody wants any more, before others get their turn.
const SCRAPS: u32 = 8;
/// Most bytes of one.
const SCRAP: usize = 8 * 1024;
/// The wait after them: whoever goes on sending after it was refused (12.5 MiB a second at most) takes no processor from
/// others for it.
const BREATH: Duration = Duration::from_millis(5);

/// A socket with limits on how long it waits.
#[derive(Debug)]
pub(super) struct Socket<S = TcpStream> {
    inner: S,
    write: Duration,
    linger: Duration,
    close: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    closing: Closing,
    at_end: bool,
    unread: Unread,
}

/// Says that a client may still be sending what we won't read.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

#[derive(Debug)]
enum Closing {
    No,
    /// Our side is closed; what still comes is read and dropped, so that the kernel doesn't answer it with a
    /// reset that takes our last answer away from the client.
    Lingering {
        until: Instant,
        quiet: Pin<Box<Sleep>>,
        breath: Option<Pin<Box<Sleep>>>,
    },
    Done,
}

impl Unread {
    /// A body was refused: closing must wait for its sender.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> Socket<S> {
    pub(super) fn new(inner: S, timeouts: &Timeouts, unread: Unread) -> Self {
        Self {
            inner,
            write: timeouts.write,
            linger: timeouts.linger,
            close: timeouts.close,
            stalled: None,
            closing: Closing::No,
            at_end: false,
            unread,
        }
    }

    /// Passes a write on, and fails it when the client has not taken anything for too long.
    fn limited<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let write = self.write;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(write)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client does not take its answer",
        )))
    }
}

impl<S: AsyncRead + Unpin> Socket<S> {
    /// Whether the client has sent something that nobody has read: closing on it would be a reset.
    fn has_input(&mut self, cx: &mut Context<'_>) -> bool {
        let mut scrap = [0_u8; SCRAP];
        let mut scrap = ReadBuf::new(&mut scrap);
        let read = Pin::new(&mut self.inner).poll_read(cx, &mut scrap);
        matches!(read, Poll::Ready(Ok(()))) && !scrap.filled().is_empty()
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger;
        let Closing::Lingering { until, quiet, breath } = &mut self.closing else {
            return Poll::Ready(());
        };
        let mut scrap = [0_u8; SCRAP];
        loop {
            if let Some(wait) = breath {
                ready!(wait.as_mut().poll(cx));
                *breath = None;
            }
            for _ in 0..SCRAPS {
                let mut scrap = ReadBuf::new(&mut scrap);
                match Pin::new(&mut self.inner).poll_read(cx, &mut scrap) {
                    Poll::Ready(Ok(())) if !scrap.filled().is_empty() => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return quiet.as_mut().poll(cx),
                }
                let now = Instant::now();
                if now >= *until {
                    return Poll::Ready(());
                }
                quiet.as_mut().reset((now + linger).min(*until));
            }
            *breath = Some(Box::pin(tokio::time::sleep(BREATH)));
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
                    quiet: Box::pin(tokio::time::sleep(self.linger)),
                    breath: None,
                }
            };
        }
        ready!(self.poll_linger(cx));
        self.closing = Closing::Done;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn limits() -> Timeouts {
        Timeouts {
            write: Duration::from_millis(20),
            linger: Duration::from_millis(20),
            close: Duration::from_secs(5),
            ..Timeouts::default()
        }
    }

    fn refused() -> Unread {
        let unread = Unread::default();
        unread.set();
        unread
    }

    #[tokio::test]
    async fn closing_waits_for_nobody_who_has_nothing_to_say() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let limits = Timeouts {
            linger: Duration::MAX,
            ..limits()
        };
        let mut socket = Socket::new(ours, &limits, Unread::default());
        socket.shutdown().await.expect("closed");
    }

    #[tokio::test]
    async fn a_write_that_nobody_takes_fails() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut socket = Socket::new(ours, &limits(), Unread::default());
        let error = socket.write_all(&[0; 64]).await.expect_err("stalled");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn closing_reads_on_until_the_client_is_done() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut socket = Socket::new(
            ours,
            &Timeouts {
                linger: Duration::from_secs(60),
                ..limits()
            },
            refused(),
        );
        let client = tokio::spawn(async move {
            theirs.write_all(&[1; 4096]).await.expect("taken");
            let mut answer = Vec::new();
            theirs.shutdown().await.expect("closed");
            theirs.read_to_end(&mut answer).await.expect("answer");
            answer
        });
        socket.write_all(b"no").await.expect("written");
        socket.shutdown().await.expect("closed");
        drop(socket);
        assert_eq!(client.await.expect("client"), b"no");
    }

    /// Sends whatever is taken, without end.
    struct Endless(Arc<std::sync::atomic::AtomicUsize>);

    impl AsyncRead for Endless {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.0.fetch_add(buf.remaining(), Ordering::Relaxed);
            let room = buf.initialize_unfilled().len();
            buf.advance(room);
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Endless {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn closing_reads_no_faster_than_it_has_to() {
        let taken = Arc::default();
        let limits = Timeouts {
            close: Duration::from_millis(300),
            ..limits()
        };
        let mut socket = Socket::new(Endless(Arc::clone(&taken)), &limits, refused());
        let began = Instant::now();
        socket.shutdown().await.expect("closed");
        let rounds = taken.load(Ordering::Relaxed).div_ceil(SCRAP * SCRAPS as usize);
        let most = began.elapsed().as_micros() / BREATH.as_micros() + 1;
        assert!(rounds > 1 && rounds as u128 <= most, "{rounds} of {most}");
    }

    #[tokio::test]
    async fn closing_does_not_wait_for_a_silent_client_for_ever() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut socket = Socket::new(ours, &limits(), refused());
        socket.shutdown().await.expect("closed");
    }
}
