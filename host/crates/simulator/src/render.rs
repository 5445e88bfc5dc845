//! Fax objects as the vendor writes them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::WebhookVersion;
use super::record::{Direction, Failure, Fax, Recipient};

/// The API version that is answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiVersion {
    V2,
    V2_1,
}

/// The fax object of API version 2 or 2.1: every key is there, null when nothing is known.
pub(super) fn fax(fax: &Fax, version: ApiVersion) -> Value {
    let mut object = json!({
        "id": fax.id,
        "direction": fax.direction.as_str(),
        "num_pages": fax.pages,
        "status": fax.status,
        "is_test": fax.is_test,
        "created_at": time(fax.created_at),
        "completed_at": fax.completed_at.map(time),
        "caller_id": fax.caller_id,
        "from_number": fax.from,
        "to_number": fax.called,
        "caller_name": null,
        "cost": fax.cost,
        "tags": tags(fax),
        "error_id": fax.error.as_ref().map(|e| e.id),
        "error_type": fax.error.as_ref().map(|e| &e.kind),
        "error_message": fax.error.as_ref().map(|e| &e.message),
    });
    if let Some(keys) = object.as_object_mut() {
        if version == ApiVersion::V2_1 {
            keys.insert("barcodes".to_owned(), json!([]));
        }
        if fax.direction == Direction::Sent {
            keys.insert(
                "recipients".to_owned(),
                fax.recipients.iter().map(recipient).collect(),
            );
        }
    }
    object
}

/// The fax object as callbacks of a version carry it.
pub(super) fn for_callback(fax: &Fax, version: WebhookVersion) -> Value {
    match version {
        WebhookVersion::V1 => old_fax(fax),
        WebhookVersion::V2 => self::fax(fax, ApiVersion::V2),
        WebhookVersion::V2_1 | WebhookVersion::Flat => self::fax(fax, ApiVersion::V2_1),
    }
}

fn recipient(recipient: &Recipient) -> Value {
    let done = recipient.status.as_deref() == Some("success");
    json!({
        "phone_number": recipient.number,
        "status": recipient.status,
        "retry_count": recipient.retry_count,
        "completed_at": recipient.completed_at.map(time),
        "bitrate": done.then_some(14_400),
        "resolution": done.then_some(8040),
        "error_type": recipient.error.as_ref().map(|e| &e.kind),
        "error_id": recipient.error.as_ref().map(|e| e.id),
        "error_message": recipient.error.as_ref().map(|e| &e.message),
    })
}

/// Version 1: Unix times, `requested_at`, `number` in ten digits, `error_code` is the text, absent instead of null.
fn old_fax(fax: &Fax) -> Value {
    let mut object = json!({
        "id": fax.id,
        "direction": fax.direction.as_str(),
        "num_pages": fax.pages,
        "status": fax.status,
        "is_test": fax.is_test,
        "cost": fax.cost,
        "requested_at": fax.created_at.as_second(),
        "completed_at": fax.completed_at.map(Timestamp::as_second),
        "from_number": fax.from,
        "to_number": fax.called,
        "tags": tags(fax),
    });
    if let Some(keys) = object.as_object_mut() {
        old_error(keys, fax.error.as_ref());
        if fax.direction == Direction::Sent {
            keys.insert(
                "recipients".to_owned(),
                fax.recipients.iter().map(old_recipient).collect(),
            );
        }
        keys.retain(|_, value| !value.is_null());
    }
    object
}

fn old_recipient(recipient: &Recipient) -> Value {
    let mut object = json!({
        "number": recipient.number.trim_start_matches("+1"),
        "status": recipient.status.as_deref().unwrap_or("queued"),
        "completed_at": recipient.completed_at.map(Timestamp::as_second),
    });
    if let Some(keys) = object.as_object_mut() {
        old_error(keys, recipient.error.as_ref());
        keys.retain(|_, value| !value.is_null());
    }
    object
}

fn old_error(keys: &mut Map<String, Value>, error: Option<&Failure>) {
    if let Some(error) = error {
        keys.insert("error_type".to_owned(), json!(error.kind));
        keys.insert("error_id".to_owned(), json!(error.id));
        keys.insert("error_code".to_owned(), json!(error.message));
    }
}

fn tags(fax: &Fax) -> Value {
    fax.tags
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect::<Map<_, _>>()
        .into()
}

/// RFC 3339 with milliseconds in the time of the central United States, as recorded answers have it.
fn time(at: Timestamp) -> String {
    let zone = TimeZone::posix("CST6CDT,M3.2.0,M11.1.0").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn times_are_central() {
        for (utc, central) in [
            ("2021-11-04T21:28:30Z", "2021-11-04T16:28:30.000-05:00"),
            ("2026-01-02T03:04:05.6Z", "2026-01-01T21:04:05.600-06:00"),
        ] {
            assert_eq!(time(utc.parse().unwrap()), central);
        }
    }

    #[test]
    fn a_fresh_fax_looks_as_recorded() {
        let mut fresh = Fax::new(
            323_034_813,
            Direction::Sent,
            "2021-11-04T21:28:30Z".parse().unwrap(),
            true,
        );
        fresh.recipients.push(Recipient {
            number: "+15558675309".to_owned(),
            status: None,
            retry_count: 0,
            completed_at: None,
            error: None,
        });
        let recorded: Value = serde_json::from_str(
            r#"{"id":323034813,"direction":"sent","num_pages":0,"status":"queued","is_test":true,
            "created_at":"2021-11-04T16:28:30.000-05:00","caller_id":null,"from_number":null,"completed_at":null,
            "caller_name":null,"cost":0,"tags":{},"recipients":[{"phone_number":"+15558675309","status":null,
            "retry_count":0,"completed_at":null,"bitrate":null,"resolution":null,"error_type":null,"error_id":null,
            "error_message":null}],"to_number":null,"error_id":null,"error_type":null,"error_message":null,
            "barcodes":[]}"#,
        )
        .unwrap();
        assert_eq!(fax(&fresh, ApiVersion::V2_1), recorded);
        let old = old_fax(&fresh);
        assert_eq!(old["recipients"][0]["number"], "5558675309");
        assert_eq!(old["requested_at"], 1_636_061_310);
        assert!(old.get("completed_at").is_none());
    }
}
