//! A stream that does not end well unless the bytes are the right ones.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use sha2::{Digest, Sha256};

use super::DocumentStream;

struct Checked {
    inner: DocumentStream,
    /// Bytes still to come.
    left: u64,
    expected: Option<[u8; 32]>,
    hash: Sha256,
    /// The last piece is held back until the check is done, so that a reader who counts bytes never takes a
    /// damaged document for a complete one.
    held: Option<Bytes>,
    over: bool,
}

/// Passes `inner` on; it must be `length` bytes and, when given, hash to `sha256`.
pub(super) fn checked(inner: DocumentStream, length: u64, sha256: Option<[u8; 32]>) -> DocumentStream {
    let state = Checked {
        inner,
        left: length,
        expected: sha256,
        hash: Sha256::new(),
        held: None,
        over: false,
    };
    stream::unfold(state, |mut state| async move {
        let piece = state.next().await?;
        Some((piece, state))
    })
    .boxed()
}

impl Checked {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.over {
            return None;
        }
        loop {
            match self.inner.next().await {
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(Ok(piece)) => {
                    let Some(left) = self.left.checked_sub(piece.len() as u64) else {
                        return Some(self.fail(io::ErrorKind::InvalidData, "longer than what was kept"));
                    };
                    self.left = left;
                    if self.expected.is_some() {
                        self.hash.update(&piece);
                    }
                    if let Some(before) = self.held.replace(piece) {
                        return Some(Ok(before));
                    }
                }
                Some(Err(error)) => {
                    self.over = true;
                    return Some(Err(error));
                }
                None => return self.end(),
            }
        }
    }

    fn end(&mut self) -> Option<io::Result<Bytes>> {
        if self.left > 0 {
            return Some(self.fail(io::ErrorKind::UnexpectedEof, "shorter than what was kept"));
        }
        if let Some(expected) = self.expected
            && expected[..] != self.hash.finalize_reset()[..]
        {
            return Some(self.fail(io::ErrorKind::InvalidData, "not the bytes that were kept"));
        }
        self.over = true;
        self.held.take().map(Ok)
    }

    fn fail(&mut self, kind: io::ErrorKind, why: &str) -> io::Result<Bytes> {
        self.over = true;
        Err(io::Error::new(kind, format!("damaged document: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    async fn run(pieces: &[&'static [u8]], length: u64, sha256: Option<[u8; 32]>) -> io::Result<Vec<u8>> {
        let inner = stream::iter(pieces.to_vec())
            .map(|p| Ok(Bytes::from_static(p)))
            .boxed();
        let pieces: Vec<Bytes> = checked(inner, length, sha256).try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn only_the_right_bytes_end_well() {
        let sha256: [u8; 32] = Sha256::digest(b"abcdef").into();
        let pieces: &[&[u8]] = &[b"abc", b"", b"def"];
        assert_eq!(run(pieces, 6, Some(sha256)).await.unwrap(), b"abcdef");
        assert_eq!(run(&[], 0, Some(Sha256::digest(b"").into())).await.unwrap(), b"");
        assert_eq!(run(pieces, 6, None).await.unwrap(), b"abcdef");
        for (pieces, length, sha256) in [
            (&[&b"abc"[..], b"deX"][..], 6, Some(sha256)),
            (&[b"abc"], 6, None),
            (&[b"abc", b"defg"], 6, None),
            (&[], 6, Some(sha256)),
        ] {
            assert!(run(pieces, length, sha256).await.is_err());
        }
    }

    #[tokio::test]
    async fn the_last_piece_of_a_damaged_document_is_kept_back() {
        let inner = stream::iter([Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"deX"))]).boxed();
        let mut stream = checked(inner, 6, Some(Sha256::digest(b"abcdef").into()));
        assert_eq!(stream.next().await.unwrap().unwrap(), "abc");
        assert_eq!(
            stream.next().await.unwrap().unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert!(stream.next().await.is_none());
    }
}
