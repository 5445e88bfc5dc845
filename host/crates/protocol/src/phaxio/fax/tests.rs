//! The recorded object, the odd ones, and every status word in both directions.

use super::*;
use serde_json::json;

fn fax(value: &Value) -> Fax {
    Fax::from_value(value).expect("an object")
}

/// Word, meaning for a sent fax, meaning for a received fax, with the recipients that the object lists.
#[test]
fn every_word_in_both_directions() {
    use ReceivedStatus as R;
    use SentStatus as S;
    let none = json!([]);
    let (got, not) = (json!([{"status": "success"}]), json!([{"status": "failure"}]));
    let mixed = json!([{"status": "success"}, {"status": "failure"}]);
    let silent = json!([{"status": null}]);
    for (word, recipients, sent, received) in [
        ("queued", &none, S::Queued, R::InProgress),
        ("pendingbatch", &none, S::Queued, R::InProgress),
        ("inprogress", &none, S::InProgress, R::InProgress),
        ("in_progress", &none, S::InProgress, R::InProgress),
        ("In_Progress", &none, S::InProgress, R::InProgress),
        ("ringing", &none, S::InProgress, R::InProgress),
        ("callactive", &none, S::InProgress, R::InProgress),
        ("willretry", &none, S::InProgress, R::InProgress),
        ("success", &none, S::Delivered, R::Received),
        ("Success", &none, S::Delivered, R::Received),
        ("success", &not, S::Delivered, R::Received),
        ("failure", &none, S::Failed, R::Failed),
        ("failure", &got, S::Failed, R::Failed),
        ("partialsuccess", &none, S::PartlyDelivered, R::Received),
        ("partial_success", &none, S::PartlyDelivered, R::Received),
        ("partialsuccess", &silent, S::PartlyDelivered, R::Received),
        ("partialsuccess", &mixed, S::PartlyDelivered, R::Received),
        ("partialsuccess", &got, S::Delivered, R::Received),
        ("partialsuccess", &not, S::Failed, R::Failed),
        ("canceled", &none, S::Unknown, R::Unknown),
        ("", &none, S::Unknown, R::Unknown),
    ] {
        let fax = fax(&json!({"id": 1, "status": word, "recipients": recipients}));
        assert_eq!(fax.sent_status(), sent, "{word} {recipients}");
        assert_eq!(fax.received_status(), received, "{word} {recipients}");
    }
    for value in [json!({}), json!({"status": null}), json!({"status": []})] {
        let fax = fax(&value);
        assert_eq!(fax.sent_status(), S::Unknown);
        assert_eq!(fax.received_status(), R::Unknown);
    }
}

/// The shape recorded in the vendor's Ruby client just after a request with a test key.
#[test]
fn the_recorded_object_is_read() {
    let fax = fax(
        &json!({"id": 323_034_813, "direction": "sent", "num_pages": 0, "status": "queued", "is_test": true,
        "created_at": "2021-11-04T16:28:30.000-05:00", "caller_id": null, "from_number": null,
        "completed_at": null, "caller_name": null, "cost": 0, "tags": {}, "recipients": [{"phone_number":
        "+15558675309", "status": null, "retry_count": 0, "completed_at": null, "bitrate": null,
        "resolution": null, "error_type": null, "error_id": null, "error_message": null}],
        "to_number": null, "error_id": null, "error_type": null, "error_message": null, "barcodes": []}),
    );
    let expected = Fax {
        id: Some("323034813".into()),
        direction: Some(Direction::Sent),
        status: Some("queued".into()),
        is_test: Some(true),
        cost_cents: Some(0),
        created_at: Some("2021-11-04T21:28:30Z".parse().expect("time")),
        recipients: vec![Recipient {
            number: Some("+15558675309".into()),
            retry_count: Some(0),
            ..Recipient::default()
        }],
        ..Fax::default()
    };
    assert_eq!(fax, expected);
    assert_eq!(fax.called_number(), Some("+15558675309"));
    assert_eq!(
        (fax.error(), fax.completed_at(), fax.job_tag()),
        (None, None, None)
    );
}

#[test]
fn texts_for_numbers_and_foreign_members_do_no_harm() {
    let fax = fax(
        &json!({"id": " 42 ", "num_pages": "3", "cost": "7.0", "is_test": "1", "requested_at": 1_636_061_310,
        "tags": {"a": 1, "b": null, "c": " x "}, "recipients": [null, 5, {"number": 5_551_234,
        "error_code": "busy", "retry_count": "2"}], "new": {"deep": [1]}, "completed_at": "soon"}),
    );
    assert_eq!(fax.id.as_deref(), Some("42"));
    assert_eq!(
        (fax.pages, fax.cost_cents, fax.is_test),
        (Some(3), None, Some(true))
    );
    assert_eq!(fax.completed_at, None);
    assert_eq!(fax.created_at.map(Timestamp::as_second), Some(1_636_061_310));
    let tags = [("a", "1"), ("c", " x ")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(fax.tags, tags);
    let recipient = fax.recipients.first().expect("a recipient");
    assert_eq!(recipient.error.message.as_deref(), Some("busy"));
    assert_eq!(recipient.retry_count, Some(2));
    for value in [json!(null), json!([]), json!("x"), json!(7)] {
        assert_eq!(Fax::from_value(&value), None);
    }
}

#[test]
fn an_error_of_a_recipient_stands_in_for_a_missing_one() {
    let busy = json!({"error_type": "lineError", "error_id": 17, "error_message": "Busy",
        "completed_at": "2026-01-02T03:04:05.000-06:00"});
    let of_recipient = fax(&json!({"id": 7, "status": "failure", "error_id": null,
        "recipients": [{"status": "success"}, busy]}));
    assert_eq!(of_recipient.error().and_then(|error| error.id), Some(17));
    let end = "2026-01-02T09:04:05Z".parse().expect("time");
    assert_eq!(of_recipient.completed_at(), Some(end));
    let of_fax = fax(&json!({"id": 7, "error_id": 75, "error_type": "faxError", "recipients": [busy]}));
    assert_eq!(of_fax.error().and_then(|error| error.id), Some(75));
    let flattened = fax(&json!({"id": "7", "recipients": {"0": {"error_id": "17"}}}));
    assert_eq!(flattened.error().and_then(|error| error.id), Some(17));
    // In version 1 the code is the words; a code that is a number is an id.
    let words = fax(&json!({"error_code": "Ring Timeout"}));
    assert_eq!(words.error.message.as_deref(), Some("Ring Timeout"));
    let number = fax(&json!({"error_code": "17"}));
    assert_eq!((number.error.id, number.error.message), (Some(17), None));
}

#[test]
fn the_job_is_named_by_its_tag_only() {
    let tagged = |tags: Value| fax(&json!({"id": 1, "tags": tags})).job_tag().map(str::to_owned);
    assert_eq!(
        tagged(json!({"faxgate_job": "abc", "x": "y"})).as_deref(),
        Some("abc")
    );
    for tags in [
        json!({"faxgate_job": ""}),
        json!({"job": "abc"}),
        json!({}),
        json!(null),
    ] {
        assert_eq!(tagged(tags), None);
    }
}
