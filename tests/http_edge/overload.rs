//! More than can be served: what is turned away, how, and that it is served again afterwards.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::files;
use faxgate_testkit::network::http1;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::{BOOTSTRAP, Setup};
use faxgate_testkit::wait;

/// A request that is in its handler and waits for its body.
async fn held(installation: &TestInstallation, headers: &str) -> TcpStream {
    let mut stream = http1::tcp(installation.http).await;
    let head = format!(
        "POST /phaxio-callback HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nX-Phaxio-Signature: {}\r\n\
         Expect: 100-continue\r\n{headers}\r\n",
        "0a".repeat(32)
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_at_once_are_told_to_come_back() {
    let mut setup = Setup::new();
    setup.set("listen.max_requests", 8).set("disabled", true);
    setup.set("listen.trusted_proxies", vec!["127.0.0.1/32"]);
    let installation = setup.start().await;
    let from = |address: &str| format!("X-Forwarded-For: {address}\r\nX-Forwarded-Proto: https\r\n");
    let ask = async |address: &str, path: &str| {
        let headers = from(address);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: {BOOTSTRAP}\r\n{headers}\r\n"
        );
        let bytes = http1::exchange(http1::tcp(installation.http).await, request.as_bytes(), false).await;
        http1::messages(&bytes).remove(0)
    };
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(held(&installation, &from("192.0.2.1")).await);
    }
    let refused = ask("192.0.2.1", "/fax").await;
    assert_eq!(refused.status, 503, "one address has its share");
    assert_eq!(ask("192.0.2.2", "/fax").await.status, 200, "others have theirs");
    assert_eq!(
        ask("127.0.0.1", "/fax").await.status,
        200,
        "a proxy of ours has no share of its own"
    );
    for n in 2..5 {
        for _ in 0..2 {
            open.push(held(&installation, &from(&format!("192.0.2.{n}"))).await);
        }
    }
    for path in ["/fax", "/openapi.json", "/health/ready"] {
        let refused = ask("192.0.2.9", path).await;
        assert_eq!(refused.status, 503, "{path}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert!(refused.header("retry-after").parse::<u64>().expect("seconds") > 0);
    }
    assert_eq!(
        ask("192.0.2.9", "/health").await.status,
        200,
        "whether we live can always be asked"
    );
    // Those who had a place finish well, and make room.
    for stream in &mut open {
        stream.write_all(b"fax_id=12").await.expect("sent");
        assert_eq!(http1::answer(stream).await.status, 401);
    }
    assert_eq!(ask("192.0.2.1", "/fax").await.status, 200);
    let metrics = installation.admin.get("/metrics").await.text();
    assert!(
        metrics.contains("faxgate_http_requests_shed_total 4"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_beyond_the_spool_are_told_to_come_back() {
    let mut setup = Setup::new();
    setup
        .set("limits.max_file_size_mb", 1)
        .set("limits.max_spool_mb", 1)
        .set("disabled", true);
    let installation = setup.start().await;
    let document = documents::pdf_of_size(1, "x", 700 << 10);
    let mut first = http1::tls(installation.https, &installation.cert_pem, b"http/1.1").await;
    let begin = format!(
        "POST /fax HTTP/1.1\r\nHost: x\r\nX-API-Key: {BOOTSTRAP}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: 900000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+12125550142\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.pdf\"\r\n\r\n"
    );
    first.write_all(begin.as_bytes()).await.expect("sent");
    first.write_all(&document).await.expect("sent");
    first.flush().await.expect("sent");
    wait::until("the first upload to count", || async {
        let metrics = installation.admin.get("/metrics").await.text();
        let mut bytes = metrics
            .lines()
            .filter_map(|line| line.strip_prefix("faxgate_spool_bytes "));
        bytes
            .next()?
            .parse::<f64>()
            .ok()
            .filter(|&bytes| bytes > 600_000.0)
    })
    .await;
    let fax = Fax::pdf("+12125550142", document);
    let refused = wait::until("the spool to be full", || async {
        let answer = installation.admin.send(&fax).await;
        (answer.status != 202).then_some(answer)
    })
    .await;
    refused.problem(503);
    assert!(refused.header("retry-after").parse::<u64>().expect("seconds") > 0);
    // The first client goes away in the middle: what it sent is forgotten.
    drop(first);
    wait::until("room", || async {
        (installation.admin.send(&fax).await.status == 202).then_some(())
    })
    .await;
    let left = files::below(&installation.data().join("spool"));
    assert!(left.is_empty(), "{left:?}");
}
