//! What the database keeps about itself: schema, secrets, counters and the head of the audit chain.

use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Store;
use crate::error::StoreError;
use crate::format::audit_chain::Head;
use crate::format::record::{decode, encode};
use crate::format::table_key::status_code;
use crate::redb::database::Db;
use crate::redb::tables::{self, Body, META, Tables, get};
use faxgate_domain::job::PublicStatus;
use faxgate_domain::link::LinkKey;

/// The schema of this version: raised when tables or keys change so that older versions would misread them.
///
/// 2: documents are sealed ([`crate::document_keys`]).
const SCHEMA: u32 = 2;

/// Random bytes made with the database.
pub(crate) struct Secrets {
    link: Zeroizing<[u8; 32]>,
    cursor: Zeroizing<[u8; 32]>,
}

/// How many jobs there are, by number of the status ([`status_code`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    jobs: [u64; 5],
}

impl Store {
    /// How many jobs are in each state. Counted in the commits that change them, so this costs the same
    /// however many there are.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn depth(&self) -> Result<Vec<(PublicStatus, u64)>, StoreError> {
        let counters = counters(&self.shared.db.read()?.open_table(META)?)?;
        Ok(PublicStatus::EVERY
            .map(|status| (status, counters.of(status)))
            .to_vec())
    }
}

impl Secrets {
    /// The key of links to documents.
    pub(crate) fn link_key(&self) -> LinkKey {
        LinkKey::new(*self.link)
    }

    /// The key of page markers.
    pub(crate) fn cursor_key(&self) -> &[u8; 32] {
        &self.cursor
    }
}

impl Counters {
    /// Jobs in this state.
    pub(crate) fn of(&self, status: PublicStatus) -> u64 {
        self.jobs
            .get(usize::from(status_code(status)))
            .copied()
            .unwrap_or_default()
    }

    /// One job more in this state.
    pub(crate) fn enter(&mut self, status: PublicStatus) {
        if let Some(count) = self.jobs.get_mut(usize::from(status_code(status))) {
            *count = count.saturating_add(1);
        }
    }

    /// One job less in this state.
    pub(crate) fn leave(&mut self, status: PublicStatus) {
        if let Some(count) = self.jobs.get_mut(usize::from(status_code(status))) {
            *count = count.saturating_sub(1);
        }
    }
}

/// Makes what a new database needs, checks that this version can read an old one, and returns its secrets.
pub(crate) fn prepare(db: &Db) -> Result<Secrets, StoreError> {
    let snapshot = db.read()?;
    if !tables::are_complete(&snapshot)? {
        drop(snapshot);
        let transaction = db.write()?;
        initialise(&transaction)?;
        transaction.commit()?;
        return prepare_existing(&db.read()?);
    }
    prepare_existing(&snapshot)
}

/// Whether a read works.
pub(crate) fn check(snapshot: &ReadTransaction) -> Result<(), StoreError> {
    schema(&snapshot.open_table(META)?)?
        .map(|_| ())
        .ok_or_else(|| damaged("no schema"))
}

/// The counters as kept; zeros in a new database.
pub(crate) fn counters(meta: &impl ReadableTable<&'static str, Body>) -> Result<Counters, StoreError> {
    Ok(get(meta, "counters", decode)?.unwrap_or_default())
}

/// Keeps the counters.
pub(crate) fn put_counters(
    meta: &mut Table<'_, &'static str, Body>,
    counters: &Counters,
) -> Result<(), StoreError> {
    meta.insert("counters", encode(counters)?.as_slice())?;
    Ok(())
}

/// The head of the audit chain as kept; the empty chain in a new database.
pub(crate) fn head(meta: &impl ReadableTable<&'static str, Body>) -> Result<Head, StoreError> {
    Ok(get(meta, "audit_head", Head::decode)?.unwrap_or_default())
}

/// Keeps the head of the audit chain.
pub(crate) fn put_head(meta: &mut Table<'_, &'static str, Body>, head: &Head) -> Result<(), StoreError> {
    meta.insert("audit_head", head.encode().as_slice())?;
    Ok(())
}

fn initialise(transaction: &WriteTransaction) -> Result<(), StoreError> {
    // A newer database must be refused before a table is added to it.
    if let Some(found) = schema(&transaction.open_table(META)?)? {
        known(found)?;
    }
    let mut tables = Tables::open(transaction)?;
    if schema(&tables.meta)? != Some(SCHEMA) {
        tables.meta.insert("schema", SCHEMA.to_be_bytes().as_slice())?;
    }
    for name in ["link_key", "cursor_key"] {
        if tables.meta.get(name)?.is_none() {
            let mut secret = Zeroizing::new([0_u8; 32]);
            getrandom::fill(secret.as_mut_slice()).map_err(std::io::Error::from)?;
            tables.meta.insert(name, secret.as_slice())?;
        }
    }
    tables.finish()
}

fn prepare_existing(snapshot: &ReadTransaction) -> Result<Secrets, StoreError> {
    let meta = snapshot.open_table(META)?;
    known(schema(&meta)?.ok_or_else(|| damaged("no schema"))?)?;
    let secret = |name: &'static str| {
        let bytes = get(&meta, name, |bytes| {
            <[u8; 32]>::try_from(bytes).map_err(|_| damaged("a secret has the wrong length"))
        })?;
        Ok::<_, StoreError>(Zeroizing::new(
            bytes.ok_or_else(|| damaged("a secret is missing"))?,
        ))
    };
    Ok(Secrets {
        link: secret("link_key")?,
        cursor: secret("cursor_key")?,
    })
}

fn schema(meta: &impl ReadableTable<&'static str, Body>) -> Result<Option<u32>, StoreError> {
    get(meta, "schema", |bytes| {
        let bytes = <[u8; 4]>::try_from(bytes).map_err(|_| damaged("the schema has the wrong length"))?;
        Ok(u32::from_be_bytes(bytes))
    })
}

fn known(found: u32) -> Result<(), StoreError> {
    if found > SCHEMA {
        return Err(StoreError::NewerSchema { found, known: SCHEMA });
    }
    Ok(())
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Damaged {
        what: "meta",
        reason: reason.to_owned(),
    }
}
