//! `faxgate health`: asks the service that has this configuration, for container health checks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::output::{errln, outln};
use super::settings::Settings;
use faxgate_config::Config;

/// A service that takes longer is not well.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Arguments of `faxgate health`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Ask whether it can do its work, not only whether it is alive
    #[arg(long)]
    ready: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.settings.load()?.config;
    let path = if args.ready { "/health/ready" } else { "/health" };
    let (scheme, listener) = address(&config)?;
    let listener = match speaks_for_itself(&config, listener) {
        true => announce(listener).await?,
        false => listener,
    };
    let url = format!("{scheme}://{listener}{path}");
    // The certificate is not looked at: the question goes to this machine, whose name it need not carry.
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .danger_accept_invalid_certs(true)
        .no_proxy()
        .build()?;
    let answer = client
        .get(&url)
        .send()
        .await
        .with_context(|| format!("{url} does not answer"))?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    if status.is_success() {
        outln!("{body}");
        return Ok(ExitCode::SUCCESS);
    }
    errln!("{status}: {body}");
    Ok(ExitCode::FAILURE)
}

/// Scheme and address of a listener of the service.
fn address(config: &Config) -> anyhow::Result<(&'static str, SocketAddr)> {
    let (scheme, listener) = match (config.listen.http, config.listen.https) {
        (Some(listener), _) => ("http", listener),
        (None, Some(listener)) => ("https", listener),
        (None, None) => bail!("no listener is configured"),
    };
    if listener.port() == 0 {
        bail!("the listener's port is 0: nobody knows which one the service took");
    }
    Ok((scheme, reachable(listener)))
}

/// Whether the listener takes this machine for a proxy, and so expects the PROXY protocol from it.
fn speaks_for_itself(config: &Config, listener: SocketAddr) -> bool {
    // A connection to an own address comes from that address.
    let source = listener.ip();
    config.listen.proxy_protocol
        && config
            .listen
            .trusted_proxies
            .iter()
            .any(|net| net.contains(&source))
}

/// A port of this machine that leads to the listener, with the header of a proxy that checks its health.
async fn announce(listener: SocketAddr) -> anyhow::Result<SocketAddr> {
    const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let relay = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = relay.local_addr()?;
    tokio::spawn(async move {
        let (mut client, _) = relay.accept().await?;
        let mut service = TcpStream::connect(listener).await?;
        service.write_all(LOCAL).await?;
        tokio::io::copy_bidirectional(&mut client, &mut service).await
    });
    Ok(address)
}

/// A service on every address is on the loopback one too.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use faxgate_config::load;
    use faxgate_config::source::Fixed;

    #[test]
    fn the_question_goes_to_this_machine() {
        let ask = |http: &str, https: &str| {
            let config = load(
                &Fixed::variables([("HTTP_LISTEN", http), ("HTTPS_LISTEN", https)]),
                None,
            );
            let config = config.expect("valid").config;
            let asked = address(&config);
            asked
                .ok()
                .map(|(scheme, listener)| format!("{scheme}://{listener}"))
        };
        assert_eq!(ask("0.0.0.0:8080", "").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(ask("", "[::]:443").as_deref(), Some("https://[::1]:443"));
        assert_eq!(ask("127.0.0.1:0", ""), None);
    }
}
