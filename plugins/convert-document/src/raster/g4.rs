//! Group 4 encoder (ITU-T T.6).
//!
//! Works on the positions where the colour changes, which a word of 64 pixels gives up with one XOR and a
//! count of leading zeros per change: cost follows the ink, not the pixels.

use super::bitmap::Bitmap;
use super::codes::{BLACK, Code, END_OF_LINE, HORIZONTAL, LONG_MAKEUP, PASS, RunCodes, VERTICAL, WHITE};

/// Encodes a bitmap, with end-of-block, most significant bit first.
pub(crate) fn encode(bitmap: &Bitmap) -> Vec<u8> {
    let width = bitmap.width();
    let mut out = BitWriter::default();
    let mut above: &[u64] = &[];
    let mut reference = Vec::new();
    let mut current = Vec::new();
    for row in bitmap.rows() {
        if row == above || (above.is_empty() && row.iter().all(|word| *word == 0)) {
            // Every change sits right under one of the line above, and so does the end of the line.
            for _ in 0..=reference.len() {
                out.push(vertical(0));
            }
        } else {
            changes(row, width, &mut current);
            encode_row(&current, &reference, width, &mut out);
            std::mem::swap(&mut current, &mut reference);
        }
        above = row;
    }
    out.push(END_OF_LINE);
    out.push(END_OF_LINE);
    out.finish()
}

/// Lists the pixels that differ from their left neighbour; left of the row is white.
fn changes(row: &[u64], width: u32, into: &mut Vec<u32>) {
    into.clear();
    let mut last = 0;
    let mut base = 0;
    for &word in row {
        let mut edges = word ^ ((word >> 1) | (last << 63));
        last = word & 1;
        while edges != 0 {
            let at = edges.leading_zeros();
            into.push(base + at);
            edges &= !(1 << (63 - at));
        }
        base += 64;
    }
    // A row that ends in black at a width of no whole word shows a change past its end.
    if into.last().is_some_and(|at| *at >= width) {
        into.pop();
    }
}

/// Codes one row against the row above, both as lists of changes.
///
/// Even entries of a list turn black, odd ones white, so the parity of an index is the colour left of it.
fn encode_row(current: &[u32], reference: &[u32], width: u32, out: &mut BitWriter) {
    let at = |list: &[u32], index: usize| list.get(index).copied().unwrap_or(width);
    let mut a0: Option<u32> = None;
    let mut black = false;
    let (mut next, mut above) = (0, 0);
    while a0.is_none_or(|a0| a0 < width) {
        // b1 lies right of a0; at the start of a row the first pixel counts as well.
        while a0.is_some_and(|a0| at(reference, above) <= a0) {
            above += 2;
        }
        let a1 = at(current, next);
        let b1 = at(reference, above);
        let b2 = at(reference, above + 1);
        if b2 < a1 {
            out.push(PASS);
            a0 = Some(b2);
            above += 2;
            continue;
        }
        let distance = i64::from(a1) - i64::from(b1);
        if (-3..=3).contains(&distance) {
            out.push(vertical(distance));
            a0 = Some(a1);
            black = !black;
            next += 1;
            // The other colour's changes are the neighbours; the one before may still lie right of a0.
            above = if above > 0 { above - 1 } else { above + 1 };
        } else {
            let a2 = at(current, next + 1);
            let (first, second) = if black { (&BLACK, &WHITE) } else { (&WHITE, &BLACK) };
            let (before, after) = (a1 - a0.unwrap_or(0), a2 - a1);
            match (
                first.terminating.get(before as usize),
                second.terminating.get(after as usize),
            ) {
                // Three codes at once: noise and halftones are made of these.
                (Some(first), Some(second)) => out.push(HORIZONTAL.then(*first).then(*second)),
                _ => {
                    out.push(HORIZONTAL);
                    push_run(before, first, out);
                    push_run(after, second, out);
                }
            }
            a0 = Some(a2);
            next += 2;
        }
    }
}

fn vertical(distance: i64) -> Code {
    let index = usize::try_from(distance + 3).unwrap_or(3);
    VERTICAL.get(index).copied().unwrap_or(PASS)
}

fn push_run(mut run: u32, codes: &RunCodes, out: &mut BitWriter) {
    // 2560 is the longest make-up code and may be repeated.
    while run >= 2560 + 64 {
        push_some(LONG_MAKEUP.last(), out);
        run -= 2560;
    }
    if run >= 64 {
        let index = (run / 64 - 1) as usize;
        let code = codes
            .makeup
            .get(index)
            .or_else(|| LONG_MAKEUP.get(index - codes.makeup.len()));
        push_some(code, out);
        run %= 64;
    }
    push_some(codes.terminating.get(run as usize), out);
}

/// The tables cover every index that [`push_run`] makes; an absent code would be a fault of the tables.
fn push_some(code: Option<&Code>, out: &mut BitWriter) {
    debug_assert!(code.is_some());
    if let Some(code) = code {
        out.push(*code);
    }
}

/// Collects code words into bytes.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    /// The last `held` bits not yet in `bytes`.
    pending: u64,
    held: u32,
}

impl BitWriter {
    fn push(&mut self, code: Code) {
        self.pending = (self.pending << code.bits) | u64::from(code.word);
        self.held += code.bits;
        if self.held >= 32 {
            self.held -= 32;
            let whole = (self.pending >> self.held) & 0xffff_ffff;
            self.bytes.extend_from_slice(&(whole as u32).to_be_bytes());
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let left = self.pending << (63 - self.held) << 1;
        let count = self.held.div_ceil(8) as usize;
        self.bytes.extend(left.to_be_bytes().into_iter().take(count));
        self.bytes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
/// What `hayro-ccitt` makes of the data, in strict mode; for tests.
pub(crate) fn decoded(data: &[u8], width: u32, height: u32) -> Bitmap {
    struct Rows(Vec<Vec<u32>>);
    impl hayro_ccitt::Decoder for Rows {
        fn push_row(&mut self, changes: &[u32]) {
            self.0.push(changes.to_vec());
        }
    }
    let settings = hayro_ccitt::DecodeSettings {
        columns: width,
        rows: height,
        end_of_block: true,
        end_of_line: false,
        rows_are_byte_aligned: false,
        encoding: hayro_ccitt::EncodingMode::Group4,
        strict: true,
    };
    let mut rows = Rows(Vec::new());
    hayro_ccitt::decode(data, &mut rows, &mut hayro_ccitt::DecoderContext::new(settings)).unwrap();
    assert_eq!(rows.0.len(), height as usize);
    let mut bitmap = Bitmap::new(width, height);
    for (row, changes) in bitmap.rows_mut().zip(rows.0) {
        for pair in changes.chunks(2) {
            for x in pair[0]..pair.get(1).copied().unwrap_or(width) {
                row[x as usize / 64] |= 1 << (63 - x % 64);
            }
        }
    }
    bitmap
}

/// One-dimensional T.4 data: with end-of-line codes and return to control as Group 3 has it, or with rows that
/// begin on a byte as TIFF's modified Huffman has it; for tests.
#[cfg(test)]
pub(crate) fn encode_group3(bitmap: &Bitmap, end_of_line: bool) -> Vec<u8> {
    let mut out = BitWriter::default();
    let mut edges = Vec::new();
    for row in bitmap.rows() {
        if end_of_line {
            out.push(END_OF_LINE);
        } else {
            // 13 bits are the most that a code has, so this fills up to a byte in one go.
            out.push(Code {
                bits: (8 - out.held % 8) % 8,
                word: 0,
            });
        }
        changes(row, bitmap.width(), &mut edges);
        edges.push(bitmap.width());
        let mut at = 0;
        for (index, edge) in edges.iter().enumerate() {
            push_run(edge - at, if index % 2 == 0 { &WHITE } else { &BLACK }, &mut out);
            at = *edge;
        }
    }
    if end_of_line {
        (0..6).for_each(|_| out.push(END_OF_LINE));
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the `fax` crate makes of the data.
    fn decode_again(data: &[u8], width: u32, height: u32) -> Bitmap {
        let mut bitmap = Bitmap::new(width, height);
        let mut rows = bitmap.rows_mut();
        let mut count = 0;
        fax::decoder::decode_g4(data.iter().copied(), width, Some(height), |transitions| {
            count += 1;
            if let Some(row) = rows.next() {
                for (x, color) in fax::decoder::pels(transitions, width).enumerate() {
                    if color == fax::Color::Black {
                        row[x / 64] |= 1 << (63 - x % 64);
                    }
                }
            }
        })
        .unwrap();
        drop(rows);
        assert_eq!(count, height);
        bitmap
    }

    /// Runs of pixels, biased towards short distances between rows so that every mode occurs.
    fn bitmaps() -> impl Strategy<Value = Bitmap> {
        (1u32..3000, 1u32..12).prop_flat_map(|(width, height)| {
            let row = prop::collection::vec((0..width, 1..width.min(90) + 1), 0..24);
            let shift = -5i64..=5;
            prop::collection::vec((row, shift, any::<bool>()), height as usize).prop_map(move |rows| {
                let mut bitmap = Bitmap::new(width, height);
                let mut runs: Vec<(u32, u32)> = Vec::new();
                for (row, (fresh, shift, keep)) in bitmap.rows_mut().zip(rows) {
                    if keep {
                        for run in &mut runs {
                            run.0 = (i64::from(run.0) + shift).clamp(0, i64::from(width) - 1) as u32;
                        }
                    } else {
                        runs = fresh;
                    }
                    for &(start, len) in &runs {
                        for x in start..(start + len).min(width) {
                            row[x as usize / 64] |= 1 << (63 - x % 64);
                        }
                    }
                }
                bitmap
            })
        })
    }

    fn noise(width: u32, height: u32, words: &[u64]) -> Bitmap {
        let mut bitmap = Bitmap::new(width, height);
        let mut source = words.iter().cycle();
        let tail = width % 64;
        for row in bitmap.rows_mut() {
            for word in row.iter_mut() {
                *word = *source.next().unwrap();
            }
            if tail != 0 {
                *row.last_mut().unwrap() &= !0 << (64 - tail);
            }
        }
        bitmap
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn two_decoders_give_back_every_bit(bitmap in bitmaps()) {
            let data = encode(&bitmap);
            prop_assert_eq!(&decoded(&data, bitmap.width(), bitmap.height()), &bitmap);
            prop_assert_eq!(&decode_again(&data, bitmap.width(), bitmap.height()), &bitmap);
        }

        #[test]
        fn noise_survives(width in 1u32..400, height in 1u32..6, words in prop::collection::vec(any::<u64>(), 1..40)) {
            let bitmap = noise(width, height, &words);
            let data = encode(&bitmap);
            prop_assert_eq!(&decoded(&data, width, height), &bitmap);
        }
    }

    #[test]
    fn a_white_page_is_one_bit_a_row() {
        let data = encode(&Bitmap::new(1728, 64));
        assert_eq!(data.len(), 8 + 3);
        assert!(data[..8].iter().all(|byte| *byte == 0xff));
        assert_eq!(&data[8..], &[0x00, 0x10, 0x01]);
    }

    #[test]
    fn every_run_length_of_both_colours_survives() {
        for run in (0..64).chain((64..8000).step_by(61)) {
            let width = 8100;
            let mut bitmap = Bitmap::new(width, 2);
            for (y, row) in bitmap.rows_mut().enumerate() {
                let (from, to) = if y == 0 { (run, width) } else { (0, run) };
                for x in from..to {
                    row[x as usize / 64] |= 1 << (63 - x % 64);
                }
            }
            let data = encode(&bitmap);
            assert_eq!(decoded(&data, width, 2), bitmap, "run {run}");
        }
    }
}
