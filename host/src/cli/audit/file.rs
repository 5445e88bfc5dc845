//! Checking the lines that `audit.file` holds, without the database.
//!
//! Each line is a JSON object with `seq`, `previous`, `hash` and, last, `entry`. `hash` is the SHA-256 of: the number as
//! eight bytes, big end first; the 32 bytes of `previous`; the bytes of `entry` exactly as they stand in the line.

use std::io::{self, BufRead};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Longest line in bytes.
const LONGEST: u64 = 1 << 20;

/// What a walk along the lines found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every line fits.
    Intact {
        /// Number of the first record; the file may have been rotated.
        first: u64,
        /// Number of the last record.
        last: u64,
        /// Its hash.
        head: String,
    },
    /// There is no line.
    Empty,
    /// A line does not fit.
    Broken {
        /// Its number in the file, from 1.
        line: u64,
        /// Why.
        fault: &'static str,
    },
}

#[derive(Deserialize)]
struct Chain {
    seq: u64,
    #[serde(with = "hex::serde")]
    previous: [u8; 32],
    #[serde(with = "hex::serde")]
    hash: [u8; 32],
}

/// Walks along the lines.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn verify(mut lines: impl BufRead) -> io::Result<Verdict> {
    let (mut number, mut first, mut before): (u64, u64, Option<Chain>) = (0, 0, None);
    loop {
        let mut line = Vec::new();
        let read = io::Read::take(&mut lines, LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        number += 1;
        let broken = |fault| Ok(Verdict::Broken { line: number, fault });
        let text = line.trim_ascii_end();
        let (Ok(chain), Some(entry)) = (serde_json::from_slice::<Chain>(text), entry(text)) else {
            return broken("the line is not an audit record");
        };
        match &before {
            Some(before) if before.seq.checked_add(1) != Some(chain.seq) => {
                return broken(
                    "the record does not have the next number: lines were removed, added or moved",
                );
            }
            Some(before) if before.hash != chain.previous => {
                return broken("the record does not follow the one before it");
            }
            Some(_) => {}
            None => first = chain.seq,
        }
        if hash(&chain, entry) != chain.hash {
            return broken("the record was altered");
        }
        before = Some(chain);
    }
    Ok(match before {
        None => Verdict::Empty,
        Some(last) => Verdict::Intact {
            first,
            last: last.seq,
            head: hex::encode(last.hash),
        },
    })
}

fn hash(chain: &Chain, entry: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(chain.seq.to_be_bytes());
    hash.update(chain.previous);
    hash.update(entry);
    hash.finalize().into()
}

/// The bytes of the last field.
fn entry(line: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b",\"entry\":";
    let at = line.windows(NAME.len()).position(|window| window == NAME)?;
    line.get(at + NAME.len()..)?.strip_suffix(b"}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;
    use faxgate_base::clock::Clock;
    use faxgate_domain::audit::AuditEntry;
    use faxgate_store::{Store, StoreOptions};

    /// The lines of three records, as the service writes them.
    async fn lines() -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let file = folder.path().join("faxgate.redb");
        let store = Store::open(&file, clock.clone(), StoreOptions::default()).unwrap();
        for object in ["one", "two", "three"] {
            let entry =
                AuditEntry::new(clock.now(), "operator", "test", object).fact("entry", "\",\"entry\":{}");
            store.record(entry).await.unwrap();
        }
        let records = store.audit(None, 10).await.unwrap();
        store.close();
        records
            .iter()
            .map(|record| serde_json::to_string(record).unwrap() + "\n")
            .collect()
    }

    #[tokio::test]
    async fn lines_of_the_service_hold_and_every_change_shows() {
        let lines = lines().await;
        let verdict = |lines: &[String]| verify(lines.concat().as_bytes()).unwrap();
        assert!(matches!(
            verdict(&lines),
            Verdict::Intact {
                first: 1,
                last: 3,
                ..
            }
        ));
        // A rotated file begins later.
        assert!(matches!(
            verdict(lines.split_at(1).1),
            Verdict::Intact {
                first: 2,
                last: 3,
                ..
            }
        ));
        assert_eq!(verdict(&[]), Verdict::Empty);
        let broken = |lines: &[String]| match verdict(lines) {
            Verdict::Broken { line, fault } => (line, fault),
            other => panic!("{other:?}"),
        };
        let [one, two, three] = lines.as_slice() else {
            panic!("three")
        };
        let altered = two.replace("\"two\"", "\"2\"");
        assert_eq!(
            broken(&[one.clone(), altered, three.clone()]),
            (2, "the record was altered")
        );
        assert_eq!(broken(&[one.clone(), three.clone()]).0, 2);
        assert_eq!(broken(&[two.clone(), one.clone()]).0, 2);
        assert_eq!(broken(&[one.clone(), two.replace("\"seq\":2", "\"seq\":3")]).0, 2);
        assert_eq!(
            broken(&["{}\n".to_owned()]),
            (1, "the line is not an audit record")
        );
    }
}
