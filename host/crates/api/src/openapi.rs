//! The description of the interface (OpenAPI 3.1), put together from the route table.
//!
//! The table says who may call a route; [`operations`] says what it takes and answers. A test keeps the two and
//! the schemas in step with the server.

mod examples;
mod operations;
mod schemas;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Map, Value, json};

use super::auth::Need;
use super::error::{Kind, PROBLEM_JSON};
use super::handlers::Answer;
use super::limits::Class;
use super::router::{self, Route};
use faxgate_domain::code::Code;
use faxgate_domain::scope::Scope;
use operations::{Operation, operation};

/// `GET /openapi.json`
pub(crate) async fn serve() -> Answer {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| Bytes::from(document().to_string())).clone();
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, text).into_response())
}

/// The whole document.
fn document() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in router::table() {
        let methods = paths.entry(route.path).or_default();
        let method = route.method.as_str().to_ascii_lowercase();
        if let Some(operation) = operation(&method, route.path) {
            methods.insert(method, describe(&route, operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "faxgate",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A secure fax API of one's own",
            "description": INTRODUCTION,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "fax", "description": "Faxes that are sent"},
            {"name": "inbound", "description": "Faxes that were received"},
            {"name": "callbacks", "description": "What the provider posts"},
            {"name": "admin", "description": "Keys, policies, audit, configuration"},
            {"name": "health", "description": "Probes and metrics"},
        ],
        "paths": paths,
        "x-problem-types": Kind::EVERY.map(|kind| {
            let (status, _, title) = kind.describe();
            json!({"type": kind.uri(), "status": status.as_u16(), "title": title})
        }),
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "link": {"type": "apiKey", "in": "query", "name": "token",
                    "description": "Part of a link to a document; proves the link, not a person"},
            },
            "schemas": with_examples(schemas::all()),
        },
    })
}

fn with_examples(mut schemas: Map<String, Value>) -> Map<String, Value> {
    for (name, example) in examples::all() {
        if let Some(Value::Object(schema)) = schemas.get_mut(&name) {
            schema.insert("examples".to_owned(), json!([example]));
        }
    }
    schemas
}

const INTRODUCTION: &str = "Errors are problem documents (RFC 9457) whose `detail` says what to do. Every response \
carries `x-request-id`; a `traceparent` is taken over and answered by `traceresponse`. `HEAD` is answered wherever `GET` \
is. Times are RFC 3339 in UTC. Sizes and rates are the operator's (`limits` in the configuration): unless set otherwise \
one upload has at most 10 MiB, a fax at most 200 pages and 32 files, and received faxes are listed 30 and read 60 times a \
minute by each key. Where a rate limit applies, `RateLimit-Policy` and `RateLimit` say where the caller stands. \
What comes in clear on an address that others reach is answered with 308 to HTTPS, or 403 when it carried a key. \
The states of a fax are `queued`, `in_progress`, `SUCCESS`, `FAILED` and `disabled`; final ones never change.";

fn describe(route: &Route, operation: Operation) -> Value {
    let Operation {
        id,
        tag,
        summary,
        description,
        parameters,
        body,
        success,
        mut errors,
    } = operation;
    errors.extend(errors_of(route));
    let mut parameters = parameters;
    if route.path.contains("{id}") {
        parameters.insert(
            0,
            path_parameter(
                "id",
                "Id: 26 lower-case letters and digits",
                "^[0-9a-hjkmnp-tv-z]{26}$",
            ),
        );
    }
    if route.path.contains("{page}") {
        parameters.push(path_parameter(
            "page",
            "Number of the page, from 1, and `.png`",
            "^[1-9][0-9]*\\.png$",
        ));
    }
    if route.path.contains("{key_id}") {
        parameters.insert(
            0,
            path_parameter("key_id", "Public half of a key", "^[0-9a-f]{12}$"),
        );
    }
    let mut responses = Map::new();
    for (status, response) in success {
        responses.insert(status.to_string(), response);
    }
    responses.extend(problems(&errors));
    if route.path != "/health" {
        responses.insert("308".to_owned(), to_https());
    }
    for (status, response) in &mut responses {
        dress(route, status, response);
    }
    let mut described = Map::from_iter([
        ("operationId".to_owned(), json!(id)),
        ("tags".to_owned(), json!([tag])),
        ("summary".to_owned(), json!(summary)),
        ("parameters".to_owned(), json!(parameters)),
        ("responses".to_owned(), Value::Object(responses)),
        ("security".to_owned(), security(route.need)),
    ]);
    let further = [
        (
            "description",
            (!description.is_empty()).then(|| json!(description)),
        ),
        ("x-scope", scope(route.need).map(|scope| json!(scope.as_str()))),
        ("requestBody", body),
    ];
    for (name, value) in further {
        if let Some(value) = value {
            described.insert(name.to_owned(), value);
        }
    }
    Value::Object(described)
}

/// What comes in clear where others could read along.
fn to_https() -> Value {
    json!({
        "description": "Came in clear on an address that others reach: ask the same over HTTPS",
        "headers": {"Location": header("The same address with https")},
    })
}

/// Adds the header fields that every response of a route has.
fn dress(route: &Route, status: &str, response: &mut Value) {
    let Some(response) = response.as_object_mut() else {
        return;
    };
    let headers = response.entry("headers").or_insert_with(|| json!({}));
    let mut add = |name: &str, text: &str| {
        if let Some(headers) = headers.as_object_mut() {
            headers.entry(name).or_insert_with(|| header(text));
        }
    };
    add("x-request-id", "Names the request in the log");
    if route.class != Class::Exempt && status.starts_with('2') {
        add(
            "RateLimit-Policy",
            "The limits that apply, when one does: `\"default\";q=60;w=60`",
        );
        add(
            "RateLimit",
            "What is left of them, and the seconds until all of it is back: `\"default\";r=59;t=1`",
        );
    }
}

fn path_parameter(name: &str, description: &str, pattern: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": description,
        "schema": {"type": "string", "pattern": pattern},
    })
}

fn security(need: Need) -> Value {
    match need {
        Need::Nothing | Need::Signature => json!([]),
        Need::Scope(_) => json!([{"apiKey": []}, {"bearer": []}]),
        Need::LinkOr(_) => json!([{"link": []}, {"apiKey": []}, {"bearer": []}]),
        Need::LocalOr(_) => json!([{}, {"apiKey": []}, {"bearer": []}]),
    }
}

const fn scope(need: Need) -> Option<Scope> {
    match need {
        Need::Scope(scope) | Need::LinkOr(scope) | Need::LocalOr(scope) => Some(scope),
        Need::Nothing | Need::Signature => None,
    }
}

/// What a route may answer because of its gate.
fn errors_of(route: &Route) -> Vec<Kind> {
    let mut errors = vec![Kind::InsecureTransport, Kind::Code(Code::Internal)];
    if scope(route.need).is_some() {
        errors.extend([Kind::Code(Code::Unauthenticated), Kind::Code(Code::Forbidden)]);
        // Also where no rate is set: wrong credentials are always counted.
        errors.push(Kind::Code(Code::RateLimited));
    }
    if matches!(route.need, Need::LinkOr(_)) {
        errors.push(Kind::Code(Code::BadLink));
    }
    if route.class != Class::Exempt {
        errors.push(Kind::Code(Code::Unavailable));
    }
    errors
}

/// Responses by status; problems that share a status share a response.
fn problems(errors: &[Kind]) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<String, Vec<&Kind>> = BTreeMap::new();
    for kind in errors {
        let kinds = by_status
            .entry(kind.describe().0.as_str().to_owned())
            .or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    by_status
        .into_iter()
        .map(|(status, kinds)| {
            let response = problem(&status, &kinds);
            (status, response)
        })
        .collect()
}

fn problem(status: &str, kinds: &[&Kind]) -> Value {
    let titles: Vec<_> = kinds.iter().map(|kind| kind.describe().2).collect();
    let examples: Map<String, Value> = kinds
        .iter()
        .map(|kind| {
            let name = kind.describe().1.to_owned();
            (name, json!({"value": examples::problem(**kind)}))
        })
        .collect();
    let mut headers = Vec::new();
    match status {
        "401" => headers.push(("WWW-Authenticate", "How to authenticate")),
        "429" => headers.extend([
            ("Retry-After", "Seconds to wait"),
            ("RateLimit-Policy", "The limits that apply"),
            ("RateLimit", "What is left of them"),
        ]),
        "503" => headers.push(("Retry-After", "Seconds to wait")),
        "416" => headers.push(("Content-Range", "How long the document is: `bytes */48213`")),
        _ => {}
    }
    let headers: Map<_, _> = headers
        .into_iter()
        .map(|(name, text)| (name.to_owned(), header(text)))
        .collect();
    json!({
        "description": titles.join("; or: "),
        "headers": headers,
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    })
}

/// A header of a response.
fn header(description: &str) -> Value {
    json!({"description": description, "schema": {"type": "string"}})
}

#[cfg(test)]
#[path = "openapi/tests.rs"]
mod tests;
