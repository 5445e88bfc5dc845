//! What ends by itself: documents of finished jobs and of received faxes, and idempotency rows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Store;
use super::error::StoreError;
use super::job_reads::id_of;
use super::key;
use super::record::{decode, encode};
use super::tables::{BY_COMPLETION, BY_EXPIRY, IDEMPOTENCY, Tables, get};
use super::writer::Growth;
use faxgate_base::clock::{after, before};
use faxgate_domain::ids::{InboundId, JobId};

/// The first answer to a request that may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRow {
    /// Who sent the request: name of the credential.
    pub who: String,
    /// The key the sender chose.
    pub key: String,
    /// SHA-256 of what was asked.
    #[serde(with = "hex::serde")]
    pub fingerprint: [u8; 32],
    /// The job that was made.
    pub job: JobId,
    /// JSON body of the answer.
    pub answer: String,
    /// When.
    pub created_at: Timestamp,
    /// From when on the key may be used anew.
    pub expires_at: Timestamp,
}

/// Something whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiring {
    /// The document of a finished job.
    Job(JobId),
    /// The document of a received fax.
    Inbound(InboundId),
    /// A row that answers repeated requests.
    Idempotency {
        /// Who sent the request.
        who: String,
        /// The key the sender chose.
        key: String,
    },
}

const INBOUND_KIND: u8 = 1;
const IDEMPOTENCY_KIND: u8 = 2;

impl Store {
    /// The first answer under this key, also an expired one that was not cleared yet.
    ///
    /// # Errors
    /// When the database or the record can't be read.
    pub async fn idempotency(&self, who: &str, key: &str) -> Result<Option<IdempotencyRow>, StoreError> {
        let table = self.shared.db.read()?.open_table(IDEMPOTENCY)?;
        get(&table, &key::idempotency(who, key), decode)
    }

    /// What expired at `until` or before, in order of expiry.
    ///
    /// # Errors
    /// When the database or a record can't be read.
    pub async fn expiring(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Expiring)>, StoreError> {
        self.scan(move |store| store.find_expiring(until, limit)).await
    }

    fn find_expiring(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Expiring)>, StoreError> {
        let mut found = self.expiring_jobs(until, limit)?;
        found.extend(self.expiring_others(until, limit)?);
        // Stable, so that what ends at the same time stays in the order of the indexes.
        found.sort_by_key(|(at, _)| *at);
        found.truncate(limit);
        Ok(found)
    }

    /// Forgets the answer under this key. One that is not there is no error.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub async fn drop_idempotency(&self, who: &str, key: &str) -> Result<(), StoreError> {
        let place = key::idempotency(who, key);
        self.write(Growth::Settles, move |tables| {
            match get(&tables.idempotency, &place, decode)? {
                Some(row) => remove_idempotency(tables, &row),
                None => {
                    tables.unchanged();
                    Ok(())
                }
            }
        })
        .await
    }

    fn expiring_jobs(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Expiring)>, StoreError> {
        let Some(ttl) = self.shared.options.artifact_ttl else {
            return Ok(Vec::new());
        };
        let table = self.shared.db.read()?.open_table(BY_COMPLETION)?;
        let last = key::join::<24>(&key::time_floor(before(until, ttl)), &key::LAST);
        table
            .range::<&[u8; 24]>(..=&last)?
            .take(limit)
            .map(|row| {
                let (at, id) = key::time_and_id(row?.0.value());
                Ok((after(at, ttl), Expiring::Job(id)))
            })
            .collect()
    }

    fn expiring_others(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Expiring)>, StoreError> {
        let snapshot = self.shared.db.read()?;
        let rows = snapshot.open_table(IDEMPOTENCY)?;
        // Above every kind, so that all of the last millisecond is in.
        let last = [&key::time_floor(until)[..], &[0xff]].concat();
        let mut found = Vec::new();
        for row in snapshot
            .open_table(BY_EXPIRY)?
            .range::<&[u8]>(..last.as_slice())?
        {
            if found.len() == limit {
                break;
            }
            let (place, _) = row?;
            let Some((at, [kind, reference @ ..])) = place.value().split_first_chunk::<8>() else {
                continue;
            };
            let what = match *kind {
                INBOUND_KIND => Expiring::Inbound(InboundId(id_of(reference).0)),
                IDEMPOTENCY_KIND => {
                    let row = get(&rows, &key::tail::<32>(reference), decode::<IdempotencyRow>)?;
                    let Some(row) = row else { continue };
                    Expiring::Idempotency {
                        who: row.who,
                        key: row.key,
                    }
                }
                _ => continue,
            };
            found.push((key::time_of(*at), what));
        }
        Ok(found)
    }
}

/// The answer under this key unless it expired.
pub(super) fn live(
    tables: &Tables<'_>,
    who: &str,
    key: &str,
    now: Timestamp,
) -> Result<Option<IdempotencyRow>, StoreError> {
    let row = get(
        &tables.idempotency,
        &key::idempotency(who, key),
        decode::<IdempotencyRow>,
    )?;
    Ok(row.filter(|row| now < row.expires_at))
}

/// Keeps an answer, in place of one that expired.
pub(super) fn put_idempotency(tables: &mut Tables<'_>, row: &IdempotencyRow) -> Result<(), StoreError> {
    let place = key::idempotency(&row.who, &row.key);
    if let Some(old) = get(&tables.idempotency, &place, decode)? {
        remove_idempotency(tables, &old)?;
    }
    tables.idempotency.insert(&place, encode(row)?.as_slice())?;
    tables.by_expiry.insert(idempotency_place(row).as_slice(), ())?;
    Ok(())
}

/// Where the expiry of a received fax is filed.
pub(super) fn inbound_place(at: Timestamp, id: InboundId) -> Vec<u8> {
    [&key::time(at)[..], &[INBOUND_KIND], &id.to_bytes()].concat()
}

fn remove_idempotency(tables: &mut Tables<'_>, row: &IdempotencyRow) -> Result<(), StoreError> {
    tables.idempotency.remove(&key::idempotency(&row.who, &row.key))?;
    tables.by_expiry.remove(idempotency_place(row).as_slice())?;
    Ok(())
}

fn idempotency_place(row: &IdempotencyRow) -> Vec<u8> {
    [
        &key::time(row.expires_at)[..],
        &[IDEMPOTENCY_KIND],
        &key::idempotency(&row.who, &row.key),
    ]
    .concat()
}
