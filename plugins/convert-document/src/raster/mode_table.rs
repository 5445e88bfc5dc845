//! Table of the Group 4 modes (ITU-T T.6) for a window of pixels and the pixels above it. Halftones have irregular modes;
//! a table avoids one mispredicted branch for each.

#![allow(
    clippy::indexing_slicing,
    reason = "what is indexed here, the compiler indexes: it refuses what is out of bounds"
)]

use super::codes::{BLACK, Code, HORIZONTAL, PASS, VERTICAL, WHITE};

/// Pixels of each row that index the table.
pub(super) const WINDOW_PIXELS: u32 = 7;

/// Consecutive modes as one code word, with the pixels they cover.
#[derive(Clone, Copy)]
pub(super) struct ModeRun(u32);

impl ModeRun {
    const WORD_BITS: u32 = 24;
    const LENGTH_BITS: u32 = 5;

    /// The modes that the pixels from `a0` on decide: those of the coded row and those above, in the most significant bits.
    /// `None` if they do not decide the first mode.
    #[inline(always)]
    pub(super) fn of(coded: u64, above: u64) -> Option<Self> {
        const REST: u32 = 64 - WINDOW_PIXELS;
        let index = (coded >> REST) << WINDOW_PIXELS | above >> REST;
        let step = MODE_TABLE.get(index as usize)?;
        (step.0 > 0).then_some(*step)
    }

    /// Its code words as one.
    #[inline(always)]
    pub(super) fn code(self) -> Code {
        Code {
            bits: self.0 >> Self::WORD_BITS & ((1 << Self::LENGTH_BITS) - 1),
            word: self.0 & ((1 << Self::WORD_BITS) - 1),
        }
    }

    /// How far it moves `a0`, which is less than [`WINDOW_PIXELS`].
    #[inline(always)]
    pub(super) fn pixels(self) -> u32 {
        self.0 >> (Self::WORD_BITS + Self::LENGTH_BITS)
    }

    const fn new(coded: u32, above: u32) -> Self {
        let (mut a0, mut step) = (0, Code { bits: 0, word: 0 });
        while let Some((code, pixels)) = mode(coded << a0, above << a0, WINDOW_PIXELS - a0) {
            if step.bits + code.bits > Self::WORD_BITS {
                break;
            }
            step = step.then(code);
            a0 += pixels;
        }
        Self(((a0 << Self::LENGTH_BITS | step.bits) << Self::WORD_BITS) | step.word)
    }
}

/// Mode runs by the pixels of the coded row, then by those above.
static MODE_TABLE: [ModeRun; 1 << (2 * WINDOW_PIXELS)] = {
    let mut steps = [ModeRun(0); 1 << (2 * WINDOW_PIXELS)];
    let mut index = 0;
    while index < steps.len() {
        let (coded, above) = (index >> WINDOW_PIXELS, index & ((1 << WINDOW_PIXELS) - 1));
        let top = u32::BITS - WINDOW_PIXELS;
        steps[index] = ModeRun::new((coded as u32) << top, (above as u32) << top);
        index += 1;
    }
    steps
};

/// The mode that comes first and how far it moves `a0`, if `known` pixels in the uppermost places decide it (T.6, 2.2.1).
const fn mode(coded: u32, above: u32, known: u32) -> Option<(Code, u32)> {
    let is_black = coded >> 31 == 1;
    // Pixels of the other colour are ones.
    let (coded, above) = if is_black {
        (!coded, !above)
    } else {
        (coded, above)
    };
    let a1 = coded.leading_zeros();
    let but_first = u32::MAX >> 1;
    let b1 = (above & !(above >> 1) & but_first).leading_zeros();
    let b2 = match b1 < known {
        true => (!above & u32::MAX >> b1).leading_zeros(),
        false => known,
    };
    if b2 < known && b2 < a1 {
        return Some((PASS, b2));
    }
    if a1 >= known || (b1 >= known && known - a1 <= 3) {
        return None;
    }
    if a1.abs_diff(b1) <= 3 {
        return Some((VERTICAL[(a1 + 3 - b1) as usize], a1));
    }
    let a2 = (!coded & u32::MAX >> a1).leading_zeros();
    if a2 >= known {
        return None;
    }
    let (before, after) = if is_black {
        (&BLACK, &WHITE)
    } else {
        (&WHITE, &BLACK)
    };
    let runs = before.terminating[a1 as usize].then(after.terminating[(a2 - a1) as usize]);
    Some((HORIZONTAL.then(runs), a2))
}
