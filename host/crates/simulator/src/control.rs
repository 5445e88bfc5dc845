//! `/simulator/*`: what tests look at and turn.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::callback::{self, News};
use super::inbound::{self, Arrival};
use super::pace::seconds;
use super::record::{Direction, Fax};
use super::render::{self, ApiVersion};
use super::script::{Plan, Rule, Script, Words};
use super::world::World;
use super::{Scheme, WebhookVersion, answer, pdf};

type World_ = State<Arc<World>>;

/// The routes.
pub(super) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/simulator/faxes", get(faxes))
        .route("/simulator/faxes/{id}", get(fax))
        .route("/simulator/faxes/{id}/content", get(content))
        .route("/simulator/requests", get(requests))
        .route("/simulator/script", post(script))
        .route("/simulator/callback", post(callback))
        .route("/simulator/inbound", post(inbound))
        .route("/simulator/clock", post(clock))
        .route("/simulator/credentials", post(credentials))
        .route("/simulator/reset", post(reset))
        .with_state(world)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Filter {
    job: Option<String>,
    to: Option<String>,
    direction: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallbackRequest {
    fax: FaxId,
    url: Option<String>,
    scheme: Option<Scheme>,
    version: Option<WebhookVersion>,
    event_type: Option<String>,
    /// A status to claim in place of the real one.
    status: Option<String>,
}

/// An id as a number or as the text that our own API shows.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum FaxId {
    Number(u64),
    Text(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct InboundRequest {
    to: Option<String>,
    from: Option<String>,
    /// Base64.
    pdf: Option<String>,
    /// Blank pages, when there is no `pdf`.
    pages: Option<u32>,
    version: Option<WebhookVersion>,
    scheme: Option<Scheme>,
    callback_url: Option<String>,
    with_file: Option<bool>,
    copies: Option<u32>,
    /// False: only known to lists, as if every delivery was lost.
    deliver: Option<bool>,
    /// False: the reception failed.
    success: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClockRequest {
    advance_seconds: f64,
    skew_seconds: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CredentialsRequest {
    api_key: Option<String>,
    api_secret: Option<String>,
    valid: Option<bool>,
}

async fn faxes(State(world): World_, Query(filter): Query<Filter>) -> Response {
    let book = world.book();
    let faxes: Vec<Value> = book
        .faxes
        .values()
        .filter(|fax| filter.matches(fax))
        .map(inspected)
        .collect();
    answer::plain(&json!({ "count": faxes.len(), "faxes": faxes }))
}

async fn fax(State(world): World_, Path(id): Path<u64>) -> Response {
    match world.fax(id) {
        Some(fax) => answer::plain(&inspected(&fax)),
        None => answer::fail(404, "no such fax"),
    }
}

async fn content(State(world): World_, Path(id): Path<u64>) -> Response {
    match world.fax(id).and_then(|fax| fax.content) {
        Some(content) => answer::file("application/pdf", &format!("fax-{id}.pdf"), content),
        None => answer::fail(404, "no such fax, or nothing fetched"),
    }
}

async fn requests(State(world): World_) -> Response {
    let book = world.book();
    let jobs: serde_json::Map<String, Value> = book
        .counts
        .by_job
        .iter()
        .map(|(job, count)| {
            let row =
                json!({ "requests": count.requests, "accepted": count.faxes.len(), "faxes": count.faxes });
            (job.clone(), row)
        })
        .collect();
    answer::plain(&json!({ "by_kind": book.counts.by_kind, "by_job": jobs }))
}

async fn script(State(world): World_, body: Bytes) -> Response {
    let script: Script = match parsed(&body) {
        Ok(script) => script,
        Err(problem) => return answer::fail(400, &problem),
    };
    let to = script.to.clone().unwrap_or_else(|| "*".to_owned());
    let mut book = world.edit();
    if script.clear {
        book.rules.retain(|rule| to != "*" && rule.to != to);
    }
    if let Some(words) = script.behaviour.as_ref().map(Words::list) {
        match Plan::of(&words, &script) {
            Ok(plan) => book.rules.push(Rule {
                to,
                left: script.times,
                plan,
            }),
            Err(problem) => return answer::fail(400, &problem.to_string()),
        }
    }
    answer::plain(&json!({ "rules": book.rules.len() }))
}

async fn callback(State(world): World_, body: Bytes) -> Response {
    let request: CallbackRequest = match parsed(&body) {
        Ok(request) => request,
        Err(problem) => return answer::fail(400, &problem),
    };
    let id = match request.fax {
        FaxId::Number(id) => Some(id),
        FaxId::Text(text) => text.parse().ok(),
    };
    let Some(mut fax) = id.and_then(|id| world.fax(id)) else {
        return answer::fail(404, "no such fax");
    };
    let received = fax.direction == Direction::Received;
    if received && request.url.is_none() && fax.callback_url.is_none() {
        fax.callback_url.clone_from(&world.config.inbound_url);
    }
    if let Some(url) = request.url {
        fax.callback_url = Some(url);
    }
    let Some(mut style) = callback::style(&world, &fax) else {
        return answer::fail(400, "the fax names no address and no url is given");
    };
    style.scheme = request.scheme.unwrap_or(style.scheme);
    style.version = request.version.unwrap_or(style.version);
    style.event_type = request.event_type;
    style.with_file = received;
    if let Some(status) = request.status {
        fax.status = status;
    }
    let news = if received { News::Received } else { News::Ended };
    let message = callback::message(&world, &fax, news, style);
    let outcome = callback::attempt(&world, fax.id, &message, 1).await;
    answer::plain(&json!({ "status": outcome.status, "problem": outcome.problem }))
}

async fn inbound(State(world): World_, body: Bytes) -> Response {
    let request: InboundRequest = match parsed(&body) {
        Ok(request) => request,
        Err(problem) => return answer::fail(400, &problem),
    };
    let content = match &request.pdf {
        Some(text) => match STANDARD.decode(text) {
            Ok(bytes) => bytes,
            Err(_) => return answer::fail(400, "pdf is not base64"),
        },
        None => pdf::blank(request.pages.unwrap_or(1)),
    };
    let success = request.success.unwrap_or(true);
    let deliver = request.deliver.unwrap_or(true);
    let id = inbound::arrive(
        &world,
        Arrival {
            to: request.to.unwrap_or_else(|| "+12125550100".to_owned()),
            from: request.from.unwrap_or_else(|| "+12125550199".to_owned()),
            content: success.then(|| Bytes::from(content)),
            version: request.version,
            scheme: request.scheme,
            callback_url: request.callback_url,
            with_file: request.with_file.unwrap_or(true),
            copies: if deliver { request.copies.unwrap_or(1) } else { 0 },
        },
    );
    answer::plain(&json!({ "id": id }))
}

async fn clock(State(world): World_, body: Bytes) -> Response {
    let request: ClockRequest = match parsed(&body) {
        Ok(request) => request,
        Err(problem) => return answer::fail(400, &problem),
    };
    world.clock.shift(SignedDuration::from_secs(request.skew_seconds));
    world.pace.advance(seconds(request.advance_seconds));
    answer::plain(&json!({ "elapsed_seconds": world.pace.now().as_secs_f64(), "now": world.now() }))
}

async fn credentials(State(world): World_, body: Bytes) -> Response {
    let request: CredentialsRequest = match parsed(&body) {
        Ok(request) => request,
        Err(problem) => return answer::fail(400, &problem),
    };
    let mut book = world.edit();
    if let Some(key) = request.api_key {
        book.key = key;
    }
    if let Some(secret) = request.api_secret {
        book.secret = secret;
    }
    if let Some(valid) = request.valid {
        book.credentials_valid = valid;
    }
    answer::plain(&json!({ "valid": book.credentials_valid }))
}

async fn reset(State(world): World_) -> Response {
    world.edit().reset();
    // Whoever waits for a fax that is gone looks again.
    world.stirred.send_modify(|count| *count += 1);
    answer::plain(&json!({}))
}

impl Filter {
    fn matches(&self, fax: &Fax) -> bool {
        self.job
            .as_deref()
            .is_none_or(|job| fax.tag("faxgate_job") == Some(job))
            && self.to.as_deref().is_none_or(|to| fax.has_number(to))
            && self
                .direction
                .as_deref()
                .is_none_or(|direction| direction == fax.direction.as_str())
    }
}

/// The provider's view of a fax and what happened to it.
fn inspected(fax: &Fax) -> Value {
    let mut value = render::fax(fax, ApiVersion::V2_1);
    let more = json!({
        "to": fax.recipients.first().map(|r| &r.number).or(fax.called.as_ref()),
        "job": fax.tag("faxgate_job"),
        "behaviour": fax.plan.words,
        "header_text": fax.header_text,
        "content_urls": fax.content_urls,
        "callback_url": fax.callback_url,
        "batch_delay": fax.batch_delay,
        "cancel_requested": fax.cancel_requested,
        "file_deleted": fax.file_deleted,
        "sha256": fax.sha256,
        "content_bytes": fax.content.as_ref().map(Bytes::len),
        "fetches": fax.fetches,
        "callbacks": fax.callbacks,
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// Reads a body, an empty one as `{}`.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
