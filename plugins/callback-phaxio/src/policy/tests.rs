//! Proof before content, and no input that breaks it.

use super::*;
use crate::delivery::DeliveryKind;
use crate::testing::Request;
use proptest::prelude::*;

#[test]
fn garbage_is_ignored_when_genuine_and_rejected_when_not() {
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"fax":7}"#,
        r#"{"fax":{}}"#,
        r#"{"fax":{"id":"a b"}}"#,
    ] {
        let genuine = Request::json(body).signed_body("secret");
        assert!(matches!(evaluate(&genuine), Verdict::Ignore(_)), "{body}");
        assert!(
            matches!(evaluate(&Request::json(body)), Verdict::Reject(_)),
            "{body}"
        );
    }
}

#[test]
fn a_json_body_is_read_when_the_proof_covers_it() {
    let good = Request::json(r#"{"fax":{"id":7,"status":"success"}}"#).signed_body("secret");
    assert!(matches!(evaluate(&good), Verdict::Accept(Event::Status(_))));
    let text = Request::json(r#"{"fax":"{\"id\":7}","event_type":"fax_received"}"#).signed_body("secret");
    assert!(matches!(evaluate(&text), Verdict::Accept(Event::Received(_))));
    let flat = Request::json(r#"{"fax[id]":"7","fax[status]":"success"}"#).signed_body("secret");
    assert!(matches!(evaluate(&flat), Verdict::Accept(Event::Status(_))));
}

#[test]
fn a_proof_of_the_body_alone_does_not_bind_it_to_the_job_of_the_address() {
    let job = |body: &str| {
        let request = Request::json(body).query("job_id", "abc").signed_body("secret");
        match evaluate(&request) {
            Verdict::Accept(Event::Status(update)) => update.job_id,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(job(r#"{"fax":{"id":7,"status":"success"}}"#), None);
    let tagged = r#"{"fax":{"id":7,"status":"success","tags":{"faxgate_job":"abc"}}}"#;
    assert_eq!(job(tagged).as_deref(), Some("abc"));
}

/// Names and values that the rules look for, among anything else.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "fax",
            "fax[id]",
            "fax[status]",
            "fax[recipients][0][status]",
            "id",
            "status",
            "event_type",
            "direction",
            "success",
            "received",
            "file",
            "filename",
            "true",
            "7",
            "-1",
            "1e999",
            "99999999999999999999",
            r#"{"id":7,"status":"success","recipients":[null,7,{}]}"#,
            r#"{"id":[],"tags":7}"#,
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn no_form_breaks_it(
        fields in prop::collection::vec((texts(), texts()), 0..8),
        query in prop::collection::vec((texts(), texts()), 0..3),
        url in texts(),
        signature in prop_oneof![any::<String>(), "[0-9a-f]{40}", "[0-9a-f]{64}"],
        file in texts(),
        proof_required: bool,
    ) {
        let mut request = Request::form(DeliveryKind::Inbound, &url, &[]).signed(&signature).token("t");
        request = request.file(&file, b"x");
        request.fields = fields;
        request.query = query;
        request.proof_required = proof_required;
        let verdict = evaluate(&request);
        prop_assert_eq!(proof_required, matches!(verdict, Verdict::Reject(_)));
    }

    #[test]
    fn no_body_breaks_it(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut request = Request::json("").unproven();
        request.body = body;
        prop_assert!(!matches!(evaluate(&request), Verdict::Reject(_)));
    }
}
