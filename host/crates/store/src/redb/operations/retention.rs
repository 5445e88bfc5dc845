//! Reading and clearing what expires: documents of finished jobs and of received faxes, and idempotency rows.

use jiff::Timestamp;

use crate::Store;
use crate::decide::retention::{Expiring, IDEMPOTENCY_KIND, INBOUND_KIND, IdempotencyRow, idempotency_place};
use crate::error::StoreError;
use crate::format::record::{decode, encode};
use crate::format::table_key as key;
use crate::redb::operations::job_queries::id_of;
use crate::redb::tables::{BY_COMPLETION, BY_EXPIRY, IDEMPOTENCY, Tables, get};
use crate::redb::writer::DiskBudget;
use faxgate_base::clock::{after, before};
use faxgate_domain::ids::InboundId;

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
        self.write(DiskBudget::Finish, move |tables| {
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

/// Keeps an answer.
pub(crate) fn put_idempotency(tables: &mut Tables<'_>, row: &IdempotencyRow) -> Result<(), StoreError> {
    let place = key::idempotency(&row.who, &row.key);
    tables.idempotency.insert(&place, encode(row)?.as_slice())?;
    tables.by_expiry.insert(idempotency_place(row).as_slice(), ())?;
    Ok(())
}

/// Removes an answer.
pub(crate) fn remove_idempotency(tables: &mut Tables<'_>, row: &IdempotencyRow) -> Result<(), StoreError> {
    tables.idempotency.remove(&key::idempotency(&row.who, &row.key))?;
    tables.by_expiry.remove(idempotency_place(row).as_slice())?;
    Ok(())
}
