//! Applies what was decided to the tables: rows, their indexes, the counters and the audit chain.

use redb::{ReadableTable as _, Table};

use super::operations::audit;
use super::operations::retention;
use super::tables::Tables;
use crate::decide::index::IndexEntries;
use crate::decide::retention::inbound_place;
use crate::decide::{Change, Decision, DocumentChange};
use crate::error::StoreError;
use crate::format::record::encode;
use crate::format::table_key::{self as key, digest, join};
use faxgate_domain::access::ApiKey;
use faxgate_domain::event::TimelineEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::inbound::InboundFax;
use faxgate_domain::job::Job;

impl Tables<'_> {
    /// Applies a decision and returns its answer. One without effects needs no commit.
    pub(crate) fn apply<T>(&mut self, decision: Decision<T>) -> Result<T, StoreError> {
        let Decision { answer, effects } = decision;
        if effects.is_empty() {
            self.unchanged();
            return Ok(answer);
        }
        if let Some(change) = &effects.job {
            put_job(self, change)?;
        }
        if let Some((id, lines)) = &effects.timeline {
            add_lines(self, *id, lines)?;
        }
        if let Some(change) = &effects.inbound {
            put_inbound(self, change)?;
        }
        match &effects.document {
            Some(DocumentChange::Put(id, document)) => {
                self.sealed_documents.insert(&id.to_bytes(), document.as_ref())?;
            }
            Some(DocumentChange::Remove(id)) => {
                self.documents.remove(&id.to_bytes())?;
                self.sealed_documents.remove(&id.to_bytes())?;
            }
            None => {}
        }
        if let Some(Change { old, new }) = &effects.idempotency {
            if let Some(old) = old {
                retention::remove_idempotency(self, old)?;
            }
            retention::put_idempotency(self, new)?;
        }
        if let Some(change) = &effects.key {
            put_key(self, change)?;
        }
        for entry in &effects.audit {
            audit::append(self, entry)?;
        }
        Ok(answer)
    }
}

fn put_job(tables: &mut Tables<'_>, change: &Change<Job>) -> Result<(), StoreError> {
    let id = change.new.id;
    tables
        .jobs
        .insert(&id.to_bytes(), encode(&change.new)?.as_slice())?;
    let old = change.old.as_ref().map(IndexEntries::of).unwrap_or_default();
    replace(&old, &IndexEntries::of(&change.new), id, tables)
}

fn put_inbound(tables: &mut Tables<'_>, change: &Change<InboundFax>) -> Result<(), StoreError> {
    let fax = &change.new;
    let id = fax.id.to_bytes();
    tables.inbound.insert(&id, encode(fax)?.as_slice())?;
    let expiry = |fax: &InboundFax| fax.expires_at.map(|at| inbound_place(at, fax.id));
    swap(change.old.as_ref().and_then(expiry), expiry(fax), |place, put| {
        if put {
            tables.by_expiry.insert(place.as_slice(), ())?;
        } else {
            tables.by_expiry.remove(place.as_slice())?;
        }
        Ok(())
    })?;
    if change.old.is_some() {
        // What the other indexes are made of never changes.
        return Ok(());
    }
    tables
        .inbound_by_provider_id
        .insert(fax.provider_id.as_str(), &id)?;
    mark(
        &mut tables.inbound_by_owner,
        &join(&digest(&fax.owner), &id),
        true,
    )?;
    let status = join(&key::inbound_status(fax.status), &id);
    mark(&mut tables.inbound_by_status, &status, true)?;
    if let Some(to) = &fax.to {
        mark(&mut tables.inbound_by_to, &join(&digest(to), &id), true)?;
    }
    if let Some(from) = &fax.from {
        mark(&mut tables.inbound_by_from, &join(&digest(from), &id), true)?;
    }
    Ok(())
}

fn put_key(tables: &mut Tables<'_>, change: &Change<ApiKey>) -> Result<(), StoreError> {
    let key = &change.new;
    tables.keys.insert(&key.id.0, encode(key)?.as_slice())?;
    if change.old.is_none() {
        tables
            .keys_by_age
            .insert(&key::key_age(key.created_at, key.id), ())?;
    }
    Ok(())
}

fn add_lines(tables: &mut Tables<'_>, id: JobId, lines: &[TimelineEntry]) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let (low, high) = (key::event(id, 0), key::event(id, u32::MAX));
    let last = match tables.job_events.range::<&[u8; 20]>(&low..=&high)?.next_back() {
        Some(row) => Some(u32::from_be_bytes(key::tail(row?.0.value()))),
        None => None,
    };
    let mut number = last.map_or(0, |last| last.saturating_add(1));
    for line in lines {
        tables
            .job_events
            .insert(&key::event(id, number), encode(line)?.as_slice())?;
        number = number.saturating_add(1);
    }
    Ok(())
}

/// Makes the indexes say `new` where they said `old`. A new job comes from no entries.
fn replace(
    old: &IndexEntries,
    new: &IndexEntries,
    id: JobId,
    tables: &mut Tables<'_>,
) -> Result<(), StoreError> {
    let id = id.to_bytes();
    let submitting = |entries: &IndexEntries| entries.submitting.then_some(id);
    swap(old.due, new.due, |place, put| mark(&mut tables.due, place, put))?;
    swap(submitting(old), submitting(new), |id, put| {
        mark(&mut tables.submitting, id, put)
    })?;
    swap(old.owner, new.owner, |place, put| {
        mark(&mut tables.by_owner, place, put)
    })?;
    swap(old.to, new.to, |place, put| mark(&mut tables.by_to, place, put))?;
    swap(old.completion, new.completion, |place, put| {
        mark(&mut tables.by_completion, place, put)
    })?;
    swap(old.status, new.status, |&status, put| {
        if put {
            tables.counters.enter(status);
        } else {
            tables.counters.leave(status);
        }
        mark(&mut tables.by_status, &join(&key::status(status), &id), put)
    })?;
    // Faxes that failed before the present one stay in: news of them must find their job.
    for gone in old
        .provider_ids
        .iter()
        .filter(|fax| !new.provider_ids.contains(fax))
    {
        tables.by_provider_id.remove(gone.as_str())?;
    }
    for come in new
        .provider_ids
        .iter()
        .filter(|fax| !old.provider_ids.contains(fax))
    {
        tables.by_provider_id.insert(come.as_str(), &id)?;
    }
    Ok(())
}

/// Puts a place into an index or takes it out.
fn mark<const N: usize>(
    index: &mut Table<'_, &'static [u8; N], ()>,
    place: &[u8; N],
    put: bool,
) -> Result<(), StoreError> {
    if put {
        index.insert(place, ())?;
    } else {
        index.remove(place)?;
    }
    Ok(())
}

/// Takes `old` out and puts `new` in, when they differ.
fn swap<T: PartialEq>(
    old: Option<T>,
    new: Option<T>,
    mut change: impl FnMut(&T, bool) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if old == new {
        return Ok(());
    }
    if let Some(old) = old {
        change(&old, false)?;
    }
    if let Some(new) = new {
        change(&new, true)?;
    }
    Ok(())
}
