//! The audit log: records numbered without gaps, each holding the SHA-256 of the one before.
//!
//! A record is one byte of format, the hash before it, its own hash and the entry as JSON. Its hash covers its
//! number, the hash before it and exactly these bytes of JSON, so that a later version that would write the
//! entry differently still verifies it. Number and hash of the last record are kept apart in `meta`: cutting
//! the end off shows.

use sha2::{Digest as _, Sha256};

use super::Store;
use super::error::StoreError;
use super::meta;
use super::tables::{AUDIT, META, Tables};
use super::writer::Growth;
use faxgate_domain::audit::{AuditEntry, AuditRecord};

const FORMAT: u8 = 1;
const WHAT: &str = "audit";

/// Number and hash of the last record; zeros before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Head {
    seq: u64,
    hash: [u8; 32],
}

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every record fits.
    Intact {
        /// How many there are.
        records: u64,
        /// Hash of the last one. Kept outside the database, it proves the log up to here.
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
                let row =
                    Row::decode(value.value()).ok_or_else(|| unreadable("too short or unknown format"))?;
                Ok(AuditRecord {
                    seq: seq.value(),
                    previous: row.previous,
                    hash: row.hash,
                    entry: serde_json::from_slice(row.json)
                        .map_err(|error| StoreError::damaged(WHAT, &error))?,
                })
            })
            .collect()
    }

    /// Walks the whole chain in one snapshot. Takes about a second for a million records.
    ///
    /// # Errors
    /// When the database can't be read. A chain that does not fit is a verdict, not an error.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        self.scan(Self::walk_audit).await
    }

    fn walk_audit(&self) -> Result<AuditVerdict, StoreError> {
        let snapshot = self.shared.db.read()?;
        let kept = meta::head(&snapshot.open_table(META)?)?;
        let mut walked = Head::default();
        for row in snapshot.open_table(AUDIT)?.range(0..)? {
            let (seq, value) = row?;
            match walked.follow(seq.value(), value.value(), kept.seq) {
                Ok(next) => walked = next,
                Err((seq, fault)) => return Ok(AuditVerdict::Broken { seq, fault }),
            }
        }
        Ok(walked.compare(&kept))
    }

    /// Records something that changes nothing else.
    ///
    /// # Errors
    /// When it could not be kept.
    pub async fn record(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(Growth::Settles, move |tables| append(tables, &entry))
            .await
    }

    /// Records something that nobody waits for. A failure is logged.
    pub fn record_later(&self, entry: AuditEntry) {
        if let Err(error) = self.write_later(move |tables| append(tables, &entry)) {
            tracing::error!(%error, "an audit record could not be kept");
        }
    }
}

/// Adds a record to the chain.
pub(super) fn append(tables: &mut Tables<'_>, entry: &AuditEntry) -> Result<(), StoreError> {
    let json = serde_json::to_vec(entry).map_err(|error| StoreError::damaged(WHAT, &error))?;
    let Head { seq, hash: previous } = tables.head;
    let seq = seq
        .checked_add(1)
        .ok_or_else(|| unreadable("the numbers ran out"))?;
    let hash = hash(seq, &previous, &json);
    let mut row = Vec::with_capacity(65 + json.len());
    row.push(FORMAT);
    row.extend_from_slice(&previous);
    row.extend_from_slice(&hash);
    row.extend_from_slice(&json);
    tables.audit.insert(seq, row.as_slice())?;
    tables.head = Head { seq, hash };
    Ok(())
}

impl Head {
    /// The head as it is kept.
    pub(super) fn encode(&self) -> [u8; 40] {
        super::key::join(&self.seq.to_be_bytes(), &self.hash)
    }

    /// Reads the head back.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes = <&[u8; 40]>::try_from(bytes).map_err(|_| unreadable("the head has the wrong length"))?;
        Ok(Self {
            seq: u64::from_be_bytes(bytes.first_chunk().copied().unwrap_or_default()),
            hash: super::key::tail(bytes),
        })
    }

    /// The head after the next record, or what is wrong with it. `end` is the number of the last one written.
    fn follow(&self, seq: u64, value: &[u8], end: u64) -> Result<Self, (u64, AuditFault)> {
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

    fn compare(&self, kept: &Self) -> AuditVerdict {
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
