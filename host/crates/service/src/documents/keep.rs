//! Storing a new document, and removing one that got no record.

use bytes::Bytes;
use ulid::Ulid;

use crate::{App, Error, Upload};
use faxgate_artifacts::{Content, Kind};
use faxgate_domain::artifact::{Artifact, Place};

/// Where the bytes of a new document went.
pub(crate) struct Stored {
    /// What the record says about it.
    pub(crate) artifact: Artifact,
    /// Bytes that ride in the record's own commit.
    pub(crate) inline: Option<Bytes>,
}

impl App {
    /// Keeps bytes as a document of `id`: small ones are handed back to ride in the record's commit.
    pub(crate) async fn keep(
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
    pub(crate) async fn keep_upload(&self, kind: Kind, id: Ulid, upload: &Upload) -> Result<Stored, Error> {
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
    pub(crate) async fn discard(&self, stored: &Stored) {
        if stored.inline.is_none()
            && let Err(error) = self.parts.artifacts.delete(&stored.artifact).await
        {
            tracing::warn!(%error, "a document without a record could not be removed yet");
        }
    }
}
