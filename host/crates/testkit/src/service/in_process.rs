//! The service in this process, on a clock that tests move and a disk with power cuts: its database, dispatcher, use cases
//! and HTTP, with the built-in policies; and the provider beside it on the same clock.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use faxgate::compose::{self, Environment, Service};
use faxgate_base::clock::Clock;
use faxgate_config::Config;
use faxgate_config::source::Fixed;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::Job;
use faxgate_edge::Listener;
use faxgate_policy::Plugins;
use faxgate_simulator::SimulatorConfig;
use faxgate_store::{JobFilter, PageRequest, Store, StoreOptions};
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::rng::TestRng;
use crate::service::client::Client;
use crate::service::installation::{API_KEY, API_SECRET, BOOTSTRAP, CALLBACK_TOKEN};
use crate::service::provider::Provider;
use crate::storage::power_cut_disk::PowerCutDisk;
use crate::{paths, ports};

/// Compiled once for all services of this process.
static PLUGINS: OnceLock<Plugins> = OnceLock::new();

/// A service that can be taken down at any moment, and its provider.
pub struct InProcessService {
    /// The clock of the service.
    pub clock: Clock,
    /// The provider.
    pub provider: Provider,
    /// The holder of the bootstrap key.
    pub client: Client,
    /// Where the test itself and the provider run.
    pub outside: Runtime,
    config: Config,
    address: SocketAddr,
    disk: PowerCutDisk,
    running: Option<Running>,
    _folder: TempDir,
}

struct Running {
    runtime: Runtime,
    service: Service,
}

impl InProcessService {
    /// With these variables beside the usual ones, and running.
    pub fn open(variables: &[(&str, &str)]) -> Self {
        let outside = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("runtime");
        let folder = tempfile::tempdir().expect("folder");
        let address = ports::reserve();
        let provider = SimulatorConfig {
            api_key: API_KEY.to_owned(),
            api_secret: API_SECRET.to_owned(),
            callback_token: Some(CALLBACK_TOKEN.to_owned()),
            // Its time is moved by the test; by itself it hardly passes.
            time_scale: 1.0,
            ..SimulatorConfig::default()
        };
        let provider = outside.block_on(Provider::start(provider));
        let config = configuration(&folder, address, &provider.api_url(), variables);
        PLUGINS.get_or_init(|| outside.block_on(plugins(&config)));
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .expect("client");
        let mut service = Self {
            clock: Clock::system(),
            provider,
            client: Client::new(http, &format!("http://{address}"), Some(BOOTSTRAP)),
            outside,
            config,
            address,
            disk: PowerCutDisk::default(),
            running: None,
            _folder: folder,
        };
        service.start();
        service
    }

    /// Starts it on what the disk has.
    pub fn start(&mut self) {
        assert!(self.running.is_none(), "it runs");
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("runtime");
        let options = StoreOptions::default();
        let store = Store::open_backend_with(self.disk.clone(), self.clock.clone(), options)
            .expect("a sound database");
        let environment = Environment {
            clock: self.clock.clone(),
            store: Some(store),
            plugins: PLUGINS.get().cloned(),
            ..Environment::default()
        };
        let service = runtime.block_on(serve(self.config.clone(), self.address, environment));
        self.running = Some(Running { runtime, service });
    }

    /// The power goes: whatever it was at ends where it is, and the disk keeps what was synced.
    pub fn cut(&mut self, rng: &mut TestRng) {
        let running = self.running.take().expect("it runs");
        self.disk = self.disk.cut(rng);
        drop(running.service);
        running.runtime.shutdown_timeout(Duration::from_secs(20));
    }

    /// The process dies: the disk keeps what was written.
    pub fn kill(&mut self) {
        let running = self.running.take().expect("it runs");
        drop(running.service);
        running.runtime.shutdown_timeout(Duration::from_secs(20));
    }

    /// The database while nothing runs on it.
    pub fn closed(&self) -> Store {
        assert!(self.running.is_none(), "it runs");
        Store::open_backend(self.disk.clone(), self.clock.clone()).expect("a sound database")
    }

    /// Lets `seconds` pass for both sides, and the work that is due then begin.
    pub fn pass(&self, seconds: u32) {
        self.outside.block_on(self.provider.advance(u64::from(seconds)));
        self.clock.shift(SignedDuration::from_secs(i64::from(seconds)));
        self.breathe(2);
    }

    /// Lets what is under way get on for some real milliseconds.
    pub fn breathe(&self, milliseconds: u64) {
        self.outside
            .block_on(async move { tokio::time::sleep(Duration::from_millis(milliseconds)).await });
    }

    /// The records.
    pub fn store(&self) -> &Store {
        self.running.as_ref().expect("it runs").service.store()
    }

    /// Every job.
    pub fn jobs(&self) -> Vec<Job> {
        let all = PageRequest {
            limit: 1000,
            cursor: None,
        };
        self.outside
            .block_on(self.store().jobs(&JobFilter::default(), &all))
            .expect("jobs")
            .items
    }

    /// One job.
    pub fn job(&self, id: JobId) -> Option<Job> {
        self.outside
            .block_on(self.store().job(id))
            .expect("a readable job")
    }
}

fn configuration(folder: &TempDir, address: SocketAddr, api_url: &str, more: &[(&str, &str)]) -> Config {
    let (data, public, http) = (
        folder.path().to_string_lossy().into_owned(),
        format!("http://{address}"),
        address.to_string(),
    );
    let cache = paths::scratch().join("policies").to_string_lossy().into_owned();
    let mut variables = vec![
        ("FAX_DATA_DIR", data.as_str()),
        ("PUBLIC_API_URL", public.as_str()),
        ("HTTP_LISTEN", http.as_str()),
        ("API_KEY", BOOTSTRAP),
        ("PHAXIO_API_KEY", API_KEY),
        ("PHAXIO_API_SECRET", API_SECRET),
        ("PHAXIO_CALLBACK_TOKEN", CALLBACK_TOKEN),
        ("PHAXIO_API_URL", api_url),
        ("PHAXIO_REQUESTS_PER_SECOND", "100"),
        ("PHAXIO_TIMEOUT_SECONDS", "5"),
        // The longest: a clock that jumps must not close a fax.
        ("JOB_DEADLINE_SECONDS", "2592000"),
        ("PDF_TOKEN_TTL_MINUTES", "10080"),
        ("PLUGIN_CACHE_DIR", cache.as_str()),
    ];
    variables.extend(more);
    faxgate_config::load(&Fixed::variables(variables), None)
        .expect("a good configuration")
        .config
}

async fn plugins(config: &Config) -> Plugins {
    Plugins::load(&config.plugins, compose::grants(config))
        .await
        .expect("policies")
}

/// Lets the service run in the runtime of the caller, without retention, watchers and control socket.
async fn serve(config: Config, address: SocketAddr, environment: Environment) -> Service {
    // The port was ours a moment ago.
    let http = loop {
        match Listener::bind(address, None) {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    };
    let environment = Environment {
        http: Some(http),
        ..environment
    };
    let mut service = compose::build(config, environment).await.expect("a service");
    service.start_dispatcher();
    service.listen();
    service
}
