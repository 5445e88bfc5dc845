//! Who may speak in clear, and who is believed: HTTPS enforcement on both listeners, proxies, the PROXY protocol.

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::network::http1::{self, Message};
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::{BOOTSTRAP, Setup};

/// The source address of connections that play the proxy.
const PROXY: [u8; 4] = [127, 0, 0, 2];

/// An installation whose plain listener everybody can reach, and a change of its settings.
async fn exposed(change: impl FnOnce(&mut Setup)) -> TestInstallation {
    let mut setup = Setup::new();
    let port = setup.http_port();
    setup.set("listen.http", format!("0.0.0.0:{port}"));
    setup.set("disabled", true);
    change(&mut setup);
    setup.start().await
}

async fn ask(
    installation: &TestInstallation,
    source: [u8; 4],
    before: &[u8],
    path: &str,
    headers: &str,
) -> Vec<Message> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{headers}\r\n");
    let stream = http1::tcp_from(source, installation.http).await;
    let bytes = [before, request.as_bytes()].concat();
    http1::messages(&http1::exchange(stream, &bytes, false).await)
}

/// One answer in clear, from a stranger.
async fn clear(installation: &TestInstallation, path: &str, headers: &str) -> Message {
    ask(installation, [127, 0, 0, 1], b"", path, headers)
        .await
        .remove(0)
}

async fn exposures(installation: &TestInstallation) -> Vec<Value> {
    let audit = installation.admin.get("/admin/audit?limit=200").await.json();
    let items = audit["items"].as_array().expect("items").iter();
    items
        .filter(|item| item["entry"]["what"] == "key.exposed")
        .cloned()
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_clear_only_health_is_answered_and_the_rest_is_sent_to_https() {
    let installation = exposed(|_| {}).await;
    assert_eq!(clear(&installation, "/health", "").await.status, 200);
    // Proofs for authorities have their place here; there are none.
    assert_eq!(
        clear(&installation, "/.well-known/acme-challenge/x", "")
            .await
            .status,
        404
    );
    for path in [
        "/fax",
        "/fax?limit=1",
        "/health/ready",
        "/metrics",
        "/openapi.json",
        "/nowhere",
        "/",
    ] {
        let answer = clear(
            &installation,
            path,
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n",
        )
        .await;
        assert_eq!(answer.status, 308, "{path}");
        assert_eq!(
            answer.header("location"),
            format!("{}{path}", installation.public_url())
        );
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
    }
    let upload = "POST /fax HTTP/1.1\r\nHost: x\r\nContent-Length: 300000000\r\n\r\n";
    let mut stream = http1::tcp(installation.http).await;
    stream.write_all(upload.as_bytes()).await.expect("sent");
    assert_eq!(
        http1::answer(&mut stream).await.status,
        308,
        "before a byte of the body"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_clear_is_refused_without_a_redirect_and_recorded() {
    let installation = exposed(|_| {}).await;
    let token = installation.admin.make_key("one", &["fax:read"]).await;
    let id = token.split('_').nth(2).expect("id").to_owned();
    for (path, headers) in [
        ("/fax", format!("X-API-Key: {token}\r\n")),
        ("/fax", format!("Authorization: Bearer {token}\r\n")),
        ("/fax", format!("X-API-Key: {BOOTSTRAP}\r\n")),
        ("/fax", "X-API-Key: fbk_live_000000000000_made-up\r\n".to_owned()),
        ("/fax/x/pdf?token=abc", String::new()),
        ("/fax/x/pdf?a=b&token=abc", String::new()),
    ] {
        let answer = clear(&installation, path, &headers).await;
        assert_eq!(answer.status, 403, "{path} {headers}");
        assert_eq!(answer.header("location"), "");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    faxgate_testkit::wait::until("the records", || async {
        (exposures(&installation).await.len() == 3).then_some(())
    })
    .await;
    let found = exposures(&installation).await;
    let of_key = found.iter().filter(|item| item.to_string().contains(&id)).count();
    assert_eq!(of_key, 2, "both ways to show the key: {found:#?}");
    assert!(!format!("{found:?}").contains(&token), "never the key itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_how_the_client_came_and_from_where() {
    let installation = exposed(|setup| {
        setup.set("listen.trusted_proxies", vec!["127.0.0.2/32", "10.0.0.0/8"]);
    })
    .await;
    let key = format!("X-API-Key: {BOOTSTRAP}\r\n");
    for (https, address) in [
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-For: 1.1.1.1, 192.0.2.10, 10.0.0.7\r\n",
            "192.0.2.10",
        ),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.11\r\nForwarded: for=192.0.2.66;proto=http\r\n",
            "192.0.2.11",
        ),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-For: ::ffff:192.0.2.13\r\n",
            "192.0.2.13",
        ),
    ] {
        let answer = ask(&installation, PROXY, b"", "/fax", &format!("{key}{https}"))
            .await
            .remove(0);
        assert_eq!(answer.status, 200, "{https}: {answer:?}");
        assert!(!answer.header("strict-transport-security").is_empty(), "{https}");
        installation
            .server
            .says(&format!("\"client\":\"{address}\""))
            .await;
    }
    for (headers, status) in [
        (format!("{key}X-Forwarded-Proto: http\r\n"), 403),
        ("X-Forwarded-Proto: http\r\n".to_owned(), 308),
        ("X-Forwarded-Proto: https, http\r\n".to_owned(), 308),
        ("Forwarded: proto=https\r\n".to_owned(), 308),
        (String::new(), 308),
    ] {
        let answer = ask(&installation, PROXY, b"", "/fax", &headers).await.remove(0);
        assert_eq!(answer.status, status, "{headers}");
    }
    let stranger = clear(
        &installation,
        "/fax",
        "X-Forwarded-Proto: https\r\nForwarded: proto=https\r\n",
    )
    .await;
    assert_eq!(stranger.status, 308, "nobody else is believed");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_header_of_the_proxy_can_be_configured() {
    let installation = exposed(|setup| {
        setup
            .set("listen.trusted_proxies", vec!["127.0.0.2/32"])
            .set("listen.forwarded_header", "forwarded");
    })
    .await;
    let key = format!("X-API-Key: {BOOTSTRAP}\r\n");
    for (forwarded, address) in [
        (
            "for=1.1.1.1;proto=https, for=\"192.0.2.11:4711\";proto=https",
            "192.0.2.11",
        ),
        (
            "for=\"[2001:db8::12]\";proto=https;host=evil.example",
            "2001:db8::12",
        ),
    ] {
        let headers = format!("{key}Forwarded: {forwarded}\r\nX-Forwarded-For: 192.0.2.66\r\n");
        let answer = ask(&installation, PROXY, b"", "/fax", &headers).await.remove(0);
        assert_eq!(answer.status, 200, "{forwarded}: {answer:?}");
        let client = format!("\"client\":\"{address}\"");
        installation.server.says(&client).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_opens_when_told_to() {
    let installation = exposed(|setup| {
        setup.set("enforce_public_https", false);
    })
    .await;
    let answer = clear(&installation, "/fax", &format!("X-API-Key: {BOOTSTRAP}\r\n")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), "");
    assert!(exposures(&installation).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_sees_the_configured_address_whatever_the_client_says() {
    let installation = TestInstallation::start().await;
    let fax = Fax::pdf("+12125550142", documents::pdf(1, "x"));
    let part = reqwest::multipart::Part::bytes(fax.document.clone()).file_name("x.pdf");
    let form = reqwest::multipart::Form::new()
        .text("to", fax.to.clone())
        .part("file", part);
    let request = installation
        .admin
        .request(http::Method::POST, "/fax")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example;proto=http")
        .multipart(form);
    let answer = installation.admin.ask(request).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert!(
        !answer.header("location").contains("evil"),
        "{:?}",
        answer.headers
    );
    // The provider fetched the document and reported back: both addresses were right.
    let id = answer.json()["id"].as_str().expect("id").to_owned();
    installation.admin.reaches(&id, "SUCCESS").await;
    assert!(!installation.server.log().contains("evil.example"));
}

const V1: &[u8] = b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n";
/// From 192.0.2.8, and the client reached the proxy over TLS.
const V2_TLS: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14\xc0\0\x02\x08\x0a\0\0\x01\x12\x67\x01\xbb\x20\0\x05\x01\0\0\0\0";
const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

async fn announcing(change: impl FnOnce(&mut Setup)) -> TestInstallation {
    exposed(|setup| {
        setup.set("listen.trusted_proxies", vec!["127.0.0.2/32"]);
        setup.set("listen.proxy_protocol", true);
        change(setup);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_announces_its_clients_before_tls() {
    let installation = announcing(|_| {}).await;
    let mut stream = http1::tcp_from(PROXY, installation.https).await;
    stream.write_all(V1).await.expect("sent");
    let mut tls = http1::over(stream, &installation.cert_pem, b"http/1.1").await;
    tls.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    assert_eq!(http1::answer(&mut tls).await.status, 404);
    installation.server.says("\"client\":\"192.0.2.7\"").await;

    let served = ask(&installation, PROXY, V2_TLS, "/nowhere", "").await.remove(0);
    assert_eq!(served.status, 404, "the client reached the proxy over TLS");
    assert!(!served.header("strict-transport-security").is_empty());
    installation.server.says("\"client\":\"192.0.2.8\"").await;

    // In clear to the proxy is in clear; what the client says about itself is not believed.
    let headers = "X-Forwarded-Proto: https\r\n";
    assert_eq!(
        ask(&installation, PROXY, V1, "/fax", headers)
            .await
            .remove(0)
            .status,
        308
    );
    assert_eq!(
        ask(&installation, PROXY, V2_LOCAL, "/health", "")
            .await
            .remove(0)
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_announces_and_it_always_does() {
    let installation = announcing(|_| {}).await;
    for before in [
        b"".as_slice(),
        b"PROXY TCP4 192.0.2.7\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 99999\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x00",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let answers = ask(&installation, PROXY, before, "/health", "").await;
        assert!(
            answers.is_empty(),
            "{:?}: {answers:?}",
            String::from_utf8_lossy(before)
        );
    }
    let stranger = ask(&installation, [127, 0, 0, 1], V1, "/health", "").await;
    assert_eq!(stranger.len(), 1, "its request line is no header: {stranger:?}");
    assert_eq!(stranger[0].status, 400);
    assert_eq!(clear(&installation, "/health", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn announced_clients_have_their_own_share_of_connections() {
    let installation = announcing(|setup| {
        setup.set("listen.max_connections_per_address", 2);
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = http1::tcp_from(PROXY, installation.http).await;
        stream.write_all(V1).await.expect("sent");
        stream
            .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("sent");
        assert_eq!(http1::answer(&mut stream).await.status, 200);
        open.push(stream);
    }
    assert!(
        ask(&installation, PROXY, V1, "/health", "").await.is_empty(),
        "one too many"
    );
    assert_eq!(
        ask(&installation, PROXY, V2_TLS, "/health", "").await.len(),
        1,
        "another client"
    );
}
