//! Page markers: where a list goes on.
//!
//! A marker names the list, a digest of its filter and the place of the last item, and carries a MAC: one that
//! was made up, damaged or taken from another list is refused instead of giving a wrong page.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// Format, list, filter (8), place (16), MAC (8).
const LENGTH: usize = 34;
const SIGNED: usize = LENGTH - 8;
const FORMAT: u8 = 1;

/// A page marker. Opaque: `Display` and `FromStr` are base64url, and only the store can tell whether it is
/// genuine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cursor([u8; LENGTH]);

/// A page marker that isn't one of ours, or belongs to another list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list: pass `next_cursor` of the last answer unchanged, with the same filter")]
pub struct BadCursor;

/// Which list, with which filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    list: u8,
    filter: [u8; 8],
}

impl Cursor {
    /// A marker after `place`.
    pub(crate) fn new(key: &[u8; 32], scope: Scope, place: [u8; 16]) -> Self {
        let mut bytes = [0; LENGTH];
        let parts = [&[FORMAT, scope.list][..], &scope.filter, &place];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        let tag = mac(key, &bytes).finalize().into_bytes();
        for (to, from) in bytes.iter_mut().skip(SIGNED).zip(tag) {
            *to = from;
        }
        Self(bytes)
    }

    /// The place it marks, if it is ours and of this list.
    pub(crate) fn place(&self, key: &[u8; 32], scope: Scope) -> Result<[u8; 16], BadCursor> {
        let (signed, tag) = self.0.split_at(SIGNED);
        mac(key, &self.0)
            .verify_truncated_left(tag)
            .map_err(|_| BadCursor)?;
        let (head, place) = signed.split_last_chunk::<16>().ok_or(BadCursor)?;
        let expected = [&[FORMAT, scope.list][..], &scope.filter].concat();
        if head == expected {
            Ok(*place)
        } else {
            Err(BadCursor)
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        // The decoder would otherwise allocate for whatever length a client sends.
        if text.len() > 2 * LENGTH {
            return Err(BadCursor);
        }
        let bytes = BASE64.decode(text).map_err(|_| BadCursor)?;
        Ok(Self(bytes.as_slice().try_into().map_err(|_| BadCursor)?))
    }
}

impl Scope {
    /// The list `list` with a filter of these values, in a fixed order.
    pub(crate) fn new(list: u8, filter: &[Option<String>]) -> Self {
        let mut hash = Sha256::new();
        for value in filter {
            match value {
                // The length keeps neighbouring values apart.
                Some(text) => {
                    hash.update((text.len() as u64).to_be_bytes());
                    hash.update(text.as_bytes());
                }
                None => hash.update([0xff; 8]),
            }
        }
        let full: [u8; 32] = hash.finalize().into();
        Self {
            list,
            filter: full.first_chunk().copied().unwrap_or_default(),
        }
    }
}

fn mac(key: &[u8; 32], bytes: &[u8; LENGTH]) -> Hmac<Sha256> {
    let key: &[u8] = key;
    let mut padded = hmac::digest::Key::<Hmac<Sha256>>::default();
    for (to, from) in padded.iter_mut().zip(key) {
        *to = *from;
    }
    // HMAC fills keys up with zeros: the padded key is the key.
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new(&padded);
    mac.update(bytes.split_at(SIGNED).0);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn scope() -> Scope {
        Scope::new(1, &[Some("a".into()), None])
    }

    #[test]
    fn a_cursor_survives_the_trip_to_a_client() {
        let cursor = Cursor::new(&KEY, scope(), [9; 16]);
        let back: Cursor = cursor.to_string().parse().expect("cursor");
        assert_eq!(back.place(&KEY, scope()), Ok([9; 16]));
    }

    #[test]
    fn foreign_and_damaged_ones_are_refused() {
        let cursor = Cursor::new(&KEY, scope(), [9; 16]);
        assert_eq!(cursor.place(&[8; 32], scope()), Err(BadCursor));
        assert_eq!(
            cursor.place(&KEY, Scope::new(2, &[Some("a".into()), None])),
            Err(BadCursor)
        );
        assert_eq!(
            cursor.place(&KEY, Scope::new(1, &[None, Some("a".into())])),
            Err(BadCursor)
        );
        for at in 0..LENGTH {
            let mut bytes = cursor.0;
            bytes[at] ^= 1;
            assert_eq!(Cursor(bytes).place(&KEY, scope()), Err(BadCursor), "byte {at}");
        }
        for text in ["", "x", "not base64!", &"A".repeat(10_000), &"A".repeat(47)] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
