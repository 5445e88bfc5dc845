//! Averages the pixels of a picture down to those of a page, or copies them.
//!
//! Down first, then across, each in vectors of 16 pixels: what a row of the page takes of the rows of the picture is the
//! same for all columns, and where a column of the page takes its pixels from is the same in all rows, so it is looked up
//! once for a page.

use super::pixel_plane::{Pixels, Plane};
use hayro::kurbo::{Affine, Size};
use vello_common::fearless_simd::{Bytes, Level, Simd, SimdBase, dispatch, u8x16, u16x8};

/// Pixels that are worked on at once.
const LANES: usize = 16;
/// Half as many, which a vector of sums holds.
const SUMS: usize = LANES / 2;
/// Pixels of the picture that a vector of sums may take its from.
const REACH: usize = 2 * LANES;

/// How pixels become larger or smaller.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scaling {
    /// Each place has the mean of the pixels on it.
    Mean,
    /// The same where the picture gets smaller; where it gets larger, each place has the pixel under its middle, so that
    /// black and white stay black and white.
    Exact,
}

/// Places of the page with the pixels of the picture that each takes.
struct Shares {
    /// First pixel of the picture, per place of the page; never falls.
    first: Vec<usize>,
    /// Weights of the pixels from there on in 256ths, per place as many as the place with the most needs; 256 together.
    /// Places that the picture doesn't cover have its nearest pixel.
    weights: Vec<u16>,
    /// Weights per place.
    most: usize,
}

impl Shares {
    /// For `places` of the page that `pixels` of the picture are put on, the first at `offset`.
    fn new(places: usize, pixels: usize, scale: f64, offset: f64, scaling: Scaling) -> Self {
        // Scales that come out of a division miss 1 by a rounding.
        if scaling == Scaling::Exact && scale > 1.0 - 1e-6 {
            let under = |place: usize| (place as f64 + 0.5 - offset) / scale;
            let last = pixels.saturating_sub(1) as f64;
            return Self {
                first: (0..places)
                    .map(|place| under(place).clamp(0.0, last) as usize)
                    .collect(),
                weights: vec![256; places],
                most: 1,
            };
        }
        let most = (1.0 / scale).ceil().min(pixels as f64) as usize + 1;
        let mut shares = Self {
            first: Vec::with_capacity(places),
            weights: Vec::with_capacity(places * most),
            most,
        };
        for place in 0..places {
            let at = |place: usize| ((place as f64 - offset) / scale).clamp(0.0, pixels as f64);
            shares.add(at(place), at(place + 1), pixels);
        }
        shares
    }

    /// Adds a place that the pixels between two points lie on.
    fn add(&mut self, begin: f64, end: f64, pixels: usize) {
        let first = (begin as usize).min(pixels.saturating_sub(1));
        let length = end - begin;
        let mut given = 0;
        self.first.push(first);
        self.weights.extend((first..first + self.most).map(|pixel| {
            // What was given so far is rounded, not each weight: so the sum comes out right.
            let through = ((pixel as f64 + 1.0).min(end) - begin).max(0.0) / length * 256.0;
            let through = if length > 1e-9 {
                through.round() as u16
            } else {
                256
            };
            let weight = through.min(256).saturating_sub(given);
            given += weight;
            weight
        }));
    }

    fn places(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let weights = self.weights.chunks_exact(self.most);
        self.first.iter().copied().zip(weights)
    }
}

/// Columns of the page, [`SUMS`] at a time.
struct Columns {
    /// First pixel that the columns of a group take.
    begins: Vec<usize>,
    /// Which pixels from there on, in turn with their weights; as many of each per group as a column has.
    taps: Vec<([u8; LANES], [u16; SUMS])>,
    taps_per_group: usize,
    /// Some pixels lie further from the first of their group than a vector reaches.
    far: bool,
}

impl Columns {
    /// Nothing if some column takes pixels from out of reach.
    fn new(shares: &Shares) -> Option<Self> {
        let mut columns = Self {
            begins: Vec::new(),
            taps: Vec::new(),
            taps_per_group: shares.most,
            far: false,
        };
        let places: Vec<_> = shares.places().collect();
        for group in places.chunks(SUMS) {
            let begin = group.first().map_or(0, |(first, _)| *first);
            columns.begins.push(begin);
            for tap in 0..shares.most {
                let (mut from, mut of) = ([0; LANES], [0; SUMS]);
                for ((from, of), (first, weights)) in from.iter_mut().zip(&mut of).zip(group) {
                    *of = weights.get(tap).copied().unwrap_or(0);
                    if *of > 0 {
                        let reach = first - begin + tap;
                        columns.far |= reach >= LANES;
                        *from = u8::try_from(reach).ok().filter(|_| reach < REACH)?;
                    }
                }
                columns.taps.push((from, of));
            }
        }
        Some(columns)
    }

    /// Averages one row of pixels, which goes on for [`REACH`] beyond its end, into all groups of columns.
    #[inline(never)]
    fn average<S: Simd>(&self, simd: S, row: &[u8], out: &mut [[u8; SUMS]]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let groups = self
                    .begins
                    .iter()
                    .zip(self.taps.chunks_exact(self.taps_per_group));
                for (out, (begin, taps)) in out.iter_mut().zip(groups) {
                    *out = self.mean(simd, row.get(*begin..).unwrap_or_default(), taps);
                }
            },
        );
    }

    /// The means of one group, whose pixels `row` begins with.
    #[inline(always)]
    fn mean<S: Simd>(&self, simd: S, row: &[u8], taps: &[([u8; LANES], [u16; SUMS])]) -> [u8; SUMS] {
        let Some([low, high]) = row.as_chunks().0.first_chunk() else {
            return [0; SUMS];
        };
        let (low, high) = (
            u8x16::load_array_ref(simd, low),
            u8x16::load_array_ref(simd, high),
        );
        let mut sums = u16x8::splat(simd, 0);
        for (from, of) in taps {
            let from = u8x16::load_array_ref(simd, from);
            // An index past the end of a vector gives 0.
            let mut pixels = simd.swizzle_dyn_precise_u8x16(low, from);
            if self.far {
                pixels |= simd.swizzle_dyn_precise_u8x16(high, from - LANES as u8);
            }
            sums += simd.widen_u8x16(pixels).0 * u16x8::load_array_ref(simd, of);
        }
        let means = simd.narrow_u16x8(sums >> 8, sums);
        means.as_slice().first_chunk().copied().unwrap_or_default()
    }
}

/// Where the rows of a picture come from, each taken after those above it.
pub(super) trait Source {
    /// So many rows from `first` on, which never falls; nothing when they can't be had.
    fn rows(&mut self, first: usize, count: usize) -> Option<impl Rows>;
}

/// Rows that give up their pixels [`LANES`] at a time.
pub(super) trait Rows: Copy {
    /// Those from this column on, which is a multiple of [`LANES`]. What lies past the end of the row is any grey.
    fn pixels<S: Simd>(self, simd: S, row: usize, column: usize) -> u8x16<S>;
}

/// Rows with a byte for each pixel.
#[derive(Clone, Copy)]
pub(super) struct Grey<'a> {
    pub(super) grey: &'a [u8],
    /// Pixels from the beginning of a row to that of the next.
    pub(super) width: usize,
}

impl Source for Grey<'_> {
    fn rows(&mut self, first: usize, _: usize) -> Option<impl Rows> {
        let grey = self.grey.get(first * self.width..)?;
        Some(Grey { grey, ..*self })
    }
}

impl Rows for Grey<'_> {
    #[inline(always)]
    fn pixels<S: Simd>(self, simd: S, row: usize, column: usize) -> u8x16<S> {
        let rest = self.grey.get(row * self.width + column..).unwrap_or_default();
        match rest.first_chunk() {
            Some(pixels) => u8x16::load_array_ref(simd, pixels),
            None => {
                let mut last = [0; LANES];
                last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                u8x16::load_array(simd, last)
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Bits<'a> {
    bits: &'a [u8],
    bytes_per_row: usize,
    /// What is compared with the place of each bit: equal is white.
    white: [u8; LANES],
}

impl Source for Bits<'_> {
    fn rows(&mut self, first: usize, _: usize) -> Option<impl Rows> {
        let bits = self.bits.get(first * self.bytes_per_row..)?;
        Some(Bits { bits, ..*self })
    }
}

/// The place that a pixel has in its byte.
const PLACES: [u8; LANES] = [128, 64, 32, 16, 8, 4, 2, 1, 128, 64, 32, 16, 8, 4, 2, 1];
/// The byte of two that a pixel is in.
const BYTES: [u8; LANES] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];

impl Rows for Bits<'_> {
    #[inline(always)]
    fn pixels<S: Simd>(self, simd: S, row: usize, column: usize) -> u8x16<S> {
        let at = row * self.bytes_per_row + column / 8;
        let two = match self.bits.get(at..).and_then(<[u8]>::first_chunk) {
            Some(two) => u16::from_le_bytes(*two),
            None => self.bits.get(at).copied().map_or(0, u16::from),
        };
        let two = u16x8::splat(simd, two).to_bytes();
        let spread = simd.swizzle_dyn_u8x16(two, u8x16::load_array(simd, BYTES));
        let set = spread & u8x16::load_array(simd, PLACES);
        let is_white = simd.simd_eq_u8x16(set, u8x16::load_array(simd, self.white));
        simd.select_u8x16(is_white, u8x16::splat(simd, 255), u8x16::splat(simd, 0))
    }
}

/// The weighted mean of some rows of a picture.
#[inline(never)]
fn mean_of_rows<S: Simd>(simd: S, rows: impl Rows, weights: &[u16], out: &mut [u8]) {
    simd.vectorize(
        #[inline(always)]
        || {
            for (index, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let (mut low, mut high) = (u16x8::splat(simd, 0), u16x8::splat(simd, 0));
                for (row, weight) in weights.iter().enumerate() {
                    let pixels = simd.widen_u8x16(rows.pixels(simd, row, index * LANES));
                    low += pixels.0 * *weight;
                    high += pixels.1 * *weight;
                }
                simd.narrow_u16x8(low >> 8, high >> 8).store_slice(out);
            }
        },
    );
}

/// The page as lines, each `columns.first.len()` long; nothing when rows can't be had.
#[inline(always)]
fn lines<S: Simd>(
    simd: S,
    mut source: impl Source,
    width: usize,
    columns: &Shares,
    rows: &Shares,
) -> Option<Vec<u8>> {
    let across = columns.first.len();
    let mut out = vec![0; across * rows.first.len()];
    let grouped = Columns::new(columns);
    let width = width.next_multiple_of(LANES);
    let mut row = vec![0; width + REACH.max(columns.most)];
    let mut line = vec![[0; SUMS]; across.div_ceil(SUMS)];
    for (out, (first, weights)) in out.chunks_exact_mut(across.max(1)).zip(rows.places()) {
        let needed = weights.iter().rposition(|weight| *weight > 0).unwrap_or(0);
        let weights = weights.get(..=needed).unwrap_or_default();
        mean_of_rows(
            simd,
            source.rows(first, weights.len())?,
            weights,
            row.get_mut(..width).unwrap_or_default(),
        );
        match &grouped {
            Some(columns) => {
                columns.average(simd, &row, &mut line);
                out.iter_mut()
                    .zip(line.as_flattened())
                    .for_each(|(to, from)| *to = *from);
            }
            None => {
                for (out, (first, weights)) in out.iter_mut().zip(columns.places()) {
                    *out = mean(weights, row.get(first..).unwrap_or_default());
                }
            }
        }
    }
    Some(out)
}

/// The weighted mean of pixels.
fn mean(weights: &[u16], pixels: &[u8]) -> u8 {
    let weighed = weights.iter().zip(pixels);
    let sum: u32 = weighed
        .map(|(weight, pixel)| u32::from(*weight) * u32::from(*pixel))
        .sum();
    (sum >> 8) as u8
}

/// Rows of `width` pixels made columns, and columns rows.
fn turned(grey: &[u8], width: usize) -> Vec<u8> {
    let height = grey.len().checked_div(width).unwrap_or(0);
    let mut out = vec![0; grey.len()];
    let (across, down) = (width / LANES * LANES, height / LANES * LANES);
    dispatch!(Level::new(), simd => for top in (0..down).step_by(LANES) {
        for left in (0..across).step_by(LANES) {
            turn_square(simd, grey, width, (left, top), &mut out, height);
        }
    });
    // What is left over at the right and at the bottom.
    let mut turn = |x: usize, y: usize| {
        if let (Some(to), Some(from)) = (out.get_mut(x * height + y), grey.get(y * width + x)) {
            *to = *from;
        }
    };
    (0..height).for_each(|y| (across..width).for_each(|x| turn(x, y)));
    (down..height).for_each(|y| (0..across).for_each(|x| turn(x, y)));
    out
}

/// Turns the square of [`LANES`] pixels that begins at a place.
#[inline(always)]
fn turn_square<S: Simd>(
    simd: S,
    grey: &[u8],
    width: usize,
    (left, top): (usize, usize),
    out: &mut [u8],
    height: usize,
) {
    let mut square = [u8x16::splat(simd, 0); LANES];
    for (row, pixels) in (top..).zip(&mut square) {
        let row = grey.get(row * width + left..).and_then(<[u8]>::first_chunk);
        if let Some(row) = row {
            *pixels = u8x16::load_array_ref(simd, row);
        }
    }
    // Each time, what is half a square apart comes to lie side by side; so a place's row and column change over.
    for _ in 0..LANES.ilog2() {
        let mut next = square;
        let (upper, lower) = square.split_at(LANES / 2);
        for ([even, odd], (a, b)) in next.as_chunks_mut().0.iter_mut().zip(upper.iter().zip(lower)) {
            *even = simd.zip_low_u8x16(*a, *b);
            *odd = simd.zip_high_u8x16(*a, *b);
        }
        square = next;
    }
    for (row, pixels) in (left..).zip(&square) {
        if let Some(out) = out
            .get_mut(row * height + top..)
            .and_then(<[u8]>::first_chunk_mut::<LANES>)
        {
            pixels.store_slice(out);
        }
    }
}

/// Pixels that can be put on a page.
pub(super) trait Scaled {
    /// Width and height.
    fn size(&self) -> (usize, usize);

    /// The grey values of an area of whole pixels, on which these are put so that they cover it but for its edges. Nothing
    /// when they can't be had.
    fn scaled(self, put: Affine, area: Size, scaling: Scaling) -> Option<Vec<u8>>;
}

impl Scaled for &Plane {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn scaled(self, put: Affine, area: Size, scaling: Scaling) -> Option<Vec<u8>> {
        let (width, size) = (self.width, self.size());
        match &self.pixels {
            Pixels::Grey(grey) => scaled(Grey { grey, width }, size, put, area, scaling),
            Pixels::Bits { bits, black } => {
                let source = Bits {
                    bits,
                    bytes_per_row: width.div_ceil(8),
                    white: if *black { [0; LANES] } else { PLACES },
                };
                scaled(source, size, put, area, scaling)
            }
        }
    }
}

/// The same for rows of pixels of this width and height.
pub(super) fn scaled(
    source: impl Source,
    (width, height): (usize, usize),
    put: Affine,
    area: Size,
    scaling: Scaling,
) -> Option<Vec<u8>> {
    // One that lies on its side is averaged as it lies. What is turned then is the page, which is smaller.
    let [a, b, c, d, e, f] = put.as_coeffs();
    let sideways = b.abs() > a.abs();
    let ([x_scale, y_scale], [left, top], [across, down]) = match sideways {
        true => ([b, c], [f, e], [area.height, area.width]),
        false => ([a, d], [e, f], [area.width, area.height]),
    };
    // One that is mirrored is averaged as if the page were, which is mirrored then.
    let shares = |length: f64, pixels: usize, scale: f64, offset: f64| {
        let offset = if scale < 0.0 { length - offset } else { offset };
        Shares::new(length as usize, pixels, scale.abs(), offset, scaling)
    };
    let columns = shares(across, width, x_scale, left);
    let rows = shares(down, height, y_scale, top);
    let mut out = dispatch!(Level::new(), simd => lines(simd, source, width, &columns, &rows))?;
    match (x_scale < 0.0, y_scale < 0.0) {
        (false, false) => {}
        (true, true) => out.reverse(),
        (mirrored, _) => {
            if !mirrored {
                out.reverse();
            }
            out.chunks_exact_mut((across as usize).max(1))
                .for_each(<[u8]>::reverse);
        }
    }
    Some(match sideways {
        true => turned(&out, across as usize),
        false => out,
    })
}

#[cfg(test)]
mod tests;
