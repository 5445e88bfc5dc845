//! The end of the service under load: what is under way finishes, what is idle closes, nothing accepted is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::network::http1;
use faxgate_testkit::network::http2::{self, END_HEADERS, END_STREAM, GOAWAY, H2, HEADERS};
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nX-Phaxio-Signature: \
    0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_finishes_and_what_is_idle_closes() {
    let mut installation = TestInstallation::start().await;
    let mut idle = http1::tls(installation.https, &installation.cert_pem, b"http/1.1").await;
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    assert_eq!(http1::answer(&mut idle).await.status, 200);
    let mut silent = http1::tcp(installation.http).await;
    let mut idle2 = H2::connect(installation.https, &installation.cert_pem).await;
    assert!(idle2.still_serves(1).await);

    // One request of each protocol is in its handler, waiting for its body.
    let mut busy = http1::tcp(installation.http).await;
    let head = format!(
        "POST /phaxio-callback HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n{FORM}Expect: 100-continue\r\n\r\n"
    );
    busy.write_all(head.as_bytes()).await.expect("sent");
    let mut interim = [0; 25];
    busy.read_exact(&mut interim).await.expect("asked for the body");
    let mut busy2 = H2::connect(installation.https, &installation.cert_pem).await;
    let mut fields = http2::get("/phaxio-callback").to_vec();
    fields[0].1 = "POST";
    let signature = "0a".repeat(32);
    fields.push(("content-type", "application/x-www-form-urlencoded"));
    fields.push(("x-phaxio-signature", &signature));
    busy2.frame(HEADERS, END_HEADERS, 1, &http2::block(&fields)).await;
    assert!(busy2.still_serves(3).await, "both streams have arrived");

    installation.server.signal(Signal::TERM);
    assert!(http1::closed(&mut idle).await.is_empty());
    assert!(http1::closed(&mut silent).await.is_empty());
    let mut goaway = false;
    while let Some(frame) = idle2.next().await {
        goaway |= frame.kind == GOAWAY && http2::code(&frame.payload[4..8]) == 0;
    }
    assert!(goaway, "an idle connection is told that it ends");
    wait::until("no more connections", || async {
        tokio::net::TcpStream::connect(installation.https)
            .await
            .is_err()
            .then_some(())
    })
    .await;

    busy.write_all(b"fax_id=12").await.expect("sent");
    let answer = http1::answer(&mut busy).await;
    assert_eq!((answer.status, answer.header("connection")), (401, "close"));
    busy2.frame(http2::DATA, END_STREAM, 1, b"fax_id=12").await;
    let (mut answered, mut goaway) = (false, false);
    while let Some(frame) = busy2.next().await {
        goaway |= frame.kind == GOAWAY && http2::code(&frame.payload[4..8]) == 0;
        answered |= frame.kind == HEADERS && frame.stream == 1;
    }
    assert!(answered && goaway);
    assert!(installation.server.ended().await.success());
    let log = installation.server.log();
    let phases =
        ["requests", "queue", "database", "end"].map(|phase| log.find(&format!("\"phase\":\"{phase}\"")));
    assert!(
        phases.iter().all(Option::is_some) && phases.is_sorted(),
        "{phases:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_every_answer_is_whole_and_every_accepted_fax_is_kept() {
    let mut setup = Setup::new();
    setup.set("disabled", true);
    let mut installation = setup.start().await;
    let stopping = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for n in 0..8 {
        let (client, stopping) = (installation.fresh_client(), Arc::clone(&stopping));
        clients.push(tokio::spawn(async move {
            let fax = Fax::pdf("+12125550142", documents::pdf(1, &format!("{n}")));
            let mut accepted = Vec::new();
            loop {
                match client.try_send(&fax).await {
                    Ok(answer) => {
                        assert_eq!(answer.status, 202, "{}", answer.text());
                        accepted.push(answer.json()["id"].as_str().expect("id").to_owned());
                    }
                    // Turned away before it was a request: only once the end has begun.
                    Err(error) => {
                        assert!(stopping.load(Ordering::SeqCst), "{error:?}");
                        assert!(
                            !error.is_body() && !error.is_decode(),
                            "an answer is cut short: {error:?}"
                        );
                        return accepted;
                    }
                }
            }
        }));
    }
    wait::until("load", || async {
        let list = installation.admin.get("/fax?limit=50").await.json();
        (list["items"].as_array()?.len() >= 20).then_some(())
    })
    .await;
    stopping.store(true, Ordering::SeqCst);
    assert!(installation.server.terminate().await.success());
    let mut accepted = Vec::new();
    for client in clients {
        accepted.extend(client.await.expect("client"));
    }
    assert!(installation.server.log().contains("\"cut\":0"), "nothing was cut");
    installation.revive().await;
    for id in &accepted {
        assert_eq!(installation.admin.job(id).await["status"], "disabled");
    }
}
