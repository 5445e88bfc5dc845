//! The map from codes to problem types.

use super::*;

#[test]
fn every_kind_has_a_name_of_its_own_and_an_error_status() {
    let mut names: Vec<_> = Kind::EVERY.iter().map(|kind| kind.problem_type().name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Kind::EVERY.len());
    for kind in Kind::EVERY {
        let status = kind.problem_type().status;
        assert!(status.is_client_error() || status.is_server_error(), "{kind:?}");
    }
}

#[test]
fn statuses_of_the_contract() {
    for (code, expected) in [
        (Code::BadNumber, 400),
        (Code::BadCursor, 400),
        (Code::TooLarge, 413),
        (Code::UnsupportedDocument, 415),
        (Code::BadDocument, 422),
        (Code::Invalid, 422),
        (Code::IdempotencyConflict, 409),
        (Code::BadLink, 403),
        (Code::BadSignature, 401),
        (Code::Gone, 410),
        (Code::Superseded, 410),
        (Code::RateLimited, 429),
        (Code::Timeout, 408),
    ] {
        let status = Kind::Code(code).problem_type().status.as_u16();
        assert_eq!(status, expected, "{code:?}");
    }
}

#[test]
fn temporary_problems_say_when_to_try_again() {
    for kind in Kind::EVERY {
        let response = Problem::of(kind, "").into_response();
        let expected = matches!(response.status().as_u16(), 429 | 503);
        assert_eq!(
            response.headers().contains_key("retry-after"),
            expected,
            "{kind:?}"
        );
    }
}
