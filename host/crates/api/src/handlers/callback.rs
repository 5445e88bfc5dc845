//! What the provider posts: the raw body for the signature, and its parts for whoever reads them.

use axum::body::Body;
use axum::extract::State;
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderMap, Uri};
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{Answer, ok};
use crate::client::Client;
use crate::edge::Edge;
use crate::error::Problem;
use crate::extract::{announced_length, body_too_large, broken_body, media_type};
use crate::multipart::{self, Parts};
use crate::query::Query;
use crate::timeouts::{MAX_CALLBACK, MAX_INBOUND};
use faxgate_domain::code::Code;
use faxgate_service::{App, Incoming, Upload};

/// `POST /phaxio-callback`
pub(crate) async fn status(
    State(edge): State<Edge>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let incoming = incoming(edge.app(), &client, &uri, &headers, body, MAX_CALLBACK).await?;
    // Boxed: thousands may be waiting above for a body that comes slowly.
    Box::pin(edge.app().status_callback(incoming)).await?;
    ok(json!({"status": "ok"}))
}

/// `POST /phaxio-inbound`
pub(crate) async fn inbound(
    State(edge): State<Edge>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    if !edge.app().config().inbound.enabled {
        // Said before the document is read.
        return Err(Problem::new(
            Code::NotFound,
            "receiving is switched off: set INBOUND_ENABLED=true",
        ));
    }
    let incoming = incoming(edge.app(), &client, &uri, &headers, body, MAX_INBOUND).await?;
    Box::pin(edge.app().inbound_callback(incoming)).await?;
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
        // Whatever else it is, the policy has the raw body.
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
    const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
    headers
        .iter()
        .filter(|(name, _)| ![AUTHORIZATION, COOKIE, X_API_KEY].contains(name))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_see_no_credentials() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer k"),
            ("x-api-key", "k"),
            ("x-phaxio-signature", "s"),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().expect("value"));
        }
        assert_eq!(
            readable(&headers),
            [("x-phaxio-signature".to_owned(), "s".to_owned())]
        );
    }
}
