//! Every command line that the program or the README prints works as printed, by a shell and the real `curl`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::service::installation::{self, Setup};
use faxgate_testkit::{documents, paths, ports};

/// A program that prints lines and stays up.
struct Printing {
    child: Child,
    lines: Vec<String>,
}

impl Printing {
    /// Starts `faxgate` with these arguments and reads what it prints until a line begins like `last`.
    fn start(arguments: &[&str], folder: &Path, last: &str) -> Self {
        let mut program = Command::new(paths::program());
        program
            .args(arguments)
            .env_clear()
            .env("HOME", folder)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join("log")).expect("log"));
        let mut child = program.spawn().expect("faxgate");
        let mut reader = BufReader::new(child.stdout.take().expect("output"));
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).expect("output") == 0 {
                child.wait().expect("faxgate");
                let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
                panic!("it ended: {lines:#?}\n{log}");
            }
            let line = line.trim_end().to_owned();
            let found = line.starts_with(last);
            lines.push(line);
            if found {
                break;
            }
        }
        // It may print more: nobody must wait for us.
        std::thread::spawn(move || reader.read_to_end(&mut Vec::new()));
        Self { child, lines }
    }

    /// The command lines among what was printed.
    fn commands(&self) -> Vec<String> {
        let program = paths::program().display().to_string();
        let is_command = |line: &&str| {
            line.starts_with("curl ") || line.starts_with("export ") || line.starts_with(&program)
        };
        self.lines
            .iter()
            .filter_map(|line| line.strip_prefix("   "))
            .filter(is_command)
            .map(str::to_owned)
            .collect()
    }

    fn stop(mut self) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("pid")).expect("pid");
        kill_process(pid, Signal::TERM).expect("signal");
        self.child.wait().expect("faxgate").code()
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        // One that was stopped has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A folder that is the home of whoever copies lines: their `curl` fails when the answer is an error.
fn home() -> TempDir {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(
        folder.path().join(".curlrc"),
        "fail\nsilent\nshow-error\nnoproxy = *\n",
    )
    .expect("settings");
    folder
}

/// Runs the lines in one shell.
fn run(lines: &[String], folder: &Path, variables: &[(&str, &str)]) -> String {
    let script = format!("set -eu\n{}\n", lines.join("\n"));
    let output = Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .expect("a shell");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{out}\n{err}");
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_demo_prints_works() {
    let shown = tokio::task::spawn_blocking(|| {
        let home = home();
        let demo = Printing::start(&["demo"], home.path(), "The service stays up");
        let commands = demo.commands();
        assert!(commands.len() >= 10, "{commands:#?}");
        let shown = run(&commands, home.path(), &[]);
        assert_eq!(demo.stop(), Some(0));
        assert!(home.path().join("fax.tiff").metadata().expect("a file").len() > 1000);
        shown
    });
    let shown = shown.await.expect("a thread");
    assert_eq!(
        shown.matches(r#""status":"queued""#).count(),
        2,
        "two faxes by curl: {shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_delivered_fax_without_an_account() {
    let shown = tokio::task::spawn_blocking(|| {
        let home = home();
        fs::write(home.path().join("letter.txt"), "Good morning.\n").expect("file");
        fs::write(home.path().join("letter.pdf"), documents::pdf(1, "good morning")).expect("file");
        let (http, simulator) = (ports::reserve(), ports::reserve());
        // A public address that leads elsewhere, as in the example: the simulated provider is led here.
        let config = format!(
            "public_url = \"https://fax.example.com\"\n[listen]\nhttp = \"{http}\"\n[inbound]\nenabled = true\n\
             [plugins]\ncache_dir = \"{}\"\n",
            paths::scratch().join("policies").display()
        );
        fs::write(home.path().join("faxgate.toml"), config).expect("file");
        let simulate = format!("--simulate={simulator}");
        let arguments = ["serve", "--config", "faxgate.toml", &simulate];
        let serving = Printing::start(&arguments, home.path(), "   curl");
        let commands: Vec<String> = serving
            .commands()
            .iter()
            .map(|line| {
                line.replace("FILE.pdf", "letter.pdf")
                    .replace("FILE", "letter.txt")
            })
            .collect();
        assert_eq!(commands.len(), 3, "{:#?}", serving.lines);
        let shown = run(&commands, home.path(), &[]);
        assert_eq!(serving.stop(), Some(0));
        shown
    });
    let shown = shown.await.expect("a thread");
    assert!(shown.contains("status        SUCCESS"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_readme_shows_of_a_running_service_works() {
    let mut setup = Setup::new();
    setup.set("inbound.enabled", true);
    let installation = setup.start().await;
    let id = installation
        .admin
        .accepted(&faxgate_testkit::service::client::Fax::pdf(
            "+12125550142",
            documents::pdf(1, "first"),
        ))
        .await;
    installation.admin.reaches(&id, "SUCCESS").await;
    let lines = readme_lines(&id);
    assert!(lines.len() >= 3, "{lines:#?}");
    tokio::task::spawn_blocking(move || works(&installation, &lines))
        .await
        .expect("a thread");
}

/// The `curl` lines of the README's shell blocks, with an id in place of `ID`.
fn readme_lines(id: &str) -> Vec<String> {
    let readme = fs::read_to_string(paths::repository().join("README.md")).expect("README");
    let blocks = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks
        .flat_map(str::lines)
        .filter(|line| line.starts_with("curl ") && line.contains("$FAXGATE_URL"))
        .map(|line| line.replace("/ID", &format!("/{id}")))
        .collect()
}

fn works(installation: &TestInstallation, lines: &[String]) {
    let home = home();
    fs::write(home.path().join("letter.pdf"), documents::pdf(1, "letter")).expect("file");
    let certificate = installation.folder().join("cert.pem");
    let variables = [
        ("FAXGATE_URL", installation.public_url()),
        ("FAXGATE_API_KEY", installation::BOOTSTRAP.to_owned()),
        ("CURL_CA_BUNDLE", certificate.display().to_string()),
    ];
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    run(lines, home.path(), &variables);
}
