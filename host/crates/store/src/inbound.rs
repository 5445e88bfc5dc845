//! Received faxes.

use bytes::Bytes;
use jiff::Timestamp;
use redb::ReadableTable as _;

use super::Store;
use super::audit;
use super::cursor::Scope;
use super::error::StoreError;
use super::expiry::inbound_place;
use super::job_reads::CLOCK_SLACK;
use super::key::{self, FIRST, LAST, digest, join};
use super::list::{PageOf, PageRequest, Walk, first_id_at};
use super::record::{decode, encode};
use super::tables::{
    INBOUND, INBOUND_BY_FROM, INBOUND_BY_OWNER, INBOUND_BY_PROVIDER_ID, INBOUND_BY_STATUS, INBOUND_BY_TO,
    Tables, get,
};
use super::writer::Growth;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::InboundId;
use faxgate_domain::inbound::{InboundFax, InboundStatus};

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

/// Which received faxes a list has. Every condition set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundFilter {
    /// Whose.
    pub owner: Option<String>,
    /// What this owner may see: its own and those without an owner.
    pub visible_to: Option<String>,
    /// To which number, as the provider gave it.
    pub to: Option<String>,
    /// From which number, as the provider gave it.
    pub from: Option<String>,
    /// In which state.
    pub status: Option<InboundStatus>,
    /// Received after this time, not at it.
    pub received_after: Option<Timestamp>,
}

impl Store {
    /// One received fax.
    ///
    /// # Errors
    /// When the database or the record can't be read.
    pub async fn inbound(&self, id: InboundId) -> Result<Option<InboundFax>, StoreError> {
        get(
            &self.shared.db.read()?.open_table(INBOUND)?,
            &id.to_bytes(),
            decode,
        )
    }

    /// The received fax that the provider knows by this id.
    ///
    /// # Errors
    /// When the database or the record can't be read.
    pub async fn inbound_by_provider_id(&self, provider_id: &str) -> Result<Option<InboundFax>, StoreError> {
        let snapshot = self.shared.db.read()?;
        match snapshot.open_table(INBOUND_BY_PROVIDER_ID)?.get(provider_id)? {
            Some(id) => get(&snapshot.open_table(INBOUND)?, id.value(), decode),
            None => Ok(None),
        }
    }

    /// A page of received faxes, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database can't be read.
    pub async fn inbounds(
        &self,
        filter: &InboundFilter,
        page: &PageRequest,
    ) -> Result<PageOf<InboundFax>, StoreError> {
        let (filter, page) = (filter.clone(), *page);
        self.scan(move |store| store.find_inbounds(&filter, &page)).await
    }

    fn find_inbounds(
        &self,
        filter: &InboundFilter,
        page: &PageRequest,
    ) -> Result<PageOf<InboundFax>, StoreError> {
        let snapshot = self.shared.db.read()?;
        let texts = [
            (INBOUND_BY_FROM, &filter.from),
            (INBOUND_BY_TO, &filter.to),
            (INBOUND_BY_OWNER, &filter.owner),
        ];
        let mut indexes = Vec::new();
        for (definition, value) in texts {
            if let Some(value) = value {
                indexes.push(Self::filed(&snapshot, definition, digest(value))?);
            }
        }
        if let Some(status) = filter.status {
            indexes.push(Self::filed(
                &snapshot,
                INBOUND_BY_STATUS,
                key::inbound_status(status),
            )?);
        }
        let walk = Walk {
            records: snapshot.open_table(INBOUND)?,
            indexes,
            bounds: filter.bounds(),
            scope: filter.scope(),
            cursor_key: self.shared.secrets.cursor_key(),
        };
        walk.page(page, |fax| filter.fits(fax))
    }

    /// Takes a received fax in, once per provider id. Durable when this answers `Ok`.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the disk is nearly full, [`StoreError::Exists`] for an id taken before, and
    /// whatever the disk says. Nothing is kept then.
    pub async fn create_inbound(&self, new: NewInbound) -> Result<CreatedInbound, StoreError> {
        let mut new = new;
        new.document = self.sealed(new.fax.id.0, new.document).await?;
        let bytes = new.document.as_ref().map_or(0, Bytes::len);
        self.write(Growth::Adds(bytes), move |tables| create(tables, &new))
            .await
    }

    /// Records that the document of a received fax was destroyed, and destroys it when it is in the database.
    /// The fax as it is then, or none for an unknown id. A repeat changes nothing.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub async fn purge_inbound(&self, id: InboundId) -> Result<Option<InboundFax>, StoreError> {
        // First the key, then the record: a crash in between leaves something to repeat, not to forget.
        self.destroy_document(id.0).await?;
        let now = self.shared.clock.now();
        self.write(Growth::Settles, move |tables| purge(tables, id, now))
            .await
    }
}

fn create(tables: &mut Tables<'_>, new: &NewInbound) -> Result<CreatedInbound, StoreError> {
    let NewInbound { fax, document, audit } = new;
    let id = fax.id.to_bytes();
    let known = tables
        .inbound_by_provider_id
        .get(fax.provider_id.as_str())?
        .map(|id| *id.value());
    if let Some(known) = known
        && let Some(known) = get(&tables.inbound, &known, decode)?
    {
        tables.unchanged();
        return Ok(CreatedInbound::Known(known));
    }
    if tables.inbound.get(&id)?.is_some() {
        return Err(StoreError::Exists("received fax"));
    }
    tables.inbound.insert(&id, encode(fax)?.as_slice())?;
    tables
        .inbound_by_provider_id
        .insert(fax.provider_id.as_str(), &id)?;
    tables
        .inbound_by_owner
        .insert(&join::<32>(&digest(&fax.owner), &id), ())?;
    tables
        .inbound_by_status
        .insert(&join::<32>(&key::inbound_status(fax.status), &id), ())?;
    if let Some(to) = &fax.to {
        tables.inbound_by_to.insert(&join::<32>(&digest(to), &id), ())?;
    }
    if let Some(from) = &fax.from {
        tables
            .inbound_by_from
            .insert(&join::<32>(&digest(from), &id), ())?;
    }
    if let Some(at) = fax.expires_at {
        tables
            .by_expiry
            .insert(inbound_place(at, fax.id).as_slice(), ())?;
    }
    if let Some(document) = document {
        tables.sealed_documents.insert(&id, document.as_ref())?;
    }
    audit::append(tables, audit)?;
    Ok(CreatedInbound::New)
}

fn purge(tables: &mut Tables<'_>, id: InboundId, now: Timestamp) -> Result<Option<InboundFax>, StoreError> {
    let fax = get(&tables.inbound, &id.to_bytes(), decode::<InboundFax>)?;
    let Some(mut fax) = fax.filter(|fax| fax.purged_at.is_none()) else {
        tables.unchanged();
        return get(&tables.inbound, &id.to_bytes(), decode);
    };
    if let Some(at) = fax.expires_at.take() {
        tables.by_expiry.remove(inbound_place(at, id).as_slice())?;
    }
    fax.artifact = None;
    fax.purged_at = Some(now);
    tables.documents.remove(&id.to_bytes())?;
    tables.sealed_documents.remove(&id.to_bytes())?;
    tables.inbound.insert(&id.to_bytes(), encode(&fax)?.as_slice())?;
    audit::append(tables, &AuditEntry::new(now, "system", "inbound.purged", id))?;
    Ok(Some(fax))
}

impl InboundFilter {
    fn fits(&self, fax: &InboundFax) -> bool {
        self.owner.as_ref().is_none_or(|owner| fax.owner == *owner)
            && self
                .visible_to
                .as_ref()
                .is_none_or(|owner| fax.owner.is_empty() || fax.owner == *owner)
            && self.to.as_ref().is_none_or(|to| fax.to.as_ref() == Some(to))
            && self
                .from
                .as_ref()
                .is_none_or(|from| fax.from.as_ref() == Some(from))
            && self.status.is_none_or(|status| fax.status == status)
            && self.received_after.is_none_or(|after| fax.received_at > after)
    }

    /// The ids that can be on the list: a fax is here after the provider received it, give or take its clock.
    fn bounds(&self) -> ([u8; 16], [u8; 16]) {
        let low = self.received_after.map_or(FIRST, |after| {
            let after = after.saturating_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
            first_id_at(after.as_millisecond())
        });
        (low, LAST)
    }

    fn scope(&self) -> Scope {
        Scope::new(
            2,
            &[
                self.owner.clone(),
                self.visible_to.clone(),
                self.to.clone(),
                self.from.clone(),
                self.status.map(|status| format!("{status:?}")),
                self.received_after.map(|at| at.to_string()),
            ],
        )
    }
}
