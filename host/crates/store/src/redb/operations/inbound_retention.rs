//! How long received documents are kept: a shortened setting holds for those that are already here.

use std::time::Duration;

use jiff::Timestamp;
use redb::Table;

use crate::Store;
use crate::decide::retention::inbound_place;
use crate::error::StoreError;
use crate::format::record::{decode, encode};
use crate::format::table_key::LAST;
use crate::redb::tables::{Body, INBOUND, META, Tables, get};
use crate::redb::writer::DiskBudget;
use faxgate_base::clock::after;
use faxgate_domain::inbound::InboundFax;

/// Records changed in one transaction.
const BATCH: usize = 500;
/// Where the setting is kept that the records follow.
const SETTING: &str = "inbound_retention";

impl Store {
    /// Makes every received document expire `ttl` after it was received at the latest. One that is to expire earlier
    /// stays so: a longer setting, or none, holds for what is received from now on. Answers how many records changed. Does nothing when the records follow this setting already; one that was interrupted is begun
    /// again by the next call.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub async fn apply_inbound_retention(&self, ttl: Option<Duration>) -> Result<u64, StoreError> {
        let setting = encoded(ttl);
        let table = self.shared.db.read()?.open_table(META)?;
        if get(&table, SETTING, |kept| Ok(kept == setting))? == Some(true) {
            return Ok(0);
        }
        drop(table);
        let mut changed = 0;
        let mut from = [0; 16];
        loop {
            let batch = self.scan(move |store| store.inbound_ids(from)).await?;
            let Some(last) = batch.last().copied() else { break };
            changed += self
                .write(DiskBudget::Finish, move |tables| follow(tables, &batch, ttl))
                .await?;
            let Some(next) = u128::from_be_bytes(last).checked_add(1) else {
                break;
            };
            from = next.to_be_bytes();
        }
        self.write(DiskBudget::Finish, move |tables| keep(&mut tables.meta, setting))
            .await?;
        Ok(changed)
    }

    /// The ids of the next received faxes, in order.
    fn inbound_ids(&self, from: [u8; 16]) -> Result<Vec<[u8; 16]>, StoreError> {
        let table = self.shared.db.read()?.open_table(INBOUND)?;
        table
            .range::<&[u8; 16]>(&from..=&LAST)?
            .take(BATCH)
            .map(|row| Ok(*row?.0.value()))
            .collect()
    }
}

fn follow(tables: &mut Tables<'_>, ids: &[[u8; 16]], ttl: Option<Duration>) -> Result<u64, StoreError> {
    let mut changed = 0;
    for id in ids {
        let Some(mut fax) = get(&tables.inbound, id, decode::<InboundFax>)? else {
            continue;
        };
        let expires_at = expiry(&fax, ttl);
        if fax.purged_at.is_some() || fax.artifact.is_none() || fax.expires_at == expires_at {
            continue;
        }
        if let Some(old) = fax.expires_at {
            tables.by_expiry.remove(inbound_place(old, fax.id).as_slice())?;
        }
        if let Some(new) = expires_at {
            tables
                .by_expiry
                .insert(inbound_place(new, fax.id).as_slice(), ())?;
        }
        fax.expires_at = expires_at;
        tables.inbound.insert(id, encode(&fax)?.as_slice())?;
        changed += 1;
    }
    if changed == 0 {
        tables.unchanged();
    }
    Ok(changed)
}

fn expiry(fax: &InboundFax, ttl: Option<Duration>) -> Option<Timestamp> {
    let latest = ttl.map(|ttl| after(fax.created_at, ttl));
    match (fax.expires_at, latest) {
        (Some(kept), Some(latest)) => Some(kept.min(latest)),
        (kept, latest) => kept.or(latest),
    }
}

fn keep(meta: &mut Table<'_, &'static str, Body>, setting: [u8; 16]) -> Result<(), StoreError> {
    meta.insert(SETTING, setting.as_slice())?;
    Ok(())
}

/// Nanoseconds; all ones for no limit.
fn encoded(ttl: Option<Duration>) -> [u8; 16] {
    ttl.map_or(u128::MAX, |ttl| ttl.as_nanos()).to_be_bytes()
}
