//! The brightness of JPEG files as scanners and cameras write them (ITU-T T.81, sequential with Huffman codes): most of what
//! a scan takes to draw.
//!
//! Only sound files are read here, and only the first component: of others what they say is skipped. Whatever is progressive,
//! arithmetic, damaged or just unusual is left to the library, which also decides what becomes of a damaged file. Rows are
//! decoded when they are asked for, and only as many are held: memory for a whole scan takes time as well.

mod codes;
mod dct;
mod huffman;
mod segments;

use super::resample::{Grey, Rows, Scaled, Scaling, Source, scaled};
use codes::Codes;
use hayro::kurbo::{Affine, Size};
use huffman::Table;
use segments::{Component, Frame};
use vello_common::fearless_simd::{Level, Simd, dispatch};

/// Pixels of a block across and down.
const SIDE: usize = 8;

/// A picture whose rows are decoded from the top down.
pub(super) struct Scan<'a> {
    decoder: Decoder<'a>,
    size: (usize, usize),
    /// Pixels of a row, with those past the end of the picture that its last blocks have.
    width: usize,
    /// The rows from `top` on.
    held: Vec<u8>,
    top: usize,
}

impl<'a> Scan<'a> {
    /// Begins to read a file with a picture of this width and height; nothing when it isn't of the usual kind.
    pub(super) fn new(file: &'a [u8], size: (usize, usize)) -> Option<Self> {
        let frame = Frame::read(file)?;
        let decoder = (frame.size == size).then(|| Decoder::new(frame))??;
        Some(Self {
            width: decoder.units_across * decoder.blocks.0 * SIDE,
            decoder,
            size,
            held: Vec::new(),
            top: 0,
        })
    }
}

impl Scaled for Scan<'_> {
    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn scaled(self, put: Affine, area: Size, scaling: Scaling) -> Option<Vec<u8>> {
        let size = self.size;
        scaled(self, size, put, area, scaling)
    }
}

impl Source for Scan<'_> {
    fn rows(&mut self, first: usize, count: usize) -> Option<impl Rows> {
        if !self.holds(first + count) {
            self.forget_before(first);
            while !self.holds(first + count) {
                self.decode_more()?;
            }
        }
        let grey = self.held.get(first.checked_sub(self.top)? * self.width..)?;
        Some(Grey {
            grey,
            width: self.width,
        })
    }
}

impl Scan<'_> {
    /// Whether all rows before `end` are decoded.
    fn holds(&self, end: usize) -> bool {
        end <= self.top + self.held.len() / self.width
    }

    fn forget_before(&mut self, first: usize) {
        let over = first.saturating_sub(self.top) * self.width;
        let over = over.min(self.held.len());
        self.held.drain(..over);
        self.top += over / self.width;
    }

    fn decode_more(&mut self) -> Option<()> {
        let decoded = self.held.len();
        let more = self.width * SIDE * self.decoder.blocks.1;
        self.held.resize(decoded + more, 0);
        self.decoder.units_of_row(self.held.get_mut(decoded..)?)
    }
}

/// Those of a block, and room for what is coded past its end.
const COEFFICIENTS: usize = 128;

/// Reads units, which are blocks that are coded together (T.81, A.2).
struct Decoder<'a> {
    components: Vec<Component>,
    /// Blocks of the brightness in a unit across and down.
    blocks: (usize, usize),
    units_across: usize,
    /// Units from one restart to the next, and how many are left until then.
    per_restart: usize,
    left: usize,
    codes: Codes<'a>,
    last_dc: i32,
    /// Zero between two blocks, but for the first, which every block sets.
    coefficients: [i32; COEFFICIENTS],
}

impl<'a> Decoder<'a> {
    fn new(frame: Frame<'a>) -> Option<Self> {
        let first = frame.components.first()?;
        // A component on its own is coded block by block, whatever its share would be.
        let blocks = match frame.components.len() {
            1 => (1, 1),
            _ => (first.across, first.down),
        };
        let per_restart = frame.restart_interval.unwrap_or(usize::MAX);
        Some(Self {
            blocks,
            units_across: frame.size.0.div_ceil(SIDE * blocks.0),
            per_restart,
            left: per_restart,
            codes: Codes::new(frame.codes),
            components: frame.components,
            last_dc: 0,
            coefficients: [0; COEFFICIENTS],
        })
    }

    /// Decodes the next row of units into rows of pixels; nothing when the file isn't sound.
    fn units_of_row(&mut self, pixels: &mut [u8]) -> Option<()> {
        dispatch!(Level::new(), simd => (0..self.units_across).try_for_each(|unit| self.unit(simd, unit, pixels)))?;
        self.codes.is_within().then_some(())
    }

    #[inline(always)]
    fn unit<S: Simd>(&mut self, simd: S, unit: usize, pixels: &mut [u8]) -> Option<()> {
        if self.left == 0 {
            // Each part stands on its own (T.81, E.1.4).
            self.codes.restart()?;
            (self.last_dc, self.left) = (0, self.per_restart);
        }
        self.left -= 1;
        self.codes.make_ready()?;
        let (across, down) = self.blocks;
        let width = self.units_across * across * SIDE;
        for y in 0..down {
            for x in unit * across..(unit + 1) * across {
                let block = self.block(simd)?;
                let rows = pixels.chunks_exact_mut(width).skip(y * SIDE);
                for (row, pixels) in rows.zip(&block) {
                    *row.get_mut(x * SIDE..)?.first_chunk_mut()? = *pixels;
                }
            }
        }
        for other in 1..self.components.len() {
            self.skip(other)?;
        }
        Some(())
    }

    /// The pixels of the next block of the brightness.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S) -> Option<[[u8; SIDE]; SIDE]> {
        let is_flat = self.read()?;
        let (block, _) = self.coefficients.split_first_chunk_mut()?;
        if is_flat {
            return Some([[dct::flat(*block.first()?); SIDE]; SIDE]);
        }
        let pixels = dct::inverse(simd, block);
        *block = [0; SIDE * SIDE];
        Some(pixels)
    }

    /// Reads the coefficients of one block, and tells whether it has only a mean.
    ///
    /// Not inlined, and with the bits in a variable of its own, so that there are registers for what the loop changes.
    #[inline(never)]
    fn read(&mut self) -> Option<bool> {
        let component = self.components.first()?;
        let (data, mut bits) = self.codes.bits();
        let difference = bits.take(data, &component.dc)?;
        let mut index = 1;
        while index < 64 {
            let coefficient = bits.take(data, &component.ac)?;
            index += coefficient.skip;
            let place = component.places.get(index % component.places.len())?;
            let slot = usize::from(place.at) % COEFFICIENTS;
            *self.coefficients.get_mut(slot)? = coefficient.value.wrapping_mul(place.step.into());
            index += 1;
        }
        self.codes.set_bits(bits);
        self.last_dc = self.last_dc.wrapping_add(difference.value);
        *self.coefficients.first_mut()? = self.last_dc.wrapping_mul(component.dc_step);
        is_end_of_block(index).then_some(index == 1 + Table::END + 1)
    }

    /// Skips the blocks that a unit has of a component that isn't shown.
    #[inline(never)]
    fn skip(&mut self, component: usize) -> Option<()> {
        let component = self.components.get(component)?;
        let (data, mut bits) = self.codes.bits();
        for _ in 0..component.across * component.down {
            bits.take(data, &component.dc)?;
            let mut index = 1;
            while index < 64 {
                index += bits.take(data, &component.ac)?.skip + 1;
            }
            is_end_of_block(index).then_some(())?;
        }
        self.codes.set_bits(bits);
        Some(())
    }
}

/// Whether a block may end there: behind its last coefficient, or where it is said to be over, but not in a run of zeros.
fn is_end_of_block(index: usize) -> bool {
    index == 64 || index > Table::END
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
