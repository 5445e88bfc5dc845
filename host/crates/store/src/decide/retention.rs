//! What expires by itself, and where it stands in the index of expiry.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::format::table_key as key;
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

/// Marks the expiry of a received document in the index. Never renumber.
pub(crate) const INBOUND_KIND: u8 = 1;
/// Marks the expiry of an idempotency row in the index. Never renumber.
pub(crate) const IDEMPOTENCY_KIND: u8 = 2;

/// Where the expiry of a received fax is filed.
pub(crate) fn inbound_place(at: Timestamp, id: InboundId) -> Vec<u8> {
    [&key::time(at)[..], &[INBOUND_KIND], &id.to_bytes()].concat()
}

/// Where the expiry of an idempotency row stands.
pub(crate) fn idempotency_place(row: &IdempotencyRow) -> Vec<u8> {
    [
        &key::time(row.expires_at)[..],
        &[IDEMPOTENCY_KIND],
        &key::idempotency(&row.who, &row.key),
    ]
    .concat()
}
