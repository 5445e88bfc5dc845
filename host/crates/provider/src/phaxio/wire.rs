//! The provider's JSON, read without being strict about it.
//!
//! Recorded answers show numbers as strings (`total` beyond 10,000 is `">10000"`), keys that come and go with the
//! API version, and nulls nearly everywhere. An answer is therefore walked rather than deserialised: what cannot be
//! understood is absent, and nothing absent makes the rest unreadable.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// What wraps every answer: `{"success":…, "message":…, "data":…, "paging":…}`.
#[derive(Debug, Clone, Default)]
pub(super) struct Envelope {
    /// `success`; none when it is not said.
    pub(super) success: Option<bool>,
    /// `message`, empty when it is not said.
    pub(super) message: String,
    /// `data`, null when there is none.
    pub(super) data: Value,
    /// `paging.total`; none when it is not a plain number.
    pub(super) total: Option<u64>,
    /// `paging.per_page`: how many rows a full page has.
    pub(super) per_page: Option<usize>,
}

/// A fax object of API version 2 and later; the few names of version 1 are understood as well.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fax {
    pub(super) id: Option<String>,
    pub(super) direction: Option<String>,
    pub(super) status: Option<String>,
    pub(super) is_test: bool,
    pub(super) pages: Option<i64>,
    pub(super) cost_cents: Option<i64>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) from_number: Option<String>,
    pub(super) to_number: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) error: Failure,
    pub(super) recipients: Vec<Recipient>,
}

/// One recipient of a fax.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Recipient {
    pub(super) number: Option<String>,
    pub(super) status: Option<String>,
    pub(super) retry_count: Option<i64>,
    pub(super) bitrate: Option<i64>,
    pub(super) resolution: Option<i64>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) error: Failure,
}

/// The three error fields that a fax and each of its recipients have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Failure {
    pub(super) kind: Option<String>,
    pub(super) id: Option<i64>,
    pub(super) message: Option<String>,
}

impl Envelope {
    /// Reads an answer; none when it is not a JSON object.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else {
            return None;
        };
        let paging = |key| {
            object
                .get("paging")
                .and_then(|paging| paging.get(key))
                .and_then(int)
        };
        Some(Self {
            success: object.get("success").and_then(flag),
            message: object.get("message").and_then(text).unwrap_or_default(),
            total: paging("total").and_then(|total| u64::try_from(total).ok()),
            per_page: paging("per_page").and_then(|rows| usize::try_from(rows).ok()),
            data: object.remove("data").unwrap_or(Value::Null),
        })
    }

    /// The id in `data`, or in `faxId` of version 1.
    pub(super) fn id(&self) -> Option<String> {
        let data = self.data.as_object()?;
        id(data, "id").or_else(|| id(data, "faxId"))
    }
}

impl Fax {
    /// Reads a fax object; none when it is not an object.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self {
            id: id(object, "id"),
            direction: word(object, "direction"),
            status: word(object, "status"),
            is_test: object.get("is_test").and_then(flag).unwrap_or(false),
            pages: object.get("num_pages").and_then(int),
            cost_cents: object.get("cost").and_then(int),
            created_at: time(object, "created_at").or_else(|| time(object, "requested_at")),
            completed_at: time(object, "completed_at"),
            from_number: word(object, "from_number"),
            to_number: word(object, "to_number"),
            tags: tags(object.get("tags")),
            error: Failure::parse(object),
            recipients: object
                .get("recipients")
                .and_then(Value::as_array)
                .map(|all| all.iter().filter_map(Recipient::parse).collect())
                .unwrap_or_default(),
        })
    }
}

impl Recipient {
    fn parse(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        Some(Self {
            number: word(object, "phone_number").or_else(|| word(object, "number")),
            status: word(object, "status"),
            retry_count: object.get("retry_count").and_then(int),
            bitrate: object.get("bitrate").and_then(int),
            resolution: object.get("resolution").and_then(int),
            completed_at: time(object, "completed_at"),
            error: Failure::parse(object),
        })
    }
}

impl Failure {
    fn parse(object: &Map<String, Value>) -> Self {
        Self {
            kind: word(object, "error_type"),
            id: object.get("error_id").and_then(int),
            // Version 1 calls the text a code.
            message: word(object, "error_message").or_else(|| word(object, "error_code")),
        }
    }

    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.kind.is_none() && self.id.is_none() && self.message.is_none()
    }
}

fn id(object: &Map<String, Value>, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}

fn word(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(text).filter(|text| !text.is_empty())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn int(value: &Value) -> Option<i64> {
    match value {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a fraction of a cent or of a page is dropped; out of range saturates"
        )]
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|f| f as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|n| n != 0),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// RFC 3339 with any offset (version 2) or Unix seconds (version 1).
fn time(object: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    let value = object.get(key)?;
    if let Some(seconds) = int(value) {
        return Timestamp::from_second(seconds).ok();
    }
    value.as_str()?.trim().parse().ok()
}

fn tags(value: Option<&Value>) -> Vec<(String, String)> {
    let Some(object) = value.and_then(Value::as_object) else {
        return Vec::new();
    };
    object
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), tag_value(value)?)))
        .collect()
}

/// Tags come back as they were sent: their white space is theirs.
fn tag_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        other => text(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape recorded in the vendor's Ruby client just after a create with a test key.
    const RECORDED: &str = r#"{"success":true,"message":"Metadata for fax","data":{"id":323034813,"direction":"sent",
        "num_pages":0,"status":"queued","is_test":true,"created_at":"2021-11-04T16:28:30.000-05:00","caller_id":null,
        "from_number":null,"completed_at":null,"caller_name":null,"cost":0,"tags":{},"recipients":[{"phone_number":
        "+15558675309","status":null,"retry_count":0,"completed_at":null,"bitrate":null,"resolution":null,
        "error_type":null,"error_id":null,"error_message":null}],"to_number":null,"error_id":null,"error_type":null,
        "error_message":null,"barcodes":[]}}"#;

    #[test]
    fn the_recorded_answer_is_read() {
        let envelope = Envelope::parse(RECORDED.as_bytes()).expect("object");
        assert_eq!(envelope.success, Some(true));
        assert_eq!(envelope.id().as_deref(), Some("323034813"));
        let fax = Fax::parse(&envelope.data).expect("fax");
        assert_eq!(fax.status.as_deref(), Some("queued"));
        assert!(fax.is_test && fax.error.is_empty());
        assert_eq!(
            fax.created_at,
            Some("2021-11-04T21:28:30Z".parse().expect("time"))
        );
        assert_eq!(fax.recipients.len(), 1);
        assert_eq!(fax.recipients[0].status, None);
    }

    #[test]
    fn strings_for_numbers_and_foreign_fields_do_no_harm() {
        let envelope = Envelope::parse(
            br#"{"success":"true","message":7,"data":{"id":" 42 ","num_pages":"3","cost":"7.0","is_test":"1",
                "requested_at":1636061310,"tags":{"a":1,"b":null,"c":" x "},"recipients":[null,5,{"number":5551234,
                "error_code":"busy","retry_count":"2"}],"new":{"deep":[1]},"completed_at":"soon"},
                "paging":{"total":">10000","page":1}}"#,
        )
        .expect("object");
        assert_eq!((envelope.success, envelope.total), (Some(true), None));
        assert_eq!(envelope.message, "7");
        let fax = Fax::parse(&envelope.data).expect("fax");
        assert_eq!(fax.id.as_deref(), Some("42"));
        assert_eq!((fax.pages, fax.cost_cents, fax.is_test), (Some(3), None, true));
        assert_eq!(fax.completed_at, None);
        assert_eq!(fax.created_at.map(Timestamp::as_second), Some(1_636_061_310));
        assert_eq!(
            fax.tags,
            [
                ("a".to_owned(), "1".to_owned()),
                ("c".to_owned(), " x ".to_owned())
            ]
        );
        assert_eq!(fax.recipients[0].error.message.as_deref(), Some("busy"));
        assert_eq!(fax.recipients[0].retry_count, Some(2));
    }

    #[test]
    fn what_is_not_an_envelope_is_none() {
        for body in [
            &b""[..],
            b"<html>",
            b"[]",
            b"null",
            b"{\"success\":tr",
            b"\xff\xfe",
        ] {
            assert!(Envelope::parse(body).is_none());
        }
    }
}
