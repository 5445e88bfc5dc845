//! What keeps a listener from serving, or from serving anybody.

use std::net::{SocketAddr, TcpListener};

use super::Findings;
use crate::cli::output::outln;
use faxgate_config::Config;

/// Looks at both listeners. `running` says that a service of this configuration has them now.
pub(super) fn check(config: &Config, running: bool, found: &mut Findings) {
    let listeners = [
        ("listen.http (HTTP_LISTEN)", config.listen.http),
        ("listen.https (HTTPS_LISTEN)", config.listen.https),
    ];
    for (key, address) in listeners {
        if let Some(address) = address
            && !running
        {
            bindable(key, address, found);
        }
    }
    refuses_everything(config);
}

fn bindable(key: &str, address: SocketAddr, found: &mut Findings) {
    if let Err(error) = TcpListener::bind(address) {
        found.problem(
            key,
            format_args!(
                "cannot listen on {address} ({error}); give another address or end the program that has it"
            ),
        );
    }
}

/// A plain listener for other machines answers only a trusted proxy.
fn refuses_everything(config: &Config) {
    let Some(http) = config.listen.http else { return };
    if !config.enforce_public_https || http.ip().is_loopback() || !config.listen.trusted_proxies.is_empty() {
        return;
    }
    let remedy = match config.listen.https {
        Some(_) => "with a proxy in front",
        None => "or set listen.https (HTTPS_LISTEN)",
    };
    outln!(
        "warning: listen.http (HTTP_LISTEN): {http} answers other machines only /health, since they ask in clear; \
         set listen.trusted_proxies (TRUSTED_PROXIES) {remedy}"
    );
}
