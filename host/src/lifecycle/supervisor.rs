//! Telling systemd how it stands (`sd_notify(3)`), where systemd started us.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tokio::time::Interval;

/// Sends `state`, for example `READY=1`. Without a supervisor, or when it doesn't listen, nothing happens.
pub(super) fn tell(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let sent = UnixDatagram::unbound().and_then(|from| {
        // A leading @ stands for the abstract name space.
        match socket.to_str().and_then(|name| name.strip_prefix('@')) {
            Some(name) => {
                use std::os::linux::net::SocketAddrExt as _;
                let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
                from.send_to_addr(state.as_bytes(), &address)
            }
            None => from.send_to(state.as_bytes(), &socket),
        }
    });
    if let Err(error) = sent {
        tracing::debug!(%error, "the supervisor could not be told");
    }
}

/// The rhythm in which the supervisor wants to hear that we live (`WATCHDOG_USEC`).
#[derive(Debug)]
pub(super) struct Watchdog(Option<Interval>);

impl Watchdog {
    /// Half the time the supervisor allows; never, when it asks for none.
    pub(super) fn new() -> Self {
        let allowed = std::env::var("WATCHDOG_USEC")
            .ok()
            .and_then(|text| text.parse().ok());
        let period = allowed
            .map(Duration::from_micros)
            .map(|span| span / 2)
            .filter(|span| !span.is_zero());
        Self(period.map(tokio::time::interval))
    }

    /// Waits until it is time.
    pub(super) async fn due(&mut self) {
        match &mut self.0 {
            Some(interval) => drop(interval.tick().await),
            None => std::future::pending().await,
        }
    }
}
