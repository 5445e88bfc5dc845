//! Reads members that are numbers in one version of the callbacks and text in another.
//!
//! A member of the wrong kind counts as absent: news of a fax must not be lost over a page count.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A JSON object.
pub type Object = Map<String, Value>;

/// Longest text taken over, in bytes.
const MAX_TEXT: usize = 1024;

/// The text of a member; numbers and booleans are written out.
pub fn text(object: &Object, name: &str) -> Option<String> {
    let text = match object.get(name)? {
        Value::String(text) => text.trim(),
        Value::Number(number) => return Some(number.to_string()),
        Value::Bool(value) => return Some(value.to_string()),
        _ => return None,
    };
    (!text.is_empty())
        .then(|| text.chars().filter(|c| !c.is_control()).collect())
        .map(shortened)
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
}

/// The whole number of a member.
pub fn integer(object: &Object, name: &str) -> Option<i64> {
    match object.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The truth of a member: `true`, `1` and their text.
pub fn boolean(object: &Object, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The time of a member as RFC 3339 in UTC: version 1 counts seconds since 1970, later ones write RFC 3339 with
/// the offset of the provider's office.
pub fn time(object: &Object, name: &str) -> Option<String> {
    let time = match integer(object, name) {
        Some(seconds) => OffsetDateTime::from_unix_timestamp(seconds).ok()?,
        None => OffsetDateTime::parse(&text(object, name)?, &Rfc3339).ok()?,
    };
    if time < OffsetDateTime::UNIX_EPOCH {
        None
    } else {
        time.checked_to_utc()?.format(&Rfc3339).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        Object::from_iter([("it".to_owned(), value)])
    }

    #[test]
    fn reads_unix_seconds_as_calendar_time() {
        let cases = [
            (0i64, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_293_910_688, "2011-01-01T19:38:08Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(time(&object(seconds.into()), "it").as_deref(), Some(expected));
            assert_eq!(
                time(&object(seconds.to_string().into()), "it").as_deref(),
                Some(expected)
            );
        }
        assert_eq!(time(&object((-1).into()), "it"), None);
        assert_eq!(time(&object(i64::MAX.into()), "it"), None);
    }

    #[test]
    fn reads_rfc3339_and_no_prose() {
        let cases = [
            ("2021-11-04T16:28:30.000-05:00", "2021-11-04T21:28:30Z"),
            ("2021-11-04T16:28:30Z", "2021-11-04T16:28:30Z"),
            ("2021-11-04T16:28:30.25+00:00", "2021-11-04T16:28:30.25Z"),
        ];
        for (written, expected) in cases {
            assert_eq!(time(&object(written.into()), "it").as_deref(), Some(expected));
        }
        for bad in [
            "",
            "soon",
            "2021-11-04",
            "2021-11-04T16:28:30",
            "2021-13-04T16:28:30Z",
            "-99",
        ] {
            assert_eq!(time(&object(bad.into()), "it"), None, "{bad}");
        }
    }

    #[test]
    fn a_member_of_another_kind_is_absent() {
        for value in [Value::Null, Value::Array(vec![]), Value::Object(Object::new())] {
            let object = object(value);
            assert_eq!(text(&object, "it"), None);
            assert_eq!(integer(&object, "it"), None);
            assert_eq!(boolean(&object, "it"), None);
            assert_eq!(time(&object, "it"), None);
        }
        assert_eq!(integer(&object("1.5".into()), "it"), None);
        assert_eq!(integer(&object(1.5.into()), "it"), None);
        assert_eq!(integer(&object("two".into()), "it"), None);
        assert_eq!(integer(&object(" 12 ".into()), "it"), Some(12));
        assert_eq!(boolean(&object("maybe".into()), "it"), None);
        assert_eq!(boolean(&object("1".into()), "it"), Some(true));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let long = text(&object("\u{fc}".repeat(2_000).into()), "it").expect("text");
        assert_eq!(long.len(), MAX_TEXT);
        assert_eq!(text(&object("a\nb\u{7}".into()), "it").as_deref(), Some("ab"));
    }
}
