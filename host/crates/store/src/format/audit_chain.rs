//! The audit log: records numbered without gaps, each holding the SHA-256 of the one before.
//!
//! A record is one byte of format, the hash before it, its own hash and the entry as JSON. Its hash covers its
//! number, the hash before it and exactly these bytes of JSON, so that a later version that would write the
//! entry differently still verifies it. Number and hash of the last record are kept apart in `meta`: cutting
//! the end off shows.

use sha2::{Digest as _, Sha256};

use crate::error::StoreError;
use crate::format::table_key::{join, tail};
use faxgate_domain::audit::{AuditEntry, AuditRecord};

const FORMAT: u8 = 1;
/// What errors call a record.
const WHAT: &str = "audit";

/// Number and hash of the last record; zeros before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    seq: u64,
    hash: [u8; 32],
}

/// Result of verifying the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every record fits.
    Intact {
        /// How many there are.
        records: u64,
        /// Hash of the last one. RestartableBackend outside the database, it proves the log up to here.
        head: [u8; 32],
    },
    /// Something does not fit.
    Broken {
        /// Number of the first record that doesn't.
        seq: u64,
        /// Why.
        fault: AuditFault,
    },
}

/// Why a record does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// Its content is not what was hashed.
    #[error("the record was altered")]
    Altered,
    /// It does not follow the record before it: one of the two was replaced or moved.
    #[error("the record does not follow the one before it")]
    OutOfPlace,
    /// There is none with this number, but there are later ones.
    #[error("the record was deleted")]
    Deleted,
    /// There is none with this number, although the log had more.
    #[error("the log ends here but had {expected} records: the rest was cut off")]
    CutOff {
        /// How many there were.
        expected: u64,
    },
    /// There are more records than were written.
    #[error("the record was added behind the end of the log")]
    Added,
    /// The chain fits but ends in another hash than the one kept apart: it was written anew.
    #[error("the log was rewritten up to this record")]
    Rewritten,
    /// It can't be read.
    #[error("the record can't be read")]
    Unreadable,
}

struct Row<'a> {
    previous: [u8; 32],
    hash: [u8; 32],
    json: &'a [u8],
}

/// The next record of a chain that ends in `head`: its bytes, and the head after it.
pub(crate) fn next(head: Head, entry: &AuditEntry) -> Result<(Vec<u8>, Head), StoreError> {
    let json = serde_json::to_vec(entry).map_err(|error| StoreError::damaged(WHAT, &error))?;
    let Head { seq, hash: previous } = head;
    let seq = seq
        .checked_add(1)
        .ok_or_else(|| unreadable("the numbers ran out"))?;
    let hash = hash(seq, &previous, &json);
    let mut row = Vec::with_capacity(65 + json.len());
    row.push(FORMAT);
    row.extend_from_slice(&previous);
    row.extend_from_slice(&hash);
    row.extend_from_slice(&json);
    Ok((row, Head { seq, hash }))
}

/// Reads record number `seq`.
pub(crate) fn record(seq: u64, value: &[u8]) -> Result<AuditRecord, StoreError> {
    let row = Row::decode(value).ok_or_else(|| unreadable("too short or unknown format"))?;
    Ok(AuditRecord {
        seq,
        previous: row.previous,
        hash: row.hash,
        entry: serde_json::from_slice(row.json).map_err(|error| StoreError::damaged(WHAT, &error))?,
    })
}

impl Head {
    /// Number of the last record.
    pub(crate) const fn seq(&self) -> u64 {
        self.seq
    }

    /// The head as it is kept.
    pub(crate) fn encode(&self) -> [u8; 40] {
        join(&self.seq.to_be_bytes(), &self.hash)
    }

    /// Reads the head back.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes = <&[u8; 40]>::try_from(bytes).map_err(|_| unreadable("the head has the wrong length"))?;
        Ok(Self {
            seq: u64::from_be_bytes(bytes.first_chunk().copied().unwrap_or_default()),
            hash: tail(bytes),
        })
    }

    /// The head after the next record, or what is wrong with it. `end` is the number of the last one written.
    pub(crate) fn follow(&self, seq: u64, value: &[u8], end: u64) -> Result<Self, (u64, AuditFault)> {
        let expected = self.seq + 1;
        if seq > end {
            return Err(match expected {
                missing if missing <= end => (missing, AuditFault::Deleted),
                _ => (seq, AuditFault::Added),
            });
        }
        if seq != expected {
            return Err((expected, AuditFault::Deleted));
        }
        let row = Row::decode(value).ok_or((seq, AuditFault::Unreadable))?;
        if row.previous != self.hash {
            return Err((seq, AuditFault::OutOfPlace));
        }
        if row.hash != hash(seq, &row.previous, row.json) {
            return Err((seq, AuditFault::Altered));
        }
        Ok(Self { seq, hash: row.hash })
    }

    /// Compares the end that verification reached with the head that was kept.
    pub(crate) fn compare(&self, kept: &Self) -> AuditVerdict {
        let fault = if self.seq < kept.seq {
            AuditFault::CutOff { expected: kept.seq }
        } else if self.hash != kept.hash {
            AuditFault::Rewritten
        } else {
            return AuditVerdict::Intact {
                records: self.seq,
                head: self.hash,
            };
        };
        AuditVerdict::Broken {
            seq: kept.seq.min(self.seq + 1),
            fault,
        }
    }
}

impl<'a> Row<'a> {
    fn decode(value: &'a [u8]) -> Option<Self> {
        let (&FORMAT, rest) = value.split_first()? else {
            return None;
        };
        let (previous, rest) = rest.split_first_chunk()?;
        let (hash, json) = rest.split_first_chunk()?;
        Some(Self {
            previous: *previous,
            hash: *hash,
            json,
        })
    }
}

fn hash(seq: u64, previous: &[u8; 32], json: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seq.to_be_bytes());
    hash.update(previous);
    hash.update(json);
    hash.finalize().into()
}

fn unreadable(reason: &str) -> StoreError {
    StoreError::Damaged {
        what: WHAT,
        reason: reason.to_owned(),
    }
}
