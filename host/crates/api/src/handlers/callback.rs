//! Callbacks of the provider: the raw body for the signature, and its fields and files for the policy.

use axum::body::Body;
use axum::extract::State;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Uri};
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::form::multipart::{self, Parts};
use crate::problem::Problem;
use crate::request::body::{announced_length, body_too_large, broken_body, media_type};
use crate::request::credential::X_API_KEY;
use crate::request::query::Query;
use crate::response::{Answer, ok};
use crate::state::AppState;
use faxgate_base::size::MIB;
use faxgate_domain::code::Code;
use faxgate_edge::Client;
use faxgate_service::{App, Incoming, Upload};

/// Most bytes of a status callback.
const MAX_STATUS_CALLBACK: u64 = MIB;
/// Most bytes of a delivered fax: the provider's limit for one document and room for the other fields.
const MAX_INBOUND_CALLBACK: u64 = 21 * MIB;

/// `POST /phaxio-callback`
pub(crate) async fn status(
    State(state): State<AppState>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let incoming = incoming(state.app(), &client, &uri, &headers, body, MAX_STATUS_CALLBACK).await?;
    // Boxed: thousands of requests may be waiting for a slow body above, and must not contain this future.
    Box::pin(state.app().status_callback(incoming)).await?;
    ok(json!({"status": "ok"}))
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
    let incoming = incoming(state.app(), &client, &uri, &headers, body, MAX_INBOUND_CALLBACK).await?;
    Box::pin(state.app().inbound_callback(incoming)).await?;
    ok(json!({"status": "ok"}))
}

async fn incoming(
    app: &App,
    client: &Client,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
    limit: u64,
) -> Result<Incoming, Problem> {
    let body = spool(app, headers, body, limit).await?;
    let parts = match media_type(headers).as_deref() {
        Some("multipart/form-data") => multipart::callback(app, headers, &body).await?,
        Some("application/x-www-form-urlencoded") => Parts {
            fields: url::form_urlencoded::parse(&body.bytes().await?)
                .into_owned()
                .collect(),
            files: Vec::new(),
        },
        // For any other format the policy has the raw body.
        _ => Parts::default(),
    };
    Ok(Incoming {
        raw_query: uri.query().unwrap_or_default().to_owned(),
        query: Query::parse(uri.query()).into_pairs(),
        headers: readable(headers),
        fields: parts.fields,
        files: parts.files,
        body,
        address: Some(client.address),
    })
}

async fn spool(app: &App, headers: &HeaderMap, mut body: Body, limit: u64) -> Result<Upload, Problem> {
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

/// The header fields as text, without those that carry credentials for us.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| ![AUTHORIZATION, COOKIE, X_API_KEY].contains(name))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests;
