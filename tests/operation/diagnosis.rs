//! What an operator is told when something is wrong: `check`, `health`, `audit verify`, `send --wait`.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::service::installation::{API_KEY, API_SECRET, BOOTSTRAP, Setup};
use faxgate_testkit::{documents, paths, ports};

async fn output(mut program: Command) -> Output {
    tokio::task::spawn_blocking(move || program.output().expect("faxgate"))
        .await
        .expect("a thread")
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// `faxgate check` of a configuration file in `folder`.
async fn check(folder: &Path, config: &str) -> (bool, String) {
    let file = folder.join("faxgate.toml");
    let cache = paths::scratch().join("policies");
    let config = format!(
        "data_dir = \"{0}/data\"\n{config}\n[plugins]\ndir = \"{0}/plugins\"\ncache_dir = \"{1}\"\n\
         [phaxio]\napi_key = \"{API_KEY}\"\napi_secret = \"{API_SECRET}\"\ncallback_token = \"t\"\n",
        folder.display(),
        cache.display()
    );
    fs::write(&file, config).expect("file");
    let mut program = Command::new(paths::program());
    program.args(["check", "--config"]).arg(&file).env_clear();
    let output = output(program).await;
    (output.status.success(), text(&output))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_everything_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    fs::create_dir(folder.path().join("plugins")).expect("folder");
    fs::write(folder.path().join("plugins/broken.wasm"), b"\0asm nothing").expect("file");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("address");
    let made = faxgate_edge::tls::self_signed(&["elsewhere.example".to_owned()]).expect("certificate");
    fs::write(folder.path().join("cert.pem"), &made.cert_pem).expect("file");
    fs::write(folder.path().join("key.pem"), made.key_pem.reveal()).expect("file");
    let config = format!(
        "public_url = \"https://fax.example.com\"\n[dispatch]\nconcurrency = \"many\"\n\
         [listen]\nhttps = \"{address}\"\n[tls]\ncert_file = \"{0}/cert.pem\"\nkey_file = \"{0}/key.pem\"",
        folder.path().display()
    );
    let (good, said) = check(folder.path(), &config).await;
    assert!(!good, "{said}");
    for word in [
        "dispatch.concurrency",
        format!("cannot listen on {address}").as_str(),
        "is not for fax.example.com",
        "broken.wasm",
    ] {
        assert!(said.contains(word), "{word} is missing in\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_would_refuse_everybody_is_remarked_on() {
    let folder = tempfile::tempdir().expect("folder");
    fs::create_dir(folder.path().join("plugins")).expect("folder");
    let port = ports::reserve().port();
    let config = |more: &str| {
        format!("public_url = \"https://fax.example.com\"\n[listen]\nhttp = \"0.0.0.0:{port}\"\n{more}")
    };
    let (_, said) = check(folder.path(), &config("")).await;
    assert!(said.contains("answers other machines only /health"), "{said}");
    let (_, said) = check(folder.path(), &config("trusted_proxies = [\"192.0.2.1\"]")).await;
    assert!(!said.contains("answers other machines only"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_url_that_leads_elsewhere_is_found_while_the_service_runs() {
    let mut installation = TestInstallation::start().await;
    let said = text(&output(installation.server.command(&["check"])).await);
    assert!(!said.contains("does not lead to this service"), "{said}");
    let elsewhere = ports::reserve();
    installation.set("public_url", format!("https://localhost:{}", elsewhere.port()));
    let said = text(&output(installation.server.command(&["check"])).await);
    assert!(said.contains("does not lead to this service"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_asked_where_the_proxy_protocol_is_expected_of_this_machine() {
    let mut setup = Setup::new();
    setup
        .set("listen.proxy_protocol", true)
        .set("listen.trusted_proxies", vec!["127.0.0.1"]);
    // Nobody but the command knows how to ask: start without waiting.
    let mut installation = setup.prepare().await;
    installation.server.spawn();
    faxgate_testkit::wait::until("the service to be healthy", || async {
        let done = output(installation.server.command(&["health"])).await;
        done.status.success().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_audit_file_are_checked_without_the_database() {
    let mut setup = Setup::new();
    let file = setup.folder().join("audit.jsonl");
    setup.set("audit.file", file.to_string_lossy().into_owned());
    let mut installation = setup.start().await;
    installation.sender("ward").await;
    installation.server.terminate().await;
    let verify = |path: &Path| {
        let mut program = Command::new(paths::program());
        program.args(["audit", "verify", "--file"]).arg(path).env_clear();
        output(program)
    };
    let whole = verify(&file).await;
    assert!(
        whole.status.success() && text(&whole).contains("intact: records 1 to "),
        "{}",
        text(&whole)
    );
    let altered = fs::read_to_string(&file)
        .expect("lines")
        .replacen("bootstrap", "somebody", 1);
    fs::write(&file, altered).expect("lines");
    let broken = verify(&file).await;
    assert!(
        !broken.status.success() && text(&broken).contains("was altered"),
        "{}",
        text(&broken)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_shows_every_change_and_ends_in_time() {
    let installation = TestInstallation::start().await;
    let letter = installation.folder().join("letter.pdf");
    fs::write(&letter, documents::pdf(1, "waiting")).expect("file");
    let send = |arguments: &[&str]| {
        let mut program = Command::new(paths::program());
        program
            .arg("send")
            .args(arguments)
            .arg(&letter)
            .arg(&letter)
            .env_clear();
        program
            .env("FAXGATE_URL", installation.public_url())
            .env("FAXGATE_API_KEY", BOOTSTRAP)
            .env("FAXGATE_CA_FILE", installation.folder().join("cert.pem"));
        output(program)
    };
    let done = send(&["--to", "+12125550142", "--wait", "--cover-subject", "Two letters"]).await;
    let said = text(&done);
    assert!(done.status.success(), "{said}");
    for word in ["accepted, waiting", "delivered", "SUCCESS", "pages         3"] {
        assert!(said.contains(word), "{word} is missing in\n{said}");
    }
    // One that the provider never finishes.
    let stopped = send(&["--to", "+12125559936", "--wait=0"]).await;
    assert_eq!(stopped.status.code(), Some(1));
    assert!(text(&stopped).contains("goes on"), "{}", text(&stopped));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_does_not_steer_the_terminal() {
    let installation = TestInstallation::start().await;
    let saved = installation.folder().join("callback");
    let body = "a%1b%5b2J%c2%9b1m%e2%80%ae=1";
    let request = format!(
        "POST /phaxio-callback?job_id=x HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    fs::write(&saved, request).expect("file");
    let saved = saved.to_string_lossy().into_owned();
    let verify = installation.server.command(&["verify-callback", &saved]);
    let mut status = Command::new(paths::program());
    status.args(["status", "\u{1b}[2J\u{9b}1m"]).env_clear();
    status
        .env("FAXGATE_URL", installation.public_url())
        .env("FAXGATE_API_KEY", BOOTSTRAP)
        .env("FAXGATE_CA_FILE", installation.folder().join("cert.pem"));
    let said = text(&output(verify).await);
    assert!(said.contains("fields     a\\u001b[2J\\u009b1m\\u202e"), "{said}");
    for said in [said, text(&output(status).await)] {
        let steering = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!said.contains(steering), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_writes_no_core_dump() {
    let installation = TestInstallation::start().await;
    let pid = installation.server.pid().expect("a process");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("a line");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}
