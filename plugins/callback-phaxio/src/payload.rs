//! Finds the fax object in every shape it is posted in.
//!
//! | shape | who posts it |
//! |---|---|
//! | form field `fax` with JSON text, further facts in fields beside it | Phaxio, webhook versions 1, 2 and 2.1 |
//! | form fields `fax[id]`, `fax[status]`, … | Faxbot's callers |
//! | form fields `id`, `status`, … | a literal reading of the version 2 documentation |
//! | JSON body with the same members | relays |

use crate::delivery::{self, Delivery, Pair};
use crate::value::Object;
use serde_json::Value;

/// Most of a JSON body that is read, in bytes; the gateway's own limit is the same.
const MAX_BODY: u32 = 256 * 1024;

/// Levels of `fax[a][b]…` that are followed.
const MAX_DEPTH: usize = 4;

/// What a callback says.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    /// The fax.
    pub fax: Object,
    /// What stands beside it: `event_type`, `direction`, `success`, …
    pub beside: Object,
}

/// Reads the payload; the error says why there is none.
pub fn read(delivery: &impl Delivery) -> Result<Payload, &'static str> {
    if !delivery::has_json_body(&delivery.headers()) {
        return from_fields(delivery.fields());
    }
    match serde_json::from_slice(&delivery.body(MAX_BODY)) {
        Ok(Value::Object(members)) => from_members(members),
        Ok(_) => Err("the JSON body is not an object"),
        Err(_) => Err("the body is not JSON, or larger than 256 KiB"),
    }
}

fn from_fields(fields: Vec<Pair>) -> Result<Payload, &'static str> {
    if fields.iter().filter(|(name, _)| name == "fax").count() > 1 {
        return Err("there is more than one `fax` field");
    }
    let mut members = Object::new();
    for (name, value) in fields {
        // The first of a repeated field counts.
        members.entry(name).or_insert(Value::String(value));
    }
    from_members(members)
}

fn from_members(mut members: Object) -> Result<Payload, &'static str> {
    match members.remove("fax") {
        Some(Value::Object(fax)) => return Ok(Payload { fax, beside: members }),
        Some(Value::String(text)) => {
            return match serde_json::from_str(&text) {
                Ok(Value::Object(fax)) => Ok(Payload { fax, beside: members }),
                Ok(_) => Err("the `fax` field is not a JSON object"),
                Err(_) => Err("the `fax` field is not JSON"),
            };
        }
        Some(_) => return Err("the `fax` member is not an object"),
        None => {}
    }
    let (flat, beside): (Object, Object) = members
        .into_iter()
        .partition(|(name, _)| name.starts_with("fax["));
    if !flat.is_empty() {
        let mut fax = Object::new();
        for (name, value) in flat {
            if let Some(path) = path(&name) {
                insert(&mut fax, &path, value);
            }
        }
        return Ok(Payload { fax, beside });
    }
    if beside.contains_key("id") && beside.contains_key("status") {
        return Ok(Payload {
            fax: beside.clone(),
            beside,
        });
    }
    Err("there is no `fax` in it")
}

/// `["a", "b"]` of `fax[a][b]`.
fn path(name: &str) -> Option<Vec<&str>> {
    let inner = name.strip_prefix("fax[")?.strip_suffix(']')?;
    let path: Vec<&str> = inner.split("][").collect();
    let fits = path.len() <= MAX_DEPTH && path.iter().all(|key| !key.contains(['[', ']']));
    fits.then_some(path)
}

/// Puts a value where its path says; lists stay objects whose keys are the positions.
fn insert(object: &mut Object, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            object.entry(*key).or_insert(value);
        }
        [key, rest @ ..] => {
            let inner = object.entry(*key).or_insert_with(|| Value::Object(Object::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(pairs: &[(&str, &str)]) -> Result<Payload, &'static str> {
        from_fields(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn reads_the_json_field() {
        let payload = fields(&[("fax", r#"{"id":7}"#), ("event_type", "fax_completed")]).expect("payload");
        assert_eq!(Value::Object(payload.fax), json!({"id": 7}));
        assert_eq!(
            Value::Object(payload.beside),
            json!({"event_type": "fax_completed"})
        );
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
        assert_eq!(Value::Object(payload.fax), expected);
        assert_eq!(Value::Object(payload.beside), json!({"success": "true"}));
    }

    #[test]
    fn reads_bare_fields() {
        let payload = fields(&[("id", "7"), ("status", "success")]).expect("payload");
        assert_eq!(
            Value::Object(payload.fax),
            json!({"id": "7", "status": "success"})
        );
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
}
