//! Multipart forms (RFC 7578): uploads are streamed to the spool, callbacks are parsed from it.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio_util::io::ReaderStream;

use crate::problem::Problem;
use crate::request::body::{MAX_SMALL_BODY, announced_length, body_too_large, broken_body, unsupported};
use faxgate_base::size::KIB;
use faxgate_domain::code::Code;
use faxgate_service::{App, IncomingFile, Upload};

/// What a multipart upload may be larger than its file, in bytes: the other fields, part headers and boundaries.
const MULTIPART_OVERHEAD: u64 = 256 * KIB;
/// Most parts of one form.
const MAX_PARTS: usize = 256;
/// Most documents of one fax.
const MAX_FILES: usize = 32;
/// Longest file name kept, in characters.
const MAX_FILE_NAME: usize = 255;
/// Most bytes after the last boundary that are read to keep the connection usable.
const MAX_EPILOGUE: usize = 16 * 1024;

/// A form with documents.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// Text fields in wire order.
    pub(crate) fields: Vec<(String, String)>,
    /// Documents in wire order: declared name, content.
    pub(crate) files: Vec<(Option<String>, Upload)>,
}

/// A callback's parts.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Text fields in wire order.
    pub(crate) fields: Vec<(String, String)>,
    /// File parts in wire order.
    pub(crate) files: Vec<IncomingFile>,
}

/// A stream that never yields its last bytes and its end in the same poll.
///
/// multer 3.1 polls twice when it looks for the first boundary. Where all bytes and the end arrive between the two
/// polls, it reports a form without a boundary.
struct DelayedEnd<S> {
    inner: S,
    /// The previous poll yielded bytes that the reader has not processed.
    has_new_bytes: bool,
    ended: bool,
}

/// Streams an upload: parts named `file` go to the spool, together at most `limit` bytes.
pub(crate) async fn upload(app: &App, headers: &HeaderMap, body: Body, limit: u64) -> Result<Form, Problem> {
    let boundary = boundary(headers)?;
    let whole = limit.saturating_add(MULTIPART_OVERHEAD);
    if announced_length(headers).is_some_and(|length| length > whole) {
        return Err(file_too_large(limit));
    }
    let mut body = body.into_data_stream();
    let mut form = Form::default();
    let mut left = limit;
    {
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
        let mut parts = Multipart::with_constraints(DelayedEnd::new(&mut body), boundary, limits);
        let mut count = 0;
        while let Some(mut part) = parts.next_field().await.map_err(|error| refused(&error, limit))? {
            count += 1;
            if count > MAX_PARTS {
                return Err(too_many_parts());
            }
            match part.name() {
                Some("file" | "file[]") => {
                    if form.files.len() == MAX_FILES {
                        return Err(Problem::new(
                            Code::Invalid,
                            format!("a fax has at most {MAX_FILES} files"),
                        ));
                    }
                    let name = part.file_name().and_then(clean_file_name);
                    let mut sink = app.upload(left);
                    while let Some(chunk) = part.chunk().await.map_err(|error| refused(&error, limit))? {
                        sink.write(&chunk).await?;
                    }
                    let upload = sink.finish().await?;
                    left = left.saturating_sub(upload.len());
                    form.files.push((name, upload));
                }
                Some(name) => {
                    let name = name.to_owned();
                    let value = text(&mut part, MAX_SMALL_BODY, limit).await?;
                    form.fields.push((name, value));
                }
                None => {}
            }
        }
    }
    finish(body).await;
    Ok(form)
}

/// Parses a callback's body, which is in the spool already since its signature is over all of it.
pub(crate) async fn callback(app: &App, headers: &HeaderMap, body: &Upload) -> Result<Parts, Problem> {
    let boundary = boundary(headers)?;
    let limit = body.len();
    let mut multipart = match body.path() {
        Some(path) => {
            let file = tokio::fs::File::open(path).await.map_err(|error| {
                tracing::error!(%error, "a spooled callback can't be read");
                Problem::new(
                    Code::Unavailable,
                    "the callback could not be kept: deliver it again",
                )
            })?;
            let file = ReaderStream::new(file).map_err(multer_error);
            Multipart::new(DelayedEnd::new(file), boundary)
        }
        None => Multipart::new(once(body.bytes().await?), boundary),
    };
    let mut parts = Parts::default();
    while let Some(mut part) = multipart
        .next_field()
        .await
        .map_err(|error| refused(&error, limit))?
    {
        if parts.fields.len() + parts.files.len() == MAX_PARTS {
            return Err(too_many_parts());
        }
        let name = part.name().unwrap_or_default().to_owned();
        if part.file_name().is_none() {
            let value = text(&mut part, limit, limit).await?;
            parts.fields.push((name, value));
            continue;
        }
        let file_name = part.file_name().and_then(clean_file_name);
        let media_type = part.content_type().map(|kind| kind.essence_str().to_owned());
        let mut sink = app.upload(limit);
        while let Some(chunk) = part.chunk().await.map_err(|error| refused(&error, limit))? {
            sink.write(&chunk).await?;
        }
        let content = sink.finish().await?;
        parts.files.push(IncomingFile {
            name,
            file_name,
            media_type,
            content,
        });
    }
    Ok(parts)
}

/// The text fields of a small form.
pub(crate) async fn text_fields(headers: &HeaderMap, bytes: Bytes) -> Result<Vec<(String, String)>, Problem> {
    let limit = bytes.len() as u64;
    let mut parts = Multipart::new(once(bytes), boundary(headers)?);
    let mut fields = Vec::new();
    while let Some(mut part) = parts.next_field().await.map_err(|error| refused(&error, limit))? {
        if let Some(name) = part.name().map(str::to_owned) {
            fields.push((name, text(&mut part, limit, limit).await?));
        }
    }
    Ok(fields)
}

impl<S> DelayedEnd<S> {
    fn new(inner: S) -> Self {
        Self {
            inner,
            has_new_bytes: false,
            ended: false,
        }
    }
}

impl<S: Stream + Unpin> Stream for DelayedEnd<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = self.inner.poll_next_unpin(cx);
        let had_new_bytes = std::mem::replace(&mut self.has_new_bytes, matches!(next, Poll::Ready(Some(_))));
        self.ended = matches!(next, Poll::Ready(None));
        if had_new_bytes && self.ended {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        next
    }
}

fn once(bytes: Bytes) -> impl futures_util::Stream<Item = Result<Bytes, multer::Error>> {
    stream::once(async { Ok(bytes) })
}

fn multer_error(error: std::io::Error) -> multer::Error {
    multer::Error::StreamReadFailed(error.into())
}

fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    multer::parse_boundary(kind).map_err(|error| match error {
        multer::Error::NoBoundary => Problem::new(
            Code::BadRequest,
            "the Content-Type names no boundary: let the client library set it",
        ),
        _ => unsupported("multipart/form-data"),
    })
}

/// The value of a text field, UTF-8, of at most `most` bytes.
async fn text(part: &mut Field<'_>, most: u64, whole: u64) -> Result<String, Problem> {
    let mut value = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| refused(&error, whole))? {
        if (value.len() + chunk.len()) as u64 > most {
            return Err(body_too_large(most));
        }
        value.extend_from_slice(&chunk);
    }
    String::from_utf8(value).map_err(|_| Problem::new(Code::BadRequest, "a text field is not UTF-8"))
}

/// Reads what follows the last boundary, so that the connection can be used again.
async fn finish(mut body: axum::body::BodyDataStream) {
    let mut left = MAX_EPILOGUE;
    while let Some(Ok(chunk)) = body.next().await {
        match left.checked_sub(chunk.len()) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// The last component of a declared name, without control characters.
fn clean_file_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_FILE_NAME)
        .collect();
    let clean = clean.trim();
    (!clean.is_empty() && clean != "." && clean != "..").then(|| clean.to_owned())
}

fn refused(error: &multer::Error, limit: u64) -> Problem {
    match error {
        multer::Error::StreamReadFailed(_) => broken_body(error),
        multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
            file_too_large(limit)
        }
        multer::Error::IncompleteStream | multer::Error::IncompleteFieldData { .. } => Problem::new(
            Code::BadRequest,
            "the form ends before its last boundary: send it again, whole",
        ),
        _ => Problem::new(Code::BadRequest, "the body is not a well-formed multipart form"),
    }
}

fn file_too_large(limit: u64) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!(
            "the upload is larger than {}: send a smaller one or several faxes",
            faxgate_base::size::human(limit)
        ),
    )
}

fn too_many_parts() -> Problem {
    Problem::new(Code::BadRequest, format!("a form has at most {MAX_PARTS} parts"))
}

#[cfg(test)]
mod tests;
