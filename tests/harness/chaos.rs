//! A line between two programs that can be cut, slowed or held.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the line does to connections. Those that stand when it changes break.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Accept and close at once.
    pub(crate) refuse: bool,
    /// Break after so many bytes towards the server.
    pub(crate) cut_request_after: Option<usize>,
    /// Break after so many bytes towards the client.
    pub(crate) cut_answer_after: Option<usize>,
    /// Hold each piece of an answer this long.
    pub(crate) delay: Option<Duration>,
    /// Swallow answers: the client waits for ever.
    pub(crate) swallow_answers: bool,
}

/// A proxy on loopback; ends with this value.
pub(crate) struct Line {
    pub(crate) addr: SocketAddr,
    trouble: watch::Sender<Trouble>,
    task: JoinHandle<()>,
}

impl Line {
    /// A good line to `server`.
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let addr = listener.local_addr().expect("address");
        let (trouble, changes) = watch::channel(Trouble::default());
        let task = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else {
                    continue;
                };
                let mut changes = changes.clone();
                let trouble = *changes.borrow_and_update();
                if trouble.refuse {
                    continue;
                }
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(client, server, trouble) => {}
                        _ = changes.changed() => {}
                    }
                });
            }
        });
        Self { addr, trouble, task }
    }

    pub(crate) fn set(&self, trouble: Trouble) {
        self.trouble.send_replace(trouble);
    }

    pub(crate) fn heal(&self) {
        self.set(Trouble::default());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, trouble: Trouble) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = copy(
        &mut from_client,
        &mut to_server,
        trouble.cut_request_after,
        None,
        false,
    );
    let answers = copy(
        &mut from_server,
        &mut to_client,
        trouble.cut_answer_after,
        trouble.delay,
        trouble.swallow_answers,
    );
    // Whichever side breaks takes the other with it.
    tokio::select! {
        () = requests => {}
        () = answers => {}
    }
}

async fn copy(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    cut: Option<usize>,
    delay: Option<Duration>,
    swallow: bool,
) {
    let mut left = cut.unwrap_or(usize::MAX);
    let mut piece = vec![0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut piece).await else {
            return;
        };
        if swallow {
            continue;
        }
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        let pass = read.min(left);
        if to.write_all(&piece[..pass]).await.is_err() || to.flush().await.is_err() {
            return;
        }
        left -= pass;
        if left == 0 {
            return;
        }
    }
}
