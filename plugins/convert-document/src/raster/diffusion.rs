//! Error diffusion of one row after the other (Floyd and Steinberg, 1976), left to right.

use super::halftone::Greys;

/// Errors in sixteenths of a grey value, on their way to the next row.
pub(super) struct Diffusion {
    /// Error that the row above left for pixel `x`, at `x + 1`.
    here: Vec<i32>,
    /// The same for the row below.
    below: Vec<i32>,
    clean: bool,
}

/// Errors within a row.
#[derive(Default)]
struct Carry {
    /// For the next pixel.
    right: i32,
    /// For the pixel below, so far.
    under: i32,
    /// For the one left of that, so far.
    behind: i32,
}

impl Diffusion {
    /// For rows of so many words.
    pub(super) fn new(columns: usize) -> Self {
        let length = columns * 64 + 1;
        Self {
            here: vec![0; length],
            below: vec![0; length],
            clean: true,
        }
    }

    /// Drops the errors before a row that does not continue the last one.
    pub(super) fn reset(&mut self) {
        if !self.clean {
            self.here.fill(0);
            self.clean = true;
        }
    }

    /// Diffuses the words of a row that come with grey values, and stops errors at those that come without.
    pub(super) fn row<'a>(&mut self, words: impl Iterator<Item = (&'a mut u64, Option<&'a Greys>)>) {
        self.clean = false;
        let mut carry = Carry::default();
        let here = self.here.get(1..).unwrap_or_default().as_chunks::<64>().0;
        let (below, rest) = self.below.as_chunks_mut::<64>();
        for ((word, greys), (here, below)) in words.zip(here.iter().zip(below)) {
            match greys {
                Some(greys) => *word = carry.diffuse(greys, here, below),
                None => {
                    *below = [0; 64];
                    if let Some(slot) = below.first_mut() {
                        *slot = carry.behind;
                    }
                    carry = Carry::default();
                }
            }
        }
        if let Some(slot) = rest.first_mut() {
            *slot = carry.behind;
        }
        std::mem::swap(&mut self.here, &mut self.below);
    }
}

impl Carry {
    fn diffuse(&mut self, greys: &Greys, here: &[i32; 64], below: &mut [i32; 64]) -> u64 {
        let Self {
            mut right,
            mut under,
            mut behind,
        } = *self;
        let mut bits = 0;
        for ((grey, here), slot) in greys.iter().zip(here).zip(below) {
            // The half rounds the division, which is a shift; what follows waits for it from pixel to pixel.
            let wanted = i32::from(*grey) * 16 + 8 + here + right;
            let black = wanted < 128 * 16 + 8;
            bits = bits << 1 | u64::from(black);
            let error = (wanted >> 4) - if black { 0 } else { 255 };
            right = error * 7;
            *slot = behind + error * 3;
            behind = under + error * 5;
            under = error;
        }
        *self = Self { right, under, behind };
        bits
    }
}
