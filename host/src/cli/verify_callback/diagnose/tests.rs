//! The vectors are those of the vendor's algorithm, computed apart from this code.

#![allow(clippy::unwrap_used, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const URL: &str = "https://fax.example.test/phaxio-callback?job_id=abc123";
const FAX: &str = r#"{"id":123456,"direction":"sent","num_pages":1,"status":"success","is_test":true,"cost":7,"tags":{},"recipients":[{"phone_number":"+15558675309","status":"success"}]}"#;
const SIGNED: &str = "55af46383f485912ae9ea3e7a18f2766cf9990d4";
const SIGNED_WITH_HTTP: &str = "440ffcba7aa1b3f919b8a9f3b7db8f1b4673ca4e";
const SIGNED_WITHOUT_QUERY: &str = "85098df064e611666c2adbf03c97993901b099f3";

fn keys() -> Keys {
    Keys {
        callback_token: Some(Secret::new("0123456789".to_owned())),
        api_secret: Some(Secret::new("api-secret".to_owned())),
    }
}

fn status_form(extra: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("fax", FAX)
        .append_pair("event_type", "fax_completed")
        .extend_pairs(extra)
        .finish()
}

fn raw(signature: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /phaxio-callback?job_id=abc123 HTTP/1.1\r\nHost: fax.example.test\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nX-Phaxio-Signature: {signature}\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn verdict(content: &[u8], url: &str) -> Verdict {
    diagnose(&Saved::parse(content).await.unwrap(), url, &keys())
}

fn reasons(verdict: Verdict) -> String {
    match verdict {
        Verdict::Fails { reasons, .. } => reasons.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_genuine_one_holds_in_either_form() {
    let body = status_form(&[]);
    let holds = Verdict::Holds {
        scheme: Scheme::Phaxio,
    };
    assert_eq!(verdict(&raw(SIGNED, &body), URL).await, holds);
    let json = serde_json::json!({
        "method": "POST",
        "url": URL,
        "headers": {
            "X-Phaxio-Signature": SIGNED,
            "Content-Type": "application/x-www-form-urlencoded",
        },
        "body_base64": STANDARD.encode(&body),
    });
    assert_eq!(verdict(json.to_string().as_bytes(), URL).await, holds);
}

#[tokio::test]
async fn the_url_is_named_when_it_differs() {
    let body = status_form(&[]);
    let text = reasons(verdict(&raw(SIGNED_WITH_HTTP, &body), URL).await);
    assert!(
        text.starts_with("URL: http://fax.example.test/phaxio-callback?job_id=abc123"),
        "{text}"
    );
    let text = reasons(verdict(&raw(SIGNED_WITHOUT_QUERY, &body), URL).await);
    assert!(text.contains("it has no query"), "{text}");
    let elsewhere = "https://other.example.test/phaxio-callback?job_id=abc123";
    let text = reasons(verdict(&raw(SIGNED, &body), elsewhere).await);
    assert!(text.contains("it is the one the request was sent to"), "{text}");
}

#[tokio::test]
async fn several_differences_of_the_url_are_found_together() {
    let given = "http://fax.example.test/phaxio-callback/?job_id=abc123";
    let text = reasons(verdict(&raw(SIGNED_WITHOUT_QUERY, &status_form(&[])), given).await);
    assert!(
        text.starts_with("URL: https://fax.example.test/phaxio-callback was signed"),
        "{text}"
    );
}

#[tokio::test]
async fn a_field_that_was_added_is_named() {
    let body = status_form(&[("controller", "fax")]);
    let text = reasons(verdict(&raw(SIGNED, &body), URL).await);
    assert_eq!(
        text,
        "field: controller was not signed; something added it on the way"
    );
}

#[tokio::test]
async fn the_key_is_named_when_it_is_the_other_one() {
    let body = status_form(&[]);
    let swapped = Keys {
        callback_token: Some(Secret::new("something else".to_owned())),
        api_secret: Some(Secret::new("0123456789".to_owned())),
    };
    let saved = Saved::parse(&raw(SIGNED, &body)).await.unwrap();
    let text = reasons(diagnose(&saved, URL, &swapped));
    assert_eq!(
        text,
        "key: it was made with the API secret instead of the callback token"
    );
    let text = reasons(diagnose(&saved, URL, &Keys::default()));
    assert!(text.contains("PHAXIO_CALLBACK_TOKEN"), "{text}");
}

#[tokio::test]
async fn files_are_part_of_the_message() {
    const RECEIVED: &str = r#"{"id":98765,"direction":"received","num_pages":1,"status":"success","is_test":true,"from_number":"+15551230000","to_number":"+15559870000"}"#;
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"fax\"\r\n\r\n{RECEIVED}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"event_type\"\r\n\r\nfax_received\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"fax.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
         %PDF-1.4\nfake\n\r\n--b--\r\n"
    );
    let content = format!(
        "POST /phaxio-inbound HTTP/1.1\nContent-Type: multipart/form-data; boundary=b\n\
         X-Phaxio-Signature: 932fd81d0dfa89fd354f5fe242c1836eb58e4371\n\n{body}"
    );
    let url = "https://fax.example.test/phaxio-inbound";
    let holds = Verdict::Holds {
        scheme: Scheme::Phaxio,
    };
    assert_eq!(verdict(content.as_bytes(), url).await, holds);
    let cut = content.replace("fake", "FAKE");
    let text = reasons(verdict(cut.as_bytes(), url).await);
    assert!(text.starts_with("unknown"), "{text}");
}

#[tokio::test]
async fn the_other_scheme_covers_the_body() {
    let mac = Hmac::<Sha256>::new_from_slice(b"api-secret")
        .unwrap()
        .chain_update(b"a=1");
    let signature = hex::encode(mac.finalize().into_bytes());
    let holds = Verdict::Holds {
        scheme: Scheme::Faxbot,
    };
    assert_eq!(verdict(&raw(&signature, "a=1"), URL).await, holds);
    let text = reasons(verdict(&raw(&signature, "a=1\n"), URL).await);
    assert!(text.starts_with("body: the saved one has white space"), "{text}");
    let text = reasons(verdict(&raw(&signature, "a=2"), URL).await);
    assert!(text.starts_with("unknown"), "{text}");
    let text = reasons(verdict(&raw(&signature.to_uppercase(), "a=1"), URL).await);
    assert!(text.starts_with("spelling"), "{text}");
}

#[tokio::test]
async fn what_claims_nothing_is_told_so() {
    for (signature, word) in [("", "neither"), ("zz", "hexadecimal"), ("abcd", "neither")] {
        match verdict(&raw(signature, "a=1"), URL).await {
            Verdict::Unclaimed { reason } => assert!(reason.contains(word), "{signature} {reason}"),
            other => panic!("{other:?}"),
        }
    }
    for broken in [
        &b""[..],
        b"hello",
        b"{\"url\":1}",
        b"POST / FTP/1\n\n",
        b"POST / HTTP/1.1\nx\n\n",
    ] {
        assert!(Saved::parse(broken).await.is_err());
    }
}
