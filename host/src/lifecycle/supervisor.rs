//! Telling systemd how it stands (`sd_notify(3)`), where systemd started us.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::MissedTickBehavior;

/// Sends a state. Without a supervisor, or when it doesn't listen, nothing happens.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let lines: Vec<String> = states.iter().map(ToString::to_string).collect();
    let message = lines.join("\n");
    let sent = UnixDatagram::unbound().and_then(|from| {
        // A leading @ stands for the abstract name space.
        match socket.to_str().and_then(|name| name.strip_prefix('@')) {
            Some(name) => {
                use std::os::linux::net::SocketAddrExt as _;
                let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
                from.send_to_addr(message.as_bytes(), &address)
            }
            None => from.send_to(message.as_bytes(), &socket),
        }
    });
    if let Err(error) = sent {
        tracing::debug!(%error, "the supervisor could not be told");
    }
}

/// A reload begins: the time lets the supervisor tell this reload's end from an earlier one's.
pub(super) fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    states.extend(NotifyState::monotonic_usec_now().ok());
    notify(&states);
}

/// Says at twice the pace that the supervisor asks for (`WATCHDOG_USEC`) that we live, for as long as it is polled
/// and whenever `alive` says so in time. A service that hangs says nothing, and is started again.
///
/// It asks the runtime and the database, not the network: a crowd that keeps the listeners busy is no reason to be
/// killed.
pub(super) async fn keep_alive<F: Future<Output = bool>>(alive: impl Fn() -> F) {
    let period = sd_notify::watchdog_enabled()
        .map(|span| span / 2)
        .filter(|span| !span.is_zero());
    let Some(period) = period else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if lives(period, alive()).await {
            notify(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("the database does not answer: not telling the watchdog");
        }
    }
}

async fn lives(period: Duration, alive: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(period, alive).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_answers_in_time_lives() {
        assert!(lives(Duration::from_secs(60), async { true }).await);
        assert!(!lives(Duration::from_secs(60), async { false }).await);
        assert!(!lives(Duration::from_millis(1), std::future::pending()).await);
    }
}
