//! Pages of lists, newest first.
//!
//! With several filters the indexes are scanned together: each is asked for its next id not after the
//! candidate, and the first that has to skip makes a new candidate. The narrowest filter so sets the pace,
//! whichever it is, and only records in all indexes are read.

use redb::{ReadOnlyTable, ReadTransaction};

use crate::Store;
use crate::error::StoreError;
use crate::format::cursor::{Cursor, Scope};
use crate::format::record::{Record, decode};
use crate::format::table_key::{join, tail};
use crate::lists::{PageOf, PageRequest};
use crate::redb::tables::{Body, FilterKey, Id, get};

/// Index steps and records looked at for one page at most. A page that ends by this may be short or empty and
/// has a cursor to go on: no filter can make a request slow.
const BUDGET: usize = 5_000;
/// Items on a page at most.
const LIMIT: usize = 1_000;

/// A list of records with their indexes, ready to be scanned.
pub(crate) struct IndexScan<'a> {
    /// The records.
    pub(crate) records: ReadOnlyTable<Id, Body>,
    /// The filters that have an index, with the value.
    pub(crate) indexes: Vec<(ReadOnlyTable<FilterKey, ()>, [u8; 16])>,
    /// Which ids may be on the list, both included.
    pub(crate) bounds: ([u8; 16], [u8; 16]),
    /// List and filter, for the cursor.
    pub(crate) scope: Scope,
    /// Key of the cursors.
    pub(crate) cursor_key: &'a [u8; 32],
}

impl Store {
    /// The index `definition` in `snapshot` for one value, as [`IndexScan::indexes`] wants it.
    pub(crate) fn filed(
        snapshot: &ReadTransaction,
        definition: redb::TableDefinition<'static, FilterKey, ()>,
        value: [u8; 16],
    ) -> Result<(ReadOnlyTable<FilterKey, ()>, [u8; 16]), StoreError> {
        Ok((snapshot.open_table(definition)?, value))
    }
}

impl IndexScan<'_> {
    /// One page of the records that `fits` accepts.
    pub(crate) fn page<T: Record>(
        &self,
        page: &PageRequest,
        fits: impl Fn(&T) -> bool,
    ) -> Result<PageOf<T>, StoreError> {
        let limit = page.limit.clamp(1, LIMIT);
        let mut budget = BUDGET;
        let mut items = Vec::new();
        let mut last = None;
        let mut place = match &page.cursor {
            Some(cursor) => before(cursor.place(self.cursor_key, self.scope)?),
            None => Some(self.bounds.1),
        };
        while let Some(from) = place {
            let id = match self.next(from, &mut budget)? {
                Step::Found(id) => id,
                Step::End => break,
                Step::BudgetExhausted(at) => return Ok(self.ended(items, Some(at))),
            };
            place = before(id);
            let record = get(&self.records, &id, decode::<T>)?;
            budget = budget.saturating_sub(1);
            if let Some(record) = record.filter(&fits) {
                if items.len() == limit {
                    return Ok(self.ended(items, last));
                }
                items.push(record);
                last = Some(id);
            }
        }
        Ok(self.ended(items, None))
    }

    fn ended<T>(&self, items: Vec<T>, at: Option<[u8; 16]>) -> PageOf<T> {
        PageOf {
            items,
            next: at.map(|at| Cursor::new(self.cursor_key, self.scope, at)),
        }
    }

    /// The highest id not above `from` that every index has.
    fn next(&self, from: [u8; 16], budget: &mut usize) -> Result<Step, StoreError> {
        let low = self.bounds.0;
        let mut candidate = from.min(self.bounds.1);
        'candidate: loop {
            if candidate < low {
                return Ok(Step::End);
            }
            if *budget == 0 {
                // Everything above the candidate was looked at: go on with the candidate itself.
                return Ok(after(candidate).map_or(Step::End, Step::BudgetExhausted));
            }
            if self.indexes.is_empty() {
                *budget -= 1;
                let row = self.records.range::<&[u8; 16]>(&low..=&candidate)?.next_back();
                return Ok(row
                    .transpose()?
                    .map_or(Step::End, |(id, _)| Step::Found(*id.value())));
            }
            for (index, value) in &self.indexes {
                *budget = budget.saturating_sub(1);
                let (first, last) = (join::<32>(value, &low), join::<32>(value, &candidate));
                let Some(row) = index.range::<&[u8; 32]>(&first..=&last)?.next_back() else {
                    return Ok(Step::End);
                };
                let id: [u8; 16] = tail(row?.0.value());
                if id < candidate {
                    candidate = id;
                    continue 'candidate;
                }
            }
            return Ok(Step::Found(candidate));
        }
    }
}

enum Step {
    Found([u8; 16]),
    End,
    // Out of budget; a cursor here goes on where the scan stopped.
    BudgetExhausted([u8; 16]),
}

/// The id before `id`.
fn before(id: [u8; 16]) -> Option<[u8; 16]> {
    u128::from_be_bytes(id).checked_sub(1).map(u128::to_be_bytes)
}

/// The id after `id`. None of ours is the last one, so that its successor never matters.
fn after(id: [u8; 16]) -> Option<[u8; 16]> {
    u128::from_be_bytes(id).checked_add(1).map(u128::to_be_bytes)
}
