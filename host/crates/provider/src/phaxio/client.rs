//! The calls.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use jiff::Timestamp;
use reqwest::RequestBuilder;
use url::Url;

use super::outcome::Answer;
use super::status;
use super::transport::{self, Watched};
use super::wire::{Envelope, Fax};
use super::{CancelOutcome, ClientError, CreateFax, CreateOutcome, Direction, FaxFile, FaxInfo, LookupError};
use faxgate_base::secret::Secret;
use faxgate_config::phaxio::PhaxioConfig;
use faxgate_telemetry::metrics::PROVIDER_SECONDS;
use faxgate_telemetry::otlp::Fact;
use faxgate_telemetry::trace::{Side, Span};

/// The most that is read of an answer that is not a document, in bytes. A page of 1000 faxes is below 1 MiB.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Faxes a page of a list holds: the provider's maximum.
const PAGE: usize = 1000;

/// Pages of a list that are read at most, so that a provider that ignores `page` is noticed.
const MOST_PAGES: usize = 100;

/// How many times the time of one request a document may take to come.
const FILE_TIMES: u32 = 10;

/// The provider's API. Clones share connections and credentials.
#[derive(Clone)]
pub struct Phaxio {
    http: reqwest::Client,
    base: Url,
    timeout: Duration,
    credentials: Arc<ArcSwap<Credentials>>,
}

#[derive(Debug)]
struct Credentials {
    key: Option<Secret>,
    secret: Option<Secret>,
}

impl Phaxio {
    /// A client of the account in `config`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address is not one of HTTP, or TLS cannot be set up.
    pub fn new(config: &PhaxioConfig) -> Result<Self, ClientError> {
        Ok(Self {
            http: transport::client(config)?,
            base: config.api_url.clone(),
            timeout: config.timeout,
            credentials: Arc::new(ArcSwap::from_pointee(Credentials {
                key: config.api_key.clone(),
                secret: config.api_secret.clone(),
            })),
        })
    }

    /// Uses other credentials from the next request on, in every clone.
    pub fn replace_credentials(&self, key: Option<Secret>, secret: Option<Secret>) {
        self.credentials.store(Arc::new(Credentials { key, secret }));
    }

    /// Asks the provider to send a fax. Never repeats anything by itself.
    pub async fn create(&self, fax: &CreateFax) -> CreateOutcome {
        let Some(request) = self.request(Method::POST, &["faxes"], &[]) else {
            return CreateOutcome::Unauthorized {
                reason: "phaxio.api_key and phaxio.api_secret are not both set".to_owned(),
            };
        };
        let (body, watch) = Watched::new(form(fax));
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(reqwest::Body::wrap(body));
        match self.ask("create", request).await {
            Ok(answer) => answer.create_outcome(),
            Err(error) if error.is_connect() || error.is_builder() || !watch.may_have_left() => {
                CreateOutcome::NotSent {
                    reason: transport::told(error),
                    retry_after: None,
                }
            }
            Err(error) => CreateOutcome::Unsure {
                reason: transport::told(error),
            },
        }
    }

    /// Every fax with this tag that the provider had in the window, newest first. The window is always given, since
    /// the provider's own ends a week back.
    ///
    /// # Errors
    /// [`LookupError`]; a list that could not be read to its end is an error, not a short list.
    pub async fn find_by_tag(
        &self,
        name: &str,
        value: &str,
        created_after: Timestamp,
        created_before: Timestamp,
    ) -> Result<Vec<FaxInfo>, LookupError> {
        let tag = format!("tag[{name}]");
        let mut faxes = self.list(&[(&tag, value)], created_after, created_before).await?;
        // A provider that ignores the filter must not make us adopt somebody else's fax.
        faxes.retain(|fax| fax.tags.iter().any(|(n, v)| n == name && v == value));
        Ok(faxes)
    }

    /// Every fax received in the window, newest first.
    ///
    /// # Errors
    /// As [`Self::find_by_tag`].
    pub async fn received(&self, since: Timestamp, until: Timestamp) -> Result<Vec<FaxInfo>, LookupError> {
        let mut faxes = self.list(&[("direction", "received")], since, until).await?;
        faxes.retain(|fax| fax.direction == Direction::Received);
        Ok(faxes)
    }

    /// One fax.
    ///
    /// # Errors
    /// [`LookupError`]
    pub async fn fax(&self, provider_id: &str) -> Result<FaxInfo, LookupError> {
        let envelope = self
            .question("get", Method::GET, &["faxes", provider_id], &[])
            .await?;
        let info = Fax::parse(&envelope.data)
            .as_ref()
            .and_then(status::info)
            .ok_or_else(|| LookupError::BadAnswer("no fax in the answer".to_owned()))?;
        if info.provider_id() == provider_id {
            Ok(info)
        } else {
            Err(LookupError::BadAnswer("another fax in the answer".to_owned()))
        }
    }

    /// Asks the provider to cancel a fax. It may complete all the same.
    ///
    /// # Errors
    /// [`LookupError`]; asking again is harmless.
    pub async fn cancel(&self, provider_id: &str) -> Result<CancelOutcome, LookupError> {
        let answer = self
            .answer("cancel", Method::POST, &["faxes", provider_id, "cancel"], &[])
            .await?;
        // The provider answers 422 for a fax that is complete.
        if matches!(answer.status.as_u16(), 400 | 409 | 422) {
            return Ok(CancelOutcome::Refused {
                reason: answer.reason(),
            });
        }
        if let Some(error) = answer.lookup_error() {
            return Err(error);
        }
        match answer.envelope() {
            Ok(envelope) if envelope.success == Some(false) => Ok(CancelOutcome::Refused {
                reason: answer.reason(),
            }),
            Ok(_) => Ok(CancelOutcome::Scheduled),
            Err(reason) => Err(LookupError::BadAnswer(reason)),
        }
    }

    /// The document of a fax, at most `max_bytes` of it.
    ///
    /// # Errors
    /// [`LookupError`]; [`LookupError::NotFound`] also while the provider is still making it.
    pub async fn file(&self, provider_id: &str, max_bytes: u64) -> Result<FaxFile, LookupError> {
        let request = self
            .request(Method::GET, &["faxes", provider_id, "file"], &[])
            .ok_or(LookupError::Unauthorized)?
            .timeout(self.timeout.saturating_mul(FILE_TIMES));
        let response = timed("file", request).await.map_err(unreachable)?;
        if !response.status().is_success() {
            let answer = read(response).await;
            return Err(answer
                .lookup_error()
                .unwrap_or_else(|| LookupError::BadAnswer(answer.reason())));
        }
        let length = response.content_length();
        if length.is_some_and(|length| length > max_bytes) {
            return Err(LookupError::BadAnswer(
                "the document is larger than allowed".to_owned(),
            ));
        }
        let media_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        // An error answered with 200 would otherwise be kept as a document.
        if media_type
            .as_deref()
            .is_some_and(|t| t.starts_with("application/json"))
        {
            return Err(LookupError::BadAnswer("JSON in place of a document".to_owned()));
        }
        let mut left = max_bytes;
        let content = response.bytes_stream().map(move |chunk| {
            let chunk: Bytes = chunk.map_err(unreachable)?;
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| LookupError::BadAnswer("the document is larger than allowed".to_owned()))?;
            Ok(chunk)
        });
        Ok(FaxFile {
            media_type,
            length,
            content: content.boxed(),
        })
    }

    async fn list(
        &self,
        filter: &[(&str, &str)],
        after: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<FaxInfo>, LookupError> {
        let (after, before) = (stamp(after), stamp(before));
        let per_page = PAGE.to_string();
        let mut seen = HashSet::new();
        let mut faxes = Vec::new();
        for page in 1..=MOST_PAGES {
            let number = page.to_string();
            let mut query = vec![
                ("created_after", after.as_str()),
                ("created_before", before.as_str()),
                ("per_page", per_page.as_str()),
                ("page", number.as_str()),
            ];
            query.extend_from_slice(filter);
            let envelope = self.question("list", Method::GET, &["faxes"], &query).await?;
            let rows = envelope
                .data
                .as_array()
                .ok_or_else(|| LookupError::BadAnswer("no list in the answer".to_owned()))?;
            let before = seen.len();
            for row in rows {
                let fax = Fax::parse(row)
                    .as_ref()
                    .and_then(status::info)
                    .ok_or_else(|| LookupError::BadAnswer("a row of the list is no fax".to_owned()))?;
                // A fax made between two pages pushes one that was seen onto the next page.
                if seen.insert(fax.provider_id().to_owned()) {
                    faxes.push(fax);
                }
            }
            let complete = match envelope.total {
                // The total counts rows; `seen` drops repeats.
                Some(total) => seen.len() as u64 >= total,
                None => rows.len() < envelope.per_page.unwrap_or(PAGE),
            };
            if complete || rows.is_empty() {
                return Ok(faxes);
            }
            if seen.len() == before {
                return Err(LookupError::BadAnswer("a list that repeats itself".to_owned()));
            }
        }
        Err(LookupError::BadAnswer("a list without end".to_owned()))
    }

    /// An answer that must be an envelope of success.
    async fn question(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Envelope, LookupError> {
        let answer = self.answer(operation, method, path, query).await?;
        if let Some(error) = answer.lookup_error() {
            return Err(error);
        }
        let envelope = answer.envelope().map_err(LookupError::BadAnswer)?;
        if envelope.success == Some(false) {
            return Err(LookupError::BadAnswer(answer.reason()));
        }
        Ok(envelope)
    }

    async fn answer(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, LookupError> {
        let request = self
            .request(method, path, query)
            .ok_or(LookupError::Unauthorized)?;
        self.ask(operation, request).await.map_err(unreachable)
    }

    async fn ask(&self, operation: &'static str, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        Ok(read(timed(operation, request.timeout(self.timeout)).await?).await)
    }

    /// A request with credentials; none without credentials.
    fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> Option<RequestBuilder> {
        let credentials = self.credentials.load();
        let (Some(key), Some(secret)) = (&credentials.key, &credentials.secret) else {
            return None;
        };
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Some(
            self.http
                .request(method, url)
                .basic_auth(key.reveal(), Some(secret.reveal()))
                .header(http::header::ACCEPT, HeaderValue::from_static("application/json")),
        )
    }
}

impl std::fmt::Debug for Phaxio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phaxio").finish_non_exhaustive()
    }
}

/// Sends a request and waits for the head of the answer, as part of the trace that is being worked on.
async fn timed(
    operation: &'static str,
    mut request: RequestBuilder,
) -> Result<reqwest::Response, reqwest::Error> {
    let span = Span::outgoing();
    if let Some(span) = &span {
        request = request.headers(span.headers().into_iter().collect());
    }
    let begun = Instant::now();
    let result = request.send().await;
    metrics::histogram!(PROVIDER_SECONDS, "operation" => operation).record(begun.elapsed().as_secs_f64());
    if let Some(span) = span {
        let status = result.as_ref().ok().map(reqwest::Response::status);
        let facts = status
            .map(|status| ("http.response.status_code", Fact::Number(status.as_u16().into())))
            .into_iter()
            .collect();
        let failed = status.is_none_or(|status| !status.is_success());
        span.end(Side::Client, &format!("provider {operation}"), facts, failed);
    }
    result
}

/// The head and as much of the body as comes and is wanted.
async fn read(mut response: reqwest::Response) -> Answer {
    let status = response.status();
    let headers = response.headers().clone();
    let mut body = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) > LARGEST_ANSWER => {
                break Err("the answer is larger than any known one".to_owned());
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break Ok(body),
            Err(error) => break Err(transport::told(error)),
        }
    };
    Answer {
        status,
        headers,
        body,
    }
}

fn form(fax: &CreateFax) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("to", fax.to.as_str())
        .append_pair("content_url", &fax.content_url)
        .append_pair("callback_url", &fax.callback_url);
    for (name, value) in &fax.tags {
        form.append_pair(&format!("tag[{name}]"), value);
    }
    let delay = fax.batch_delay.map(|seconds| seconds.to_string());
    for (name, value) in [
        ("header_text", &fax.header_text),
        ("caller_id", &fax.caller_id),
        ("batch_delay", &delay),
    ] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    form.finish()
}

/// RFC 3339 with milliseconds, as the provider writes it.
fn stamp(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn unreachable(error: reqwest::Error) -> LookupError {
    LookupError::Unreachable(transport::told(error))
}
