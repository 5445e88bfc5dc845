//! Reads members of JSON objects without being strict about their types.
//!
//! Recorded answers show numbers as strings, truth values as `"1"`, members that come and go with the version, and
//! nulls nearly everywhere. A member of the wrong type counts as absent: news of a fax must not be lost over a page
//! count.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// Longest text that is taken over, in bytes.
pub const MAX_TEXT: usize = 1024;

/// The text of a member on one line, without white space around it; numbers and truth values are written out.
/// None when it is empty.
#[must_use]
pub fn text(object: &Object, name: &str) -> Option<String> {
    let text = match object.get(name)? {
        Value::String(text) => text,
        Value::Number(number) => return Some(number.to_string()),
        Value::Bool(value) => return Some(value.to_string()),
        _ => return None,
    };
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = line.trim();
    let end = line.floor_char_boundary(MAX_TEXT);
    let line = line.get(..end)?;
    (!line.is_empty()).then(|| line.to_owned())
}

/// The whole number of a member.
#[must_use]
pub fn integer(object: &Object, name: &str) -> Option<i64> {
    match object.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A count above zero. Providers write 0 for what they do not know yet.
#[must_use]
pub fn count(object: &Object, name: &str) -> Option<u32> {
    integer(object, name)
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| *count > 0)
}

/// The truth value of a member: `true`, `1` and their texts.
#[must_use]
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

/// The time of a member: RFC 3339 with any offset, or seconds since 1970. Nothing before 1970 is a time of a fax.
#[must_use]
pub fn time(object: &Object, name: &str) -> Option<Timestamp> {
    let time = match integer(object, name) {
        Some(seconds) => Timestamp::from_second(seconds).ok()?,
        None => object.get(name)?.as_str()?.trim().parse().ok()?,
    };
    (time >= Timestamp::UNIX_EPOCH).then_some(time)
}

/// The members of an object whose values are texts, as they were written.
#[must_use]
pub fn texts(value: Option<&Value>) -> Vec<(String, String)> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name.clone(), text.clone())),
            Value::Number(number) => Some((name.clone(), number.to_string())),
            Value::Bool(value) => Some((name.clone(), value.to_string())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        Object::from_iter([("it".to_owned(), value)])
    }

    fn written(value: Value) -> Option<String> {
        time(&object(value), "it").map(|time| time.to_string())
    }

    #[test]
    fn unix_seconds_are_calendar_time() {
        let cases = [
            (0_i64, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_293_910_688, "2011-01-01T19:38:08Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(written(seconds.into()).as_deref(), Some(expected));
            assert_eq!(written(seconds.to_string().into()).as_deref(), Some(expected));
        }
        assert_eq!(written((-1).into()), None);
        assert_eq!(written(i64::MAX.into()), None);
    }

    #[test]
    fn rfc3339_is_read_and_prose_is_not() {
        let cases = [
            ("2021-11-04T16:28:30.000-05:00", "2021-11-04T21:28:30Z"),
            ("2021-11-04T16:28:30Z", "2021-11-04T16:28:30Z"),
            ("2021-11-04T16:28:30.25+00:00", "2021-11-04T16:28:30.25Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text.into()).as_deref(), Some(expected));
        }
        for bad in [
            "",
            "soon",
            "2021-11-04",
            "2021-11-04T16:28:30",
            "2021-13-04T16:28:30Z",
            "1969-12-31T23:59:59Z",
            "-99",
        ] {
            assert_eq!(written(bad.into()), None, "{bad}");
        }
    }

    #[test]
    fn a_member_of_another_type_is_absent() {
        for value in [Value::Null, Value::Array(vec![]), Value::Object(Object::new())] {
            let object = object(value);
            assert_eq!(text(&object, "it"), None);
            assert_eq!(integer(&object, "it"), None);
            assert_eq!(count(&object, "it"), None);
            assert_eq!(boolean(&object, "it"), None);
            assert_eq!(time(&object, "it"), None);
        }
        assert_eq!(integer(&object("1.5".into()), "it"), None);
        assert_eq!(integer(&object(1.5.into()), "it"), None);
        assert_eq!(integer(&object("two".into()), "it"), None);
        assert_eq!(integer(&object(" 12 ".into()), "it"), Some(12));
        assert_eq!(boolean(&object("maybe".into()), "it"), None);
        assert_eq!(boolean(&object(2.into()), "it"), None);
        assert_eq!(boolean(&object("1".into()), "it"), Some(true));
        for (value, expected) in [(0.into(), None), ((-3).into(), None), (Value::from("2"), Some(2))] {
            assert_eq!(count(&object(value), "it"), expected);
        }
    }

    #[test]
    fn text_is_one_line_and_is_cut_between_characters() {
        let long = text(&object("\u{fc}".repeat(2_000).into()), "it").expect("text");
        assert_eq!(long.len(), MAX_TEXT);
        assert_eq!(text(&object("a\nb\u{7}".into()), "it").as_deref(), Some("a b"));
        assert_eq!(text(&object(" \n".into()), "it"), None);
    }

    #[test]
    fn texts_keep_their_white_space() {
        let object = object(serde_json::json!({"a": 1, "b": null, "c": " x "}));
        let expected = [("a", "1"), ("c", " x ")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(texts(object.get("it")), expected);
    }
}
