//! What each route takes and answers.

use serde_json::{Value, json};

use super::header;
use crate::handlers::inbound;
use crate::problem::Kind;
use faxgate_domain::code::Code::{
    self, BadCursor, BadDocument, BadNumber, BadRequest, BadSignature, Busy, Conflict, Gone,
    IdempotencyConflict, Invalid, NotFound, TooLarge, Unavailable, UnsupportedDocument,
};
use faxgate_domain::document::Resolution;
use faxgate_domain::job::PublicStatus;

/// One operation, apart from what follows from its route.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) success: Vec<(u16, Value)>,
    pub(super) errors: Vec<Kind>,
}

/// The operation of a route; every route has one.
pub(super) fn operation(method: &str, path: &str) -> Option<Operation> {
    let (tag, rest) = match path.split('/').nth(1)? {
        "fax" => ("fax", fax(method, path)),
        "inbound" => ("inbound", received(method, path)),
        "phaxio-callback" | "phaxio-inbound" => ("callbacks", callbacks(path)),
        "admin" => ("admin", keys(method, path).or_else(|| admin(path))),
        _ => ("health", health(path)),
    };
    rest.map(|operation| Operation { tag, ..operation })
}

fn fax(method: &str, path: &str) -> Option<Operation> {
    Some(match (method, path) {
        ("post", "/fax") => new("sendFax", "Send a fax")
            .describe("When this answers 202, the fax survives a crash. `to` may come before or after `file`; several `file` parts become one fax, in order. With any of the `cover[…]` fields a cover page goes in front.")
            .parameter(idempotency_key())
            .body(true, &[("multipart/form-data", "SendFax")])
            .answer(202, accepted())
            .errors(&[BadRequest, BadNumber, Invalid, BadDocument, UnsupportedDocument, TooLarge, IdempotencyConflict, Busy, Code::Timeout])
            .error(Kind::UnsupportedFormat),
        ("get", "/fax") => new("listFaxes", "List faxes, newest first")
            .parameter(choice("status", "Only in this state", &PublicStatus::EVERY.map(PublicStatus::as_str)))
            .parameter(query("to", "Only to this number", json!({"type": "string"})))
            .parameter(time("created_after", "Only accepted after"))
            .parameter(time("created_before", "Only accepted before"))
            .page(200)
            .answer(200, content("A page", "FaxList"))
            .errors(&[BadRequest, BadCursor, BadNumber, Busy]),
        ("get", "/fax/{id}") => new("getFax", "One fax").answer(200, content("The fax", "FaxJob")).errors(&[NotFound]),
        ("delete", "/fax/{id}") => new("destroyFax", "Destroy the document now; the record stays")
            .answer(204, json!({"description": "Destroyed"}))
            .errors(&[NotFound, Conflict]),
        ("get", "/fax/{id}/events") => new("getFaxEvents", "What happened to a fax, in order")
            .answer(200, content("The timeline", "EventList"))
            .errors(&[NotFound]),
        ("get", "/fax/{id}/pdf") => document("getFaxPdf", "The document as PDF"),
        ("get", "/fax/{id}/tiff") => new("getFaxTiff", "What the far machine will print")
            .describe("Group 4, 1728 dots wide, 204 by 196 (fine) or 98 (standard) dots per inch, one image for each page; as the sender asked for unless said otherwise.")
            .parameter(choice("resolution", "Another resolution than that of the fax", &Resolution::WORDS.map(|(word, _)| word)))
            .answer(200, binary("The pages", "image/tiff", &[NAME]))
            .errors(&[BadRequest, NotFound, Gone, BadDocument, UnsupportedDocument, TooLarge, Busy]),
        ("get", "/fax/{id}/preview/{page}") => new("getFaxPreview", "One page as the far machine will print it, for people")
            .describe("Pages count from 1: `/fax/{id}/preview/1.png`. Standard resolution is shown with every row twice.")
            .answer(200, binary("The page", "image/png", &[NAME]))
            .errors(&[NotFound, Gone, BadDocument, UnsupportedDocument, TooLarge, Busy]),
        ("post", "/fax/{id}/cancel") => new("cancelFax", "Ask for a fax to be cancelled")
            .describe("It may still be delivered when the provider has it already.")
            .answer(202, content("The fax", "FaxJob"))
            .errors(&[NotFound, Conflict]),
        ("post", "/fax/{id}/resend") => new("resendFax", "Send the document again, as a new fax")
            .parameter(idempotency_key())
            .body(false, &[
                ("application/json", "ResendFax"),
                ("application/x-www-form-urlencoded", "ResendFax"),
                ("multipart/form-data", "ResendFax"),
            ])
            .answer(202, accepted())
            .errors(&[BadRequest, BadNumber, Invalid, NotFound, Gone, TooLarge, IdempotencyConflict, Busy, Code::Timeout])
            .error(Kind::UnsupportedFormat),
        _ => return None,
    })
}

fn received(method: &str, path: &str) -> Option<Operation> {
    Some(match (method, path) {
        ("get", "/inbound") => new("listInbound", "List received faxes, newest first")
            .parameter(query("to", "Only to this number", json!({"type": "string"})))
            .parameter(query("from", "Only from this number", json!({"type": "string"})))
            .parameter(choice(
                "status",
                "Only in this state",
                &inbound::STATUSES.map(|(word, _)| word),
            ))
            .parameter(time("received_after", "Only received after"))
            .page(200)
            .answer(
                200,
                linked(
                    content("A page", "InboundList"),
                    &["getInbound", "linkInbound", "getInboundPdf"],
                    "id",
                    "/items/0/id",
                ),
            )
            .errors(&[BadRequest, BadCursor]),
        ("get", "/inbound/{id}") => new("getInbound", "One received fax")
            .answer(200, content("The fax", "InboundFax"))
            .errors(&[NotFound]),
        ("post", "/inbound/{id}/link") => new("linkInbound", "A short-lived link to the document")
            .answer(201, content("The link", "Link"))
            .errors(&[NotFound, Gone]),
        ("get", "/inbound/{id}/pdf") => document("getInboundPdf", "The received document as PDF"),
        _ => return None,
    })
}

fn callbacks(path: &str) -> Option<Operation> {
    let operation = match path {
        "/phaxio-callback" => new("statusCallback", "A callback about a sent fax")
            .parameter(query(
                "job_id",
                "The fax that the callback is about",
                json!({"type": "string"}),
            ))
            .errors(&[Busy]),
        "/phaxio-inbound" => new("inboundCallback", "Delivery of a received fax").errors(&[NotFound, Busy]),
        _ => return None,
    };
    let proof = json!({"name": "X-Phaxio-Signature", "in": "header", "required": false,
        "description": "Proof, judged by the callback policy", "schema": {"type": "string"}});
    Some(
        operation
            .parameter(proof)
            .body(
                false,
                &[
                    ("multipart/form-data", "Delivery"),
                    ("application/x-www-form-urlencoded", "Delivery"),
                ],
            )
            .answer(200, content("Accepted, or known already", "Ok"))
            .errors(&[
                BadRequest,
                BadSignature,
                Invalid,
                TooLarge,
                Code::RateLimited,
                Code::Timeout,
                Unavailable,
            ]),
    )
}

fn keys(method: &str, path: &str) -> Option<Operation> {
    Some(match (method, path) {
        ("post", "/admin/api-keys") => new("createKey", "Make an API key")
            .body(false, &[("application/json", "NewKey")])
            .answer(
                200,
                linked(
                    content("The key with its token, which is shown this once", "KeyWithToken"),
                    &["rotateKey", "revokeKey"],
                    "key_id",
                    "/key_id",
                ),
            )
            .errors(&[BadRequest, Invalid, TooLarge, Code::Timeout])
            .error(Kind::UnsupportedFormat),
        ("get", "/admin/api-keys") => new("listKeys", "List API keys")
            .page(200)
            .answer(200, content("A page", "KeyList"))
            .errors(&[BadRequest, BadCursor]),
        ("delete", "/admin/api-keys/{key_id}") => new("revokeKey", "End a key now")
            .answer(200, content("The key", "Key"))
            .errors(&[NotFound]),
        ("post", "/admin/api-keys/{key_id}/rotate") => new("rotateKey", "Give a key a new secret")
            .body(false, &[("application/json", "Rotation")])
            .answer(200, content("The key with its new token", "KeyWithToken"))
            .errors(&[BadRequest, Invalid, NotFound, Conflict, TooLarge, Code::Timeout])
            .error(Kind::UnsupportedFormat),
        _ => return None,
    })
}

fn admin(path: &str) -> Option<Operation> {
    Some(match path {
        "/admin/config" => new("getConfig", "The configuration in force, secrets masked")
            .answer(200, content("By section", "Object")),
        "/admin/plugins" => {
            new("listPlugins", "The policies that serve").answer(200, content("In order", "PluginList"))
        }
        "/admin/plugins/reload" => new("reloadPlugins", "Load the drop-in folder anew")
            .answer(200, content("What changed", "ReloadReport"))
            .errors(&[Invalid]),
        "/admin/audit" => new("getAudit", "The audit log, oldest first")
            .page(500)
            .answer(200, content("A page", "AuditList"))
            .errors(&[BadRequest, BadCursor]),
        "/admin/health-status" => new("getHealthStatus", "Every check with its reason")
            .answer(200, content("The state", "HealthStatus")),
        _ => return None,
    })
}

fn health(path: &str) -> Option<Operation> {
    Some(match path {
        "/health" => new("getHealth", "The process answers").answer(200, content("It does", "Ok")),
        "/health/ready" => new("getReadiness", "Whether work can be done, check by check")
            .answer(200, content("Ready", "Readiness"))
            .answer(503, content("Not ready", "Readiness")),
        "/metrics" => new("getMetrics", "Metrics for Prometheus").answer(
            200,
            json!({"description": "The metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}),
        ),
        "/openapi.json" => {
            new("getDescription", "This description").answer(200, content("OpenAPI 3.1", "Object"))
        }
        _ => return None,
    })
}

fn new(id: &'static str, summary: &'static str) -> Operation {
    Operation {
        id,
        tag: "",
        summary,
        description: "",
        parameters: Vec::new(),
        body: None,
        success: Vec::new(),
        errors: Vec::new(),
    }
}

impl Operation {
    fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    fn page(self, most: usize) -> Self {
        self.parameter(query(
            "limit",
            "Most items",
            json!({"type": "integer", "minimum": 1, "maximum": most, "examples": [20]}),
        ))
        .parameter(query(
            "cursor",
            "`next_cursor` of the page before",
            json!({"type": "string"}),
        ))
    }

    fn body(mut self, required: bool, kinds: &[(&str, &str)]) -> Self {
        let content: serde_json::Map<_, _> = kinds
            .iter()
            .map(|(kind, schema)| ((*kind).to_owned(), json!({"schema": reference(schema)})))
            .collect();
        self.body = Some(json!({"required": required, "content": content}));
        self
    }

    fn answer(mut self, status: u16, response: Value) -> Self {
        self.success.push((status, response));
        self
    }

    fn errors(mut self, codes: &[Code]) -> Self {
        self.errors.extend(codes.iter().map(|code| Kind::Code(*code)));
        self
    }

    fn error(mut self, kind: Kind) -> Self {
        self.errors.push(kind);
        self
    }
}

fn document(id: &'static str, summary: &'static str) -> Operation {
    let range = json!({"name": "Range", "in": "header", "required": false,
        "description": "One range of bytes", "schema": {"type": "string"}});
    let known = json!({"name": "If-None-Match", "in": "header", "required": false,
        "description": "Entity tag of what the client has", "schema": {"type": "string"}});
    new(id, summary)
        .parameter(range)
        .parameter(known)
        .answer(
            200,
            binary("The document", "application/pdf", &[ETAG, RANGES, NAME]),
        )
        .answer(
            206,
            binary(
                "The part asked for",
                "application/pdf",
                &[ETAG, RANGES, NAME, PART],
            ),
        )
        .answer(
            304,
            json!({"description": "The client has it", "headers": named(&[ETAG])}),
        )
        .errors(&[NotFound, Gone])
        .error(Kind::RangeNotSatisfiable)
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn content(description: &str, schema: &str) -> Value {
    content_with(description, schema, &[])
}

fn content_with(description: &str, schema: &str, more: &[(&str, &str)]) -> Value {
    let headers: serde_json::Map<_, _> = more
        .iter()
        .map(|(name, text)| ((*name).to_owned(), header(text)))
        .collect();
    json!({
        "description": description,
        "headers": headers,
        "content": {"application/json": {"schema": reference(schema)}},
    })
}

type Header = (&'static str, &'static str);

const ETAG: Header = ("ETag", "Changes with the content");
const RANGES: Header = ("Accept-Ranges", "`bytes`: parts may be asked for");
const NAME: Header = ("Content-Disposition", "A name for the file");
const PART: Header = ("Content-Range", "Which part this is: `bytes 0-99/48213`");

fn named(headers: &[Header]) -> Value {
    let headers = headers
        .iter()
        .map(|(name, text)| ((*name).to_owned(), header(text)));
    Value::Object(headers.collect())
}

fn binary(description: &str, kind: &str, headers: &[Header]) -> Value {
    json!({
        "description": description,
        "headers": named(headers),
        "content": {kind: {"schema": {"type": "string", "contentMediaType": kind}}},
    })
}

fn accepted() -> Value {
    let replayed = (
        "idempotency-replayed",
        "`true` when this is the answer to an earlier request",
    );
    let accepted = content_with(
        "Accepted",
        "FaxJob",
        &[("Location", "Where the fax is"), replayed],
    );
    let next = [
        "getFax",
        "getFaxEvents",
        "getFaxPdf",
        "getFaxTiff",
        "cancelFax",
        "resendFax",
        "destroyFax",
    ];
    linked(accepted, &next, "id", "/id")
}

/// With what can be done next with what the answer names.
fn linked(mut response: Value, operations: &[&str], parameter: &str, pointer: &str) -> Value {
    let links: serde_json::Map<_, _> = operations
        .iter()
        .map(|operation| {
            let parameters = json!({parameter: format!("$response.body#{pointer}")});
            let link = json!({"operationId": operation, "parameters": parameters});
            ((*operation).to_owned(), link)
        })
        .collect();
    if let Some(response) = response.as_object_mut() {
        response.insert("links".to_owned(), Value::Object(links));
    }
    response
}

fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema})
}

fn choice(name: &str, description: &str, words: &[&str]) -> Value {
    query(name, description, json!({"type": "string", "enum": words}))
}

fn time(name: &str, description: &str) -> Value {
    query(
        name,
        description,
        json!({"type": "string", "format": "date-time"}),
    )
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Kept for 24 h: the same key with the same content gets the first answer again",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    })
}
