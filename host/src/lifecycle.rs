//! Floor 7: signals, reload and drain.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long requests under way may take after a signal to end.
pub const DRAIN: Duration = Duration::from_secs(30);

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `SIGTERM`, `SIGINT`: finish what is under way and end.
    Stop,
    /// `SIGHUP`: load certificates, plugins and configuration anew.
    Reload,
}

/// The signals the service listens to.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen. From here on a signal no longer ends the process by itself.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next wish.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.hangup.recv() => Wish::Reload,
        }
    }
}
