//! Group 4 encoder (ITU-T T.6).
//!
//! Works on the pixels as they stand, 64 at a time: where the next changes lie is one count of leading zeros each. Which
//! mode follows from them is looked up but for the horizontal one: in a halftone it is a throw of dice, which a processor
//! guesses wrong.

use super::bitmap::Bitmap;
use super::codes::{BLACK, Code, END_OF_LINE, HORIZONTAL, LONG_MAKEUP, PASS, RunCodes, VERTICAL, WHITE};

/// Encodes a bitmap, with end-of-block, most significant bit first.
pub(crate) fn encode(bitmap: &Bitmap) -> Vec<u8> {
    let width = bitmap.width();
    let mut out = BitWriter::default();
    let (mut current, mut above) = (Row::white(width), Row::white(width));
    for words in bitmap.rows() {
        current.read(words);
        if current.words == above.words {
            // Every change sits right under one of the line above, and so does the end of the line.
            out.push_ones(current.changes() + 1);
        } else {
            encode_row(&current, &above, &mut out);
        }
        std::mem::swap(&mut current, &mut above);
    }
    out.push(END_OF_LINE);
    out.push(END_OF_LINE);
    out.finish()
}

/// Pixels of a row, most significant bit first, 1 is black.
struct Row {
    /// One word more than the pixels fill.
    words: Vec<u64>,
    width: u32,
}

impl Row {
    fn white(width: u32) -> Self {
        Self {
            words: vec![0; width.div_ceil(64) as usize + 1],
            width,
        }
    }

    fn read(&mut self, words: &[u64]) {
        for (to, from) in self.words.iter_mut().zip(words) {
            *to = *from;
        }
    }

    /// The 64 pixels from `at` on; white past the end.
    #[inline(always)]
    fn window(&self, at: u32) -> u64 {
        let begin = (at / 64) as usize;
        match self.words.get(begin..begin + 2) {
            Some([first, second]) => first << (at % 64) | second >> 1 >> (63 - at % 64),
            _ => 0,
        }
    }

    /// The first pixel from `from` on that doesn't have this colour, or the end.
    fn end_of_run(&self, from: u32, colour: u64) -> u32 {
        let mut seen = u64::MAX >> (from % 64);
        let words = (from / 64..).zip(self.words.get(from as usize / 64..).unwrap_or_default());
        for (index, word) in words {
            let others = (word ^ colour) & seen;
            if others != 0 {
                return self.width.min(index * 64 + others.leading_zeros());
            }
            seen = u64::MAX;
        }
        self.width
    }

    /// Number of pixels that differ from their left neighbour; left of the row is white.
    fn changes(&self) -> u32 {
        let mut last = 0;
        let mut count = 0;
        for word in &self.words {
            count += (word ^ (word >> 1 | last << 63)).count_ones();
            last = word & 1;
        }
        // A row that ends in black shows a change past its end.
        let at_end = self
            .width
            .checked_sub(1)
            .map_or(0, |last| self.window(last) >> 63);
        count - at_end as u32
    }
}

/// Colours as the word of 64 such pixels.
const WHITE_PIXELS: u64 = 0;

/// How far right of the current pixel `a0` the next changes lie: `a1` in the row that is coded, `b1` and `b2` in the one
/// above it (T.6, 2.2.1).
struct Changes {
    a1: u32,
    b1: u32,
    b2: u32,
}

impl Changes {
    /// As far as the 64 pixels from `a0` on show them, those of the other colour being ones; none if that isn't enough.
    #[inline(always)]
    fn near(coded: u64, above: u64) -> Option<Self> {
        const BUT_FIRST: u64 = u64::MAX >> 1;
        // Where the other colour begins right of `a0`, and then ends. The first is at least 1, and 64 if there is none.
        let b1 = (above & !(above >> 1) & BUT_FIRST).leading_zeros();
        let b2 = (!above & BUT_FIRST >> (b1 - 1)).leading_zeros();
        let a1 = coded.leading_zeros();
        // What lies past the window is too far away to matter, unless `a1` is near its end.
        (a1 < 64 - 3 || b2 < a1).then_some(Self { a1, b1, b2 })
    }

    /// As far as it takes. Not inlined, nor is what comes seldom below: the loop has just enough registers for itself.
    #[inline(never)]
    fn far(coded: &Row, above: &Row, a0: u32, colour: u64) -> Self {
        // Under the other colour, the end of that comes first; not at the start of a row, left of which is white.
        let at_start = a0 == 0 && colour == WHITE_PIXELS;
        let begin = if at_start {
            0
        } else {
            above.end_of_run(a0, !colour)
        };
        let b1 = above.end_of_run(begin, colour);
        let b2 = above.end_of_run(b1, !colour);
        let a1 = coded.end_of_run(a0, colour);
        Self {
            a1: a1 - a0,
            b1: b1 - a0,
            b2: b2 - a0,
        }
    }

    /// Writes what is coded next, and gives back where the next `a0` is and its colour.
    #[inline(always)]
    fn encode(self, coded: &Row, a0: u32, colour: u64, out: &mut BitWriter) -> (u32, u64) {
        let Self { a1, b1, b2 } = self;
        let pass = b2 < a1;
        let distance = a1.wrapping_sub(b1).wrapping_add(3);
        if !pass && distance >= 7 {
            return (push_runs(coded, a0, a0 + a1, colour, out), colour);
        }
        let mode = if pass { MODES.len() - 1 } else { distance as usize };
        out.push(MODES.get(mode).copied().unwrap_or(PASS));
        match pass {
            true => (a0 + b2, colour),
            false => (a0 + a1, !colour),
        }
    }
}

/// Codes one row against the row above.
#[inline(never)]
fn encode_row(coded: &Row, above: &Row, out: &mut BitWriter) {
    let start = Changes::far(coded, above, 0, WHITE_PIXELS);
    let (mut a0, mut colour) = start.encode(coded, 0, WHITE_PIXELS, out);
    while a0 < coded.width {
        let windows = (coded.window(a0) ^ colour, above.window(a0) ^ colour);
        let near = Changes::near(windows.0, windows.1).filter(|_| coded.width - a0 >= 64);
        let changes = near.unwrap_or_else(|| Changes::far(coded, above, a0, colour));
        (a0, colour) = changes.encode(coded, a0, colour, out);
    }
}

/// The vertical modes for a distance of -3 to +3, then pass mode.
const MODES: [Code; 8] = {
    let [l3, l2, l1, v, r1, r2, r3] = VERTICAL;
    [l3, l2, l1, v, r1, r2, r3, PASS]
};

/// Codes the runs from `a0` to `a1`, of this colour, and on to `a2`, which is given back, in horizontal mode.
#[inline(never)]
fn push_runs(coded: &Row, a0: u32, a1: u32, colour: u64, out: &mut BitWriter) -> u32 {
    let a2 = coded.end_of_run(a1, !colour);
    let (before, after) = (a1 - a0, a2 - a1);
    let (first, second) = match colour {
        WHITE_PIXELS => (&WHITE, &BLACK),
        _ => (&BLACK, &WHITE),
    };
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
    a2
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

    /// Pushes so many bits of 1.
    fn push_ones(&mut self, mut count: u32) {
        while count > 0 {
            let bits = count.min(31);
            self.push(Code {
                bits,
                word: (1 << bits) - 1,
            });
            count -= bits;
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
    let mut row = Row::white(bitmap.width());
    for words in bitmap.rows() {
        row.read(words);
        if end_of_line {
            out.push(END_OF_LINE);
        } else {
            // 13 bits are the most that a code has, so this fills up to a byte in one go.
            out.push(Code {
                bits: (8 - out.held % 8) % 8,
                word: 0,
            });
        }
        let (mut at, mut colour) = (0, WHITE_PIXELS);
        while at < row.width {
            let end = row.end_of_run(at, colour);
            let codes = if colour == WHITE_PIXELS { &WHITE } else { &BLACK };
            push_run(end - at, codes, &mut out);
            (at, colour) = (end, !colour);
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
