//! A TCP proxy between two programs that breaks, slows or holds connections.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does to connections. Those that are open when it changes break.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fault {
    /// Accept and close at once.
    pub refuse: bool,
    /// Break after so many bytes towards the server.
    pub cut_request_after: Option<usize>,
    /// Break after so many bytes towards the client.
    pub cut_answer_after: Option<usize>,
    /// Hold each piece of an answer this long.
    pub delay: Option<Duration>,
    /// Swallow answers: the client waits for ever.
    pub swallow_answers: bool,
}

/// A proxy on loopback; ends with this value.
pub struct ChaosProxy {
    /// Where it listens.
    pub addr: SocketAddr,
    fault: watch::Sender<Fault>,
    task: JoinHandle<()>,
}

impl ChaosProxy {
    /// A proxy to `server` without a fault.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let addr = listener.local_addr().expect("address");
        let (fault, changes) = watch::channel(Fault::default());
        let task = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else {
                    continue;
                };
                let mut changes = changes.clone();
                let fault = *changes.borrow_and_update();
                if fault.refuse {
                    continue;
                }
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(client, server, fault) => {}
                        _ = changes.changed() => {}
                    }
                });
            }
        });
        Self { addr, fault, task }
    }

    /// Applies a fault; connections that are open break.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Ends the fault.
    pub fn heal(&self) {
        self.set(Fault::default());
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, fault: Fault) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = copy(
        &mut from_client,
        &mut to_server,
        fault.cut_request_after,
        None,
        false,
    );
    let answers = copy(
        &mut from_server,
        &mut to_client,
        fault.cut_answer_after,
        fault.delay,
        fault.swallow_answers,
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
