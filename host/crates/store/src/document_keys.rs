//! Keys of the documents that are kept in the database: a document is destroyed by wiping its key.
//!
//! The database copies on write, so that a removed document stays readable in pages that are free until something else
//! is written there. Each document is therefore sealed with a key of its own (AES-256-GCM). The keys lie in a file
//! beside the database, in places of 32 bytes that are overwritten with zeros, synced, before the record says that the
//! document is gone. Keys are made many at a time and synced before the first of them is used, so that accepting a
//! document needs no sync but that of its commit. A backup of the database without this file has no such documents.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::StoreError;

/// Format of a sealed document: this byte, number of the key (8), nonce (12), then the sealed bytes with their tag.
const FORMAT: u8 = 1;
const HEAD: usize = 1 + 8 + NONCE;
const NONCE: usize = 12;
const KEY: usize = 32;
/// Keys made at a time: one sync for so many documents.
const BLOCK: u64 = 1024;
/// What errors call a document.
const WHAT: &str = "document";

/// The keys.
pub(crate) struct DocumentKeys {
    medium: Medium,
    unused: Mutex<Unused>,
}

/// Where the keys are.
enum Medium {
    File(File),
    /// Made from their numbers, so that a database that is opened again has them again; those that were wiped.
    Derived(Mutex<HashSet<u64>>),
}

/// Keys that no document has.
struct Unused {
    next: u64,
    end: u64,
}

/// The file of the keys of a database.
pub(crate) fn file_beside(database: &Path) -> PathBuf {
    database.with_extension("document-keys")
}

impl DocumentKeys {
    /// Opens the file, or makes it with access for its owner only. Blocks for disk access.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let fresh = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        if fresh && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        let keys = file.metadata()?.len().div_ceil(KEY as u64);
        Ok(Self::new(Medium::File(file), keys))
    }

    /// Keys of a database that tests and benches keep in storage of their own. Everybody can make them.
    pub(crate) fn derived() -> Self {
        Self::new(Medium::Derived(Mutex::default()), 0)
    }

    /// Which of the keys so far are in use is not known: none of them is used again.
    fn new(medium: Medium, keys: u64) -> Self {
        let unused = Mutex::new(Unused {
            next: keys,
            end: keys,
        });
        Self { medium, unused }
    }

    /// Whether [`Self::seal`] answers without waiting for the disk.
    pub(crate) fn has_unused(&self) -> bool {
        let unused = self.unused.lock();
        unused.next < unused.end
    }

    /// Seals a document with a key of its own. Blocks for disk access once in many documents.
    pub(crate) fn seal(&self, id: [u8; 16], document: &[u8]) -> Result<Bytes, StoreError> {
        let number = self.take()?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(io::Error::from)?;
        let mut sealed = Vec::with_capacity(HEAD + document.len() + AES_256_GCM.tag_len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&number.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        let mut body = document.to_vec();
        self.cipher(number)?
            .ok_or_else(|| damaged("its key is missing"))?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(id), &mut body)
            .map_err(|_| damaged("it could not be sealed"))?;
        sealed.append(&mut body);
        Ok(sealed.into())
    }

    /// The document, or none when its key was wiped.
    pub(crate) fn unseal(&self, id: [u8; 16], sealed: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let (number, nonce, body) = parts(sealed)?;
        let Some(cipher) = self.cipher(number)? else {
            return Ok(None);
        };
        let mut body = body.to_vec();
        let length = cipher
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(id), &mut body)
            .map_err(|_| damaged("it was changed, or its key is of another backup"))?
            .len();
        body.truncate(length);
        Ok(Some(body.into()))
    }

    /// Wipes the key of a sealed document. Blocks until that is on the disk. A repeat does no harm.
    pub(crate) fn destroy(&self, sealed: &[u8]) -> Result<(), StoreError> {
        let (number, ..) = parts(sealed)?;
        self.medium.wipe(number)?;
        Ok(())
    }

    /// The number of an unused key.
    fn take(&self) -> Result<u64, StoreError> {
        let mut unused = self.unused.lock();
        if unused.next == unused.end {
            let mut block = Zeroizing::new(vec![0; BLOCK as usize * KEY]);
            getrandom::fill(&mut block).map_err(io::Error::from)?;
            self.medium.extend(unused.end, &block)?;
            unused.end += BLOCK;
        }
        let number = unused.next;
        unused.next += 1;
        Ok(number)
    }

    /// The cipher with this key; none when it was wiped.
    fn cipher(&self, number: u64) -> Result<Option<LessSafeKey>, StoreError> {
        let mut key = Zeroizing::new([0; KEY]);
        self.medium
            .read(number, &mut key)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => damaged("its key is missing: restore the whole data folder"),
                _ => error.into(),
            })?;
        if *key == [0; KEY] {
            return Ok(None);
        }
        let key =
            UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| damaged("its key is unusable"))?;
        Ok(Some(LessSafeKey::new(key)))
    }
}

impl Medium {
    /// Reads the key `number`.
    fn read(&self, number: u64, key: &mut [u8; KEY]) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(key, number.saturating_mul(KEY as u64)),
            Self::Derived(wiped) => {
                *key = if wiped.lock().contains(&number) {
                    [0; KEY]
                } else {
                    Sha256::digest(number.to_be_bytes()).into()
                };
                Ok(())
            }
        }
    }

    /// Writes new keys from `number` on, and waits until they are on the disk.
    fn extend(&self, number: u64, keys: &[u8]) -> io::Result<()> {
        match self {
            Self::File(file) => write(file, number, keys),
            Self::Derived(_) => Ok(()),
        }
    }

    /// Overwrites the key `number`, and waits until that is on the disk.
    fn wipe(&self, number: u64) -> io::Result<()> {
        match self {
            Self::File(file) => write(file, number, &[0; KEY]),
            Self::Derived(wiped) => {
                wiped.lock().insert(number);
                Ok(())
            }
        }
    }
}

fn write(file: &File, number: u64, keys: &[u8]) -> io::Result<()> {
    file.write_all_at(keys, number.saturating_mul(KEY as u64))?;
    file.sync_data()
}

/// Number of the key, nonce and sealed bytes.
fn parts(sealed: &[u8]) -> Result<(u64, [u8; NONCE], &[u8]), StoreError> {
    let (&FORMAT, rest) = sealed.split_first().ok_or_else(|| damaged("it is empty"))? else {
        return Err(StoreError::UnknownFormat {
            what: WHAT,
            version: sealed.first().copied().unwrap_or_default(),
        });
    };
    let (number, rest) = rest
        .split_first_chunk()
        .ok_or_else(|| damaged("it is too short"))?;
    let (nonce, body) = rest
        .split_first_chunk()
        .ok_or_else(|| damaged("it is too short"))?;
    Ok((u64::from_be_bytes(*number), *nonce, body))
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Damaged {
        what: WHAT,
        reason: reason.to_owned(),
    }
}
