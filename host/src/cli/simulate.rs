//! `faxgate serve --simulate`: the configured service with a simulated provider in place of the real one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::anyhow;
use url::{Host, Url};

use super::output::outln;
use super::settings::Settings;
use faxgate_config::source::{Process, Source};
use faxgate_config::{Config, Loaded};
use faxgate_simulator::{RunningSimulator, Simulator, SimulatorConfig};

/// How much faster than the real provider the simulated one works.
const TIME_SCALE: f64 = 8.0;

/// A running simulated provider and the variables that lead the service to it.
pub(super) struct Simulation {
    simulator: RunningSimulator,
    variables: BTreeMap<String, OsString>,
}

impl Simulation {
    /// Starts the simulator at `address`. `config` says where it fetches documents and delivers callbacks.
    ///
    /// # Errors
    /// When the address is taken.
    pub(super) async fn start(address: SocketAddr, config: &Config) -> anyhow::Result<Self> {
        let public_url = local_url(config);
        let base = public_url
            .as_ref()
            .unwrap_or(&config.public_url)
            .as_str()
            .trim_end_matches('/')
            .to_owned();
        let account = SimulatorConfig::default();
        let mut variables = BTreeMap::from([
            ("PHAXIO_API_KEY".to_owned(), account.api_key.clone().into()),
            ("PHAXIO_API_SECRET".to_owned(), account.api_secret.clone().into()),
            (
                "PHAXIO_CALLBACK_TOKEN".to_owned(),
                account.callback_token.clone().unwrap_or_default().into(),
            ),
        ]);
        if public_url.is_some() {
            variables.insert("PUBLIC_API_URL".to_owned(), base.clone().into());
            for name in ["PHAXIO_CALLBACK_URL", "PHAXIO_STATUS_CALLBACK_URL"] {
                variables.insert(name.to_owned(), OsString::new());
            }
        }
        let simulator = Simulator::start(SimulatorConfig {
            listen: address,
            time_scale: TIME_SCALE,
            inbound_url: Some(format!("{base}/phaxio-inbound")),
            // It talks to this machine only, where a certificate for another name is usual.
            accept_invalid_certs: true,
            ..account
        })
        .await
        .map_err(|error| {
            anyhow!(
                "the simulator cannot listen on {address}: {error}; give another address with --simulate=ADDR"
            )
        })?;
        variables.insert("PHAXIO_API_URL".to_owned(), simulator.api_url().into());
        Ok(Self { simulator, variables })
    }

    /// The configuration with the simulated provider.
    ///
    /// # Errors
    /// With every problem on a line of its own.
    pub(super) fn load(&self, settings: &Settings) -> anyhow::Result<Loaded> {
        settings.load_from(self)
    }

    /// Prints what can be done now, as lines to copy.
    pub(super) fn explain(&self, config: &Config, settings: &Settings) -> anyhow::Result<()> {
        let program = std::env::current_exe()?;
        let program = program.display();
        let file = settings
            .file()
            .map_or_else(String::new, |file| format!(" --config {}", file.display()));
        let account = SimulatorConfig::default();
        let url = config.public_url.as_str().trim_end_matches('/');
        let local = if config.public_url.scheme() == "https" {
            " --insecure"
        } else {
            ""
        };
        outln!(
            "Simulated provider: {} (nothing is dialled)",
            self.simulator.api_url()
        );
        outln!("Make a key:");
        outln!(
            "   export FAXGATE_API_KEY=$({program} keys create{file} --name me --scopes 'fax:send,fax:read,inbound:list,inbound:read')"
        );
        outln!("Send a fax:");
        outln!("   {program} send --url {url}{local} --wait --to +12125550142 FILE");
        outln!("Let a fax arrive, when inbound.enabled is true:");
        outln!(
            "   curl -u {}:{} -F direction=received -F from_number=+12125550177 -F to_number=+12125550100 -F file=@FILE.pdf {}/faxes",
            account.api_key,
            account.api_secret,
            self.simulator.api_url()
        );
        Ok(())
    }

    /// Ends the simulator.
    pub(super) async fn stop(self) {
        self.simulator.shutdown().await;
    }
}

/// The process, except for what leads to the provider.
impl Source for Simulation {
    fn variable(&self, name: &str) -> Option<OsString> {
        // A secret from a file would contradict the one given here.
        let file_of = name.strip_suffix("_FILE").unwrap_or(name);
        match self.variables.get(name) {
            Some(value) => Some(value.clone()),
            None if self.variables.contains_key(file_of) => None,
            None => Process.variable(name),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Process.read(path)
    }

    fn terminal(&self) -> bool {
        Process.terminal()
    }
}

/// The address of a listener on this machine, when the public URL leads elsewhere.
fn local_url(config: &Config) -> Option<Url> {
    let local = match config.public_url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    let (scheme, address) = match (config.listen.http, config.listen.https) {
        (Some(address), _) if address.ip().is_loopback() => ("http", address),
        (_, Some(address)) => ("https", address),
        (Some(address), None) => ("http", address),
        (None, None) => return None,
    };
    if address.port() == 0 || (local && config.public_url.port_or_known_default() == Some(address.port())) {
        return None;
    }
    let host = match address.ip() {
        ip if scheme == "https" && (ip.is_loopback() || ip.is_unspecified()) => "localhost".to_owned(),
        IpAddr::V6(ip) if !ip.is_unspecified() => format!("[{ip}]"),
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        ip => ip.to_string(),
    };
    format!("{scheme}://{host}:{}", address.port()).parse().ok()
}
