//! What wraps every answer: `{"success":…, "message":…, "data":…, "paging":…}`.

use serde_json::Value;

use super::fax;
use crate::json::{self, Object};

/// An answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Envelope {
    /// `success`; none when it is not said.
    pub success: Option<bool>,
    /// `message` on one line, empty when it is not said.
    pub message: String,
    /// `data`, null when there is none.
    pub data: Value,
    /// `paging.total`; none when it is not a plain number: beyond 10,000 it is the text `>10000`.
    pub total: Option<u64>,
    /// `paging.per_page`: how many rows a full page has.
    pub per_page: Option<usize>,
}

impl Envelope {
    /// Reads an answer; none when it is not a JSON object.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else {
            return None;
        };
        let paging = object.get("paging").and_then(Value::as_object);
        let number = |name| paging.and_then(|paging: &Object| json::integer(paging, name));
        Some(Self {
            success: json::boolean(&object, "success"),
            message: json::text(&object, "message").unwrap_or_default(),
            total: number("total").and_then(|total| u64::try_from(total).ok()),
            per_page: number("per_page").and_then(|rows| usize::try_from(rows).ok()),
            data: object.remove("data").unwrap_or(Value::Null),
        })
    }

    /// The id in `data`: `id`, or `faxId` of version 1.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let data = self.data.as_object()?;
        fax::id(data, "id").or_else(|| fax::id(data, "faxId"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_answers_are_read() {
        let created = br#"{"success":true,"message":"Fax queued for sending","data":{"id":323034811}}"#;
        let created = Envelope::parse(created).expect("object");
        assert_eq!(
            (created.success, created.id()),
            (Some(true), Some("323034811".to_owned()))
        );
        let first = br#"{"success":true,"message":"ok","faxId":1234,"data":{"faxId":1234}}"#;
        let first = Envelope::parse(first).expect("object");
        assert_eq!(first.id().as_deref(), Some("1234"));
    }

    #[test]
    fn odd_types_do_no_harm() {
        let odd = br#"{"success":"true","message":7,"data":null,"paging":{"total":">10000","page":1,"per_page":"25"}}"#;
        let odd = Envelope::parse(odd).expect("object");
        assert_eq!(
            (odd.success, odd.total, odd.per_page),
            (Some(true), None, Some(25))
        );
        assert_eq!((odd.message.as_str(), odd.id()), ("7", None));
    }

    #[test]
    fn what_is_not_an_object_is_none() {
        for body in [
            &b""[..],
            b"<html>",
            b"[]",
            b"null",
            b"{\"success\":tr",
            b"\xff\xfe",
        ] {
            assert_eq!(Envelope::parse(body), None);
        }
    }
}
