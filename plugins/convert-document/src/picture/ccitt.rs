//! Strips of fax data (ITU-T T.4 and T.6) as TIFF holds them.

use std::borrow::Cow;

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode, decode};

/// How the strips of one page are coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coding {
    /// The compression of the TIFF.
    pub(super) compression: Compression,
    /// Bit 0 of `T4Options`.
    pub(super) two_dimensional: bool,
    /// Bit 2 of `T4Options`: fill bits make each end-of-line code end on a byte.
    pub(super) aligned: bool,
    /// `FillOrder` 2: the first pixel is in the lowest bit.
    pub(super) reversed: bool,
}

/// The three fax compressions of TIFF 6.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// 2: rows of T.4 runs that begin on a byte, without end-of-line codes.
    ModifiedHuffman,
    /// 3: T.4 with end-of-line codes.
    Group3,
    /// 4: T.6.
    Group4,
}

impl Coding {
    /// Bytes whose first pixel is in the highest bit, as decoders and PDF have it.
    fn ordered<'a>(&self, strip: &'a [u8]) -> Cow<'a, [u8]> {
        if self.reversed {
            strip.iter().map(|byte| byte.reverse_bits()).collect()
        } else {
            Cow::Borrowed(strip)
        }
    }

    fn settings(&self, width: u32, rows: u32, strict: bool) -> DecodeSettings {
        DecodeSettings {
            columns: width,
            rows,
            end_of_block: self.compression != Compression::ModifiedHuffman,
            end_of_line: self.compression == Compression::Group3,
            rows_are_byte_aligned: self.compression == Compression::ModifiedHuffman,
            encoding: match self.compression {
                Compression::Group4 => EncodingMode::Group4,
                Compression::Group3 if self.two_dimensional => EncodingMode::Group3_2D,
                Compression::Group3 | Compression::ModifiedHuffman => EncodingMode::Group3_1D,
            },
            strict,
        }
    }
}

/// Decodes one strip into the next `rows` rows of a page; false when it holds fewer.
pub(super) fn read<'a>(
    strip: &[u8],
    coding: Coding,
    width: u32,
    rows: u32,
    into: &mut impl Iterator<Item = &'a mut [u64]>,
) -> bool {
    // A row damaged in transmission is left out, as a fax machine does.
    let settings = coding.settings(width, rows, false);
    let mut sink = RowSink {
        rows: into,
        width,
        left: rows,
    };
    // The number of decoded rows decides, not the result: many files lack the end-of-block.
    let _ = decode(
        &coding.ordered(strip),
        &mut sink,
        &mut DecoderContext::new(settings),
    );
    sink.left == 0
}

/// A strip whose every code is sound.
pub(super) struct Validated {
    /// The codes as a PDF may hold them.
    pub(super) data: Vec<u8>,
    /// Whether they make a pixel black.
    pub(super) has_black: bool,
    /// Whether they leave a pixel white.
    pub(super) has_white: bool,
}

/// The strip as a PDF may hold it, when every code of its `rows` rows is sound.
pub(super) fn validated(strip: &[u8], coding: Coding, width: u32, rows: u32) -> Option<Validated> {
    // Codes that end on a byte by fill bits are read differently by different programs.
    if coding.aligned {
        return None;
    }
    let strip = coding.ordered(strip);
    let mut counter = RowCounter {
        left: rows,
        width,
        has_black: false,
        has_white: false,
    };
    let settings = coding.settings(width, rows, true);
    decode(&strip, &mut counter, &mut DecoderContext::new(settings)).ok()?;
    (counter.left == 0).then(|| Validated {
        data: strip.into_owned(),
        has_black: counter.has_black,
        has_white: counter.has_white,
    })
}

/// Counts down the rows, and notes which colours they have.
struct RowCounter {
    left: u32,
    width: u32,
    has_black: bool,
    has_white: bool,
}

impl Decoder for RowCounter {
    fn push_row(&mut self, changes: &[u32]) {
        self.left = self.left.saturating_sub(1);
        // A row begins white and changes its colour at these pixels.
        let first = changes.first().copied().unwrap_or(self.width);
        let second = changes.get(1).copied().unwrap_or(self.width);
        self.has_black |= first < self.width;
        self.has_white |= first > 0 || second < self.width;
    }
}

struct RowSink<'r, I> {
    rows: &'r mut I,
    width: u32,
    left: u32,
}

impl<'a, I: Iterator<Item = &'a mut [u64]>> Decoder for RowSink<'_, I> {
    fn push_row(&mut self, changes: &[u32]) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        if let Some(row) = self.rows.next() {
            for run in changes.chunks(2) {
                if let [from, rest @ ..] = run {
                    fill(
                        row,
                        *from,
                        rest.first().copied().unwrap_or(self.width).min(self.width),
                    );
                }
            }
        }
    }
}

/// Blackens the pixels from `from` up to but without `to`.
fn fill(row: &mut [u64], from: u32, to: u32) {
    let first = from / 64;
    for (index, word) in (first..).zip(row.iter_mut().skip(first as usize)) {
        let start = index * 64;
        if start >= to {
            break;
        }
        let left = u64::MAX >> from.saturating_sub(start).min(63);
        let right = if to - start >= 64 {
            u64::MAX
        } else {
            !(u64::MAX >> (to - start))
        };
        *word |= left & right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_fill_exactly_their_pixels() {
        for (from, to) in [
            (0, 1),
            (0, 64),
            (63, 65),
            (5, 5),
            (10, 190),
            (64, 128),
            (127, 192),
        ] {
            let mut row = [0u64; 3];
            fill(&mut row, from, to);
            for x in 0..192 {
                let black = row[x as usize / 64] >> (63 - x % 64) & 1 == 1;
                assert_eq!(black, (from..to).contains(&x), "{from}..{to} at {x}");
            }
        }
    }
}
