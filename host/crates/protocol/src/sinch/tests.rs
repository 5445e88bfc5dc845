//! What the worked vectors mean, as far as the format decides it. The calls, proofs and states around them are tested
//! where they live: in the provider client, the callback policy and the service.

use super::callback::{Event, Payload};
use super::create::{CreateRequest, InlineFile, Resolution};
use super::error::may_repeat;
use super::fax::{query_value, without_userinfo};
use super::status::adoption_rank;
use super::token::{AccessToken, says_expired};
use super::vectors as v;
use super::{ApiError, Fax, FaxPage, answer};
use crate::failure::FailureClass;
use crate::status::{Direction, ReceivedStatus, SentStatus};
use serde_json::Value;

fn fax(body: &str) -> Fax {
    answer::fax(body.as_bytes()).expect("a fax")
}

fn request() -> CreateRequest {
    CreateRequest {
        to: "+15550100001".into(),
        from: Some("+15550100999".into()),
        header_text: Some("Clinic Nord".into()),
        max_retries: 2,
        retry_delay_seconds: 60,
        resolution: Some(Resolution::Fine),
        labels: [("faxgate_job", v::JOB_A), ("ward", "4b")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        callback_url: v::CALLBACK_URL.into(),
        ..CreateRequest::default()
    }
}

fn written(request: &CreateRequest) -> Value {
    serde_json::to_value(request).expect("JSON")
}

#[test]
fn v1_a_token_is_renewed_a_minute_early() {
    let token = AccessToken::parse(v::V1_TOKEN.as_bytes()).expect("a token");
    assert_eq!(
        (token.value.as_str(), token.renew_after().as_secs()),
        ("h.p.s", 3539)
    );
}

#[test]
fn v2_a_request_with_the_document_in_it() {
    let inline = CreateRequest {
        files: vec![InlineFile {
            file: v::DOCUMENT_BASE64.into(),
            file_type: "PDF".into(),
        }],
        ..request()
    };
    let expected: Value = serde_json::from_str(v::V2_CREATE).expect("JSON");
    assert_eq!(written(&inline), expected);
    let taken = answer::created(v::V2_CREATED.as_bytes());
    let [taken] = taken.as_slice() else {
        panic!("{taken:?}")
    };
    assert_eq!(taken.id.as_deref(), Some(v::FAX_A));
    assert_eq!((taken.sent_status(), taken.pages), (SentStatus::InProgress, None));
    assert_eq!(taken.job_mark(), Some(v::JOB_A));
}

#[test]
fn v3_a_request_with_a_content_url() {
    let by_url = CreateRequest {
        content_url: Some(v::CONTENT_URL.into()),
        ..request()
    };
    let mut expected: Value = serde_json::from_str(v::V2_CREATE).expect("JSON");
    let members = expected.as_object_mut().expect("an object");
    members.remove("files");
    members.insert("contentUrl".into(), v::CONTENT_URL.into());
    assert_eq!(written(&by_url), expected);
    let taken = fax(v::V3_CREATED);
    assert_eq!(
        (taken.id.as_deref(), taken.has_file),
        (Some(v::FAX_A), Some(false))
    );
}

#[test]
fn v4_a_fax_that_lost_its_labels_is_found_by_its_callback_address() {
    let found = fax(v::V4_LABELS_LOST);
    assert_eq!((found.labels.len(), found.job_mark()), (0, Some(v::JOB_A)));
}

#[test]
fn v5_answers_of_other_shapes() {
    let ids = |body: &str| -> Vec<(Option<String>, Option<String>)> {
        let faxes = answer::created(body.as_bytes());
        let named = |fax: &Fax| (fax.id.clone(), fax.job_mark().map(str::to_owned));
        faxes.iter().map(named).collect()
    };
    let [one, two, none, failed] = v::V5_ANSWERS;
    assert_eq!(ids(one), [(Some(v::FAX_A.into()), None)]);
    let both = [(v::FAX_B, v::JOB_B), (v::FAX_A, v::JOB_A)];
    assert_eq!(
        ids(two),
        both.map(|(fax, job)| (Some(fax.into()), Some(job.into())))
    );
    assert_eq!(ids(none), []);
    let failed = fax(failed);
    assert_eq!(failed.sent_status(), SentStatus::Failed);
    assert_eq!(failed.error.map(|error| error.class()), Some(FailureClass::Other));
}

#[test]
fn v6_refusals_say_why() {
    let expected = [
        Some("from +15550100999 is not yours; from: not assigned to a fax service"),
        Some("no content"),
        Some("balance"),
        None,
        None,
        Some("project"),
    ];
    for ((status, authenticate, body), text) in v::V6_REFUSALS.into_iter().zip(expected) {
        assert_eq!(
            ApiError::parse(body.as_bytes()).text().as_deref(),
            text,
            "{status}"
        );
        assert_eq!(says_expired(authenticate), status == 401);
    }
}

#[test]
fn v7_the_fax_with_the_mark_is_adopted() {
    let page = FaxPage::parse(v::V7_LIST.as_bytes()).expect("a page");
    assert_eq!(
        (page.total_items, page.total_pages, page.page),
        (Some(2), Some(1), Some(1))
    );
    let ours: Vec<_> = page
        .faxes
        .iter()
        .filter(|fax| fax.job_mark() == Some(v::JOB_A))
        .collect();
    let [found] = ours.as_slice() else {
        panic!("{ours:?}")
    };
    assert_eq!(found.id.as_deref(), Some(v::FAX_A));
    let ranks = ["COMPLETED", "IN_PROGRESS", "QUEUED", "FAILURE"]
        .map(|word| adoption_rank(super::status::sent(word)));
    assert!(ranks.is_sorted_by(|a, b| a > b), "{ranks:?}");
}

#[test]
fn v8_an_empty_list_is_a_list() {
    let page = FaxPage::parse(v::V8_EMPTY.as_bytes()).expect("a page");
    assert!(page.is_list() && page.faxes.is_empty());
    assert_eq!(page.total_pages, Some(0));
}

#[test]
fn v9_a_delivered_fax_has_pages_and_a_price() {
    let price = |body: &str| fax(body).price.map(|price| (price.micros, price.usd_cents()));
    let delivered = fax(v::V9_DELIVERED);
    assert_eq!(
        (delivered.sent_status(), delivered.pages),
        (SentStatus::Delivered, Some(3))
    );
    assert_eq!((delivered.pages_sent, delivered.has_file), (Some(3), Some(true)));
    assert_eq!(
        delivered.completed_at.map(|at| at.to_string()).as_deref(),
        Some("2026-10-06T12:00:47Z")
    );
    assert_eq!(price(v::V9_DELIVERED), Some((135_000, Some(14))));
    let number = v::V9_DELIVERED.replace(r#""amount":"0.135""#, r#""amount":0.135"#);
    assert_eq!(price(&number), Some((135_000, Some(14))));
    assert_eq!(
        price(&v::V9_DELIVERED.replace("USD", "EUR")),
        Some((135_000, None))
    );
    assert_eq!(price(&v::V9_DELIVERED.replace("\"price\"", "\"later\"")), None);
}

#[test]
fn v10_failures_have_their_classes() {
    let expected = [
        (FailureClass::Busy, true),
        (FailureClass::Fax, false),
        (FailureClass::Line, false),
        (FailureClass::Fetch, true),
        (FailureClass::Document, true),
        (FailureClass::Number, false),
        (FailureClass::Other, false),
    ];
    for (body, (class, repeatable)) in v::V10_FAILED.into_iter().zip(expected) {
        let failed = fax(body);
        assert_eq!(failed.sent_status(), SentStatus::Failed);
        let error = failed.error.expect("an error");
        assert_eq!(error.class(), class, "{body}");
        let may = error
            .known_type()
            .is_some_and(|kind| may_repeat(kind, failed.pages_sent));
        assert_eq!(may, repeatable, "{body}");
        assert!(!error.message.unwrap_or_default().contains("TF"), "{body}");
    }
    assert_eq!(fax(v::V10_UNKNOWN).sent_status(), SentStatus::Unknown);
}

#[test]
fn v11_a_multipart_callback() {
    for (name, text) in v::V11_PARTS {
        assert!(
            v::V11_BODY.contains(&format!("name=\"{name}\"")) && v::V11_BODY.contains(text),
            "{name}"
        );
    }
    let payload = Payload::from_parts(v::V11_PARTS).expect("payload");
    assert_eq!(payload.event, Some(Event::FaxCompleted));
    assert_eq!(
        payload.event_time.map(|at| at.to_string()).as_deref(),
        Some("2026-10-06T12:00:48Z")
    );
    assert_eq!(payload.fax.id.as_deref(), Some(v::FAX_A));
    assert_eq!(payload.fax.job_mark(), Some(v::JOB_A));
}

#[test]
fn v12_a_json_callback_in_every_shape() {
    for body in v::V12_JSON {
        let payload = Payload::from_json(body.as_bytes()).expect(body);
        assert_eq!(payload.fax.id.as_deref(), Some(v::FAX_A), "{body}");
        assert_eq!(payload.fax.sent_status(), SentStatus::Failed, "{body}");
        assert_eq!(
            payload.fax.error.map(|error| error.class()),
            Some(FailureClass::Busy),
            "{body}"
        );
        let documents: Vec<_> = payload
            .documents
            .iter()
            .map(|document| document.decode())
            .collect();
        assert_eq!(documents, [Some(v::DOCUMENT.to_vec())], "{body}");
    }
}

#[test]
fn v13_and_v14_a_callback_names_its_job_in_the_address() {
    assert_eq!(query_value(v::CALLBACK_URL, "job_id"), Some(v::JOB_A));
    assert_eq!(query_value(v::CALLBACK_URL, "token"), Some("TA"));
    assert_eq!(fax(v::V13_FOREIGN).job_mark(), Some(v::JOB_B));
}

#[test]
fn v15_a_received_fax() {
    let payload = Payload::from_json(v::V15_INCOMING.as_bytes()).expect("payload");
    assert_eq!(payload.direction(), Some(Direction::Received));
    assert_eq!(payload.fax.received_status(), ReceivedStatus::Received);
    assert_eq!(payload.fax.id.as_deref(), Some(v::RECEIVED));
    let [document] = payload.documents.as_slice() else {
        panic!("{payload:?}")
    };
    assert!(document.is_pdf());
    assert_eq!(document.decode().as_deref(), Some(v::DOCUMENT));
    let tiff = v::V15_INCOMING.replace("\"PDF\"", "\"TIFF\"");
    let tiff = Payload::from_json(tiff.as_bytes()).expect("payload");
    assert!(tiff.documents.iter().all(|document| !document.is_pdf()));
}

#[test]
fn v16_a_list_says_which_documents_there_are() {
    let page = FaxPage::parse(v::V16_LIST.as_bytes()).expect("a page");
    let files: Vec<_> = page.faxes.iter().map(|fax| fax.has_file).collect();
    assert_eq!(files, [Some(true), Some(false)]);
    assert!(
        page.faxes
            .iter()
            .all(|fax| fax.direction == Some(Direction::Received))
    );
}

#[test]
fn v17_a_masked_address_is_the_configured_one() {
    let service: Value = serde_json::from_str(v::V17_SERVICE).expect("JSON");
    let masked = service
        .get("incomingWebhookUrl")
        .and_then(Value::as_str)
        .expect("an address");
    assert_eq!(without_userinfo(masked), without_userinfo(v::V17_INBOUND_URL));
}

#[test]
fn v18_the_document_has_two_paths() {
    use super::fields::path;
    assert_eq!([path::FILE, path::FILE_PDF], ["file", "file.pdf"]);
    assert_eq!(v::DOCUMENT.len(), 14);
}
