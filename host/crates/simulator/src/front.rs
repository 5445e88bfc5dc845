//! What every API request passes first: the body is read, the account is checked, the rate is kept.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};

use super::answer;
use super::form::Form;
use super::render::ApiVersion;
use super::world::World;

/// The most a request may bring, in bytes: 20 MB, and some for the form around it.
const LARGEST: usize = 20 * 1000 * 1000 + 100 * 1000;

/// The world as seen through one version of the API.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) world: Arc<World>,
    pub(super) version: ApiVersion,
}

/// Reads the form into an extension and refuses who is not the account.
pub(super) async fn pass(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return answer::fail(422, "The request is too large.");
    };
    let content_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut form = match Form::read(content_type, body.to_bytes()).await {
        Ok(form) => form,
        Err(problem) => return answer::fail(422, &problem),
    };
    if let Some(query) = parts.uri.query() {
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        form.fields.extend(query);
    }
    let open = parts.uri.path().contains("/public/");
    if !open {
        if !api.knows(&parts.headers, &form) {
            return answer::fail(401, "Invalid API credentials.");
        }
        if let Some(limit) = api.world.config.requests_per_second
            && api.world.book().over_limit(limit, Instant::now())
        {
            api.world.edit().count("rate_limited");
            return answer::fail(429, "Rate limited");
        }
    }
    parts.extensions.insert(Arc::new(form));
    next.run(Request::from_parts(parts, axum::body::Body::empty()))
        .await
}

impl Api {
    /// Whether the request comes from the account: Basic in both versions, parameters in version 2 only.
    fn knows(&self, headers: &HeaderMap, form: &Form) -> bool {
        let given = basic(headers).or_else(|| {
            let by_parameters = self.version == ApiVersion::V2;
            by_parameters.then(|| {
                Some((
                    form.get("api_key")?.to_owned(),
                    form.get("api_secret")?.to_owned(),
                ))
            })?
        });
        let mut book = self.world.edit();
        let good = book.credentials_valid
            && given.is_some_and(|(key, secret)| key == book.key && secret == book.secret);
        if !good {
            book.count("unauthorized");
        }
        good
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (key, secret) = text.split_once(':')?;
    Some((key.to_owned(), secret.to_owned()))
}
