//! The shapes of bodies.

use serde_json::{Map, Value, json};

use faxgate_domain::document::{Cover, Halftone, Paper, Resolution};
use faxgate_domain::job::PublicStatus;
use faxgate_domain::scope::Scope;

/// Every schema by name.
pub(super) fn all() -> Map<String, Value> {
    let named = [
        ("Problem", problem()),
        ("Ok", object(&[("status", json!({"const": "ok"}))])),
        ("Object", json!({"type": "object"})),
        ("SendFax", send_fax()),
        (
            "ResendFax",
            json!({"type": "object", "properties": {
                "to": {"type": ["string", "null"], "description": "Another destination"},
                "send_at": send_at(),
                "batch_delay": batch_delay(),
            }}),
        ),
        ("FaxJob", fax_job()),
        ("FaxList", list("FaxJob")),
        ("EventList", items("Event")),
        ("Event", event()),
        ("InboundFax", inbound_fax()),
        ("InboundList", list("InboundFax")),
        (
            "Link",
            object(&[("url", json!({"type": "string"})), ("expires_at", time())]),
        ),
        (
            "Delivery",
            json!({"type": "object", "description": "Fields and files of the provider"}),
        ),
        ("NewKey", new_key()),
        ("Rotation", rotation()),
        ("Key", key(&[])),
        (
            "KeyWithToken",
            key(&[(
                "token",
                json!({"type": "string", "description": "Shown this once"}),
            )]),
        ),
        ("KeyList", list("Key")),
        (
            "PluginList",
            object(&[("items", array("Plugin")), ("problems", array("PluginProblem"))]),
        ),
        ("PluginProblem", plugin_problem()),
        ("Plugin", plugin()),
        ("ReloadReport", reload_report()),
        ("AuditList", list("AuditRecord")),
        ("AuditRecord", audit_record()),
        ("Check", check()),
        ("Readiness", readiness()),
        ("HealthStatus", health_status()),
    ];
    named
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

/// An object whose properties are all there.
fn object(properties: &[(&str, Value)]) -> Value {
    let required: Vec<_> = properties.iter().map(|(name, _)| *name).collect();
    let properties: Map<_, _> = properties
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn list(of: &str) -> Value {
    object(&[
        ("items", array(of)),
        (
            "next_cursor",
            json!({"type": ["string", "null"], "description": "`null` on the last page"}),
        ),
    ])
}

fn items(of: &str) -> Value {
    object(&[("items", array(of))])
}

fn array(of: &str) -> Value {
    json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{of}")}})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn maybe(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn maybe_time() -> Value {
    json!({"type": ["string", "null"], "format": "date-time"})
}

fn id() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{26}$"})
}

fn problem() -> Value {
    object(&[
        ("type", json!({"type": "string", "format": "uri"})),
        ("title", text()),
        ("status", json!({"type": "integer"})),
        (
            "detail",
            json!({"type": "string", "description": "What happened and what to do"}),
        ),
    ])
}

fn send_fax() -> Value {
    json!({
        "type": "object",
        "required": ["to", "file"],
        "properties": {
            "to": {"type": "string", "description": "Destination, best with country code", "examples": ["+12125550100"]},
            "file": {"type": "string", "format": "binary", "description": "PDF, text, HTML, PNG, JPEG, GIF, BMP, WebP or TIFF, told from its bytes; may be repeated"},
            "region": {"type": "string", "pattern": "^[A-Za-z]{2}$", "description": "Country of a national number"},
            "header_text": {"type": "string", "maxLength": 50, "description": "Line at the top of each page"},
            "caller_id": {"type": "string", "description": "Number to show, one that the account owns"},
            "send_at": send_at(),
            "batch_delay": batch_delay(),
            "paper": {"type": "string", "enum": Paper::WORDS.map(|(word, _)| word), "default": "letter", "description": "Paper that pages are laid out for; `page_size` is the same"},
            "resolution": {"type": "string", "enum": Resolution::WORDS.map(|(word, _)| word), "default": "fine", "description": "204 by 98 or by 196 dots per inch, for TIFF and preview"},
            "halftone": {"type": "string", "enum": Halftone::WORDS.map(|(word, _)| word), "default": "automatic", "description": "How grey becomes black and white, for TIFF and preview"},
            "cover[to]": cover_line("For whom the fax is"),
            "cover[from]": cover_line("Who sends it"),
            "cover[subject]": cover_line("What it is about"),
            "cover[message]": {"type": "string", "maxLength": Cover::MAX_MESSAGE, "description": "A few lines on the cover page"},
        },
        "patternProperties": {"^tag\\[[^\\[\\]]+\\]$": {"type": "string", "maxLength": 255}},
    })
}

fn send_at() -> Value {
    json!({"type": "string", "format": "date-time", "description": "Not to be sent before this time, at most 90 days ahead"})
}

fn batch_delay() -> Value {
    json!({
        "type": "integer", "minimum": 0, "maximum": 3600,
        "description": "Seconds (5 to 3600, or 0 for none) that the provider waits for further faxes to the same number, to send them in one call",
    })
}

fn cover_line(description: &str) -> Value {
    json!({"type": "string", "maxLength": Cover::MAX_LINE, "description": description})
}

fn fax_job() -> Value {
    object(&[
        ("id", id()),
        (
            "to",
            json!({"type": "string", "description": "E.164", "pattern": "^\\+[1-9][0-9]{1,14}$"}),
        ),
        (
            "to_raw",
            json!({"type": "string", "description": "As the sender wrote it"}),
        ),
        (
            "status",
            json!({"type": "string", "enum": PublicStatus::EVERY.map(PublicStatus::as_str)}),
        ),
        ("error", maybe("string")),
        ("error_type", maybe("string")),
        ("error_id", maybe("integer")),
        ("pages", maybe("integer")),
        ("backend", json!({"const": "phaxio"})),
        ("provider_sid", maybe("string")),
        ("attempts", json!({"type": "integer", "minimum": 0})),
        ("cost_cents", maybe("integer")),
        ("file_name", maybe("string")),
        ("media_type", text()),
        (
            "tags",
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
        ),
        ("owner", text()),
        ("resend_of", maybe("string")),
        ("send_at", maybe_time()),
        ("batch_delay", maybe("integer")),
        ("created_at", time()),
        ("updated_at", time()),
        ("completed_at", maybe_time()),
        (
            "expires_at",
            json!({"type": ["string", "null"], "format": "date-time", "description": "When the document is destroyed"}),
        ),
    ])
}

fn event() -> Value {
    object(&[
        ("at", time()),
        (
            "event",
            json!({"type": "string", "examples": ["accepted", "submitted", "delivered"]}),
        ),
        ("attempt", maybe("integer")),
        ("detail", text()),
        (
            "facts",
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
        ),
    ])
}

fn inbound_fax() -> Value {
    object(&[
        ("id", id()),
        ("from", maybe("string")),
        ("to", maybe("string")),
        (
            "status",
            json!({"type": "string", "enum": ["received", "failed"]}),
        ),
        ("error", maybe("string")),
        ("pages", maybe("integer")),
        ("backend", json!({"const": "phaxio"})),
        ("provider_sid", text()),
        ("size_bytes", maybe("integer")),
        ("sha256", maybe("string")),
        ("is_test", json!({"type": "boolean"})),
        ("received_at", time()),
        ("created_at", time()),
        ("expires_at", maybe_time()),
    ])
}

fn scopes() -> Value {
    json!({"type": "array", "items": {"type": "string", "enum": Scope::EVERY.map(Scope::as_str)}})
}

fn new_key() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": ["string", "null"], "maxLength": 200},
            "owner": {"type": ["string", "null"], "maxLength": 200, "description": "Whose faxes it sees; the name when none"},
            "scopes": {"anyOf": [scopes(), {"type": "null"}], "description": "`fax:send` and `fax:read` when none"},
            "expires_at": {"type": ["string", "null"], "format": "date-time"},
            "note": {"type": ["string", "null"], "maxLength": 200},
            "requests_per_minute": {"type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX,
                "description": "Instead of the configured limit; 0 is no limit"},
        },
    })
}

fn rotation() -> Value {
    json!({
        "type": "object",
        "properties": {
            "overlap_minutes": {"type": ["integer", "null"], "minimum": 0, "maximum": 10_080,
                "description": "How long the old secret works on"},
        },
    })
}

fn key(more: &[(&str, Value)]) -> Value {
    let mut properties = more.to_vec();
    properties.extend([
        ("key_id", json!({"type": "string", "pattern": "^[0-9a-f]{12}$"})),
        ("name", text()),
        ("owner", text()),
        ("scopes", scopes()),
        ("note", maybe("string")),
        ("requests_per_minute", maybe("integer")),
        ("created_at", time()),
        ("expires_at", maybe_time()),
        ("revoked_at", maybe_time()),
        ("rotated_at", maybe_time()),
        ("last_used_at", maybe_time()),
    ]);
    object(&properties)
}

fn plugin() -> Value {
    object(&[
        ("name", text()),
        ("title", text()),
        ("version", text()),
        ("description", text()),
        ("slot", text()),
        ("order", json!({"type": "integer"})),
        ("builtin", json!({"type": "boolean"})),
        ("sha256", text()),
        ("imports", texts()),
        ("limits", json!({"type": "object"})),
        ("on_error", json!({"type": "string", "enum": ["deny", "next"]})),
        ("secrets", texts()),
        ("calls", json!({"type": "integer"})),
        ("errors", json!({"type": "integer"})),
        ("p50_us", json!({"type": "integer"})),
        ("p99_us", json!({"type": "integer"})),
        ("memory_peak_bytes", json!({"type": "integer"})),
        ("last_error", maybe("string")),
    ])
}

fn plugin_problem() -> Value {
    object(&[
        ("plugin", text()),
        ("file", text()),
        ("reason", text()),
        ("last_good_serves", json!({"type": "boolean"})),
    ])
}

fn reload_report() -> Value {
    object(&[
        ("added", texts()),
        ("changed", texts()),
        ("removed", texts()),
        ("unchanged", texts()),
        ("problems", array("PluginProblem")),
    ])
}

fn audit_record() -> Value {
    let hash = || json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    object(&[
        ("seq", json!({"type": "integer", "minimum": 1})),
        ("previous", hash()),
        ("hash", hash()),
        (
            "entry",
            json!({"type": "object", "required": ["at", "who", "what", "object", "outcome"]}),
        ),
    ])
}

fn check() -> Value {
    json!({
        "type": "object",
        "required": ["name", "ok"],
        "properties": {"name": {"type": "string"}, "ok": {"type": "boolean"}, "names": {"type": "array", "items": {"type": "string"}}, "detail": {"type": "string"}},
    })
}

fn readiness() -> Value {
    object(&[
        (
            "status",
            json!({"type": "string", "enum": ["ready", "not_ready"]}),
        ),
        ("checks", array("Check")),
    ])
}

fn health_status() -> Value {
    object(&[
        ("status", json!({"type": "string", "enum": ["ok", "degraded"]})),
        ("version", text()),
        ("time", time()),
        ("checks", array("Check")),
        (
            "queue",
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        ),
    ])
}
