//! A page in grey, and how coverage becomes ink on it.

use super::super::halftone::luma;
use super::glyphs::Mask;
use vello_common::geometry::RectU16;
use vello_common::strip::visit_strip_fill_segments;
use vello_common::strip_generator::StripStorage;
use vello_common::tile::Tile;

/// Rows that a strip covers.
const STRIP_ROWS: usize = Tile::HEIGHT as usize;

/// Grey values row by row; 0 is black.
#[derive(Default)]
pub(super) struct Paper {
    width: usize,
    height: usize,
    grey: Vec<u8>,
}

/// What is put on the paper.
#[derive(Clone, Copy)]
pub(super) struct Ink {
    luma: u8,
    opacity: u8,
}

/// The part of some pixels of one row that a shape covers, in 255ths.
pub(super) enum Coverage<'a> {
    Whole,
    /// Four rows of a column each, and which of the rows is meant.
    Columns(&'a [[u8; STRIP_ROWS]], usize),
}

impl Ink {
    /// Of a colour (sRGB) with its opacity.
    pub(super) fn new([r, g, b, opacity]: [u8; 4]) -> Self {
        let luma = luma(r, g, b);
        Self { luma, opacity }
    }

    /// Opaque, of this grey value.
    pub(super) fn grey(luma: u8) -> Self {
        let opacity = u8::MAX;
        Self { luma, opacity }
    }

    /// Only so many 255ths of it.
    pub(super) fn thinned(self, part: u8) -> Self {
        let opacity = share(self.opacity, part);
        Self { opacity, ..self }
    }

    fn on(self, pixel: u8, coverage: u8) -> u8 {
        mix(pixel, self.luma, share(coverage, self.opacity))
    }
}

/// What a shape is filled with.
pub(super) trait Filling {
    /// The inks of a row from this pixel on.
    fn inks(&self, x: usize, y: usize) -> impl Iterator<Item = Ink>;

    /// Puts them on whole pixels.
    fn cover(&self, x: usize, y: usize, pixels: &mut [u8]) {
        for (pixel, ink) in pixels.iter_mut().zip(self.inks(x, y)) {
            *pixel = ink.on(*pixel, u8::MAX);
        }
    }
}

impl Filling for Ink {
    fn inks(&self, _: usize, _: usize) -> impl Iterator<Item = Ink> {
        std::iter::repeat(*self)
    }

    fn cover(&self, _: usize, _: usize, pixels: &mut [u8]) {
        if self.opacity == u8::MAX {
            pixels.fill(self.luma);
            return;
        }
        for pixel in pixels {
            *pixel = self.on(*pixel, u8::MAX);
        }
    }
}

/// A 255th part of a product, rounded.
fn share(a: u8, b: u8) -> u8 {
    let product = u16::from(a) * u16::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// `new` over `old`, `part` of it in 255ths.
fn mix(old: u8, new: u8, part: u8) -> u8 {
    // At most 255 * 255.
    let sum = u16::from(old) * u16::from(u8::MAX - part) + u16::from(new) * u16::from(part) + 128;
    ((sum + (sum >> 8)) >> 8) as u8
}

impl Paper {
    /// White paper of a size.
    pub(super) fn renew(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.grey.clear();
        self.grey.resize(width * height, u8::MAX);
    }

    pub(super) fn grey(&self) -> &[u8] {
        &self.grey
    }

    /// Draws a shape.
    pub(super) fn put_strips(&mut self, strips: &StripStorage, paint: &impl Filling) {
        let (width, height) = (self.width, self.height);
        each_row(strips, (width, height), |x, y, length, coverage| {
            let begin = y * width + x;
            let Some(pixels) = self.grey.get_mut(begin..begin + length) else {
                return;
            };
            match coverage {
                Coverage::Whole => paint.cover(x, y, pixels),
                Coverage::Columns(columns, row) => {
                    for ((pixel, column), ink) in pixels.iter_mut().zip(columns).zip(paint.inks(x, y)) {
                        *pixel = ink.on(*pixel, column.get(row).copied().unwrap_or_default());
                    }
                }
            }
        });
    }

    /// Draws a letter; what lies beyond the paper is left out.
    pub(super) fn put_mask(&mut self, placed: &Mask, ink: Ink) {
        let (left, top) = placed.place;
        let columns = placed.width();
        // What sticks out on the left and at the top.
        let (hidden_left, hidden_top) = (beyond(left), beyond(top));
        let (x, y) = (
            usize::try_from(left).unwrap_or(0),
            usize::try_from(top).unwrap_or(0),
        );
        if x >= self.width || columns == 0 {
            return;
        }
        let rows = self.grey.chunks_exact_mut(self.width).skip(y);
        let masks = placed.coverage().chunks_exact(columns).skip(hidden_top);
        for (row, mask) in rows.zip(masks) {
            let pixels = row.get_mut(x..).unwrap_or_default();
            let mask = mask.get(hidden_left..).unwrap_or_default();
            if ink.luma == 0 && ink.opacity == u8::MAX {
                for (pixel, coverage) in pixels.iter_mut().zip(mask) {
                    *pixel = share(*pixel, u8::MAX - *coverage);
                }
            } else {
                for (pixel, coverage) in pixels.iter_mut().zip(mask) {
                    *pixel = ink.on(*pixel, *coverage);
                }
            }
        }
    }
}

/// How far a place lies before the first one.
fn beyond(place: i32) -> usize {
    usize::try_from(place.saturating_neg()).unwrap_or(0)
}

/// Goes through the rows that strips cover, of an area of this size: the first pixel, the row, how many pixels, and
/// how much of them is covered.
pub(super) fn each_row(
    storage: &StripStorage,
    (width, height): (usize, usize),
    mut row: impl FnMut(usize, usize, usize, Coverage<'_>),
) {
    let tiles = |pixels: usize, side: u16| u16::try_from(pixels.div_ceil(side.into())).unwrap_or(u16::MAX);
    let bounds = RectU16::new(0, 0, tiles(width, Tile::WIDTH), tiles(height, Tile::HEIGHT));
    let span = |x0: u16, x1: u16| {
        (
            usize::from(x0),
            usize::from(x1).min(width).saturating_sub(x0.into()),
        )
    };
    let rows = |y: u16| (usize::from(y)..height).take(STRIP_ROWS).enumerate();
    visit_strip_fill_segments(
        &storage.strips,
        bounds,
        &mut row,
        |row, part| {
            let (x, length) = span(part.x0(), part.x1());
            let covered = storage.alphas.get(part.alpha_idx as usize..).unwrap_or_default();
            let columns = covered.as_chunks::<STRIP_ROWS>().0;
            for (n, y) in rows(part.y()) {
                row(x, y, length, Coverage::Columns(columns, n));
            }
        },
        |row, part| {
            let (x, length) = span(part.x0(), part.x1());
            for (_, y) in rows(part.y()) {
                row(x, y, length, Coverage::Whole);
            }
        },
    );
}
