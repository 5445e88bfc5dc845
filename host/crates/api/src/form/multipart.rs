//! Multipart forms (RFC 7578): uploads are streamed to the spool, callbacks are parsed from it.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio_util::io::ReaderStream;

use super::field_names;
use super::parameters::parameter;
use super::part_head::{PartHead, shown};
use super::part_stream::PartStream;
use super::transfer_encoding::{Decoder, Malformed};
use super::urlencoded::MAX_FORM_TEXT;
use crate::problem::Problem;
use crate::request::body::{
    MAX_SMALL_BODY, announced_length, body_too_large, broken_body, media_type, unsupported,
};
use faxgate_base::size::KIB;
use faxgate_domain::code::Code;
use faxgate_service::{App, IncomingFile, Upload};

/// Most parts of one form.
pub(super) const MAX_PARTS: usize = 256;
/// What a multipart upload may be larger than its file, in bytes: the other fields, part headers and boundaries.
const MULTIPART_OVERHEAD: u64 = 256 * KIB;
/// Most documents of one fax.
const MAX_FILES: usize = 32;
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

/// The parts of a callback.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Text fields in wire order.
    pub(crate) fields: Vec<(String, String)>,
    /// File parts in wire order.
    pub(crate) files: Vec<IncomingFile>,
}

/// A form that is being read, with what an error about it needs.
struct Reader<'a> {
    parts: Multipart<'a>,
    stream: super::part_stream::Beginning,
    boundary: String,
    /// The limit that an error names, in bytes.
    limit: u64,
    count: usize,
}

/// Streams the upload of a new fax: parts named `file` go to the spool, together at most `limit` bytes.
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
        let mut reader = Reader::new(&mut body, boundary, limit, Some(whole));
        while let Some((head, mut part)) = reader.next().await? {
            if !matches!(head.name.as_str(), "file" | "file[]") {
                field_names::check_send(&head.name, head.declared_file_name.is_some())?;
                let value = reader.text(&head, &mut part, MAX_SMALL_BODY).await?;
                form.fields.push((head.name, value));
                continue;
            }
            if head.declared_file_name.is_none() {
                return Err(file_without_name(&head.name));
            }
            if form.files.len() == MAX_FILES {
                let detail = format!("a fax has at most {MAX_FILES} files");
                return Err(Problem::new(Code::Invalid, detail));
            }
            let upload = reader.file(app, &head, &mut part, left).await?;
            left = left.saturating_sub(upload.len());
            form.files.push((
                head.declared_file_name.clone(),
                upload.with_charset(head.charset.clone()),
            ));
        }
    }
    finish(body).await;
    ignore_empty_inputs(&mut form.files);
    for (name, _) in &mut form.files {
        *name = name.as_deref().and_then(super::part_head::clean_file_name);
    }
    Ok(form)
}

/// Parses the body of a callback, which is in the spool already since its signature covers all of it.
pub(crate) async fn callback(app: &App, headers: &HeaderMap, body: &Upload) -> Result<Parts, Problem> {
    let boundary = boundary(headers)?;
    let limit = body.len();
    let mut reader = match body.path() {
        Some(path) => {
            let file = tokio::fs::File::open(path).await.map_err(|error| {
                tracing::error!(%error, "a spooled callback can't be read");
                Problem::new(
                    Code::Unavailable,
                    "the callback could not be kept: deliver it again",
                )
            })?;
            Reader::new(ReaderStream::new(file), boundary, limit, None)
        }
        None => Reader::new(once(body.bytes().await?), boundary, limit, None),
    };
    let mut parts = Parts::default();
    let mut text_left = MAX_FORM_TEXT;
    while let Some((head, mut part)) = reader.next().await? {
        if head.declared_file_name.is_none() {
            let value = reader.text(&head, &mut part, text_left).await?;
            text_left = text_left.saturating_sub(value.len() as u64);
            parts.fields.push((head.name, value));
            continue;
        }
        let content = reader.file(app, &head, &mut part, limit).await?;
        parts.files.push(IncomingFile {
            file_name: head.file_name(),
            name: head.name,
            media_type: head.media_type,
            content,
        });
    }
    Ok(parts)
}

/// The text fields of a small form.
pub(crate) async fn text_fields(headers: &HeaderMap, bytes: Bytes) -> Result<Vec<(String, String)>, Problem> {
    let limit = bytes.len() as u64;
    let mut reader = Reader::new(once(bytes), boundary(headers)?, limit, None);
    let mut fields = Vec::new();
    while let Some((head, mut part)) = reader.next().await? {
        let value = reader.text(&head, &mut part, limit).await?;
        fields.push((head.name, value));
    }
    Ok(fields)
}

impl<'a> Reader<'a> {
    /// A form in this stream; `whole` is the most bytes that it may have.
    fn new<S, E>(stream: S, boundary: String, limit: u64, whole: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send + 'a,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'a,
    {
        let stream = PartStream::new(stream);
        let beginning = stream.beginning();
        let sizes = whole.map_or_else(SizeLimit::new, |whole| SizeLimit::new().whole_stream(whole));
        let limits = Constraints::new().size_limit(sizes);
        Self {
            parts: Multipart::with_constraints(stream, boundary.clone(), limits),
            stream: beginning,
            boundary,
            limit,
            count: 0,
        }
    }

    /// The next part; none after the last one.
    async fn next(&mut self) -> Result<Option<(PartHead, Field<'a>)>, Problem> {
        let part = match self.parts.next_field().await {
            Ok(part) => part,
            Err(error) => return Err(self.refused(&error)),
        };
        let Some(part) = part else {
            return Ok(None);
        };
        self.count += 1;
        if self.count > MAX_PARTS {
            return Err(too_many_parts());
        }
        Ok(Some((PartHead::read(part.headers())?, part)))
    }

    /// The value of a text field, UTF-8, of at most `most` bytes.
    async fn text(&self, head: &PartHead, part: &mut Field<'_>, most: u64) -> Result<String, Problem> {
        let mut value = Vec::new();
        let mut decoder = Decoder::new(head.encoding);
        loop {
            let chunk = part.chunk().await.map_err(|error| self.refused(&error))?;
            let last = chunk.is_none();
            let bytes = match chunk {
                Some(chunk) => decoder.decode(chunk),
                None => std::mem::replace(&mut decoder, Decoder::new(head.encoding)).finish(),
            };
            let bytes = bytes.map_err(|Malformed| malformed(head))?;
            if (value.len() + bytes.len()) as u64 > most {
                return Err(body_too_large(most));
            }
            value.extend_from_slice(&bytes);
            if last {
                break;
            }
        }
        String::from_utf8(value).map_err(|_| {
            let detail = format!("the text field {} is not UTF-8", shown(&head.name));
            Problem::new(Code::BadRequest, detail)
        })
    }

    /// The content of a file part, in the spool.
    async fn file(
        &self,
        app: &App,
        head: &PartHead,
        part: &mut Field<'_>,
        most: u64,
    ) -> Result<Upload, Problem> {
        let mut sink = app.upload(most);
        let mut decoder = Decoder::new(head.encoding);
        while let Some(chunk) = part.chunk().await.map_err(|error| self.refused(&error))? {
            let bytes = decoder.decode(chunk).map_err(|Malformed| malformed(head))?;
            sink.write(&bytes).await?;
        }
        let rest = decoder.finish().map_err(|Malformed| malformed(head))?;
        sink.write(&rest).await?;
        Ok(sink.finish().await?)
    }

    fn refused(&self, error: &multer::Error) -> Problem {
        match error {
            multer::Error::StreamReadFailed(_) => broken_body(error),
            multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
                file_too_large(self.limit)
            }
            _ if self.stream.has_bare_line_feeds(&self.boundary) => Problem::new(
                Code::BadRequest,
                "the lines of the form end with LF alone: end boundaries and part headers with CRLF",
            ),
            multer::Error::IncompleteStream
            | multer::Error::IncompleteFieldData { .. }
            | multer::Error::IncompleteHeaders => Problem::new(
                Code::BadRequest,
                "the form ends before its last boundary: send it again, whole",
            ),
            _ => Problem::new(Code::BadRequest, "the body is not a well-formed multipart form"),
        }
    }
}

fn once(bytes: Bytes) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Unpin + Send {
    stream::iter([Ok(bytes)])
}

/// The boundary that the `Content-Type` names.
fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    if media_type(headers).as_deref() != Some("multipart/form-data") {
        return Err(unsupported("multipart/form-data"));
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    parameter(kind.unwrap_or_default(), "boundary")
        .filter(|boundary| !boundary.is_empty())
        .ok_or_else(|| {
            Problem::new(
                Code::BadRequest,
                "the Content-Type names no boundary: let the client library set it",
            )
        })
}

/// A file input that was left empty is sent as a part without name and bytes. It is ignored beside a document.
fn ignore_empty_inputs(files: &mut Vec<(Option<String>, Upload)>) {
    let is_empty = |(name, upload): &(Option<String>, Upload)| {
        upload.is_empty() && name.as_deref().is_none_or(str::is_empty)
    };
    if files.iter().any(|file| !is_empty(file)) {
        files.retain(|file| !is_empty(file));
    }
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

fn file_without_name(name: &str) -> Problem {
    Problem::new(
        Code::Invalid,
        format!(
            "part {0} is text and no file: give it a file name; in curl, write `@` before the path: -F '{name}=@letter.pdf'",
            shown(name)
        ),
    )
}

fn malformed(head: &PartHead) -> Problem {
    Problem::new(
        Code::BadRequest,
        format!(
            "part {} is not encoded as its Content-Transfer-Encoding says: send the bytes as they are",
            shown(&head.name)
        ),
    )
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

pub(super) fn too_many_parts() -> Problem {
    Problem::new(Code::BadRequest, format!("a form has at most {MAX_PARTS} fields"))
}
