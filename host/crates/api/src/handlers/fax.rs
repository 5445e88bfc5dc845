//! Faxes that are sent.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::form::field_names;
use crate::form::fields::fields as read_fields;
use crate::form::multipart::{self, Form};
use crate::problem::Problem;
use crate::request::authorization::AuthenticatedCaller;
use crate::request::path::Id;
use crate::request::query::Query;
use crate::response::{Answer, Items, List, json_text, ok, with_status};
use crate::state::AppState;
use faxgate_domain::code::Code;
use faxgate_domain::document::{Cover, Halftone, Paper, RenderOptions, Resolution};
use faxgate_domain::job::{PublicStatus, SendOptions};
use faxgate_service::{FaxQuery, Resend, Schedule, SendRequest, Sent};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// `POST /fax`
pub(crate) async fn send(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let idempotency_key = idempotency_key(&headers)?;
    let limit = state.app().config().limits.max_file_bytes;
    let form = multipart::upload(state.app(), &headers, body, limit).await?;
    let request = request(form, idempotency_key)?;
    // Boxed: thousands of requests may be waiting for a slow body above, and must not contain this future.
    Ok(accepted(Box::pin(state.app().send(&actor, request)).await?))
}

/// `GET /fax`
pub(crate) async fn list(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    query: Query,
) -> Answer {
    let words = PublicStatus::EVERY.map(|status| (status.as_str(), status));
    let query = FaxQuery {
        status: query.word("status", &words)?,
        to: query.text("to")?.map(restore_plus),
        created_after: query.time("created_after")?,
        created_before: query.time("created_before")?,
        page: query.page()?,
    };
    let (items, next_cursor) = state.app().faxes(&actor, query).await?;
    ok(List { items, next_cursor })
}

/// `GET /fax/{id}`
pub(crate) async fn get(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
) -> Answer {
    Ok(json_text(StatusCode::OK, state.app().fax(&actor, &id).await?))
}

/// `GET /fax/{id}/events`
pub(crate) async fn events(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
) -> Answer {
    ok(Items {
        items: state.app().timeline(&actor, &id).await?,
    })
}

/// `POST /fax/{id}/cancel`
pub(crate) async fn cancel(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
) -> Answer {
    with_status(StatusCode::ACCEPTED, state.app().cancel(&actor, &id).await?)
}

/// `POST /fax/{id}/resend`
pub(crate) async fn resend(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let idempotency_key = idempotency_key(&headers)?;
    let fields = read_fields(&headers, body).await?;
    let mut request = Resend {
        idempotency_key,
        ..Resend::default()
    };
    for (name, value) in fields {
        match name.as_str() {
            "to" => once(&mut request.to, &name, value)?,
            "send_at" => once(&mut request.schedule.send_at, &name, value)?,
            "batch_delay" => once(&mut request.schedule.batch_delay, &name, value)?,
            _ => field_names::check_resend(&name)?,
        }
    }
    Ok(accepted(
        Box::pin(state.app().resend(&actor, &id, request)).await?,
    ))
}

/// `DELETE /fax/{id}`
pub(crate) async fn destroy(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
) -> Answer {
    state.app().destroy(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A plus sign that the client did not escape in a query arrives as a space.
pub(super) fn restore_plus(number: &str) -> String {
    number
        .strip_prefix(' ')
        .map_or_else(|| number.to_owned(), |rest| format!("+{rest}"))
}

/// The response is stored as text: a repetition of the request gets the same bytes.
fn accepted(sent: Sent) -> Response {
    let mut response = Response::new(Body::from(sent.answer));
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(location) = HeaderValue::from_str(&format!("/fax/{}", sent.id)) {
        headers.insert(LOCATION, location);
    }
    if sent.replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let bad = |detail| Problem::new(Code::BadRequest, detail);
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(bad("Idempotency-Key is given more than once: give it once"));
    }
    let text = value
        .to_str()
        .map_err(|_| bad("Idempotency-Key has printable ASCII characters only"))?;
    Ok(Some(text.to_owned()))
}

/// Sorts the fields of a form, whose names are known ones.
fn request(form: Form, idempotency_key: Option<String>) -> Result<SendRequest, Problem> {
    let mut to = None;
    let mut region = None;
    let mut options = SendOptions::default();
    let mut schedule = Schedule::default();
    let (mut cover, mut pages) = (CoverFields::default(), PageFields::default());
    for (name, value) in form.fields {
        match name.as_str() {
            "paper" | "page_size" => once(&mut pages.paper, &name, value)?,
            "resolution" => once(&mut pages.resolution, &name, value)?,
            "halftone" => once(&mut pages.halftone, &name, value)?,
            "cover[to]" => once(&mut cover.to, &name, value)?,
            "cover[from]" => once(&mut cover.from, &name, value)?,
            "cover[subject]" => once(&mut cover.subject, &name, value)?,
            "cover[message]" => once(&mut cover.message, &name, value)?,
            "to" => once(&mut to, &name, value)?,
            "region" => once(&mut region, &name, value)?,
            "header_text" => once(&mut options.header_text, &name, value)?,
            "caller_id" => once(&mut options.caller_id, &name, value)?,
            "send_at" => once(&mut schedule.send_at, &name, value)?,
            "batch_delay" => once(&mut schedule.batch_delay, &name, value)?,
            _ => match name.strip_prefix("tag[").and_then(|rest| rest.strip_suffix(']')) {
                Some(tag) => {
                    if options.tags.insert(tag.to_owned(), value).is_some() {
                        return Err(given_twice(&format!("tag[{tag}]")));
                    }
                }
                None => field_names::check_send(&name, false)?,
            },
        }
    }
    let to = to.ok_or_else(|| {
        Problem::new(
            Code::Invalid,
            "to is missing: send the destination as form field `to`, for example +12125550100",
        )
    })?;
    schedule.apply(&mut options)?;
    // Forms send empty fields for what was left out.
    options.header_text = options.header_text.filter(|text| !text.is_empty());
    options.caller_id = options.caller_id.filter(|text| !text.trim().is_empty());
    options.render = pages.raster()?;
    Ok(SendRequest {
        to,
        region,
        files: form.files,
        cover: cover.cover(),
        options,
        idempotency_key,
    })
}

/// Fields that say how pages are drawn.
#[derive(Default)]
struct PageFields {
    paper: Option<String>,
    resolution: Option<String>,
    halftone: Option<String>,
}

/// Fields of the cover page.
#[derive(Default)]
struct CoverFields {
    to: Option<String>,
    from: Option<String>,
    subject: Option<String>,
    message: Option<String>,
}

impl PageFields {
    fn raster(self) -> Result<RenderOptions, Problem> {
        Ok(RenderOptions {
            paper: word("paper", self.paper, &Paper::WORDS)?,
            resolution: word("resolution", self.resolution, &Resolution::WORDS)?,
            halftone: word("halftone", self.halftone, &Halftone::WORDS)?,
        })
    }
}

impl CoverFields {
    fn cover(self) -> Cover {
        Cover {
            to: self.to.unwrap_or_default(),
            from: self.from.unwrap_or_default(),
            subject: self.subject.unwrap_or_default(),
            message: self.message.unwrap_or_default(),
        }
    }
}

/// The value that a word stands for; nothing said is the usual one.
fn word<T: Copy + Default>(name: &str, given: Option<String>, words: &[(&str, T)]) -> Result<T, Problem> {
    let given = given.unwrap_or_default();
    let given = given.trim();
    if given.is_empty() {
        return Ok(T::default());
    }
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(given));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Problem::new(Code::Invalid, format!("{name} is one of {}", words.join(", ")))
    })
}

fn once(slot: &mut Option<String>, name: &str, value: String) -> Result<(), Problem> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(given_twice(name)),
    }
}

fn given_twice(name: &str) -> Problem {
    Problem::new(
        Code::Invalid,
        format!("{name} is given more than once: give it once"),
    )
}

#[cfg(test)]
mod tests;
