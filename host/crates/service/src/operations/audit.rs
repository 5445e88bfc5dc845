//! Reading the audit log.

use serde::Serialize;

use crate::{App, Error};
use faxgate_domain::audit::AuditRecord;

/// Most records of one page.
const MAX_PAGE: usize = 500;

/// A part of the audit log, oldest first.
#[derive(Debug, Clone, Serialize)]
pub struct AuditPage {
    /// The records.
    pub items: Vec<AuditView>,
    /// Pass it as `cursor` for what follows.
    pub next_cursor: Option<String>,
}

/// A record.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct AuditView(pub AuditRecord);

impl App {
    /// Records after `cursor`, oldest first.
    ///
    /// # Errors
    /// [`faxgate_domain::code::Code::BadCursor`].
    pub async fn audit(&self, cursor: Option<&str>, limit: Option<usize>) -> Result<AuditPage, Error> {
        use faxgate_domain::code::Code;
        let limit = limit.unwrap_or(100);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Error::new(
                Code::BadRequest,
                format!("limit goes from 1 to {MAX_PAGE}"),
            ));
        }
        let after = cursor
            .map(|text| text.parse::<u64>())
            .transpose()
            .map_err(|_| Error::new(Code::BadCursor, "cursor is not one that this list gave"))?;
        let records = self.parts.store.audit(after, limit).await?;
        let next_cursor = records
            .last()
            .filter(|_| records.len() == limit)
            .map(|record| record.seq.to_string());
        Ok(AuditPage {
            items: records.into_iter().map(AuditView).collect(),
            next_cursor,
        })
    }
}
