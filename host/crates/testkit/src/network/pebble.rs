//! A certificate authority that speaks ACME: Let's Encrypt's `pebble`, with a name server that sends every name to this
//! machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::files;
use crate::ports;
use crate::wait;

/// A running authority.
pub struct Pebble {
    folder: PathBuf,
    directory: SocketAddr,
    management: SocketAddr,
    names: SocketAddr,
    programs: Vec<Child>,
}

impl Pebble {
    /// The authority, looking for proofs at this port; none, and said so, where it is not installed. Certificates are
    /// valid for so many seconds.
    pub async fn start(folder: &Path, tls_port: u16, valid_seconds: u64) -> Option<Self> {
        for program in ["pebble", "pebble-challtestsrv"] {
            if !is_installed(program) {
                eprintln!("skipped: {program} is not installed here (apt-get install pebble)");
                return None;
            }
        }
        let made =
            faxgate_edge::tls::self_signed(&["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("made");
        let folder = folder.join("pebble");
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::write(folder.join("ca.pem"), &made.cert_pem).expect("certificate");
        std::fs::write(folder.join("key.pem"), made.key_pem.reveal()).expect("key");
        let (directory, management, names) = (ports::reserve(), ports::reserve(), ports::reserve());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": directory.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": folder.join("ca.pem"),
            "privateKey": folder.join("key.pem"),
            "httpPort": 1,
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": valid_seconds,
            "profiles": { "default": { "description": "the only one", "validityPeriod": valid_seconds } },
        }});
        std::fs::write(folder.join("config.json"), config.to_string()).expect("configuration");
        let mut pebble = Self {
            folder,
            directory,
            management,
            names,
            programs: Vec::new(),
        };
        pebble.begin().await;
        Some(pebble)
    }

    /// Starts it, again after [`Pebble::stop`]: with the same addresses, without any memory.
    pub async fn begin(&mut self) {
        let names = self.names.to_string();
        let servers = ["-dns01", &names, "-http01", "", "-https01", "", "-tlsalpn01", ""];
        let management = ports::reserve().to_string();
        let answers = [
            "-management",
            &management,
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
        ];
        let server = self.spawn("pebble-challtestsrv", &[servers.as_slice(), &answers].concat());
        let config = self.folder.join("config.json").display().to_string();
        let pebble = self.spawn("pebble", &["-config", &config, "-dnsserver", &names]);
        self.programs = vec![server, pebble];
        wait::until("the authority to answer", || async { self.root().await }).await;
    }

    fn spawn(&self, program: &str, arguments: &[&str]) -> Child {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .expect("log");
        Command::new(program)
            .args(arguments)
            // It would wait some seconds before each look, and refuse some good requests for practice.
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "5")])
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log"))
            .stderr(log)
            .spawn()
            .expect("start")
    }

    /// Ends it; what it knew is lost.
    pub fn stop(&mut self) {
        for mut program in self.programs.drain(..) {
            let _ = program.kill();
            let _ = program.wait();
        }
    }

    /// Where ACME begins.
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.directory.port())
    }

    /// The certificate with which its own interface proves itself.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The root of the certificates it gives, PEM.
    pub async fn root(&self) -> Option<String> {
        let pem = std::fs::read(self.ca_file()).expect("certificate");
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem).expect("certificate")])
            .build()
            .expect("client");
        let url = format!("https://localhost:{}/roots/0", self.management.port());
        client.get(url).send().await.ok()?.text().await.ok()
    }

    /// How often its log says something.
    pub fn said(&self, text: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains(text)).count()
    }

    /// Everything it said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether a program can be found.
pub fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// Every file of a folder with its mode.
pub fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| path.metadata().expect("file").permissions().mode() & 0o777;
    let files = files::below(folder).into_iter();
    files.map(|(path, _)| (path.clone(), mode(&path))).collect()
}
