//! The client against servers that answer byte by byte what a test tells them to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use faxgate_base::secret::Secret;
use faxgate_config::phaxio::PhaxioConfig;

/// What a server does with one request it has read in full.
#[derive(Clone)]
enum Act {
    /// Answers and keeps the connection.
    Answer(String),
    /// Answers, then closes the connection without saying so.
    AnswerAndClose(String),
    /// Writes part of an answer and closes.
    Cut(String),
    /// Closes without an answer.
    Close,
    /// Never answers.
    Hang,
}

/// Serves one request per act, then refuses connections. Gives back the requests it read.
async fn serve(acts: Vec<Act>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v2.1/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        let mut acts = acts.into_iter();
        let mut next = acts.next();
        while next.is_some() {
            let (mut stream, _) = listener.accept().await.unwrap();
            while let Some(act) = next.take() {
                let Some(request) = read_request(&mut stream).await else {
                    next = Some(act);
                    break;
                };
                requests.push(request);
                next = acts.next();
                match act {
                    Act::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                    Act::AnswerAndClose(text) | Act::Cut(text) => {
                        stream.write_all(text.as_bytes()).await.unwrap();
                        break;
                    }
                    Act::Close => break,
                    Act::Hang => while stream.read_u8().await.is_ok() {},
                }
            }
        }
        requests
    });
    (base, task)
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut seen = Vec::new();
    loop {
        seen.push(stream.read_u8().await.ok()?);
        if seen.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(seen).unwrap();
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

fn json(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn config(base: &str) -> PhaxioConfig {
    PhaxioConfig {
        api_key: Some(Secret::new("key".into())),
        api_secret: Some(Secret::new("secret".into())),
        callback_token: None,
        api_url: base.parse().unwrap(),
        callback_url: String::new(),
        requests_per_second: 1.0,
        timeout: Duration::from_secs(5),
        verify_signature: true,
    }
}

fn client(base: &str) -> Phaxio {
    Phaxio::new(&config(base)).unwrap()
}

/// A client that is content with a short wait, for servers that never answer.
fn hasty(base: &str) -> Phaxio {
    let mut config = config(base);
    config.timeout = Duration::from_secs(2);
    Phaxio::new(&config).unwrap()
}

fn fax() -> CreateFax {
    CreateFax {
        to: E164::new("+12125550142").unwrap(),
        content_url: "https://fax.example.test/fax/1/pdf?token=a&b".to_owned(),
        callback_url: "https://fax.example.test/phaxio-callback?job_id=1".to_owned(),
        tags: vec![(JOB_TAG.to_owned(), "01jdz00000000000000000000a".to_owned())],
        header_text: Some("Grüße".to_owned()),
        caller_id: None,
        batch_delay: Some(30),
    }
}

#[tokio::test]
async fn the_request_says_what_it_should() {
    let (base, server) = serve(vec![Act::Answer(json(
        "200 OK",
        r#"{"success":true,"message":"Fax queued for sending","data":{"id":323034811}}"#,
    ))])
    .await;
    let outcome = client(&base).create(&fax()).await;
    assert_eq!(
        outcome,
        CreateOutcome::Taken {
            provider_id: "323034811".to_owned()
        }
    );
    let request = server.await.unwrap().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v2.1/faxes HTTP/1.1"), "{head}");
    assert!(head.contains("authorization: Basic a2V5OnNlY3JldA=="), "{head}");
    let fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
    assert!(fields.contains(&("to".into(), "+12125550142".into())));
    assert!(fields.contains(&(
        "content_url".into(),
        "https://fax.example.test/fax/1/pdf?token=a&b".into()
    )));
    assert!(fields.contains(&("tag[faxgate_job]".into(), "01jdz00000000000000000000a".into())));
    assert!(fields.contains(&("header_text".into(), "Grüße".into())));
    assert!(fields.contains(&("batch_delay".into(), "30".into())));
    assert!(!fields.iter().any(|(name, _)| name == "caller_id"));
}

#[tokio::test]
async fn what_never_left_is_not_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    // A server that speaks in clear where TLS is expected.
    let clear = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secure = format!("https://{}/", clear.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = clear.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    });
    for base in [refused.as_str(), "http://no-such-host.invalid/", &secure] {
        let outcome = client(base).create(&fax()).await;
        let CreateOutcome::NotSent { reason, .. } = outcome else {
            panic!("{base}: {outcome:?}");
        };
        assert!(reason.starts_with("no connection"), "{reason}");
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_not_sent() {
    let (clear, server) = serve(vec![Act::Hang]).await;
    let outcome = hasty(&clear.replace("http://", "https://")).create(&fax()).await;
    assert!(matches!(outcome, CreateOutcome::NotSent { .. }), "{outcome:?}");
    server.abort();
}

#[tokio::test]
async fn what_may_have_arrived_is_unsure() {
    let cut =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 70\r\n\r\n{\"success\":true,";
    for act in [
        Act::Close,
        Act::Cut(cut.to_owned()),
        Act::Cut("HTTP/1.1 200".to_owned()),
        Act::Cut("ICY 200 OK\r\n\r\n".to_owned()),
        Act::Answer(json("500 Internal Server Error", "")),
    ] {
        let (base, server) = serve(vec![act]).await;
        let outcome = client(&base).create(&fax()).await;
        assert!(matches!(outcome, CreateOutcome::Unsure { .. }), "{outcome:?}");
        server.await.unwrap();
    }
    let (base, server) = serve(vec![Act::Hang]).await;
    let outcome = hasty(&base).create(&fax()).await;
    let CreateOutcome::Unsure { reason } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(reason.starts_with("no answer in time"), "{reason}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_died_while_idle_costs_nothing() {
    let taken = json("200 OK", r#"{"success":true,"data":{"id":1}}"#);
    let (base, server) = serve(vec![Act::AnswerAndClose(taken.clone()), Act::Answer(taken)]).await;
    let client = client(&base);
    for _ in 0..2 {
        let outcome = client.create(&fax()).await;
        assert!(matches!(outcome, CreateOutcome::Taken { .. }), "{outcome:?}");
    }
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn without_credentials_nothing_leaves_and_new_ones_count_at_once() {
    let (base, server) = serve(vec![Act::Answer(json("401 Unauthorized", "{}"))]).await;
    let client = client(&base);
    client.replace_credentials(Some(Secret::new("key".into())), None);
    assert!(matches!(
        client.create(&fax()).await,
        CreateOutcome::Unauthorized { .. }
    ));
    assert_eq!(client.fax("1").await, Err(LookupError::Unauthorized));
    client
        .clone()
        .replace_credentials(Some(Secret::new("a".into())), Some(Secret::new("b".into())));
    let outcome = client.create(&fax()).await;
    assert!(
        matches!(outcome, CreateOutcome::Unauthorized { .. }),
        "{outcome:?}"
    );
    let requests = server.await.unwrap();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].contains("Basic YTpi"), "{}", requests[0]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let there = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (base, server) = serve(vec![Act::Answer(there.to_owned())]).await;
    let outcome = client(&base).create(&fax()).await;
    assert!(matches!(outcome, CreateOutcome::Unsure { .. }), "{outcome:?}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_list_is_read_to_its_end_and_only_ours_is_kept() {
    let row =
        |id: u32, job: &str| format!(r#"{{"id":{id},"status":"queued","tags":{{"faxgate_job":"{job}"}}}}"#);
    let page = |rows: &[String], total: &str| {
        json(
            "200 OK",
            &format!(
                r#"{{"success":true,"data":[{}],"paging":{{"total":{total},"per_page":2}}}}"#,
                rows.join(",")
            ),
        )
    };
    let (base, server) = serve(vec![
        Act::Answer(page(&[row(5, "a"), row(4, "b")], "\">10000\"")),
        Act::Answer(page(&[row(4, "b"), row(3, "a")], "\">10000\"")),
        Act::Answer(page(&[row(2, "a")], "\">10000\"")),
    ])
    .await;
    let found = client(&base)
        .find_by_tag(
            JOB_TAG,
            "a",
            "2026-01-01T00:00:00Z".parse().unwrap(),
            "2026-01-02T00:00:00.5Z".parse().unwrap(),
        )
        .await
        .unwrap();
    let ids: Vec<_> = found.iter().map(FaxInfo::provider_id).collect();
    assert_eq!(ids, ["5", "3", "2"]);
    let requests = server.await.unwrap();
    let first = requests[0].lines().next().unwrap();
    assert!(
        first.contains("tag%5Bfaxgate_job%5D=a")
            && first.contains("created_after=2026-01-01T00%3A00%3A00.000Z")
            && first.contains("created_before=2026-01-02T00%3A00%3A00.500Z"),
        "{first}"
    );
    assert!(requests[2].contains("page=3"), "{}", requests[2]);
}

#[tokio::test]
async fn a_list_that_cannot_be_trusted_is_an_error() {
    let same = json(
        "200 OK",
        r#"{"success":true,"data":[{"id":1}],"paging":{"total":9}}"#,
    );
    let strange = json("200 OK", r#"{"success":true,"data":[{"status":"queued"}]}"#);
    let denied = json("200 OK", r#"{"success":false,"message":"no"}"#);
    for acts in [vec![same.clone(), same], vec![strange], vec![denied]] {
        let (base, server) = serve(acts.into_iter().map(Act::Answer).collect()).await;
        let found = client(&base)
            .find_by_tag(JOB_TAG, "a", jiff::Timestamp::MIN, jiff::Timestamp::MAX)
            .await;
        assert!(matches!(found, Err(LookupError::BadAnswer(_))), "{found:?}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn cancelling_is_scheduled_refused_or_unknown() {
    let scheduled = json(
        "200 OK",
        r#"{"success":true,"message":"scheduled","data":{"id":7}}"#,
    );
    let complete = json(
        "422 Unprocessable Entity",
        r#"{"success":false,"message":"already complete"}"#,
    );
    let (base, server) = serve(vec![
        Act::Answer(scheduled),
        Act::Answer(complete),
        Act::Answer(json("404 Not Found", "{}")),
    ])
    .await;
    let client = client(&base);
    assert_eq!(client.cancel("7").await, Ok(CancelOutcome::Scheduled));
    assert_eq!(
        client.cancel("7").await,
        Ok(CancelOutcome::Refused {
            reason: "HTTP 422: already complete".to_owned()
        })
    );
    assert_eq!(client.cancel("7/../8").await, Err(LookupError::NotFound));
    let requests = server.await.unwrap();
    assert!(
        requests[0].starts_with("POST /v2.1/faxes/7/cancel "),
        "{}",
        requests[0]
    );
    assert!(
        requests[2].starts_with("POST /v2.1/faxes/7%2F..%2F8/cancel "),
        "{}",
        requests[2]
    );
}

#[tokio::test]
async fn a_document_is_bounded_and_never_json() {
    let pdf = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\ntransfer-encoding: chunked\r\n\r\n\
                   6\r\n%PDF-1\r\n6\r\n%%EOF\n\r\n0\r\n\r\n";
    let (base, server) = serve(vec![
        Act::Answer(pdf("%PDF-1.4 tiny")),
        Act::Answer(pdf("%PDF-1.4 more than ten")),
        Act::Answer(json("200 OK", "{}")),
        Act::AnswerAndClose(chunked.to_owned()),
        Act::Answer(json("404 Not Found", "{}")),
    ])
    .await;
    let client = client(&base);
    let good = client.file("1", 13).await.unwrap();
    assert_eq!(good.length, Some(13));
    let bytes: Vec<_> = good.content.collect().await;
    assert_eq!(
        bytes
            .into_iter()
            .map(Result::unwrap)
            .fold(0, |sum, b| sum + b.len()),
        13
    );
    for _ in 0..2 {
        assert!(matches!(
            client.file("1", 20).await,
            Err(LookupError::BadAnswer(_))
        ));
    }
    let long: Vec<_> = client.file("1", 8).await.unwrap().content.collect().await;
    assert!(matches!(long.last(), Some(Err(LookupError::BadAnswer(_)))));
    assert!(matches!(client.file("1", 8).await, Err(LookupError::NotFound)));
    server.await.unwrap();
}

#[test]
fn an_address_that_is_none_is_refused() {
    for url in ["ftp://api.example.test/", "mailto:x@example.test"] {
        assert!(matches!(Phaxio::new(&config(url)), Err(ClientError::BadUrl)));
    }
}
