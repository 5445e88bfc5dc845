//! The description of the interface (OpenAPI 3.1), put together from the route table.
//!
//! The table says who may call a route; [`operations`] says what it takes and answers. A test keeps the two and
//! the schemas in step with the server.

mod examples;
mod operations;
mod schemas;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use crate::problem::Kind;
use crate::request::authorization::{AuthRequirement, RouteRule};
use crate::request::rate_limits::RateClass;
use faxgate_domain::code::Code;
use faxgate_edge::problem::{PROBLEM_JSON, ProblemType};
use operations::{Operation, operation};

/// The document as text.
pub(crate) fn text<'a>(routes: impl Iterator<Item = (&'a Method, &'a RouteRule)>) -> Bytes {
    Bytes::from(document(routes).to_string())
}

/// The whole document.
fn document<'a>(routes: impl Iterator<Item = (&'a Method, &'a RouteRule)>) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (method, rule) in routes {
        let methods = paths.entry(rule.path).or_default();
        let method = method.as_str().to_ascii_lowercase();
        if let Some(operation) = operation(&method, rule.path) {
            methods.insert(method, describe(rule, operation));
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
            let ProblemType { status, title, .. } = kind.problem_type();
            json!({"type": kind.problem_type().uri(), "status": status.as_u16(), "title": title})
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

fn describe(rule: &RouteRule, operation: Operation) -> Value {
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
    errors.extend(errors_of(rule));
    let mut parameters = parameters;
    if rule.path.contains("{id}") {
        parameters.insert(
            0,
            path_parameter(
                "id",
                "Id: 26 lower-case letters and digits",
                "^[0-9a-hjkmnp-tv-z]{26}$",
            ),
        );
    }
    if rule.path.contains("{page}") {
        parameters.push(path_parameter(
            "page",
            "Number of the page, from 1, and `.png`",
            "^[1-9][0-9]*\\.png$",
        ));
    }
    if rule.path.contains("{key_id}") {
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
    if rule.path != "/health" {
        responses.insert("308".to_owned(), to_https());
    }
    for (status, response) in &mut responses {
        add_common_headers(rule, status, response);
    }
    let mut described = Map::from_iter([
        ("operationId".to_owned(), json!(id)),
        ("tags".to_owned(), json!([tag])),
        ("summary".to_owned(), json!(summary)),
        ("parameters".to_owned(), json!(parameters)),
        ("responses".to_owned(), Value::Object(responses)),
        ("security".to_owned(), security(rule.requirement)),
    ]);
    let further = [
        (
            "description",
            (!description.is_empty()).then(|| json!(description)),
        ),
        (
            "x-scope",
            rule.requirement.scope().map(|scope| json!(scope.as_str())),
        ),
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
fn add_common_headers(rule: &RouteRule, status: &str, response: &mut Value) {
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
    if rule.class != RateClass::Exempt && status.starts_with('2') {
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

fn security(requirement: AuthRequirement) -> Value {
    match requirement {
        AuthRequirement::Nothing | AuthRequirement::Signature => json!([]),
        AuthRequirement::Scope(_) => json!([{"apiKey": []}, {"bearer": []}]),
        AuthRequirement::LinkOr(_) => json!([{"link": []}, {"apiKey": []}, {"bearer": []}]),
        AuthRequirement::LocalOr(_) => json!([{}, {"apiKey": []}, {"bearer": []}]),
    }
}

/// The problems that follow from a route's authorization and limits.
fn errors_of(rule: &RouteRule) -> Vec<Kind> {
    let mut errors = vec![Kind::InsecureTransport, Kind::Code(Code::Internal)];
    if rule.requirement.scope().is_some() {
        errors.extend([Kind::Code(Code::Unauthenticated), Kind::Code(Code::Forbidden)]);
        // Also where no rate is set: wrong credentials are always counted.
        errors.push(Kind::Code(Code::RateLimited));
    }
    if matches!(rule.requirement, AuthRequirement::LinkOr(_)) {
        errors.push(Kind::Code(Code::BadLink));
    }
    if rule.class != RateClass::Exempt {
        errors.push(Kind::Code(Code::Unavailable));
    }
    errors
}

/// Responses by status; problems that share a status share a response.
fn problems(errors: &[Kind]) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<String, Vec<&Kind>> = BTreeMap::new();
    for kind in errors {
        let kinds = by_status
            .entry(kind.problem_type().status.as_str().to_owned())
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
    let titles: Vec<_> = kinds.iter().map(|kind| kind.problem_type().title).collect();
    let examples: Map<String, Value> = kinds
        .iter()
        .map(|kind| {
            let name = kind.problem_type().name.to_owned();
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
mod tests;
