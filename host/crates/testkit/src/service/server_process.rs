//! The real `faxgate` program, started, stopped, killed and started again.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::{paths, wait};

/// The first start on a machine compiles the policies; later ones find them in the shared cache.
const START: Duration = Duration::from_secs(240);

/// A `faxgate serve` with its configuration file and its log.
pub struct ServerProcess {
    folder: PathBuf,
    config: PathBuf,
    log: PathBuf,
    env: Vec<(String, String)>,
    child: Option<Child>,
}

impl ServerProcess {
    /// Writes the configuration; nothing runs yet. `folder` exists.
    pub fn new(folder: &Path, config: &toml::Table, env: Vec<(String, String)>) -> Self {
        let server = Self {
            folder: folder.to_path_buf(),
            config: folder.join("faxgate.toml"),
            log: folder.join("log"),
            env,
            child: None,
        };
        server.configure(config);
        server
    }

    /// Writes another configuration for the next start or reload.
    pub fn configure(&self, config: &toml::Table) {
        fs::write(&self.config, config.to_string()).expect("configuration file");
    }

    /// Sets a variable for the next start.
    pub fn env(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// A command of the program in a clean environment, with this configuration.
    pub fn command(&self, command: &[&str]) -> Command {
        let mut program = Command::new(paths::program());
        program.args(command).arg("--config").arg(&self.config);
        program
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        program.current_dir(&self.folder);
        program
    }

    /// Starts the program without waiting until it serves.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "already running");
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("log file");
        let mut program = self.command(&["serve"]);
        program
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log file"))
            .stderr(log);
        self.child = Some(program.spawn().expect("start faxgate"));
    }

    /// Starts the program and waits until `healthy` says that it serves.
    pub async fn start<F, Fut>(&mut self, healthy: F)
    where
        F: Fn() -> Fut,
        Fut: Future<Output = bool>,
    {
        self.spawn();
        let begin = std::time::Instant::now();
        while !healthy().await {
            if let Some(status) = self.exited() {
                panic!("faxgate ended at start with {status}:\n{}", self.log());
            }
            assert!(
                begin.elapsed() < START,
                "faxgate does not become healthy:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Ends the program the hard way: as a power cut does, as far as a process can tell.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that ended by itself meanwhile is as dead.
            let _ = child.kill();
            child.wait().expect("wait for faxgate");
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("faxgate runs");
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("pid")).expect("pid");
        kill_process(pid, signal).expect("signal");
    }

    /// Asks it to end and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let begin = std::time::Instant::now();
        loop {
            if let Some(status) = self.exited() {
                self.child = None;
                return status;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "faxgate does not end:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything it has said since the first start.
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits until the log has a line with this text.
    pub async fn says(&self, text: &str) {
        wait::until(&format!("a log line with {text:?}"), || async {
            self.log().contains(text).then_some(())
        })
        .await;
    }

    /// Opens files; for memory and handles see `/proc`.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether it has ended by itself since it was started; it can be started again then.
    pub fn died(&mut self) -> bool {
        let died = self.exited().is_some();
        if died {
            self.child = None;
        }
        died
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().expect("wait for faxgate")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
        let log = self.log();
        if std::thread::panicking() {
            // Requests of a waiting test would crowd out everything else.
            let told = log
                .lines()
                .filter(|line| !line.contains("faxgate::access") || line.contains("POST"));
            let told: Vec<&str> = told.collect();
            let tail: Vec<&str> = told.into_iter().rev().take(60).collect();
            eprintln!("--- the end of faxgate's log");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
            return;
        }
        assert!(!log.contains("panicked at"), "faxgate panicked:\n{log}");
    }
}
