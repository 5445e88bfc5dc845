//! A page in grey, and how coverage becomes ink on it.

use super::super::halftone::luma;
use super::glyphs::Mask;
use vello_common::fearless_simd::{Level, Simd, SimdBase, dispatch, u8x16, u16x8};
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

    /// The same for 16 pixels.
    #[inline(always)]
    fn on_all<S: Simd>(self, simd: S, pixels: u8x16<S>, coverage: u8x16<S>) -> u8x16<S> {
        let by_255 = |product: u16x8<S>| {
            let product = product + 128;
            (product + (product >> 8)) >> 8
        };
        let mix = |pixels: u16x8<S>, coverage: u16x8<S>| {
            let part = by_255(coverage * u16::from(self.opacity));
            by_255(pixels * (u16x8::splat(simd, 255) - part) + part * u16::from(self.luma))
        };
        let (pixels, coverage) = (simd.widen_u8x16(pixels), simd.widen_u8x16(coverage));
        simd.narrow_u16x8(mix(pixels.0, coverage.0), mix(pixels.1, coverage.1))
    }

    /// Puts it on four columns of four rows of this width, the first pixel being at `at`; not if there are fewer rows.
    #[inline(always)]
    fn cover_square<S: Simd>(
        self,
        simd: S,
        grey: &mut [u8],
        at: usize,
        width: usize,
        coverage: &[u8; 16],
    ) -> Option<()> {
        let mut pixels = [0; STRIP_ROWS * STRIP_ROWS];
        for (pixels, y) in pixels.as_chunks_mut::<STRIP_ROWS>().0.iter_mut().zip(0..) {
            *pixels = *grey.get(at + y * width..)?.first_chunk()?;
        }
        // Coverage is column by column.
        let coverage = simd.swizzle_dyn_u8x16(
            u8x16::load_array_ref(simd, coverage),
            u8x16::load_array(simd, [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15]),
        );
        self.on_all(simd, u8x16::load_array(simd, pixels), coverage)
            .store_slice(&mut pixels);
        for (pixels, y) in pixels.as_chunks::<STRIP_ROWS>().0.iter().zip(0..) {
            *grey.get_mut(at + y * width..)?.first_chunk_mut()? = *pixels;
        }
        Some(())
    }
}

/// What a shape is filled with.
pub(super) trait Filling {
    /// The inks of a row from this pixel on.
    fn inks(&self, x: usize, y: usize) -> impl Iterator<Item = Ink>;

    /// Puts them on some columns of a strip that begins at a place, as far as each pixel is covered.
    fn cover_columns(&self, paper: &mut Paper, place: (usize, usize), columns: &[[u8; STRIP_ROWS]]) {
        cover_one_by_one(self, paper, place, columns);
    }

    /// Puts them on whole pixels.
    fn cover(&self, x: usize, y: usize, pixels: &mut [u8]) {
        for (pixel, ink) in pixels.iter_mut().zip(self.inks(x, y)) {
            *pixel = ink.on(*pixel, u8::MAX);
        }
    }
}

fn cover_one_by_one(
    paint: &(impl Filling + ?Sized),
    paper: &mut Paper,
    (x, y): (usize, usize),
    columns: &[[u8; STRIP_ROWS]],
) {
    for (row, y) in (y..paper.height).take(STRIP_ROWS).enumerate() {
        let pixels = paper.grey.get_mut(y * paper.width + x..).unwrap_or_default();
        for ((pixel, column), ink) in pixels.iter_mut().zip(columns).zip(paint.inks(x, y)) {
            *pixel = ink.on(*pixel, column.get(row).copied().unwrap_or_default());
        }
    }
}

impl Filling for Ink {
    fn inks(&self, _: usize, _: usize) -> impl Iterator<Item = Ink> {
        std::iter::repeat(*self)
    }

    fn cover_columns(&self, paper: &mut Paper, (x, y): (usize, usize), columns: &[[u8; STRIP_ROWS]]) {
        let at = y * paper.width + x;
        let squares = columns.as_flattened().as_chunks().0;
        let mut done = 0;
        dispatch!(Level::new(), simd => for square in squares {
            if self.cover_square(simd, &mut paper.grey, at + done, paper.width, square).is_none() {
                break;
            }
            done += STRIP_ROWS;
        });
        // What is left at the end of a row and of the paper.
        cover_one_by_one(
            self,
            paper,
            (x + done, y),
            columns.get(done..).unwrap_or_default(),
        );
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
        each_part(strips, (self.width, self.height), |part| {
            let Part {
                x,
                y,
                length,
                covered,
            } = part;
            if let Some(columns) = covered {
                paint.cover_columns(self, (x, y), columns.get(..length).unwrap_or(columns));
                return;
            }
            for y in (y..self.height).take(STRIP_ROWS) {
                let begin = y * self.width + x;
                if let Some(pixels) = self.grey.get_mut(begin..begin + length) {
                    paint.cover(x, y, pixels);
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

/// A part of a strip, which is [`STRIP_ROWS`] high unless the paper ends there.
struct Part<'a> {
    x: usize,
    y: usize,
    /// Pixels across.
    length: usize,
    /// How much of each pixel is covered, in 255ths, column by column; nothing if all of all is.
    covered: Option<&'a [[u8; STRIP_ROWS]]>,
}

/// Goes through what strips cover of an area of this size.
fn each_part(storage: &StripStorage, (width, height): (usize, usize), mut visit: impl FnMut(Part<'_>)) {
    let tiles = |pixels: usize, side: u16| u16::try_from(pixels.div_ceil(side.into())).unwrap_or(u16::MAX);
    let bounds = RectU16::new(0, 0, tiles(width, Tile::WIDTH), tiles(height, Tile::HEIGHT));
    let part = |x0: u16, x1: u16, y: u16| Part {
        x: x0.into(),
        y: y.into(),
        length: usize::from(x1).min(width).saturating_sub(x0.into()),
        covered: None,
    };
    visit_strip_fill_segments(
        &storage.strips,
        bounds,
        &mut visit,
        |visit, segment| {
            let covered = storage
                .alphas
                .get(segment.alpha_idx as usize..)
                .unwrap_or_default();
            visit(Part {
                covered: Some(covered.as_chunks().0),
                ..part(segment.x0(), segment.x1(), segment.y())
            });
        },
        |visit, segment| visit(part(segment.x0(), segment.x1(), segment.y())),
    );
}

/// Goes through the rows that strips cover, of an area of this size: the first pixel, the row, how many pixels, and
/// how much of them is covered.
pub(super) fn each_row(
    storage: &StripStorage,
    (width, height): (usize, usize),
    mut row: impl FnMut(usize, usize, usize, Coverage<'_>),
) {
    each_part(storage, (width, height), |part| {
        for (n, y) in (part.y..height).take(STRIP_ROWS).enumerate() {
            let coverage = match part.covered {
                Some(columns) => Coverage::Columns(columns, n),
                None => Coverage::Whole,
            };
            row(part.x, y, part.length, coverage);
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// Four pixels at a time or one, at the end of rows and of the paper as well.
    #[test]
    fn squares_are_covered_as_pixels_are() {
        let columns: Vec<[u8; STRIP_ROWS]> = (0..11u8)
            .map(|x| [0, 1, 127, 255].map(|y: u8| y.wrapping_add(x * 23)))
            .collect();
        for (luma, opacity) in [(0, 255), (255, 255), (90, 255), (13, 100), (200, 1), (77, 0)] {
            let ink = Ink { luma, opacity };
            for place in [(0, 0), (3, 2), (9, 4), (9, 5), (9, 7)] {
                let mut papers = [(); 2].map(|()| {
                    let mut paper = Paper::default();
                    paper.renew(20, 8);
                    paper
                        .grey
                        .iter_mut()
                        .zip(0..)
                        .for_each(|(pixel, at)| *pixel = (at * 7 % 256) as u8);
                    paper
                });
                ink.cover_columns(&mut papers[0], place, &columns);
                cover_one_by_one(&ink, &mut papers[1], place, &columns);
                assert_eq!(papers[0].grey, papers[1].grey, "{luma} {opacity} {place:?}");
            }
        }
    }
}
