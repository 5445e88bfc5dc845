//! Reading and writing received faxes.

use bytes::Bytes;
use jiff::Timestamp;
use redb::ReadableTable as _;

use crate::Store;
use crate::decide;
use crate::decide::inbound::{CreatedInbound, NewInbound};
use crate::error::StoreError;
use crate::format::record::decode;
use crate::format::table_key::{self as key, digest};
use crate::lists::{InboundFilter, PageOf, PageRequest};
use crate::redb::index_scan::IndexScan;
use crate::redb::tables::{
    INBOUND, INBOUND_BY_FROM, INBOUND_BY_OWNER, INBOUND_BY_PROVIDER_ID, INBOUND_BY_STATUS, INBOUND_BY_TO,
    Tables, get,
};
use crate::redb::writer::DiskBudget;
use faxgate_domain::ids::InboundId;
use faxgate_domain::inbound::InboundFax;

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
        let scan = IndexScan {
            records: snapshot.open_table(INBOUND)?,
            indexes,
            bounds: filter.bounds(),
            scope: filter.scope(),
            cursor_key: self.shared.secrets.cursor_key(),
        };
        scan.page(page, |fax| filter.fits(fax))
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
        self.write(DiskBudget::Grow(bytes), move |tables| create(tables, &new))
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
        self.write(DiskBudget::Finish, move |tables| purge(tables, id, now))
            .await
    }
}

fn create(tables: &mut Tables<'_>, new: &NewInbound) -> Result<CreatedInbound, StoreError> {
    let known = tables.inbound_by_provider_id.get(new.fax.provider_id.as_str())?;
    let known = match known.map(|id| *id.value()) {
        Some(id) => get(&tables.inbound, &id, decode)?,
        None => None,
    };
    let is_taken = tables.inbound.get(&new.fax.id.to_bytes())?.is_some();
    tables.apply(decide::inbound::create(new, known, is_taken)?)
}

fn purge(tables: &mut Tables<'_>, id: InboundId, now: Timestamp) -> Result<Option<InboundFax>, StoreError> {
    let Some(fax) = get(&tables.inbound, &id.to_bytes(), decode)? else {
        tables.unchanged();
        return Ok(None);
    };
    tables.apply(decide::inbound::purge(fax, now)).map(Some)
}
