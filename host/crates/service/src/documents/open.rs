//! Opening and reading documents: who may, and what is recorded of it.

use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use ulid::Ulid;

use super::gone;
use crate::{Actor, App, Error};
use faxgate_domain::artifact::{Artifact, Place};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::code::Code;
use faxgate_domain::link::LinkPurpose;

/// The credential for a document.
#[derive(Debug, Clone, Copy)]
pub enum DocumentKey<'a> {
    /// The token of a link, and the address that it came from.
    Token(&'a str, Option<IpAddr>),
    /// An authenticated caller.
    Actor(&'a Actor),
}

/// A document that may be read.
#[derive(Debug, Clone)]
pub struct OpenDocument {
    id: Ulid,
    artifact: Artifact,
}

impl App {
    /// Opens the PDF of a fax that is sent.
    ///
    /// # Errors
    /// [`Code::BadLink`], [`Code::NotFound`], [`Code::Gone`].
    pub async fn fax_document(&self, key: DocumentKey<'_>, id: &str) -> Result<OpenDocument, Error> {
        let by = self.authorize(key, LinkPurpose::FaxPdf, id)?;
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
        let by = self.authorize(key, LinkPurpose::InboundPdf, id)?;
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

    /// Checks the credential for a document and says for the audit who reads.
    fn authorize(&self, key: DocumentKey<'_>, purpose: LinkPurpose, id: &str) -> Result<Reader, Error> {
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
    pub(crate) const fn new(id: Ulid, artifact: Artifact) -> Self {
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

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(bytes.len());
    let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
    bytes.slice(start..end)
}
