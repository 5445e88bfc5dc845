//! Documents: PDF with ranges, TIFF, previews.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::problem::{Kind, Problem};
use crate::request::authorization::{Access, AuthenticatedCaller, link_failed};
use crate::request::path::{Id, IdAndName};
use crate::request::query::Query;
use crate::request::range::{Selection, select};
use crate::response::Answer;
use crate::state::AppState;
use faxgate_domain::document::Resolution;
use faxgate_edge::Client;
use faxgate_service::{Actor, DocumentKey, OpenDocument};

/// Browsers run no script of a document and give it an origin of its own.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox");

/// `GET /fax/{id}/pdf`
pub(crate) async fn fax_pdf(
    State(state): State<AppState>,
    access: Access,
    client: Client,
    Id(id): Id,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let document = open(&state, &client, &access, &id, async |key| {
        state.app().fax_document(key, &id).await
    })
    .await?;
    serve(&state, &document, &format!("fax-{id}.pdf"), &method, &headers).await
}

/// `GET /inbound/{id}/pdf`
pub(crate) async fn inbound_pdf(
    State(state): State<AppState>,
    access: Access,
    client: Client,
    Id(id): Id,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let document = open(&state, &client, &access, &id, async |key| {
        state.app().inbound_document(key, &id).await
    })
    .await?;
    serve(&state, &document, &format!("inbound-{id}.pdf"), &method, &headers).await
}

/// `GET /fax/{id}/tiff`
pub(crate) async fn fax_tiff(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    Id(id): Id,
    query: Query,
) -> Answer {
    let resolution = query.word("resolution", &Resolution::WORDS)?;
    let tiff = state.app().tiff(&actor, &id, resolution).await?;
    let mut response = Response::new(Body::from(tiff));
    describe(response.headers_mut(), "image/tiff", &format!("fax-{id}.tiff"));
    Ok(response)
}

/// `GET /fax/{id}/preview/{page}`, where the page is a number followed by `.png`
pub(crate) async fn fax_preview(
    State(state): State<AppState>,
    AuthenticatedCaller(actor): AuthenticatedCaller,
    IdAndName(id, name): IdAndName,
) -> Answer {
    let digits = name.strip_suffix(".png").unwrap_or_default();
    // A text that is no number, or one that is too large, is page 0, which no document has.
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let page = if plain { digits.parse().unwrap_or(0) } else { 0 };
    let png = state.app().preview(&actor, &id, page).await?;
    let mut response = Response::new(Body::from(png));
    describe(
        response.headers_mut(),
        "image/png",
        &format!("fax-{id}-{page}.png"),
    );
    Ok(response)
}

async fn open(
    state: &AppState,
    client: &Client,
    access: &Access,
    id: &str,
    open: impl AsyncFnOnce(DocumentKey<'_>) -> Result<OpenDocument, faxgate_service::Error>,
) -> Result<OpenDocument, Problem> {
    match access {
        Access::Link(token) => {
            let key = DocumentKey::Token(token, Some(client.address));
            open(key)
                .await
                .map_err(|error| link_failed(state, client, id, error))
        }
        Access::Key(principal) => {
            let actor = Actor {
                principal: principal.clone(),
                address: Some(client.address),
            };
            Ok(open(DocumentKey::Actor(&actor)).await?)
        }
        Access::Open => Err(Problem::internal()),
    }
}

async fn serve(
    state: &AppState,
    document: &OpenDocument,
    name: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Answer {
    let (length, etag) = (document.len(), format!("\"{}\"", document.etag()));
    // Ranges are defined for GET only (RFC 9110, section 14.2).
    let selection = match select(headers, length, &etag) {
        Selection::Part(_) | Selection::Unsatisfiable if *method == Method::HEAD => Selection::Whole,
        selection => selection,
    };
    let range = match selection {
        Selection::Unsatisfiable => {
            let detail = format!("the document has {length} bytes: ask for some of those");
            return Err(Problem::of(Kind::RangeNotSatisfiable, detail)
                .header(CONTENT_RANGE, &format!("bytes */{length}")));
        }
        Selection::NotModified => {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            validators(response.headers_mut(), &etag);
            return Ok(response);
        }
        Selection::Whole => None,
        Selection::Part(range) => Some(range),
    };
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(state.app().read(document, range.clone()).await?)
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    describe(headers, "application/pdf", name);
    validators(headers, &etag);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let sent = range.as_ref().map_or(length, |range| range.end - range.start);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(sent));
    if let Some(range) = range {
        let text = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        if let Ok(text) = HeaderValue::from_str(&text) {
            headers.insert(CONTENT_RANGE, text);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn describe(headers: &mut HeaderMap, media_type: &'static str, name: &str) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    // A document must not act on this origin, and the token of a link must not reach another one.
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("inline; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
}

fn validators(headers: &mut HeaderMap, etag: &str) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
}
