//! Documents as they are kept.

use serde::{Deserialize, Serialize};

/// Where the bytes of a document are and what they must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Where they are.
    pub place: Place,
    /// How many.
    pub bytes: u64,
    /// What they hash to, for a check on reading and for the audit.
    #[serde(with = "hex::serde")]
    pub sha256: [u8; 32],
}

/// Where the bytes of a document are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the database, in the same commit as the record: the cheapest way for a small document to be durable.
    Database,
    /// In a file of the data folder, named relative to its artifact folder.
    Local(String),
    /// In the bucket, under this key (with its prefix).
    S3(String),
}

impl Artifact {
    /// Whether the bytes are in the database and go with their record.
    #[must_use]
    pub fn is_in_database(&self) -> bool {
        self.place == Place::Database
    }
}
