//! The audit log: who did what to which object, chained so that a change shows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is to be recorded. The store adds the number and the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: public half of a key, `bootstrap`, `operator`, `provider`, `system`.
    pub who: String,
    /// What, dotted: `fax.accepted`, `key.created`, `document.read`, …
    pub what: String,
    /// Which object, by id.
    pub object: String,
    /// From which address, when it came over the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How it ended: `ok`, `denied` or a code.
    pub outcome: String,
    /// Further facts, without content and with masked numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(String, String)>,
}

/// A recorded entry: the hash covers the number, the hash before it and the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Position, from 1, without gaps.
    pub seq: u64,
    /// SHA-256 of the record before this one; zeros for the first.
    #[serde(with = "hex::serde")]
    pub previous: [u8; 32],
    /// SHA-256 of this record.
    #[serde(with = "hex::serde")]
    pub hash: [u8; 32],
    /// What happened.
    pub entry: AuditEntry,
}

impl AuditEntry {
    /// An entry that went well.
    #[must_use]
    pub fn new(at: Timestamp, who: impl Into<String>, what: &str, object: impl ToString) -> Self {
        Self {
            at,
            who: who.into(),
            what: what.to_owned(),
            object: object.to_string(),
            from: None,
            outcome: "ok".to_owned(),
            facts: Vec::new(),
        }
    }

    /// With the address it came from.
    #[must_use]
    pub fn from(mut self, address: Option<String>) -> Self {
        self.from = address;
        self
    }

    /// With another outcome than `ok`.
    #[must_use]
    pub fn outcome(mut self, outcome: &str) -> Self {
        outcome.clone_into(&mut self.outcome);
        self
    }

    /// With one more fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.push((name.to_owned(), value.to_string()));
        self
    }
}
