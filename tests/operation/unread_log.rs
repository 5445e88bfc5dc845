//! A standard error that nobody reads stops nobody.

use std::process::Stdio;

use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// More lines than a pipe and the service hold together.
const REQUESTS: usize = 4000;

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_while_nobody_reads_the_log() {
    let installation = Setup::new().prepare().await;
    let mut program = installation.server.command(&["serve"]);
    // The pipe's other end stays open and is never read.
    let mut child = program
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("faxgate");
    let client = installation.fresh_client();
    wait::until("the service to answer", || async {
        let asked = client.try_ask(client.request(http::Method::GET, "/health")).await;
        asked.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;
    for _ in 0..REQUESTS {
        assert_eq!(client.get("/health").await.status, 200);
    }
    let page = client.get("/metrics").await.text();
    let dropped = page
        .lines()
        .find_map(|line| line.strip_prefix("faxgate_log_lines_dropped_total "));
    assert!(dropped.is_some_and(|count| count != "0"), "{page}");
    child.kill().expect("kill");
    child.wait().expect("wait");
}
