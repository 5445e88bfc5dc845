//! The service under a supervisor: readiness, reload, watchdog, end.

use std::time::Duration;

use rustix::process::Signal;
use tokio::net::UnixDatagram;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// Where systemd would listen.
struct Supervisor(UnixDatagram);

impl Supervisor {
    fn listen(setup: &mut Setup) -> Self {
        let path = setup.folder().join("notify");
        let socket = UnixDatagram::bind(&path).expect("socket");
        setup.env("NOTIFY_SOCKET", &path.to_string_lossy());
        Self(socket)
    }

    async fn next(&self) -> String {
        let mut buffer = [0; 512];
        let read = tokio::time::timeout(Duration::from_secs(60), self.0.recv(&mut buffer));
        let length = read.await.expect("a message in time").expect("a message");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next message that is not about being alive.
    async fn news(&self) -> String {
        loop {
            let message = self.next().await;
            if message != "WATCHDOG=1" {
                return message;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_supervisor_hears_of_every_turn() {
    let mut setup = Setup::new();
    let supervisor = Supervisor::listen(&mut setup);
    let mut installation = setup.start().await;
    assert_eq!(supervisor.next().await, "READY=1");
    installation.server.signal(Signal::HUP);
    let reloading = supervisor.next().await;
    let (first, since) = reloading.split_once("\nMONOTONIC_USEC=").expect("both");
    assert_eq!(first, "RELOADING=1");
    assert!(since.parse::<u64>().expect("a time") > 0);
    assert_eq!(supervisor.next().await, "READY=1");
    assert!(installation.server.terminate().await.success());
    assert_eq!(supervisor.next().await, "STOPPING=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_living_service_tells_the_watchdog_also_while_it_drains() {
    let mut setup = Setup::new();
    setup.env("WATCHDOG_USEC", "100000");
    let supervisor = Supervisor::listen(&mut setup);
    let mut installation = setup.start().await;
    assert_eq!(supervisor.news().await, "READY=1");
    for _ in 0..3 {
        assert_eq!(supervisor.next().await, "WATCHDOG=1");
    }
    // An upload that is under way holds the end up.
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    }));
    let request = installation
        .admin
        .request(http::Method::POST, "/fax")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(body);
    let upload = tokio::spawn(request.send());
    sender.send(Ok("--b\r\n".into())).await.expect("taken");
    sender
        .send(Ok("content-disposition: form-data".into()))
        .await
        .expect("taken");
    installation.server.signal(Signal::TERM);
    assert_eq!(supervisor.news().await, "STOPPING=1");
    for _ in 0..3 {
        assert_eq!(supervisor.next().await, "WATCHDOG=1");
    }
    sender
        .send(Ok("; name=\"to\"\r\n\r\n+1\r\n--b--\r\n".into()))
        .await
        .expect("taken");
    drop(sender);
    let answer = upload
        .await
        .expect("task")
        .expect("an answer in spite of the end");
    assert_eq!(answer.status(), 422);
    assert!(installation.server.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_watchdogs_time_is_not_ours() {
    let mut setup = Setup::new();
    setup.env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    let supervisor = Supervisor::listen(&mut setup);
    let mut installation = setup.start().await;
    assert_eq!(supervisor.next().await, "READY=1");
    assert!(installation.server.terminate().await.success());
    assert_eq!(supervisor.next().await, "STOPPING=1");
}

/// The line of the log about the last reload.
async fn reloaded(installation: &TestInstallation, text: &str) -> String {
    installation.server.signal(Signal::HUP);
    installation.server.says(text).await;
    let log = installation.server.log();
    let line = log.lines().rfind(|line| line.contains(text)).expect("a line");
    line.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_says_what_is_in_force_and_what_waits() {
    let mut installation = TestInstallation::start().await;
    let sender = installation.sender("clinic").await;
    assert_eq!(sender.get("/fax").await.header("ratelimit"), "");
    installation.set("limits.requests_per_minute", 2);
    installation.set("log.level", "warn,faxgate::compose=info,faxgate::lifecycle=info");
    installation.set("listen.max_connections", 77);
    installation.set("audit.file", "elsewhere.jsonl");
    let line = reloaded(&installation, "configuration loaded anew").await;
    let line: serde_json::Value = serde_json::from_str(&line).expect("json");
    assert_eq!(
        line["changed"], r#"["limits.requests_per_minute", "log.level"]"#,
        "{line}"
    );
    assert_eq!(
        line["needs_restart"], r#"["audit.file", "listen.max_connections"]"#,
        "{line}"
    );
    assert_eq!(line["refused"], "[]", "{line}");
    assert_eq!(
        sender.get("/fax").await.header("ratelimit-policy"),
        "\"default\";q=2;w=60"
    );
    sender.get("/fax").await;
    sender.get("/fax").await.problem(429);
    let config = installation.admin.get("/admin/config").await.json();
    assert_eq!(config["limits"]["requests_per_minute"], 2);
    assert_eq!(
        config["listen"]["max_connections"], 4096,
        "what is in force is shown"
    );
    let before = installation
        .server
        .log()
        .lines()
        .filter(|line| line.contains("faxgate::access"))
        .count();
    installation.admin.get("/health").await;
    wait::until("the audit of the reload", || async {
        let audit = installation.admin.get("/admin/audit?limit=500").await.text();
        (audit.contains("config.reload") && audit.contains("limits.requests_per_minute")).then_some(())
    })
    .await;
    let after = installation
        .server
        .log()
        .lines()
        .filter(|line| line.contains("faxgate::access"))
        .count();
    assert_eq!(before, after, "the access log is below the level now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_makes_no_sense_changes_nothing() {
    let mut installation = TestInstallation::start().await;
    installation.set("limits.requests_per_minut", 1);
    let line = reloaded(&installation, "configuration not loaded anew").await;
    assert!(
        line.contains("limits.requests_per_minute"),
        "the nearest name: {line}"
    );
    for _ in 0..3 {
        assert_eq!(installation.admin.get("/fax").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_credentials_of_the_provider_let_the_queue_go_on() {
    let mut setup = Setup::new();
    setup.set("phaxio.api_key", "revoked-at-the-provider");
    let mut installation = setup.start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "x")))
        .await;
    wait::until("readiness to fail", || async {
        (installation.admin.get("/health/ready").await.status == 503).then_some(())
    })
    .await;
    installation.set("phaxio.api_key", faxgate_testkit::service::installation::API_KEY);
    let line = reloaded(&installation, "configuration loaded anew").await;
    assert!(line.contains("phaxio.api_key"), "{line}");
    assert!(
        !line.contains(faxgate_testkit::service::installation::API_KEY),
        "{line}"
    );
    installation.admin.reaches(&id, "SUCCESS").await;
    wait::until("readiness", || async {
        (installation.admin.get("/health/ready").await.status == 200).then_some(())
    })
    .await;
}
