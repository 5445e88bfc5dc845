//! A grey page buffer and the blending of coverage into it.

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
pub(super) struct GreyCanvas {
    width: usize,
    height: usize,
    grey: Vec<u8>,
}

/// A grey paint with opacity.
#[derive(Clone, Copy)]
pub(super) struct FillColor {
    luma: u8,
    opacity: u8,
}

/// The part of some pixels of one row that a shape covers, in 255ths.
pub(super) enum Coverage<'a> {
    Whole,
    /// Four rows of a column each, and which of the rows is meant.
    Columns(&'a [[u8; STRIP_ROWS]], usize),
}

impl FillColor {
    /// From an sRGB colour with its opacity.
    pub(super) fn new([r, g, b, opacity]: [u8; 4]) -> Self {
        let luma = luma(r, g, b);
        Self { luma, opacity }
    }

    /// An opaque grey value.
    pub(super) fn grey(luma: u8) -> Self {
        let opacity = u8::MAX;
        Self { luma, opacity }
    }

    /// The same paint with its opacity scaled by `part` 255ths.
    pub(super) fn with_coverage(self, part: u8) -> Self {
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

    /// Blends into a block of 4 by 4 pixels whose first pixel is at `at`, in rows of `width`; `None` when fewer than four
    /// rows are left.
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

/// Source of the paint of each pixel of a shape.
pub(super) trait FillSource {
    /// Paints of the row `y` from column `x` on.
    fn fills(&self, x: usize, y: usize) -> impl Iterator<Item = FillColor>;

    /// Blends into the columns of a strip that begins at `place`, weighted by the coverage of each pixel.
    fn cover_columns(&self, canvas: &mut GreyCanvas, place: (usize, usize), columns: &[[u8; STRIP_ROWS]]) {
        cover_one_by_one(self, canvas, place, columns);
    }

    /// Blends into fully covered pixels.
    fn cover(&self, x: usize, y: usize, pixels: &mut [u8]) {
        for (pixel, color) in pixels.iter_mut().zip(self.fills(x, y)) {
            *pixel = color.on(*pixel, u8::MAX);
        }
    }
}

fn cover_one_by_one(
    paint: &(impl FillSource + ?Sized),
    canvas: &mut GreyCanvas,
    (x, y): (usize, usize),
    columns: &[[u8; STRIP_ROWS]],
) {
    for (row, y) in (y..canvas.height).take(STRIP_ROWS).enumerate() {
        let pixels = canvas.grey.get_mut(y * canvas.width + x..).unwrap_or_default();
        for ((pixel, column), color) in pixels.iter_mut().zip(columns).zip(paint.fills(x, y)) {
            *pixel = color.on(*pixel, column.get(row).copied().unwrap_or_default());
        }
    }
}

impl FillSource for FillColor {
    fn fills(&self, _: usize, _: usize) -> impl Iterator<Item = FillColor> {
        std::iter::repeat(*self)
    }

    fn cover_columns(&self, canvas: &mut GreyCanvas, (x, y): (usize, usize), columns: &[[u8; STRIP_ROWS]]) {
        let at = y * canvas.width + x;
        let squares = columns.as_flattened().as_chunks().0;
        let mut done = 0;
        dispatch!(Level::new(), simd => for square in squares {
            if self.cover_square(simd, &mut canvas.grey, at + done, canvas.width, square).is_none() {
                break;
            }
            done += STRIP_ROWS;
        });
        // The rest at the end of a row and of the canvas.
        cover_one_by_one(
            self,
            canvas,
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

impl GreyCanvas {
    /// Resizes the canvas and makes it white.
    pub(super) fn clear_to_white(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.grey.clear();
        self.grey.resize(width * height, u8::MAX);
    }

    pub(super) fn grey(&self) -> &[u8] {
        &self.grey
    }

    /// Fills the area that strips cover.
    pub(super) fn fill_strips(&mut self, strips: &StripStorage, paint: &impl FillSource) {
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

    /// Fills a glyph mask, clipped to the canvas.
    pub(super) fn fill_mask(&mut self, placed: &Mask, color: FillColor) {
        let (left, top) = placed.place;
        let columns = placed.width();
        // Columns and rows clipped at the left and the top.
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
            if color.luma == 0 && color.opacity == u8::MAX {
                for (pixel, coverage) in pixels.iter_mut().zip(mask) {
                    *pixel = share(*pixel, u8::MAX - *coverage);
                }
            } else {
                for (pixel, coverage) in pixels.iter_mut().zip(mask) {
                    *pixel = color.on(*pixel, *coverage);
                }
            }
        }
    }
}

/// Distance of a negative coordinate from 0.
fn beyond(place: i32) -> usize {
    usize::try_from(place.saturating_neg()).unwrap_or(0)
}

/// A part of a strip, which is [`STRIP_ROWS`] high unless the canvas ends there.
struct Part<'a> {
    x: usize,
    y: usize,
    /// Pixels across.
    length: usize,
    /// How much of each pixel is covered, in 255ths, column by column; nothing if all of all is.
    covered: Option<&'a [[u8; STRIP_ROWS]]>,
}

/// Calls `visit` for each part of an area of this size that strips cover.
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

/// Calls `row` for each row of an area of this size that strips cover, with first column, row, length and coverage.
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

    /// Four pixels at a time or one, at the end of rows and of the canvas as well.
    #[test]
    fn squares_are_covered_as_pixels_are() {
        let columns: Vec<[u8; STRIP_ROWS]> = (0..11u8)
            .map(|x| [0, 1, 127, 255].map(|y: u8| y.wrapping_add(x * 23)))
            .collect();
        for (luma, opacity) in [(0, 255), (255, 255), (90, 255), (13, 100), (200, 1), (77, 0)] {
            let color = FillColor { luma, opacity };
            for place in [(0, 0), (3, 2), (9, 4), (9, 5), (9, 7)] {
                let mut canvases = [(); 2].map(|()| {
                    let mut canvas = GreyCanvas::default();
                    canvas.clear_to_white(20, 8);
                    canvas
                        .grey
                        .iter_mut()
                        .zip(0..)
                        .for_each(|(pixel, at)| *pixel = (at * 7 % 256) as u8);
                    canvas
                });
                color.cover_columns(&mut canvases[0], place, &columns);
                cover_one_by_one(&color, &mut canvases[1], place, &columns);
                assert_eq!(canvases[0].grey, canvases[1].grey, "{luma} {opacity} {place:?}");
            }
        }
    }
}
