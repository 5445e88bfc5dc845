//! Documents: PDF with ranges, TIFF, previews.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Answer;
use crate::auth::link_failed;
use crate::auth::{Access, Asker};
use crate::client::Client;
use crate::edge::Edge;
use crate::error::{Kind, Problem};
use crate::extract::{Id, IdAndName};
use crate::query::Query;
use crate::range::{Wanted, wanted};
use faxgate_domain::document::Resolution;
use faxgate_service::{Actor, DocumentKey, OpenDocument};

/// `GET /fax/{id}/pdf`
pub(crate) async fn fax_pdf(
    State(edge): State<Edge>,
    access: Access,
    client: Client,
    Id(id): Id,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let document = open(&edge, &client, &access, &id, async |key| {
        edge.app().fax_document(key, &id).await
    })
    .await?;
    serve(&edge, &document, &format!("fax-{id}.pdf"), &method, &headers).await
}

/// `GET /inbound/{id}/pdf`
pub(crate) async fn inbound_pdf(
    State(edge): State<Edge>,
    access: Access,
    client: Client,
    Id(id): Id,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let document = open(&edge, &client, &access, &id, async |key| {
        edge.app().inbound_document(key, &id).await
    })
    .await?;
    serve(&edge, &document, &format!("inbound-{id}.pdf"), &method, &headers).await
}

/// `GET /fax/{id}/tiff`
pub(crate) async fn fax_tiff(
    State(edge): State<Edge>,
    Asker(actor): Asker,
    Id(id): Id,
    query: Query,
) -> Answer {
    let resolution = query.word("resolution", &Resolution::WORDS)?;
    let tiff = edge.app().tiff(&actor, &id, resolution).await?;
    let mut response = Response::new(Body::from(tiff));
    describe(response.headers_mut(), "image/tiff", &format!("fax-{id}.tiff"));
    Ok(response)
}

/// `GET /fax/{id}/preview/{page}`, where the page is a number followed by `.png`
pub(crate) async fn fax_preview(
    State(edge): State<Edge>,
    Asker(actor): Asker,
    IdAndName(id, name): IdAndName,
) -> Answer {
    let digits = name.strip_suffix(".png").unwrap_or_default();
    // What is no number is no page either; neither is one that is too long to count.
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let page = if plain { digits.parse().unwrap_or(0) } else { 0 };
    let png = edge.app().preview(&actor, &id, page).await?;
    let mut response = Response::new(Body::from(png));
    describe(
        response.headers_mut(),
        "image/png",
        &format!("fax-{id}-{page}.png"),
    );
    Ok(response)
}

async fn open(
    edge: &Edge,
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
                .map_err(|error| link_failed(edge, client, id, error))
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
    edge: &Edge,
    document: &OpenDocument,
    name: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Answer {
    let (length, etag) = (document.len(), format!("\"{}\"", document.etag()));
    // Ranges are defined for GET only (RFC 9110, section 14.2).
    let wanted = match wanted(headers, length, &etag) {
        Wanted::Part(_) | Wanted::Unsatisfiable if *method == Method::HEAD => Wanted::Whole,
        wanted => wanted,
    };
    let range = match wanted {
        Wanted::Unsatisfiable => {
            let detail = format!("the document has {length} bytes: ask for some of those");
            return Err(Problem::of(Kind::RangeNotSatisfiable, detail)
                .header(CONTENT_RANGE, &format!("bytes */{length}")));
        }
        Wanted::NotModified => {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            validators(response.headers_mut(), &etag);
            return Ok(response);
        }
        Wanted::Whole => None,
        Wanted::Part(range) => Some(range),
    };
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(edge.app().read(document, range.clone()).await?)
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
