//! Signals, reload and drain.

pub mod core_dumps;
mod supervisor;

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::compose::Service;
use faxgate_config::Config;
use faxgate_telemetry::otlp;

/// How long requests under way may take after a signal to end.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalAction {
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

    /// Ends with the first wish to stop; a wish to reload is kept for [`Signals::next`].
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The next wish.
    pub async fn next(&mut self) -> SignalAction {
        tokio::select! {
            _ = self.terminate.recv() => SignalAction::Stop,
            _ = self.interrupt.recv() => SignalAction::Stop,
            _ = self.hangup.recv() => SignalAction::Reload,
        }
    }
}

/// Serves until told to stop. `SIGHUP` calls `load` and takes what it gives into force; a configuration that
/// can't be read changes nothing.
pub async fn run(service: Service, mut signals: Signals, load: impl Fn() -> anyhow::Result<Config>) {
    supervisor::notify(&[NotifyState::Ready]);
    let store = service.store().clone();
    let life = supervisor::keep_alive(move || {
        let store = store.clone();
        async move { store.answers().await }
    });
    // While it reloads and while it drains the service lives too.
    tokio::select! {
        () = life => {}
        () = live(service, &mut signals, load) => {}
    }
    otlp::finish().await;
}

async fn live(service: Service, signals: &mut Signals, load: impl Fn() -> anyhow::Result<Config>) {
    while signals.next().await == SignalAction::Reload {
        supervisor::reloading();
        match load() {
            Ok(config) => drop(service.reload(config).await),
            Err(error) => tracing::error!("configuration not loaded anew, the old one stays: {error:#}"),
        }
        supervisor::notify(&[NotifyState::Ready]);
    }
    supervisor::notify(&[NotifyState::Stopping]);
    tokio::select! {
        () = service.stop() => {}
        // A second signal: whoever sends it doesn't want to wait.
        _ = signals.next() => tracing::warn!("second signal received, exiting"),
    }
}
