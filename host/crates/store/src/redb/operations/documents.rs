//! Documents that are kept in the database: sealed, read and destroyed.

use bytes::Bytes;
use ulid::Ulid;

use crate::Store;
use crate::error::StoreError;
use crate::redb::tables::{DOCUMENTS, SEALED_DOCUMENTS, get};

impl Store {
    /// A document kept in the database: of a job or of a received fax. None when there is none, or when it was
    /// destroyed.
    ///
    /// # Errors
    /// When the database, the document or its key can't be read.
    pub async fn document(&self, id: Ulid) -> Result<Option<Bytes>, StoreError> {
        let snapshot = self.shared.db.read()?;
        let id = id.to_bytes();
        let sealed = snapshot.open_table(SEALED_DOCUMENTS)?.get(&id)?;
        if let Some(sealed) = sealed {
            return self.shared.document_keys.unseal(id, sealed.value());
        }
        // As versions before 1.0 kept them.
        let table = snapshot.open_table(DOCUMENTS)?;
        get(&table, &id, |bytes| Ok(Bytes::copy_from_slice(bytes)))
    }

    /// Seals the document of a new record with a key of its own.
    pub(crate) async fn sealed(
        &self,
        id: Ulid,
        document: Option<Bytes>,
    ) -> Result<Option<Bytes>, StoreError> {
        let Some(document) = document else {
            return Ok(None);
        };
        let id = id.to_bytes();
        if self.shared.document_keys.has_unused() {
            return self.shared.document_keys.seal(id, &document).map(Some);
        }
        self.scan(move |store| store.shared.document_keys.seal(id, &document).map(Some))
            .await
    }

    /// Makes the document unreadable, on disk as well. One that is not there is no error.
    pub(crate) async fn destroy_document(&self, id: Ulid) -> Result<(), StoreError> {
        self.scan(move |store| {
            let snapshot = store.shared.db.read()?;
            let sealed = snapshot.open_table(SEALED_DOCUMENTS)?.get(&id.to_bytes())?;
            match sealed {
                Some(sealed) => store.shared.document_keys.destroy(sealed.value()),
                None => Ok(()),
            }
        })
        .await
    }
}
