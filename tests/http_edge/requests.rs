//! What is decided before a body is read, and what refusals say.

use std::time::Duration;

use futures_util::stream;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::files;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;

/// A body of `mib` MiB that is made as it is sent.
fn long_body(mib: usize) -> reqwest::Body {
    let piece = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    reqwest::Body::wrap_stream(stream::iter(
        (0..mib).map(move |_| Ok::<_, std::io::Error>(piece.clone())),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_upload_with_a_bad_key_is_refused_before_it_is_read() {
    let installation = TestInstallation::start().await;
    let before = installation.files();
    let mut stream = tokio::net::TcpStream::connect(installation.http)
        .await
        .expect("connect");
    let wrong = format!("fbk_live_{}_{}", "0".repeat(12), "A".repeat(43));
    let head = format!(
        "POST /fax HTTP/1.1\r\nhost: localhost\r\nx-api-key: {wrong}\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n",
        300 << 20
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    // Not a byte of the body has left, and the answer is there.
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");

    let stranger = installation.admin.with_key(&wrong);
    let request = stranger
        .request(http::Method::POST, "/fax")
        .header("content-type", "multipart/form-data; boundary=b");
    // The server may close before the client has written everything: that is a refusal as well.
    if let Ok(answer) = stranger.try_ask(request.body(long_body(300))).await {
        answer.problem(401);
    }
    let grown: Vec<_> = installation
        .files()
        .into_iter()
        .filter(|(path, _)| path.starts_with(installation.data().join("spool")))
        .collect();
    assert!(grown.is_empty(), "{grown:?}");
    assert_eq!(before.len(), installation.files().len(), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_too_large_is_refused_and_leaves_nothing() {
    let mut setup = Setup::new();
    setup.set("limits.max_file_size_mb", 1);
    let installation = setup.start().await;
    let fits = documents::pdf_of_size(1, "x", 700 << 10);
    installation.admin.accepted(&Fax::pdf("+12125550142", fits)).await;
    let large = documents::pdf_of_size(1, "x", 3 << 20);
    installation
        .admin
        .send(&Fax::pdf("+12125550142", large))
        .await
        .problem(413);
    let part = reqwest::multipart::Part::stream(long_body(200)).file_name("x.pdf");
    let form = reqwest::multipart::Form::new()
        .text("to", "+12125550142")
        .part("file", part);
    let endless = installation
        .admin
        .request(http::Method::POST, "/fax")
        .multipart(form);
    if let Ok(answer) = installation.admin.try_ask(endless).await {
        answer.problem(413);
    }
    let spool = files::below(&installation.data().join("spool"));
    assert!(spool.is_empty(), "{spool:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_to_do() {
    let installation = TestInstallation::start().await;
    let good = Fax::pdf("+12125550142", documents::pdf(1, "x"));
    let with = |document: Vec<u8>| Fax {
        document,
        ..good.clone()
    };
    let to = |to: &str| Fax {
        to: to.to_owned(),
        ..good.clone()
    };
    for (fax, status) in [
        (to("12"), 400),
        (to("+999999999999999"), 400),
        (to("+12125550142;ext=5"), 400),
        (to(""), 400),
        (with(documents::damaged_pdf()), 422),
        (with(documents::encrypted_pdf()), 422),
        (with(Vec::new()), 422),
        (
            with([0, 1, 2, 3, 0xff, 0xfe, 0, 0, 1, 0, 0x80, 0x81].repeat(40)),
            415,
        ),
        (with(documents::pdf(201, "x")), 422),
    ] {
        let answer = installation.admin.send(&fax).await;
        let (to, bytes) = (&fax.to, fax.document.len());
        assert_eq!(answer.status, status, "{to:?}, {bytes} bytes: {}", answer.text());
        answer.problem(status);
    }
    let client = &installation.admin;
    let no_file = reqwest::multipart::Form::new().text("to", "+12125550142");
    client
        .ask(client.request(http::Method::POST, "/fax").multipart(no_file))
        .await
        .problem(422);
    let no_form = client
        .ask(client.request(http::Method::POST, "/fax").body("hello"))
        .await;
    assert!(no_form.status.is_client_error(), "{}", no_form.text());
    client.get("/fax?cursor=nonsense").await.problem(400);
    client.get("/fax?limit=many").await.problem(400);
    client.get("/fax/not-an-id").await.problem(404);
    client.get("/nowhere").await.problem(404);
    client
        .ask(client.request(http::Method::PUT, "/fax"))
        .await
        .problem(405);
    client.without_key().get("/fax").await.problem(401);
    let list = client.get("/fax").await.json();
    assert_eq!(list["items"], json!([]), "what is refused makes no job");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_key_is_told_when_to_come_back() {
    let mut setup = Setup::new();
    setup.set("limits.requests_per_minute", 5);
    let installation = setup.start().await;
    let (one, other) = (
        installation.sender("one").await,
        installation.sender("other").await,
    );
    let mut refused = None;
    for _ in 0..20 {
        let answer = one.get("/fax").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert!(!answer.header("ratelimit").is_empty());
    }
    let refused = refused.expect("a limit");
    refused.problem(429);
    assert!(refused.header("retry-after").parse::<u64>().expect("seconds") > 0);
    assert_eq!(other.get("/fax").await.status, 200, "the limit is each key's own");
    assert_eq!(one.get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_keys_is_slowed_down() {
    let mut setup = Setup::new();
    setup.set("limits.auth_failures_per_minute", 5);
    let installation = setup.start().await;
    let stranger = installation.admin.with_key("fbk_live_000000000000_wrong");
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(stranger.get("/fax").await.status.as_u16());
    }
    assert_eq!(statuses[0], 401);
    assert_eq!(statuses[11], 429, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_speaks_both_versions_of_http_and_says_to_stay() {
    let installation = TestInstallation::start().await;
    let answer = installation.admin.get("/health").await;
    assert!(
        answer.header("strict-transport-security").contains("max-age"),
        "{:?}",
        answer.headers
    );
    assert_eq!(answer.json(), json!({ "status": "ok" }));
    let certificate = reqwest::Certificate::from_pem(installation.cert_pem.as_bytes()).expect("certificate");
    for (only, version) in [(true, http::Version::HTTP_11), (false, http::Version::HTTP_2)] {
        let builder = reqwest::Client::builder().tls_certs_only([certificate.clone()]);
        let client = if only { builder.http1_only() } else { builder }
            .build()
            .expect("client");
        let answer = client
            .get(format!("{}/health", installation.public_url()))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.version(), version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_broken_clients_hold_nobody_up() {
    let installation = TestInstallation::start().await;
    let mut open = Vec::new();
    for start in [
        "",
        "GET",
        "POST /fax HTTP/1.1\r\nhost: x\r\n",
        "\u{16}\u{3}\u{1}nonsense",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        for addr in [installation.http, installation.https] {
            let mut stream = tokio::net::TcpStream::connect(addr).await.expect("connect");
            let _ = stream.write_all(start.as_bytes()).await;
            open.push(stream);
        }
    }
    for _ in 0..5 {
        assert_eq!(installation.fresh_client().get("/health").await.status, 200);
    }
    drop(open);
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "through")))
        .await;
    installation.admin.reaches(&id, "SUCCESS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_describes_itself() {
    let installation = TestInstallation::start().await;
    let anybody = installation.admin.without_key();
    let described = anybody.get("/openapi.json").await.json();
    assert!(described["openapi"].as_str().expect("version").starts_with("3.1"));
    for path in [
        "/fax",
        "/fax/{id}",
        "/fax/{id}/pdf",
        "/phaxio-callback",
        "/admin/api-keys",
        "/health",
    ] {
        assert!(described["paths"][path].is_object(), "{path}");
    }
    let ready = anybody.get("/health/ready").await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    installation.admin.get("/fax").await;
    let metrics = installation.admin.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("# TYPE"), "{}", metrics.text());
    let config = installation.admin.get("/admin/config").await.text();
    assert!(
        !config.contains(faxgate_testkit::service::installation::BOOTSTRAP) && !config.contains("canary"),
        "{config}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_newest_first_in_pages() {
    let mut setup = Setup::new();
    setup.set("disabled", true);
    let installation = setup.start().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(
            installation
                .admin
                .accepted(&Fax::pdf("+12125550142", documents::pdf(1, &format!("{n}"))))
                .await,
        );
    }
    ids.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = installation
            .admin
            .get(&format!("/fax?limit=3{cursor}"))
            .await
            .json();
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|job| job["id"].as_str().expect("id").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let none = installation.admin.get("/fax?status=SUCCESS").await.json();
    assert_eq!(none["items"], json!([]));
    let all = installation
        .admin
        .get("/fax?status=disabled&to=%2B12125550142")
        .await
        .json();
    assert_eq!(all["items"].as_array().expect("items").len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_address_in_clear_is_refused_at_start() {
    let mut setup = Setup::new();
    setup.set("public_url", "http://fax.example.org");
    let folder = setup.folder();
    let config = folder.join("bad.toml");
    std::fs::write(&config, "public_url = \"http://fax.example.org\"\n").expect("file");
    let mut program = std::process::Command::new(faxgate_testkit::paths::program());
    program
        .args(["serve", "--config"])
        .arg(&config)
        .env_clear()
        .current_dir(&folder);
    let run = tokio::task::spawn_blocking(move || program.output());
    let ended = tokio::time::timeout(Duration::from_secs(60), run)
        .await
        .expect("it ends")
        .expect("task")
        .expect("output");
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(said.to_lowercase().contains("enforce_public_https"), "{said}");
    assert!(
        said.to_lowercase().contains("public_url") || said.contains("PUBLIC_API_URL"),
        "{said}"
    );
}
