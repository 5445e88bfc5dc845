//! Every shape, and what is none.

use super::*;
use serde_json::json;

fn fields(pairs: &[(&str, &str)]) -> Result<Payload, &'static str> {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Payload::from_fields(owned.collect())
}

fn object(value: &Value) -> Object {
    value.as_object().expect("an object").clone()
}

#[test]
fn reads_the_json_field() {
    let payload = fields(&[("fax", r#"{"id":7}"#), ("event_type", "fax_completed")]).expect("payload");
    assert_eq!(payload.fax, Fax::from_object(&object(&json!({"id": 7}))));
    assert_eq!(payload.beside, object(&json!({"event_type": "fax_completed"})));
}

#[test]
fn reads_flattened_fields() {
    let payload = fields(&[
        ("fax[id]", "7"),
        ("fax[recipients][0][status]", "success"),
        ("fax[tags][faxgate_job]", "abc"),
        ("fax[a][b][c][d][e]", "too deep"),
        ("fax[]]", "odd"),
        ("fax[id]", "8"),
        ("success", "true"),
    ])
    .expect("payload");
    let expected =
        json!({"id": "7", "recipients": {"0": {"status": "success"}}, "tags": {"faxgate_job": "abc"}});
    let expected = Fax {
        status: Some("success".to_owned()),
        ..Fax::from_object(&object(&expected))
    };
    assert_eq!(payload.fax, expected);
    assert_eq!(payload.fax.recipients.len(), 1);
    assert_eq!(payload.fax.job_tag(), Some("abc"));
    assert_eq!(payload.beside, object(&json!({"success": "true"})));
}

#[test]
fn reads_bare_fields() {
    let payload = fields(&[("id", "7"), ("status", "success")]).expect("payload");
    let expected = json!({"id": "7", "status": "success"});
    assert_eq!(payload.fax, Fax::from_object(&object(&expected)));
}

#[test]
fn reads_a_json_body() {
    for body in [
        r#"{"fax":{"id":7}}"#,
        r#"{"fax":"{\"id\":7}"}"#,
        r#"{"fax[id]":7}"#,
        r#"{"id":7,"status":null}"#,
    ] {
        let payload = Payload::from_json(body.as_bytes()).expect(body);
        assert_eq!(payload.fax.id.as_deref(), Some("7"), "{body}");
    }
    for body in ["", "[]", "7", r#"{"fax":7}"#, r#"{"fax":{}"#] {
        assert!(Payload::from_json(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn says_why_nothing_is_found() {
    for odd in [
        "",
        "null",
        "[]",
        "7",
        "\"{}\"",
        "{",
        r#"{"id":7}}"#,
        r#"{"id":7} x"#,
    ] {
        assert!(fields(&[("fax", odd)]).is_err(), "{odd}");
    }
    assert!(fields(&[]).is_err());
    assert!(fields(&[("id", "7")]).is_err());
    assert!(fields(&[("fax", "{}"), ("fax", "{}")]).is_err());
    assert!(fields(&[("fax", &"[".repeat(100_000))]).is_err());
}

#[test]
fn the_event_names_the_direction_before_the_object_does() {
    let direction = |pairs: &[(&str, &str)]| fields(pairs).expect("payload").direction();
    let (sent, received) = (Some(Direction::Sent), Some(Direction::Received));
    for event in EventType::EVERY {
        assert_eq!(EventType::parse(event.as_str()), Some(event));
        let expected = if event == EventType::FaxReceived {
            received
        } else {
            sent
        };
        let both = r#"{"id":7,"direction":"received"}"#;
        assert_eq!(
            direction(&[("fax", both), ("event_type", event.as_str())]),
            expected
        );
    }
    assert_eq!(
        direction(&[("fax", r#"{"direction":"Received"}"#), ("direction", "sent")]),
        received
    );
    assert_eq!(direction(&[("fax", "{}"), ("direction", "received")]), received);
    assert_eq!(
        direction(&[("fax", r#"{"direction":"up"}"#), ("event_type", "x")]),
        None
    );
}

#[test]
fn success_beside_it_stands_in_for_a_missing_word() {
    let word = |pairs: &[(&str, &str)]| fields(pairs).expect("payload").fax.status;
    assert_eq!(
        word(&[("fax", "{}"), ("success", "true")]).as_deref(),
        Some("success")
    );
    assert_eq!(
        word(&[("fax", "{}"), ("success", "0")]).as_deref(),
        Some("failure")
    );
    assert_eq!(
        word(&[("fax", r#"{"status":"queued"}"#), ("success", "true")]).as_deref(),
        Some("queued")
    );
    assert_eq!(word(&[("fax", "{}"), ("success", "maybe")]), None);
}
