//! The tables, and all of them opened for one write transaction.

use redb::{ReadTransaction, Table, TableDefinition, TableError, WriteTransaction};

use crate::error::StoreError;
use crate::format::audit_chain::Head;
use crate::redb::meta::{self, Counters};

type Definition<K, V> = TableDefinition<'static, K, V>;
/// 16 bytes of an id.
pub(crate) type Id = &'static [u8; 16];
/// 16 bytes of a filter value, 16 bytes of an id.
pub(crate) type FilterKey = &'static [u8; 32];
/// Time and id.
pub(crate) type TimeKey = &'static [u8; 24];
/// Bytes of a record or document.
pub(crate) type Body = &'static [u8];

pub(crate) const JOBS: Definition<Id, Body> = TableDefinition::new("jobs");
pub(crate) const JOB_EVENTS: Definition<&'static [u8; 20], Body> = TableDefinition::new("job_events");
pub(crate) const DUE: Definition<&'static [u8; 25], ()> = TableDefinition::new("due");
pub(crate) const SUBMITTING: Definition<Id, ()> = TableDefinition::new("submitting");
pub(crate) const BY_OWNER: Definition<FilterKey, ()> = TableDefinition::new("by_owner");
pub(crate) const BY_STATUS: Definition<FilterKey, ()> = TableDefinition::new("by_status");
pub(crate) const BY_TO: Definition<FilterKey, ()> = TableDefinition::new("by_to");
pub(crate) const BY_PROVIDER_ID: Definition<&'static str, Id> = TableDefinition::new("by_provider_id");
pub(crate) const BY_COMPLETION: Definition<TimeKey, ()> = TableDefinition::new("by_completion");
pub(crate) const BY_EXPIRY: Definition<Body, ()> = TableDefinition::new("by_expiry");
pub(crate) const KEYS: Definition<&'static [u8; 6], Body> = TableDefinition::new("keys");
pub(crate) const KEYS_BY_AGE: Definition<Id, ()> = TableDefinition::new("keys_by_age");
pub(crate) const IDEMPOTENCY: Definition<&'static [u8; 32], Body> = TableDefinition::new("idempotency");
pub(crate) const INBOUND: Definition<Id, Body> = TableDefinition::new("inbound");
pub(crate) const INBOUND_BY_OWNER: Definition<FilterKey, ()> = TableDefinition::new("inbound_by_owner");
pub(crate) const INBOUND_BY_STATUS: Definition<FilterKey, ()> = TableDefinition::new("inbound_by_status");
pub(crate) const INBOUND_BY_TO: Definition<FilterKey, ()> = TableDefinition::new("inbound_by_to");
pub(crate) const INBOUND_BY_FROM: Definition<FilterKey, ()> = TableDefinition::new("inbound_by_from");
pub(crate) const INBOUND_BY_PROVIDER_ID: Definition<&'static str, Id> =
    TableDefinition::new("inbound_by_provider_id");
pub(crate) const DOCUMENTS: Definition<Id, Body> = TableDefinition::new("documents");
/// Documents sealed with a key that is wiped when they are destroyed; [`DOCUMENTS`] has those of earlier versions.
pub(crate) const SEALED_DOCUMENTS: Definition<Id, Body> = TableDefinition::new("sealed_documents");
pub(crate) const AUDIT: Definition<u64, Body> = TableDefinition::new("audit");
pub(crate) const META: Definition<&'static str, Body> = TableDefinition::new("meta");

macro_rules! tables {
    ($($field:ident: $definition:ident<$key:ty, $value:ty>),* $(,)?) => {
        /// Every table, opened for one write transaction, with the figures kept beside them.
        pub(crate) struct Tables<'t> {
            $(pub(crate) $field: Table<'t, $key, $value>,)*
            /// Jobs by status. Written back at the end of the transaction.
            pub(crate) counters: Counters,
            /// End of the audit chain. Written back at the end of the transaction.
            pub(crate) head: Head,
            unchanged: usize,
        }

        impl<'t> Tables<'t> {
            /// Opens every table, making those that are missing.
            pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
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
        pub(crate) fn are_complete(snapshot: &ReadTransaction) -> Result<bool, StoreError> {
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
    by_owner: BY_OWNER<FilterKey, ()>,
    by_status: BY_STATUS<FilterKey, ()>,
    by_to: BY_TO<FilterKey, ()>,
    by_provider_id: BY_PROVIDER_ID<&'static str, Id>,
    by_completion: BY_COMPLETION<TimeKey, ()>,
    by_expiry: BY_EXPIRY<Body, ()>,
    keys: KEYS<&'static [u8; 6], Body>,
    keys_by_age: KEYS_BY_AGE<Id, ()>,
    idempotency: IDEMPOTENCY<&'static [u8; 32], Body>,
    inbound: INBOUND<Id, Body>,
    inbound_by_owner: INBOUND_BY_OWNER<FilterKey, ()>,
    inbound_by_status: INBOUND_BY_STATUS<FilterKey, ()>,
    inbound_by_to: INBOUND_BY_TO<FilterKey, ()>,
    inbound_by_from: INBOUND_BY_FROM<FilterKey, ()>,
    inbound_by_provider_id: INBOUND_BY_PROVIDER_ID<&'static str, Id>,
    documents: DOCUMENTS<Id, Body>,
    sealed_documents: SEALED_DOCUMENTS<Id, Body>,
    audit: AUDIT<u64, Body>,
    meta: META<&'static str, Body>,
}

impl Tables<'_> {
    /// Says that the command under way wrote nothing. A transaction in which every command said so needs no
    /// commit; one that forgets to say so costs a needless sync but loses nothing.
    pub(crate) fn unchanged(&mut self) {
        self.unchanged += 1;
    }

    /// How many commands wrote nothing.
    pub(crate) fn unchanged_count(&self) -> usize {
        self.unchanged
    }

    /// Writes the figures back.
    pub(crate) fn finish(mut self) -> Result<(), StoreError> {
        let Self {
            meta, counters, head, ..
        } = &mut self;
        meta::put_counters(meta, counters)?;
        meta::put_head(meta, head)
    }
}

/// The bytes of a row, if there is one.
pub(crate) fn get<'k, K: redb::Key + 'static, T>(
    table: &impl redb::ReadableTable<K, Body>,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
    read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match table.get(key)? {
        Some(row) => read(row.value()).map(Some),
        None => Ok(None),
    }
}
