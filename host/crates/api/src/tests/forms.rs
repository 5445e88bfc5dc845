//! Forms as clients of every kind write them.

use axum::body::Body;
use axum::response::Response;
use http::{Method, Request};

use super::installation::{ROOT_KEY, TestInstallation, json};

const TO: &str = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+12125550142\r\n";
const FILE: &str =
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n";
const EMPTY_INPUT: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\
    Content-Type: application/octet-stream\r\n\r\n\r\n";

async fn send(test: &TestInstallation, kind: &str, content: impl Into<Body>) -> Response {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/fax")
        .header("x-api-key", ROOT_KEY)
        .header("content-type", kind)
        .body(content.into())
        .unwrap();
    test.ask(request).await
}

/// A form with these parts; answers the status and the body.
async fn form(test: &TestInstallation, parts: &[&str]) -> (u16, serde_json::Value) {
    let content = format!("{}--b--\r\n", parts.concat());
    let response = send(test, "multipart/form-data; boundary=b", content).await;
    (response.status().as_u16(), json(response).await)
}

#[tokio::test]
async fn parts_are_read_as_their_heads_say() {
    let test = TestInstallation::new().await;
    let encoded = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n";
    let quoted = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nhe=\r\nllo\r\n";
    let capitals =
        "--b\r\ncontent-disposition: FORM-DATA; NAME=\"file\"; FILENAME=\"a.txt\"\r\n\r\nhello\r\n";
    let field = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        KzEyMTI1NTUwMTQy\r\n";
    for parts in [
        [TO, FILE],
        [TO, encoded],
        [TO, quoted],
        [TO, capitals],
        [field, FILE],
        [FILE, TO],
    ] {
        let (status, fax) = form(&test, &parts).await;
        assert_eq!(status, 202, "{parts:?}: {fax}");
        assert_eq!(
            (fax["to"].as_str(), fax["file_name"].as_str()),
            (Some("+12125550142"), Some("a.txt"))
        );
        assert_eq!(fax["media_type"], "text/plain", "{parts:?}");
        assert_eq!(fax["pages"], 1);
    }
}

#[tokio::test]
async fn an_empty_file_input_counts_only_when_it_is_alone() {
    let test = TestInstallation::new().await;
    for parts in [&[TO, EMPTY_INPUT, FILE][..], &[TO, FILE, EMPTY_INPUT]] {
        let (status, fax) = form(&test, parts).await;
        assert_eq!((status, fax["file_name"].as_str()), (202, Some("a.txt")), "{fax}");
    }
    let (status, problem) = form(&test, &[TO, EMPTY_INPUT]).await;
    assert_eq!(status, 422, "{problem}");
    let named = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.txt\"\r\n\r\n\r\n";
    let (status, problem) = form(&test, &[TO, FILE, named]).await;
    assert_eq!(status, 422, "{problem}");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said() {
    let test = TestInstallation::new().await;
    let part =
        |head: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n");
    let nested = "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\
        Content-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n";
    let broken = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n%PDF\r\n";
    for (parts, status, word) in [
        (
            vec![TO.to_owned(), part("name=\"file\"", "letter.pdf")],
            422,
            "file=@letter.pdf",
        ),
        (vec![FILE.to_owned(), part("name=\"too\"", "1")], 422, "`to`"),
        (
            vec![TO.to_owned(), FILE.to_owned(), part("name=\"sent_at\"", "1")],
            422,
            "`send_at`",
        ),
        (
            vec![TO.to_owned(), part("name=\"document\"; filename=\"a\"", "x")],
            422,
            "part `file`",
        ),
        (vec![nested.to_owned(), FILE.to_owned()], 422, "--form-string"),
        (
            vec![TO.to_owned(), broken.to_owned()],
            400,
            "Content-Transfer-Encoding",
        ),
        (vec![TO.to_owned(); 257], 400, "at most 256"),
    ] {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (found, problem) = form(&test, &parts).await;
        assert_eq!(found, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
}

#[tokio::test]
async fn a_boundary_may_be_written_loosely_and_bare_line_feeds_are_named() {
    let test = TestInstallation::new().await;
    let content = format!("{TO}{FILE}--b--\r\n");
    for kind in [
        "multipart/form-data; boundary = b",
        "Multipart/Form-Data; Boundary=\"b\"",
        "multipart/form-data; charset=utf-8; boundary=b",
    ] {
        assert_eq!(send(&test, kind, content.clone()).await.status(), 202, "{kind}");
    }
    let bare = content.replace("\r\n", "\n");
    let response = send(&test, "multipart/form-data; boundary=b", bare).await;
    assert_eq!(response.status(), 400);
    let problem = json(response).await;
    assert!(problem["detail"].as_str().unwrap().contains("CRLF"), "{problem}");
}
