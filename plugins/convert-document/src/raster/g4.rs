//! Group 4 encoder (ITU-T T.6).
//!
//! Works on the pixels as they stand. Where much changes, what follows from the next few is looked up, several modes at a
//! time ([`ModeRun`]); where that shows nothing, the next changes are found 64 pixels at a time, by a count of leading zeros each.

use super::bitmap::Bitmap;
use super::codes::{BLACK, Code, END_OF_LINE, HORIZONTAL, LONG_MAKEUP, PASS, RunCodes, VERTICAL, WHITE};
use super::mode_table::{ModeRun, WINDOW_PIXELS};

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

/// The colour of the first of 64 pixels.
#[inline(always)]
fn colour_of_first(pixels: u64) -> u64 {
    0u64.wrapping_sub(pixels >> 63)
}

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

    /// Writes what is coded next, and gives back where the next `a0` is.
    #[inline(always)]
    fn encode(self, coded: &Row, a0: u32, colour: u64, out: &mut BitWriter) -> u32 {
        let Self { a1, b1, b2 } = self;
        if b2 < a1 {
            out.push(PASS);
            return a0 + b2;
        }
        let distance = a1.wrapping_sub(b1).wrapping_add(3);
        match VERTICAL.get(distance as usize) {
            Some(code) => {
                out.push(*code);
                a0 + a1
            }
            None => push_runs(coded, a0, a0 + a1, colour, out),
        }
    }
}

/// Codes one row against the row above.
#[inline(never)]
fn encode_row(coded: &Row, above: &Row, out: &mut BitWriter) {
    let start = Changes::far(coded, above, 0, WHITE_PIXELS);
    let mut a0 = start.encode(coded, 0, WHITE_PIXELS, out);
    while a0 < coded.width {
        a0 = push_mode_runs(coded, above, a0, out);
        a0 = push_mode(coded, above, a0, out);
    }
}

/// Codes as much as can be looked up, and gives back where the next `a0` is: before the end of the row.
#[inline(always)]
fn push_mode_runs(coded: &Row, above: &Row, mut a0: u32, out: &mut BitWriter) -> u32 {
    while coded.width - a0 >= WINDOW_PIXELS {
        let mut windows = (coded.window(a0), above.window(a0));
        let last = (a0 + 64).min(coded.width) - WINDOW_PIXELS;
        while a0 <= last {
            let Some(step) = ModeRun::of(windows.0, windows.1) else {
                return a0;
            };
            out.push(step.code());
            a0 += step.pixels();
            windows = (windows.0 << step.pixels(), windows.1 << step.pixels());
        }
    }
    a0
}

/// Codes what comes next, and gives back where the next `a0` is.
#[inline(always)]
fn push_mode(coded: &Row, above: &Row, a0: u32, out: &mut BitWriter) -> u32 {
    let windows = (coded.window(a0), above.window(a0));
    let colour = colour_of_first(windows.0);
    let near = Changes::near(windows.0 ^ colour, windows.1 ^ colour);
    let changes = near
        .filter(|_| coded.width - a0 >= 64)
        .unwrap_or_else(|| Changes::far(coded, above, a0, colour));
    changes.encode(coded, a0, colour, out)
}

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
    /// What is done, and room for more.
    bytes: Vec<u8>,
    /// Bytes that are done.
    done: usize,
    /// The last `held` bits not yet done, in the uppermost places; fewer than 8 between two codes.
    pending: u64,
    held: u32,
}

impl BitWriter {
    /// Always the same few instructions: whether a code fills a byte is hard to guess.
    #[inline(always)]
    fn push(&mut self, code: Code) {
        self.held += code.bits;
        self.pending |= u64::from(code.word) << (u64::BITS - self.held);
        let at = self.done;
        if at + 8 > self.bytes.len() {
            self.make_room();
        }
        if let Some(to) = self.bytes.get_mut(at..at + 8) {
            to.copy_from_slice(&self.pending.to_be_bytes());
        }
        let whole = self.held / 8;
        self.done += whole as usize;
        self.pending <<= whole * 8;
        self.held %= 8;
    }

    #[inline(never)]
    fn make_room(&mut self) {
        self.bytes.resize(2 * self.bytes.len() + 4096, 0);
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
        self.bytes.truncate(self.done + self.held.div_ceil(8) as usize);
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
        } else if out.held > 0 {
            out.push(Code {
                bits: 8 - out.held,
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
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
