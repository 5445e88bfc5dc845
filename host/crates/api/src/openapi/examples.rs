//! Examples of what is sent and answered. A test holds them against the schemas.

use serde_json::{Map, Value, json};

use crate::problem::Kind;
use faxgate_edge::problem::ProblemType;

/// Examples by the name of their schema.
pub(super) fn all() -> Map<String, Value> {
    let mut examples = resources();
    examples.extend(requests());
    examples.extend(operators());
    examples
        .into_iter()
        .map(|(name, example)| (name.to_owned(), example))
        .collect()
}

const ID: &str = "01kc2v9qk4x7m8r5t0w3y6z1b2";
const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn resources() -> Vec<(&'static str, Value)> {
    let (fax, inbound) = (fax_job(), inbound_fax());
    let event = json!({
        "at": "2030-01-31T12:00:05Z", "event": "submitted", "attempt": 1, "detail": "", "facts": {"provider_id": "1234567"},
    });
    vec![
        (
            "Problem",
            json!({
                "type": "urn:faxgate:problem:bad-number", "title": "The number can't be dialled", "status": 400,
                "detail": sentence("bad-number"),
            }),
        ),
        ("Ok", json!({"status": "ok"})),
        ("FaxJob", fax.clone()),
        ("FaxList", json!({"items": [fax], "next_cursor": null})),
        ("Event", event.clone()),
        ("EventList", json!({"items": [event]})),
        ("InboundFax", inbound.clone()),
        ("InboundList", json!({"items": [inbound], "next_cursor": null})),
        (
            "Link",
            json!({"url": format!("https://fax.example.com/inbound/{ID}/pdf?token=…"), "expires_at": "2030-01-31T13:00:00Z"}),
        ),
    ]
}

fn requests() -> Vec<(&'static str, Value)> {
    vec![
        (
            "SendFax",
            json!({"to": "+12125550100", "file": "Dear colleague,\n\nthe results are in.\n", "header_text": "Ward 7"}),
        ),
        ("ResendFax", json!({"to": "+12125550101"})),
        (
            "NewKey",
            json!({
                "name": "billing", "owner": "clinic", "scopes": ["fax:send", "fax:read"],
                "expires_at": "2099-01-31T12:00:00+01:00", "note": "for the nightly run", "requests_per_minute": 120,
            }),
        ),
        ("Rotation", json!({"overlap_minutes": 60})),
    ]
}

fn operators() -> Vec<(&'static str, Value)> {
    let fields = json!({
        "key_id": "0123456789ab", "name": "billing", "owner": "clinic", "scopes": ["fax:send", "fax:read"],
        "note": null, "requests_per_minute": 120, "created_at": "2030-01-31T12:00:00Z", "expires_at": null,
        "revoked_at": null, "rotated_at": null, "last_used_at": "2030-01-31T12:30:00Z",
    });
    let key = fields.as_object().cloned().unwrap_or_default();
    let mut with_token = key.clone();
    with_token.insert("token".to_owned(), json!("fbk_live_0123456789ab_…"));
    let record = json!({
        "seq": 17, "previous": SHA256, "hash": SHA256,
        "entry": {"at": "2030-01-31T12:00:00Z", "who": "0123456789ab", "what": "fax.accepted", "object": ID, "outcome": "ok"},
    });
    let check = json!({"name": "database", "ok": true});
    vec![
        ("Key", json!(key)),
        ("KeyWithToken", json!(with_token)),
        ("KeyList", json!({"items": [key], "next_cursor": null})),
        ("AuditRecord", record.clone()),
        ("AuditList", json!({"items": [record], "next_cursor": "17"})),
        ("Check", check.clone()),
        ("Readiness", json!({"status": "ready", "checks": [check]})),
    ]
}

fn fax_job() -> Value {
    json!({
        "id": ID, "to": "+12125550100", "to_raw": "(212) 555-0100", "status": "SUCCESS", "error": null,
        "error_type": null, "error_id": null, "pages": 1, "backend": "phaxio", "provider_sid": "1234567", "attempts": 1,
        "cost_cents": 7, "file_name": "letter.pdf", "media_type": "application/pdf", "tags": {"case": "7"},
        "owner": "clinic", "resend_of": null, "send_at": null, "batch_delay": null, "created_at": "2030-01-31T12:00:00Z",
        "updated_at": "2030-01-31T12:01:10Z", "completed_at": "2030-01-31T12:01:10Z", "expires_at": null,
    })
}

fn inbound_fax() -> Value {
    json!({
        "id": ID, "from": "+12125550100", "to": "+12125550101", "status": "received", "error": null, "pages": 2,
        "backend": "phaxio", "provider_sid": "1234567", "size_bytes": 48_213, "sha256": SHA256, "is_test": false,
        "received_at": "2030-01-31T12:00:00Z", "created_at": "2030-01-31T12:00:03Z", "expires_at": "2030-03-02T12:00:03Z",
    })
}

/// What a problem of this kind might say.
pub(super) fn problem(kind: Kind) -> Value {
    let ProblemType { status, name, title } = kind.problem_type();
    json!({"type": kind.problem_type().uri(), "title": title, "status": status.as_u16(), "detail": sentence(name)})
}

fn sentence(name: &str) -> &'static str {
    match name {
        "bad-request" => "limit is a whole number",
        "bad-number" => "the number has too few digits for US: give it like +12125550100",
        "bad-cursor" => "cursor is not one that this list gave: leave it out to begin anew",
        "invalid" => "to is missing: send the destination as form field `to`, for example +12125550100",
        "bad-document" => "the document is encrypted: send it without a password",
        "unsupported-document" => {
            "no converter reads this kind of document: send PDF, text, PNG, JPEG or TIFF"
        }
        "too-large" => "the file is larger than 10 MiB: send a smaller one or several faxes",
        "unauthenticated" => {
            "this address needs an API key: send it as X-API-Key or as Authorization: Bearer"
        }
        "forbidden" => "this API key lacks the scope fax:send: use a key that has it",
        "bad-link" => "the link is wrong or has expired: ask for a new one",
        "bad-signature" => "the signature does not hold",
        "not-found" => "there is no fax with this id",
        "gone" => "the document was destroyed; the record stays",
        "conflict" => "the fax is SUCCESS already: nothing can be changed any more",
        "idempotency-conflict" => "this Idempotency-Key was used for another request: use a new one",
        "rate-limited" => "more than 60 requests a minute: wait 1 s",
        "busy" => "too much is being worked on at once: try again in a moment",
        "timeout" => "the body came too slowly: send it again over a better line",
        "unavailable" => "document storage does not answer: try again in a moment",
        "unsupported-format" => "send the body as application/json",
        "range-not-satisfiable" => "the document has 48213 bytes: ask for some of those",
        "https-required" => "credentials were sent in clear: use HTTPS, and replace this key or link",
        _ => "an internal error occurred: the operator finds its cause in the log under this request id",
    }
}
