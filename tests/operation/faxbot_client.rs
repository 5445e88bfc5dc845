//! The client that users of Faxbot have (PyPI `faxbot` 1.1.0) works unchanged.

use std::path::PathBuf;
use std::process::Command;

use faxgate_testkit::documents;
use faxgate_testkit::service::installation::{BOOTSTRAP, Setup};

const SCRIPT: &str = r#"
import sys, time
from faxbot import FaxbotClient
client = FaxbotClient(base_url=sys.argv[1], api_key=sys.argv[2])
print("health", client.check_health())
job = client.send_fax("+12125550142", sys.argv[3])
print("sent", job["status"])
for _ in range(600):
    status = client.get_status(job["id"])
    if status["status"] in ("SUCCESS", "FAILED"):
        break
    time.sleep(0.1)
print("end", status["status"])
try:
    client.get_status("nonexistent")
except Exception as error:
    print("missing", type(error).__name__, "ok" if str(error) else "silent")
try:
    FaxbotClient(base_url=sys.argv[1], api_key="wrong").send_fax("+12125550142", sys.argv[3])
except Exception as error:
    print("denied", type(error).__name__, "ok" if str(error) else "silent")
"#;

/// A Python with the client, made once and kept beside the build; none where that is impossible.
fn python() -> Result<PathBuf, String> {
    let home = faxgate_testkit::paths::scratch().join("faxbot-client");
    let python = home.join("bin/python");
    let run = |program: &mut Command| match program.output() {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let there = || run(Command::new(&python).args(["-c", "import faxbot"]));
    if there().is_err() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "faxbot==1.1.0"]))?;
        there()?;
    }
    Ok(python)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_sends_and_follows_a_fax() {
    let python = match tokio::task::spawn_blocking(python).await.expect("task") {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: the PyPI client can't be installed here: {why}");
            return;
        }
    };
    let mut setup = Setup::new();
    let plain = setup.enforce_nothing();
    let installation = setup.start().await;
    let document = installation.folder().join("letter.pdf");
    std::fs::write(&document, documents::pdf(2, "from Python")).expect("file");
    let mut program = Command::new(python);
    program.args(["-c", SCRIPT, &plain, BOOTSTRAP]).arg(&document);
    let done = tokio::task::spawn_blocking(move || program.output())
        .await
        .expect("task")
        .expect("python");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    for line in ["health", "sent queued", "end SUCCESS", "missing", "denied"] {
        assert!(said.lines().any(|said| said.starts_with(line)), "{line}: {said}");
    }
    assert!(!said.contains("silent"), "{said}");
}
