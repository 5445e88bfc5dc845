//! The tables, and all of them opened for one write transaction.

use redb::{ReadTransaction, Table, TableDefinition, TableError, WriteTransaction};

use super::audit::Head;
use super::error::StoreError;
use super::meta::{self, Counters};

type Definition<K, V> = TableDefinition<'static, K, V>;
/// 16 bytes of an id.
pub(super) type Id = &'static [u8; 16];
/// 16 bytes of a filter value, 16 bytes of an id.
pub(super) type Filed = &'static [u8; 32];
/// Time and id.
pub(super) type Timed = &'static [u8; 24];
/// Bytes of a record or document.
pub(super) type Body = &'static [u8];

pub(super) const JOBS: Definition<Id, Body> = TableDefinition::new("jobs");
pub(super) const JOB_EVENTS: Definition<&'static [u8; 20], Body> = TableDefinition::new("job_events");
pub(super) const DUE: Definition<&'static [u8; 25], ()> = TableDefinition::new("due");
pub(super) const SUBMITTING: Definition<Id, ()> = TableDefinition::new("submitting");
pub(super) const BY_OWNER: Definition<Filed, ()> = TableDefinition::new("by_owner");
pub(super) const BY_STATUS: Definition<Filed, ()> = TableDefinition::new("by_status");
pub(super) const BY_TO: Definition<Filed, ()> = TableDefinition::new("by_to");
pub(super) const BY_PROVIDER_ID: Definition<&'static str, Id> = TableDefinition::new("by_provider_id");
pub(super) const BY_COMPLETION: Definition<Timed, ()> = TableDefinition::new("by_completion");
pub(super) const BY_EXPIRY: Definition<Body, ()> = TableDefinition::new("by_expiry");
pub(super) const KEYS: Definition<&'static [u8; 6], Body> = TableDefinition::new("keys");
pub(super) const KEYS_BY_AGE: Definition<Id, ()> = TableDefinition::new("keys_by_age");
pub(super) const IDEMPOTENCY: Definition<&'static [u8; 32], Body> = TableDefinition::new("idempotency");
pub(super) const INBOUND: Definition<Id, Body> = TableDefinition::new("inbound");
pub(super) const INBOUND_BY_OWNER: Definition<Filed, ()> = TableDefinition::new("inbound_by_owner");
pub(super) const INBOUND_BY_STATUS: Definition<Filed, ()> = TableDefinition::new("inbound_by_status");
pub(super) const INBOUND_BY_TO: Definition<Filed, ()> = TableDefinition::new("inbound_by_to");
pub(super) const INBOUND_BY_FROM: Definition<Filed, ()> = TableDefinition::new("inbound_by_from");
pub(super) const INBOUND_BY_PROVIDER_ID: Definition<&'static str, Id> =
    TableDefinition::new("inbound_by_provider_id");
pub(super) const DOCUMENTS: Definition<Id, Body> = TableDefinition::new("documents");
/// Documents sealed with a key that is wiped when they are destroyed; [`DOCUMENTS`] has those of earlier versions.
pub(super) const SEALED_DOCUMENTS: Definition<Id, Body> = TableDefinition::new("sealed_documents");
pub(super) const AUDIT: Definition<u64, Body> = TableDefinition::new("audit");
pub(super) const META: Definition<&'static str, Body> = TableDefinition::new("meta");

macro_rules! tables {
    ($($field:ident: $definition:ident<$key:ty, $value:ty>),* $(,)?) => {
        /// Every table, opened for one write transaction, with the figures kept beside them.
        pub(super) struct Tables<'t> {
            $(pub(super) $field: Table<'t, $key, $value>,)*
            /// Jobs by status. Written back at the end of the transaction.
            pub(super) counters: Counters,
            /// End of the audit chain. Written back at the end of the transaction.
            pub(super) head: Head,
            unchanged: usize,
        }

        impl<'t> Tables<'t> {
            /// Opens every table, making those that are missing.
            pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
                let meta = transaction.open_table(META)?;
                let counters = meta::counters(&meta)?;
                let head = meta::head(&meta)?;
                drop(meta);
                Ok(Self {
                    $($field: transaction.open_table($definition)?,)*
                    counters,
                    head,
                    unchanged: 0,
                })
            }
        }

        /// Whether every table is there.
        pub(super) fn are_complete(snapshot: &ReadTransaction) -> Result<bool, StoreError> {
            $(match snapshot.open_table($definition) {
                Ok(_) => {}
                Err(TableError::TableDoesNotExist(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            })*
            Ok(true)
        }
    };
}

tables! {
    jobs: JOBS<Id, Body>,
    job_events: JOB_EVENTS<&'static [u8; 20], Body>,
    due: DUE<&'static [u8; 25], ()>,
    submitting: SUBMITTING<Id, ()>,
    by_owner: BY_OWNER<Filed, ()>,
    by_status: BY_STATUS<Filed, ()>,
    by_to: BY_TO<Filed, ()>,
    by_provider_id: BY_PROVIDER_ID<&'static str, Id>,
    by_completion: BY_COMPLETION<Timed, ()>,
    by_expiry: BY_EXPIRY<Body, ()>,
    keys: KEYS<&'static [u8; 6], Body>,
    keys_by_age: KEYS_BY_AGE<Id, ()>,
    idempotency: IDEMPOTENCY<&'static [u8; 32], Body>,
    inbound: INBOUND<Id, Body>,
    inbound_by_owner: INBOUND_BY_OWNER<Filed, ()>,
    inbound_by_status: INBOUND_BY_STATUS<Filed, ()>,
    inbound_by_to: INBOUND_BY_TO<Filed, ()>,
    inbound_by_from: INBOUND_BY_FROM<Filed, ()>,
    inbound_by_provider_id: INBOUND_BY_PROVIDER_ID<&'static str, Id>,
    documents: DOCUMENTS<Id, Body>,
    sealed_documents: SEALED_DOCUMENTS<Id, Body>,
    audit: AUDIT<u64, Body>,
    meta: META<&'static str, Body>,
}

impl Tables<'_> {
    /// Says that the command under way wrote nothing. A transaction in which every command said so needs no
    /// commit; one that forgets to say so costs a needless sync but loses nothing.
    pub(super) fn unchanged(&mut self) {
        self.unchanged += 1;
    }

    /// How many commands wrote nothing.
    pub(super) fn unchanged_count(&self) -> usize {
        self.unchanged
    }

    /// Writes the figures back.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        let Self {
            meta, counters, head, ..
        } = &mut self;
        meta::put_counters(meta, counters)?;
        meta::put_head(meta, head)
    }
}

/// The bytes of a row, if there is one.
pub(super) fn get<'k, K: redb::Key + 'static, T>(
    table: &impl redb::ReadableTable<K, Body>,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
    read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match table.get(key)? {
        Some(row) => read(row.value()).map(Some),
        None => Ok(None),
    }
}
