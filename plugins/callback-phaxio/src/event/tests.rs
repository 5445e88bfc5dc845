//! Every version of the payload, and the oddities of each.

use super::*;
use crate::policy::{Verdict, evaluate};
use crate::testing::Request;
use serde_json::json;

const URL: &str = "https://fax.example.test/phaxio-callback";

fn event(request: Request) -> Event {
    match evaluate(&request.unproven()) {
        Verdict::Accept(event) => event,
        other => panic!("{other:?}"),
    }
}

fn sent(fields: &[(&str, &str)]) -> StatusUpdate {
    match event(Request::form(DeliveryKind::Status, URL, fields).query("job_id", "abc123")) {
        Event::Status(update) => update,
        other => panic!("{other:?}"),
    }
}

fn arrived(request: Request) -> ReceivedFax {
    match event(request) {
        Event::Received(fax) => fax,
        other => panic!("{other:?}"),
    }
}

fn inbound(fields: &[(&str, &str)]) -> Request {
    Request::form(
        DeliveryKind::Inbound,
        "https://fax.example.test/phaxio-inbound",
        fields,
    )
}

#[test]
fn version_2_1_completed() {
    let fax = json!({
        "id": 123456, "direction": "sent", "num_pages": 3, "status": "success", "is_test": false, "cost": 21,
        "created_at": "2021-11-04T16:28:30.000-05:00", "completed_at": "2021-11-04T16:30:01.000-05:00",
        "tags": {"faxgate_job": "abc123"}, "error_id": null, "error_type": null, "error_message": null,
        "recipients": [{"phone_number": "+15558675309", "status": "success", "retry_count": 1, "bitrate": 14400,
            "resolution": 8040, "completed_at": "2021-11-04T16:30:00.000-05:00", "error_id": null}],
    })
    .to_string();
    let update = sent(&[("fax", &fax), ("event_type", "fax_completed")]);
    let expected = StatusUpdate {
        provider_id: "123456".into(),
        job_id: Some("abc123".into()),
        status: SentStatus::Delivered,
        provider_status: "success".into(),
        in_flight: None,
        pages: Some(3),
        cost_cents: Some(21),
        error: ErrorFields::default(),
        completed_at: Some("2021-11-04T21:30:01Z".into()),
        attributes: [
            ("retry_count", "1"),
            ("bitrate", "14400"),
            ("resolution", "8040"),
            ("is_test", "false"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
    };
    assert_eq!(update, expected);
}

#[test]
fn version_2_failed_with_the_error_at_the_recipient() {
    let fax = json!({
        "id": 7, "status": "failure", "error_id": null, "error_type": null, "error_message": null,
        "recipients": [
            {"status": "success", "error_type": null},
            {"status": "failure", "error_type": "lineError", "error_id": 17, "error_message": "Busy"},
        ],
    })
    .to_string();
    let update = sent(&[
        ("fax", &fax),
        ("success", "false"),
        ("is_test", "false"),
        ("direction", "sent"),
    ]);
    assert_eq!(update.status, SentStatus::Failed);
    let busy = ErrorFields {
        error_type: Some("lineError".into()),
        id: Some(17),
        message: Some("Busy".into()),
    };
    assert_eq!(update.error, busy);
    let both = json!({"id": 7, "status": "failure", "error_id": 75, "error_type": "faxError",
        "error_message": "Manually canceled by user",
        "recipients": [{"error_type": "lineError", "error_id": 17}]});
    assert_eq!(sent(&[("fax", &both.to_string())]).error.id, Some(75));
}

#[test]
fn version_1_counts_seconds_and_writes_numbers_as_text() {
    let fax = json!({
        "id": "7", "num_pages": "2", "cost": "14", "direction": "sent", "status": "failure", "is_test": "1",
        "requested_at": 1_293_910_600, "completed_at": "1293910688", "error_type": "lineError",
        "error_code": "Ring Timeout", "recipients": [{"number": "5558675309", "status": "failure"}],
    })
    .to_string();
    let update = sent(&[
        ("success", "false"),
        ("fax", &fax),
        ("message", "Fax failed"),
        ("direction", "sent"),
    ]);
    assert_eq!(
        (update.provider_id.as_str(), update.pages, update.cost_cents),
        ("7", Some(2), Some(14))
    );
    assert_eq!(update.completed_at.as_deref(), Some("2011-01-01T19:38:08Z"));
    let timeout = ErrorFields {
        error_type: Some("lineError".into()),
        id: None,
        message: Some("Ring Timeout".into()),
    };
    assert_eq!(update.error, timeout);
    let wordless = sent(&[
        ("fax", r#"{"id":7,"status":"failure"}"#),
        ("message", "Fax failed"),
    ]);
    assert_eq!(wordless.error.message.as_deref(), Some("Fax failed"));
}

#[test]
fn flattened_fields() {
    let update = sent(&[
        ("fax[id]", "7"),
        ("fax[status]", "failure"),
        ("fax[num_pages]", "2"),
        ("fax[error_type]", "faxError"),
        ("fax[error_message]", "No answer"),
        ("fax[cost]", "7"),
    ]);
    assert_eq!(
        (update.status, update.pages, update.cost_cents),
        (SentStatus::Failed, Some(2), Some(7))
    );
    assert_eq!(update.error.message.as_deref(), Some("No answer"));
    let deep = sent(&[
        ("fax[id]", "7"),
        ("fax[status]", "failure"),
        ("fax[recipients][0][error_id]", "17"),
    ]);
    assert_eq!(deep.error.id, Some(17));
}

#[test]
fn every_word_for_a_status() {
    let cases = [
        ("queued", SentStatus::Queued),
        ("pendingbatch", SentStatus::Queued),
        ("inprogress", SentStatus::InProgress),
        ("ringing", SentStatus::InProgress),
        ("callactive", SentStatus::InProgress),
        ("willretry", SentStatus::InProgress),
        ("success", SentStatus::Delivered),
        ("Success", SentStatus::Delivered),
        ("partialsuccess", SentStatus::PartlyDelivered),
        ("failure", SentStatus::Failed),
        ("canceled", SentStatus::Unknown),
        ("", SentStatus::Unknown),
    ];
    for (word, status) in cases {
        let update = sent(&[("fax[id]", "7"), ("fax[status]", word)]);
        assert_eq!((update.status, update.provider_status.as_str()), (status, word));
    }
    assert_eq!(
        sent(&[("fax", r#"{"id":7,"status":null}"#)]).status,
        SentStatus::Unknown
    );
    assert_eq!(
        sent(&[("fax", r#"{"id":7}"#), ("success", "true")]).status,
        SentStatus::Delivered
    );
    assert_eq!(
        sent(&[("fax", r#"{"id":7}"#), ("success", "false")]).status,
        SentStatus::Failed
    );
}

#[test]
fn a_delivered_fax_has_no_error() {
    let update = sent(&[(
        "fax",
        r#"{"id":7,"status":"success","error_id":0,"error_message":"none"}"#,
    )]);
    assert_eq!(update.error, ErrorFields::default());
    let partly = sent(&[(
        "fax",
        r#"{"id":7,"status":"partialsuccess","recipients":[{"error_id":17}]}"#,
    )]);
    assert_eq!(partly.error.id, Some(17));
}

#[test]
fn news_under_way() {
    let page = sent(&[
        ("fax", r#"{"id":7,"status":"inprogress"}"#),
        ("event_type", "transmitting_page"),
        ("page", "2"),
        ("recipient_phone_number", "+15558675309"),
    ]);
    assert_eq!(
        (page.status, page.in_flight.as_deref()),
        (SentStatus::InProgress, Some("transmitting_page"))
    );
    assert_eq!(
        page.attributes,
        [("page".to_owned(), "2".to_owned())],
        "no number leaks into the timeline"
    );
    let retry = sent(&[
        ("fax", r#"{"id":7}"#),
        ("event_type", "retry_scheduled"),
        ("retry_count", "1"),
    ]);
    assert_eq!(
        (retry.status, retry.in_flight.as_deref()),
        (SentStatus::InProgress, Some("retry_scheduled"))
    );
    // Only the closing event closes a fax.
    let odd = sent(&[
        ("fax", r#"{"id":7,"status":"failure"}"#),
        ("event_type", "retry_scheduled"),
    ]);
    assert_eq!(odd.status, SentStatus::Unknown);
}

#[test]
fn odd_counts_are_absent() {
    for pages in [r#""two""#, "1.5", "-1", "0", "null", "[]", "99999999999", r#""""#] {
        let fax = format!(r#"{{"id":7,"status":"success","num_pages":{pages},"cost":"free"}}"#);
        let update = sent(&[("fax", &fax)]);
        assert_eq!((update.pages, update.cost_cents), (None, None), "{pages}");
    }
}

#[test]
fn which_job() {
    let form = |fax: &str| Request::form(DeliveryKind::Status, URL, &[("fax", fax)]);
    let job = |request: Request| match event(request) {
        Event::Status(update) => update.job_id,
        other => panic!("{other:?}"),
    };
    let tagged = r#"{"id":7,"status":"queued","tags":{"faxgate_job":"abc"}}"#;
    let plain = r#"{"id":7,"status":"queued"}"#;
    assert_eq!(job(form(plain)), None);
    assert_eq!(job(form(plain).query("job_id", "")), None);
    assert_eq!(job(form(plain).query("job_id", "x1")).as_deref(), Some("x1"));
    assert_eq!(job(form(tagged)).as_deref(), Some("abc"));
    assert_eq!(
        job(form(tagged).query("job_id", "abc").query("job_id", "abc")).as_deref(),
        Some("abc")
    );
    let ignored = |request: Request| matches!(evaluate(&request.unproven()), Verdict::Ignore(_));
    assert!(ignored(form(tagged).query("job_id", "other")));
    assert!(ignored(form(plain).query("job_id", "a").query("job_id", "b")));
    assert!(ignored(form(r#"{"status":"queued"}"#)));
    assert!(ignored(form(r#"{"id":"../etc","status":"queued"}"#)));
}

#[test]
fn a_received_fax_of_version_2_1() {
    let fax = json!({
        "id": 98765, "direction": "received", "num_pages": 2, "status": "success", "is_test": true, "cost": 7,
        "from_number": "+15551230000", "to_number": "+15559870000", "caller_name": "FRONT DESK",
        "completed_at": "2021-11-04T16:30:01.000-05:00", "error_id": null,
    })
    .to_string();
    let request = inbound(&[("fax", &fax), ("event_type", "fax_received")]).file("file", b"%PDF");
    let expected = ReceivedFax {
        provider_id: "98765".into(),
        sender: Some("+15551230000".into()),
        called: Some("+15559870000".into()),
        success: true,
        pages: Some(2),
        received_at: Some("2021-11-04T21:30:01Z".into()),
        document: Some(0),
        error: ErrorFields::default(),
        is_test: true,
        attributes: [("caller_name", "FRONT DESK"), ("cost", "7")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .into(),
    };
    assert_eq!(arrived(request), expected);
}

#[test]
fn a_received_fax_of_version_1() {
    let fax = r#"{"id":"5","num_pages":"1","status":"success","completed_at":1293910688,"from_number":"5551230000"}"#;
    let fields = [
        ("success", "true"),
        ("is_test", "true"),
        ("direction", "received"),
        ("fax", fax),
        ("metadata", "m"),
    ];
    let got = arrived(inbound(&fields).file("other", b"x").file("filename", b"%PDF"));
    assert_eq!((got.document, got.is_test, got.success), (Some(1), true, true));
    assert_eq!(got.received_at.as_deref(), Some("2011-01-01T19:38:08Z"));
    assert_eq!(got.attributes, [("metadata".to_owned(), "m".to_owned())]);
}

#[test]
fn a_failed_reception_has_no_file() {
    let fax = r#"{"id":5,"direction":"received","num_pages":0,"status":"failure","error_id":117,"error_type":"faxError","error_message":"No pages received"}"#;
    let got = arrived(inbound(&[("fax", fax), ("success", "false")]));
    assert_eq!(
        (got.success, got.document, got.pages, got.error.id),
        (false, None, None, Some(117))
    );
}

#[test]
fn which_file_is_the_document() {
    let request = || inbound(&[("fax", r#"{"id":5,"status":"success"}"#)]);
    assert_eq!(arrived(request()).document, None);
    assert_eq!(arrived(request().file("file", b"")).document, None);
    assert_eq!(arrived(request().file("thumbnail", b"x")).document, None);
    assert_eq!(
        arrived(request().file("filename", b"a").file("file", b"b")).document,
        Some(1)
    );
    assert_eq!(
        arrived(request().file("file", b"a").file("file", b"b")).document,
        None,
        "fetched instead"
    );
}

#[test]
fn direction_counts_more_than_the_address() {
    let received = r#"{"id":5,"direction":"received","status":"success"}"#;
    arrived(Request::form(DeliveryKind::Status, URL, &[("fax", received)]));
    let sent = r#"{"id":5,"direction":"sent","status":"success"}"#;
    assert!(matches!(event(inbound(&[("fax", sent)])), Event::Status(_)));
    assert!(matches!(
        event(inbound(&[("fax", r#"{"id":5}"#)])),
        Event::Received(_)
    ));
}

#[test]
fn an_unfinished_reception_is_ignored() {
    let request = inbound(&[("fax", r#"{"id":5,"direction":"received","status":"inprogress"}"#)]);
    assert!(matches!(evaluate(&request.unproven()), Verdict::Ignore(_)));
}
