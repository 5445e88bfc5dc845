//! How long writes and closing wait.

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

fn refused() -> UnreadInput {
    let unread = UnreadInput::default();
    unread.set();
    unread
}

#[tokio::test]
async fn closing_does_not_wait_without_unread_input() {
    let (ours, _theirs) = tokio::io::duplex(16);
    let limits = Timeouts {
        linger: Duration::MAX,
        ..limits()
    };
    let mut socket = Socket::new(ours, &limits, UnreadInput::default());
    socket.shutdown().await.expect("closed");
}

#[tokio::test]
async fn a_write_that_the_client_does_not_read_fails() {
    let (ours, _theirs) = tokio::io::duplex(16);
    let mut socket = Socket::new(ours, &limits(), UnreadInput::default());
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
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
    let rounds = taken
        .load(Ordering::Relaxed)
        .div_ceil(LINGER_READ_BYTES * LINGER_READS as usize);
    let most = began.elapsed().as_micros() / LINGER_PAUSE.as_micros() + 1;
    assert!(rounds > 1 && rounds as u128 <= most, "{rounds} of {most}");
}

#[tokio::test]
async fn closing_does_not_wait_for_a_silent_client_for_ever() {
    let (ours, _theirs) = tokio::io::duplex(16);
    let mut socket = Socket::new(ours, &limits(), refused());
    socket.shutdown().await.expect("closed");
}
