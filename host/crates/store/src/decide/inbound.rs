//! The rules of received faxes: one record for each fax of the provider's, and a document that is destroyed once.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Change, Decision, DocumentChange, Effects};
use crate::error::StoreError;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::inbound::InboundFax;

/// Everything that one received fax puts into the database, in one commit.
#[derive(Debug, Clone)]
pub struct NewInbound {
    /// The fax.
    pub fax: InboundFax,
    /// Its document, when the artifact's place is the database.
    pub document: Option<Bytes>,
    /// Who delivered it.
    pub audit: AuditEntry,
}

/// What became of a received fax.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "answered once and taken apart at once")]
pub enum CreatedInbound {
    /// It is there.
    New,
    /// It was delivered before: this is what is kept. Nothing was written.
    Known(InboundFax),
}

/// Takes a received fax in, unless `known`, the record of the same fax at the provider, is there.
pub(crate) fn create(
    new: &NewInbound,
    known: Option<InboundFax>,
    is_taken: bool,
) -> Result<Decision<CreatedInbound>, StoreError> {
    if let Some(known) = known {
        return Ok(Decision::unchanged(CreatedInbound::Known(known)));
    }
    if is_taken {
        return Err(StoreError::Exists("received fax"));
    }
    let NewInbound { fax, document, audit } = new;
    let effects = Effects {
        inbound: Some(Change {
            old: None,
            new: fax.clone(),
        }),
        document: document
            .clone()
            .map(|document| DocumentChange::Put(fax.id.0, document)),
        audit: vec![audit.clone()],
        ..Effects::default()
    };
    Ok(Decision {
        answer: CreatedInbound::New,
        effects,
    })
}

/// Records that the document of a received fax was destroyed.
pub(crate) fn purge(old: InboundFax, now: Timestamp) -> Decision<InboundFax> {
    if old.purged_at.is_some() {
        return Decision::unchanged(old);
    }
    let mut new = old.clone();
    new.expires_at = None;
    new.artifact = None;
    new.purged_at = Some(now);
    Decision {
        answer: new.clone(),
        effects: Effects {
            document: Some(DocumentChange::Remove(old.id.0)),
            audit: vec![AuditEntry::new(now, "system", "inbound.purged", old.id)],
            inbound: Some(Change { old: Some(old), new }),
            ..Effects::default()
        },
    }
}
