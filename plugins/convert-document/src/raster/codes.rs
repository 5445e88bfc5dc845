//! Code words of ITU-T T.4 (run lengths) and T.6 (modes), as length and value.

/// One code word: its length in bits and its value, most significant bit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    /// Bits, at most 13 in the tables.
    pub(super) bits: u32,
    /// The word, right-aligned.
    pub(super) word: u32,
}

impl Code {
    /// This code and the next as one, of at most 32 bits.
    pub(super) const fn then(self, next: Self) -> Self {
        Self {
            bits: self.bits + next.bits,
            word: self.word << next.bits | next.word,
        }
    }
}

const fn c(bits: u32, word: u32) -> Code {
    Code { bits, word }
}

/// Pass mode (T.6 table 1).
pub(super) const PASS: Code = c(4, 1);
/// Horizontal mode, followed by two run lengths.
pub(super) const HORIZONTAL: Code = c(3, 1);
/// Vertical modes for a distance of -3 (left) to +3 (right).
pub(super) const VERTICAL: [Code; 7] = [c(7, 2), c(6, 2), c(3, 2), c(1, 1), c(3, 3), c(6, 3), c(7, 3)];
/// Half of the end-of-facsimile-block.
pub(super) const END_OF_LINE: Code = c(12, 1);

/// The run lengths of one colour.
pub(super) struct RunCodes {
    /// Runs of 0 to 63 pixels, which end a run.
    pub(super) terminating: [Code; 64],
    /// Multiples of 64 from 64 to 1728.
    pub(super) makeup: [Code; 27],
}

/// Multiples of 64 from 1792 to 2560, the same for both colours.
pub(super) const LONG_MAKEUP: [Code; 13] = [
    c(11, 0x08),
    c(11, 0x0c),
    c(11, 0x0d),
    c(12, 0x12),
    c(12, 0x13),
    c(12, 0x14),
    c(12, 0x15),
    c(12, 0x16),
    c(12, 0x17),
    c(12, 0x1c),
    c(12, 0x1d),
    c(12, 0x1e),
    c(12, 0x1f),
];

/// White runs (T.4 tables 2 and 3).
#[rustfmt::skip]
pub(super) const WHITE: RunCodes = RunCodes {
    terminating: [
    c(8, 0x35), c(6, 0x07), c(4, 0x07), c(4, 0x08), c(4, 0x0b), c(4, 0x0c), c(4, 0x0e), c(4, 0x0f),
    c(5, 0x13), c(5, 0x14), c(5, 0x07), c(5, 0x08), c(6, 0x08), c(6, 0x03), c(6, 0x34), c(6, 0x35),
    c(6, 0x2a), c(6, 0x2b), c(7, 0x27), c(7, 0x0c), c(7, 0x08), c(7, 0x17), c(7, 0x03), c(7, 0x04),
    c(7, 0x28), c(7, 0x2b), c(7, 0x13), c(7, 0x24), c(7, 0x18), c(8, 0x02), c(8, 0x03), c(8, 0x1a),
    c(8, 0x1b), c(8, 0x12), c(8, 0x13), c(8, 0x14), c(8, 0x15), c(8, 0x16), c(8, 0x17), c(8, 0x28),
    c(8, 0x29), c(8, 0x2a), c(8, 0x2b), c(8, 0x2c), c(8, 0x2d), c(8, 0x04), c(8, 0x05), c(8, 0x0a),
    c(8, 0x0b), c(8, 0x52), c(8, 0x53), c(8, 0x54), c(8, 0x55), c(8, 0x24), c(8, 0x25), c(8, 0x58),
    c(8, 0x59), c(8, 0x5a), c(8, 0x5b), c(8, 0x4a), c(8, 0x4b), c(8, 0x32), c(8, 0x33), c(8, 0x34),
    ],
    makeup: [
    c(5, 0x1b), c(5, 0x12), c(6, 0x17), c(7, 0x37), c(8, 0x36), c(8, 0x37), c(8, 0x64), c(8, 0x65),
    c(8, 0x68), c(8, 0x67), c(9, 0xcc), c(9, 0xcd), c(9, 0xd2), c(9, 0xd3), c(9, 0xd4), c(9, 0xd5),
    c(9, 0xd6), c(9, 0xd7), c(9, 0xd8), c(9, 0xd9), c(9, 0xda), c(9, 0xdb), c(9, 0x98), c(9, 0x99),
    c(9, 0x9a), c(6, 0x18), c(9, 0x9b),
    ],
};

/// Black runs (T.4 tables 2 and 3).
#[rustfmt::skip]
pub(super) const BLACK: RunCodes = RunCodes {
    terminating: [
    c(10, 0x37), c(3, 0x02), c(2, 0x03), c(2, 0x02), c(3, 0x03), c(4, 0x03), c(4, 0x02), c(5, 0x03),
    c(6, 0x05), c(6, 0x04), c(7, 0x04), c(7, 0x05), c(7, 0x07), c(8, 0x04), c(8, 0x07), c(9, 0x18),
    c(10, 0x17), c(10, 0x18), c(10, 0x08), c(11, 0x67), c(11, 0x68), c(11, 0x6c), c(11, 0x37), c(11, 0x28),
    c(11, 0x17), c(11, 0x18), c(12, 0xca), c(12, 0xcb), c(12, 0xcc), c(12, 0xcd), c(12, 0x68), c(12, 0x69),
    c(12, 0x6a), c(12, 0x6b), c(12, 0xd2), c(12, 0xd3), c(12, 0xd4), c(12, 0xd5), c(12, 0xd6), c(12, 0xd7),
    c(12, 0x6c), c(12, 0x6d), c(12, 0xda), c(12, 0xdb), c(12, 0x54), c(12, 0x55), c(12, 0x56), c(12, 0x57),
    c(12, 0x64), c(12, 0x65), c(12, 0x52), c(12, 0x53), c(12, 0x24), c(12, 0x37), c(12, 0x38), c(12, 0x27),
    c(12, 0x28), c(12, 0x58), c(12, 0x59), c(12, 0x2b), c(12, 0x2c), c(12, 0x5a), c(12, 0x66), c(12, 0x67),
    ],
    makeup: [
    c(10, 0x0f), c(12, 0xc8), c(12, 0xc9), c(12, 0x5b), c(12, 0x33), c(12, 0x34), c(12, 0x35), c(13, 0x6c),
    c(13, 0x6d), c(13, 0x4a), c(13, 0x4b), c(13, 0x4c), c(13, 0x4d), c(13, 0x72), c(13, 0x73), c(13, 0x74),
    c(13, 0x75), c(13, 0x76), c(13, 0x77), c(13, 0x52), c(13, 0x53), c(13, 0x54), c(13, 0x55), c(13, 0x5a),
    c(13, 0x5b), c(13, 0x64), c(13, 0x65),
    ],
};
