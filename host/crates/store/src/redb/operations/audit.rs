//! Reading, checking and extending the audit log.

use crate::Store;
use crate::error::StoreError;
use crate::format::audit_chain::{self, AuditVerdict, Head};
use crate::redb::meta;
use crate::redb::tables::{AUDIT, META, Tables};
use crate::redb::writer::DiskBudget;
use faxgate_domain::audit::{AuditEntry, AuditRecord};

impl Store {
    /// The records after number `after_seq`, or from the first, oldest first.
    ///
    /// # Errors
    /// When the database or a record can't be read.
    pub async fn audit(&self, after_seq: Option<u64>, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        let Some(from) = after_seq.unwrap_or(0).checked_add(1) else {
            return Ok(Vec::new());
        };
        self.scan(move |store| store.read_audit(from, limit)).await
    }

    fn read_audit(&self, from: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError> {
        let table = self.shared.db.read()?.open_table(AUDIT)?;
        table
            .range(from..)?
            .take(limit)
            .map(|row| {
                let (seq, value) = row?;
                audit_chain::record(seq.value(), value.value())
            })
            .collect()
    }

    /// Verifies the whole chain in one snapshot. Takes about a second for a million records.
    ///
    /// # Errors
    /// When the database can't be read. A chain that does not fit is a verdict, not an error.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        self.scan(Self::verify_chain).await
    }

    fn verify_chain(&self) -> Result<AuditVerdict, StoreError> {
        let snapshot = self.shared.db.read()?;
        let kept = meta::head(&snapshot.open_table(META)?)?;
        let mut reached = Head::default();
        for row in snapshot.open_table(AUDIT)?.range(0..)? {
            let (seq, value) = row?;
            match reached.follow(seq.value(), value.value(), kept.seq()) {
                Ok(next) => reached = next,
                Err((seq, fault)) => return Ok(AuditVerdict::Broken { seq, fault }),
            }
        }
        Ok(reached.compare(&kept))
    }

    /// Records something that changes nothing else.
    ///
    /// # Errors
    /// When it could not be kept.
    pub async fn record(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(DiskBudget::Finish, move |tables| append(tables, &entry))
            .await
    }

    /// Adds a record without waiting for its commit. A failure is logged.
    pub fn record_later(&self, entry: AuditEntry) {
        if let Err(error) = self.write_deferred(move |tables| append(tables, &entry)) {
            tracing::error!(%error, "an audit record could not be kept");
        }
    }
}

/// Adds a record to the chain.
pub(crate) fn append(tables: &mut Tables<'_>, entry: &AuditEntry) -> Result<(), StoreError> {
    let (row, head) = audit_chain::next(tables.head, entry)?;
    tables.audit.insert(head.seq(), row.as_slice())?;
    tables.head = head;
    Ok(())
}
