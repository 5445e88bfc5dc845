//! Callbacks of the provider: the raw body for the signature, and its fields and files for the policy.

use axum::body::Body;
use axum::extract::State;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, Uri};
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::form::multipart::{self, Parts};
use crate::form::urlencoded;
use crate::problem::Problem;
use crate::request::body::{announced_length, body_too_large, broken_body, media_type};
use crate::request::credential::X_API_KEY;
use crate::request::query::Query;
use crate::response::{Answer, ok};
use crate::state::AppState;
use faxgate_base::size::{KIB, MIB};
use faxgate_domain::code::Code;
use faxgate_edge::Client;
use faxgate_service::{App, Incoming, Upload};
use faxgate_telemetry::metrics::CALLBACKS;

/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// Most bytes of a status callback.
const MAX_STATUS_CALLBACK: u64 = MIB;
/// Most bytes of a delivered fax: the provider's limit for one document and room for the other fields.
const MAX_INBOUND_CALLBACK: u64 = 21 * MIB;
/// Larger bodies are parsed on a thread for blocking work: other requests must not wait for it.
const MAX_INLINE_PARSE: u64 = 64 * KIB;
/// The header with the provider's signature.
const SIGNATURE: HeaderName = HeaderName::from_static("x-phaxio-signature");
/// Digits of a signature in its two schemes, HMAC-SHA1 and HMAC-SHA256.
const SIGNATURE_DIGITS: [usize; 2] = [40, 64];

/// `POST /phaxio-callback`
pub(crate) async fn status(
    State(state): State<AppState>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let _permit = state.callbacks().admit(client.address)?;
    if state.app().status_needs_signature() && !has_signature(&headers) {
        return Err(unsigned(&state, &client, "status"));
    }
    let body = spool(state.app(), &headers, body, MAX_STATUS_CALLBACK).await?;
    let _turn = state.callbacks().turn().await;
    let incoming = incoming(state.app(), &client, &uri, headers, body).await?;
    // Boxed: thousands of requests may be waiting for a slow body above, and must not contain this future.
    let outcome = Box::pin(state.app().status_callback(incoming)).await;
    answered(&state, &client, outcome.map(drop))
}

/// `POST /phaxio-inbound`
pub(crate) async fn inbound(
    State(state): State<AppState>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    if !state.app().config().inbound.enabled {
        // Answered before the document is read.
        return Err(Problem::new(
            Code::NotFound,
            "receiving is switched off: set INBOUND_ENABLED=true",
        ));
    }
    let _permit = state.callbacks().admit(client.address)?;
    if state.app().inbound_needs_signature() && !has_signature(&headers) {
        return Err(unsigned(&state, &client, "inbound"));
    }
    let body = spool(state.app(), &headers, body, MAX_INBOUND_CALLBACK).await?;
    let _turn = state.callbacks().turn().await;
    let incoming = incoming(state.app(), &client, &uri, headers, body).await?;
    let outcome = Box::pin(state.app().inbound_callback(incoming)).await;
    answered(&state, &client, outcome.map(drop))
}

/// The response to a callback. One that nothing proves counts against its address.
fn answered(state: &AppState, client: &Client, outcome: Result<(), faxgate_service::Error>) -> Answer {
    match outcome {
        Ok(()) => ok(json!({"status": "ok"})),
        Err(error) => {
            if error.code == Code::BadSignature {
                count_refused(state, client);
            }
            Err(error.into())
        }
    }
}

/// Refuses a callback from its head: every policy would reject it.
fn unsigned(state: &AppState, client: &Client, kind: &'static str) -> Problem {
    metrics::counter!(CALLBACKS, "kind" => kind, "verdict" => "rejected").increment(1);
    count_refused(state, client);
    Problem::new(
        Code::BadSignature,
        "the callback has no x-phaxio-signature of 40 or 64 hexadecimal digits: `faxgate verify-callback` says what differs",
    )
}

fn count_refused(state: &AppState, client: &Client) {
    let address = client.address;
    state.callbacks().count_refused(address);
    state
        .refusals()
        .record(state.app(), address, |app| app.callback_refused(address));
}

/// Whether there is one signature, and in the form of one.
fn has_signature(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(SIGNATURE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let digits = value.as_bytes();
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    SIGNATURE_DIGITS.contains(&digits.len()) && digits.iter().all(is_digit)
}

async fn incoming(
    app: &App,
    client: &Client,
    uri: &Uri,
    headers: HeaderMap,
    body: Upload,
) -> Result<Incoming, Problem> {
    let (body, parts) = if body.len() <= MAX_INLINE_PARSE {
        let parts = parse(app, &headers, &body).await?;
        (body, parts)
    } else {
        let (app, headers) = (app.clone(), headers.clone());
        let parsing = tokio::task::spawn_blocking(move || {
            let parsing = async move {
                let parts = parse(&app, &headers, &body).await;
                parts.map(|parts| (body, parts))
            };
            tokio::runtime::Handle::current().block_on(parsing)
        });
        parsing.await.map_err(|error| {
            tracing::error!(%error, "a callback could not be parsed");
            Problem::internal()
        })??
    };
    Ok(Incoming {
        raw_query: uri.query().unwrap_or_default().to_owned(),
        query: Query::parse(uri.query()).into_pairs(),
        headers: readable(&headers),
        fields: parts.fields,
        files: parts.files,
        body,
        address: Some(client.address),
    })
}

/// The fields and files of a form. For any other format the policy has the raw body.
async fn parse(app: &App, headers: &HeaderMap, body: &Upload) -> Result<Parts, Problem> {
    match media_type(headers).as_deref() {
        Some("multipart/form-data") => multipart::callback(app, headers, body).await,
        Some(FORM) => Ok(Parts {
            fields: urlencoded::fields(&body.bytes().await?)?,
            files: Vec::new(),
        }),
        _ => Ok(Parts::default()),
    }
}

async fn spool(app: &App, headers: &HeaderMap, mut body: Body, limit: u64) -> Result<Upload, Problem> {
    let is_form = media_type(headers).as_deref() == Some(FORM);
    let limit = if is_form {
        limit.min(urlencoded::MAX_FORM_TEXT)
    } else {
        limit
    };
    if announced_length(headers).is_some_and(|length| length > limit) {
        return Err(body_too_large(limit));
    }
    let mut sink = app.upload(limit);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken_body(&error))?;
        if let Some(data) = frame.data_ref() {
            sink.write(data).await?;
        }
    }
    Ok(sink.finish().await?)
}

/// The header fields as text, without the credentials of this service.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| ![AUTHORIZATION, COOKIE, X_API_KEY].contains(name))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests;
