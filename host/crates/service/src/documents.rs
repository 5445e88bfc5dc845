//! Documents: where they go, who may open them and how they are read.

use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use ulid::Ulid;

use super::{Actor, App, Error, Upload};
use faxgate_artifacts::{Content, Kind};
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::code::Code;
use faxgate_domain::document::{DocumentError, FaxPage, RenderOptions, Resolution};
use faxgate_domain::job::Job;
use faxgate_domain::link::LinkPurpose;
use faxgate_policy::{
    FailureKind, PolicyError,
    image::{png, tiff},
};

/// What opens a document: a link's token or somebody with the right scope.
#[derive(Debug, Clone, Copy)]
pub enum DocumentKey<'a> {
    /// `?token=`, and the address of whoever brings it
    Token(&'a str, Option<IpAddr>),
    /// A key.
    Actor(&'a Actor),
}

/// A document that may be read.
#[derive(Debug, Clone)]
pub struct OpenDocument {
    id: Ulid,
    artifact: Artifact,
}

/// Where the bytes of a new document went.
pub(super) struct Stored {
    /// What the record says about it.
    pub(super) artifact: Artifact,
    /// Bytes that ride in the record's own commit.
    pub(super) inline: Option<Bytes>,
}

impl App {
    /// Opens the PDF of a fax that is sent.
    ///
    /// # Errors
    /// [`Code::BadLink`], [`Code::NotFound`], [`Code::Gone`].
    pub async fn fax_document(&self, key: DocumentKey<'_>, id: &str) -> Result<OpenDocument, Error> {
        let by = self.unlock(key, LinkPurpose::FaxPdf, id)?;
        let job = match key {
            DocumentKey::Token(..) => self.known_job(id).await?,
            DocumentKey::Actor(actor) => self.visible_job(actor, id).await?,
        };
        let artifact = job.artifact.clone().ok_or_else(gone)?;
        self.parts.store.record_later(by.with("document.read", job.id));
        Ok(OpenDocument {
            id: job.id.0,
            artifact,
        })
    }

    /// Opens the PDF of a fax that was received.
    ///
    /// # Errors
    /// [`Code::BadLink`], [`Code::NotFound`], [`Code::Gone`].
    pub async fn inbound_document(&self, key: DocumentKey<'_>, id: &str) -> Result<OpenDocument, Error> {
        let by = self.unlock(key, LinkPurpose::InboundPdf, id)?;
        let fax = match key {
            DocumentKey::Token(..) => self.known_inbound(id).await?,
            DocumentKey::Actor(actor) => self.visible_inbound(actor, id).await?,
        };
        let artifact = fax.artifact.ok_or_else(gone)?;
        self.parts
            .store
            .record_later(by.with("inbound.document.read", fax.id));
        Ok(OpenDocument {
            id: fax.id.0,
            artifact,
        })
    }

    /// Reads an open document, or a part of it.
    ///
    /// # Errors
    /// [`Code::Gone`] when it was destroyed since, [`Code::Unavailable`] when storage doesn't answer.
    pub async fn read(
        &self,
        document: &OpenDocument,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, Error> {
        if document.artifact.place == Place::Database {
            let bytes = self.inline(document.id).await?;
            let part = range.map_or_else(|| bytes.clone(), |range| slice(&bytes, &range));
            return Ok(stream::once(async { Ok(part) }).boxed());
        }
        Ok(self.parts.artifacts.read(&document.artifact, range).await?)
    }

    /// Reads a document whole.
    ///
    /// # Errors
    /// As [`App::read`].
    pub async fn read_all(&self, document: &OpenDocument) -> Result<Bytes, Error> {
        let bytes = if document.artifact.place == Place::Database {
            self.inline(document.id).await?
        } else {
            self.parts.artifacts.read_all(&document.artifact).await?
        };
        if bytes.len() as u64 != document.len() {
            return Err(Error::internal(
                "a stored document has another length than its record says",
            ));
        }
        Ok(bytes)
    }

    /// What the far machine will print: a multi-page Group 4 TIFF, at another resolution than the fax is sent with
    /// when one is named.
    ///
    /// # Errors
    /// As [`App::read`], and when a page can't be drawn.
    pub async fn tiff(
        &self,
        actor: &Actor,
        id: &str,
        resolution: Option<Resolution>,
    ) -> Result<Vec<u8>, Error> {
        let job = self.visible_job(actor, id).await?;
        let pages = self
            .draw(actor, &job, 0..job.pages.unwrap_or(1), resolution)
            .await?;
        Ok(tiff::write(&pages))
    }

    /// One page, counted from 1, as the far machine will print it, as a PNG for people.
    ///
    /// # Errors
    /// As [`App::tiff`]; [`Code::NotFound`] beyond the last page.
    pub async fn preview(&self, actor: &Actor, id: &str, page: u32) -> Result<Vec<u8>, Error> {
        let job = self.visible_job(actor, id).await?;
        let last = job.pages.unwrap_or(1);
        if page == 0 || page > last {
            return Err(Error::new(
                Code::NotFound,
                format!("the fax has no such page: ask for 1 to {last}"),
            ));
        }
        let drawn = self.draw(actor, &job, page - 1..page, None).await?;
        let png = drawn.first().and_then(png::write);
        png.ok_or_else(|| Error::internal("a converter drew a page that can't be decoded"))
    }

    /// Draws pages of a fax as its sender asked for.
    async fn draw(
        &self,
        actor: &Actor,
        job: &Job,
        pages: Range<u32>,
        resolution: Option<Resolution>,
    ) -> Result<Vec<FaxPage>, Error> {
        let artifact = job.artifact.clone().ok_or_else(gone)?;
        let document = OpenDocument::new(job.id.0, artifact);
        let pdf = self.read_all(&document).await?;
        let options = RenderOptions {
            resolution: resolution.unwrap_or(job.options.render.resolution),
            ..job.options.render
        };
        let drawn = self.parts.plugins.render(pdf, pages, options).await;
        let drawn = drawn.map_err(not_converted)?;
        let read = actor.did(self.parts.clock.now(), "document.read", job.id);
        self.parts.store.record_later(read);
        Ok(drawn)
    }

    /// Keeps bytes as a document of `id`: small ones are handed back to ride in the record's commit.
    pub(super) async fn keep(
        &self,
        kind: Kind,
        id: Ulid,
        bytes: Bytes,
        sha256: [u8; 32],
    ) -> Result<Stored, Error> {
        if bytes.len() as u64 <= self.parts.artifacts.inline_limit() {
            let artifact = Artifact {
                place: Place::Database,
                bytes: bytes.len() as u64,
                sha256,
            };
            return Ok(Stored {
                artifact,
                inline: Some(bytes),
            });
        }
        let artifact = self.parts.artifacts.put(kind, id, bytes).await?;
        Ok(Stored {
            artifact,
            inline: None,
        })
    }

    /// Keeps an upload as it came. A spool file is moved, so this comes last.
    pub(super) async fn keep_upload(&self, kind: Kind, id: Ulid, upload: &Upload) -> Result<Stored, Error> {
        match upload.path() {
            Some(path) => {
                let content = Content::File {
                    path: path.to_owned(),
                    sha256: Some(upload.sha256()),
                };
                let artifact = self.parts.artifacts.put(kind, id, content).await?;
                Ok(Stored {
                    artifact,
                    inline: None,
                })
            }
            None => self.keep(kind, id, upload.bytes().await?, upload.sha256()).await,
        }
    }

    /// Destroys a document that no record points to after all. A failure leaves an orphan for the collector.
    pub(super) async fn discard(&self, stored: &Stored) {
        if stored.inline.is_none()
            && let Err(error) = self.parts.artifacts.delete(&stored.artifact).await
        {
            tracing::warn!(%error, "a document without a record could not be removed yet");
        }
    }

    /// Checks what opens a document and says who that is for the audit.
    fn unlock(&self, key: DocumentKey<'_>, purpose: LinkPurpose, id: &str) -> Result<Reader, Error> {
        let now = self.parts.clock.now();
        match key {
            DocumentKey::Token(token, address)
                if self.parts.links.verify(purpose, id, token, now).is_some() =>
            {
                let reader = AuditEntry::new(now, "link", "", "");
                Ok(Reader(reader.from(address.map(|address| address.to_string()))))
            }
            DocumentKey::Token(..) => Err(Error::new(
                Code::BadLink,
                "the link is wrong or has expired: ask for a new one",
            )),
            DocumentKey::Actor(actor) => Ok(Reader(actor.did(now, "", ""))),
        }
    }

    async fn inline(&self, id: Ulid) -> Result<Bytes, Error> {
        self.parts.store.document(id).await?.ok_or_else(gone)
    }
}

/// Who reads, as an audit entry without object.
struct Reader(AuditEntry);

impl Reader {
    fn with(self, what: &str, id: impl ToString) -> AuditEntry {
        AuditEntry {
            what: what.to_owned(),
            object: id.to_string(),
            ..self.0
        }
    }
}

impl OpenDocument {
    /// A document that the caller has checked may be read.
    pub(super) const fn new(id: Ulid, artifact: Artifact) -> Self {
        Self { id, artifact }
    }

    /// How many bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.artifact.bytes
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.artifact.bytes == 0
    }

    /// A strong validator of the content (RFC 9110, 8.8.3), without quotes.
    #[must_use]
    pub fn etag(&self) -> String {
        hex::encode(self.artifact.sha256.get(..16).unwrap_or_default())
    }
}

/// The answer about a document that no converter got through. What exhausts a limit or makes a converter give up is
/// a property of the document, the same on every machine, and no fault of the server.
pub(super) fn not_converted(error: PolicyError<DocumentError>) -> Error {
    let PolicyError::Failed(failure) = &error else {
        return error.into();
    };
    let (code, detail) = match failure.kind {
        FailureKind::OutOfMemory => (
            Code::TooLarge,
            "the document takes more memory than a conversion may use: send it as simpler pages, fewer pictures or in \
             several faxes",
        ),
        FailureKind::TooMuchData => (
            Code::TooLarge,
            "the document becomes larger than a fax may be: send it in several faxes",
        ),
        FailureKind::CpuDeadline => (
            Code::BadDocument,
            "the document takes longer to prepare than a conversion may: print it to a new PDF, or send it as pictures",
        ),
        FailureKind::Trap | FailureKind::StackOverflow => (
            Code::BadDocument,
            "the document is built in a way that can't be read: print it to a new PDF and send that",
        ),
        // These say nothing about the document.
        FailureKind::WallDeadline => {
            return Error {
                source: Some(error.into()),
                ..Error::new(
                    Code::Busy,
                    "preparing the document took too long here: try again in a moment",
                )
            }
            .retry_after(std::time::Duration::from_secs(5));
        }
        FailureKind::BadAnswer | FailureKind::NoPlugin | FailureKind::Host => return error.into(),
    };
    Error {
        source: Some(error.into()),
        ..Error::new(code, detail)
    }
}

/// The answer about a document that was destroyed.
pub(super) fn gone() -> Error {
    Error::new(Code::Gone, "the document was destroyed; the record stays")
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(bytes.len());
    let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
    bytes.slice(start..end)
}
