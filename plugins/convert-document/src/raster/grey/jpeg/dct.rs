//! The inverse cosine transform of a block (T.81, A.3.3), as Loeffler, Ligtenberg and Moschytz (1989) break it up, with eight
//! columns at a time.

use super::SIDE;
use vello_common::fearless_simd::{Bytes, Simd, SimdBase, i32x8};

/// Bits of the fractions that the factors are.
const FRACTION: u32 = 12;

/// A factor as a fixed-point number.
const fn factor(value: f64) -> i32 {
    (value * (1 << FRACTION) as f64 + 0.5) as i32
}

/// Eight sets of values to eight sets, the sums of each place. What comes out has [`FRACTION`] more bits, and `rounding` added.
#[inline(always)]
fn pass<S: Simd>(simd: S, v: [i32x8<S>; SIDE], rounding: i32) -> [i32x8<S>; SIDE] {
    let turn = (v[2] + v[6]) * factor(0.541_196_100);
    let (two, six) = (
        turn + v[2] * factor(0.765_366_865),
        turn - v[6] * factor(1.847_759_065),
    );
    let rounding = i32x8::splat(simd, rounding);
    let sum = ((v[0] + v[4]) << FRACTION) + rounding;
    let difference = ((v[0] - v[4]) << FRACTION) + rounding;
    let even = [sum + two, difference + six, difference - six, sum - two];

    let all = (v[7] + v[3] + v[5] + v[1]) * factor(1.175_875_602);
    let outer = (v[7] + v[1]) * factor(0.899_976_223);
    let inner = (v[5] + v[3]) * factor(2.562_915_447);
    let falling = all - (v[7] + v[3]) * factor(1.961_570_560);
    let rising = all - (v[5] + v[1]) * factor(0.390_180_644);
    let odd = [
        v[1] * factor(1.501_321_110) - outer + rising,
        v[3] * factor(3.072_711_026) - inner + falling,
        v[5] * factor(2.053_119_869) - inner + rising,
        v[7] * factor(0.298_631_336) - outer + falling,
    ];
    [
        even[0] + odd[0],
        even[1] + odd[1],
        even[2] + odd[2],
        even[3] + odd[3],
        even[3] - odd[3],
        even[2] - odd[2],
        even[1] - odd[1],
        even[0] - odd[0],
    ]
}

/// Rows made columns.
#[inline(always)]
fn turned<S: Simd>(simd: S, mut rows: [i32x8<S>; SIDE]) -> [i32x8<S>; SIDE] {
    // Each time, what is half a block apart comes to lie side by side; so a place's row and column change over.
    for _ in 0..SIDE.ilog2() {
        let [a, b, c, d, e, f, g, h] = rows;
        let [(a, e), (b, f), (c, g), (d, h)] =
            [(a, e), (b, f), (c, g), (d, h)].map(|(upper, lower)| simd.interleave_i32x8(upper, lower));
        rows = [a, e, b, f, c, g, d, h];
    }
    rows
}

/// Pixels of a block of coefficients, row by row from the lowest frequencies on.
#[inline(never)]
pub(super) fn inverse<S: Simd>(simd: S, block: &[i32; SIDE * SIDE]) -> [[u8; SIDE]; SIDE] {
    simd.vectorize(
        #[inline(always)]
        || inverse_of(simd, block),
    )
}

#[inline(always)]
fn inverse_of<S: Simd>(simd: S, block: &[i32; SIDE * SIDE]) -> [[u8; SIDE]; SIDE] {
    let (rows, _) = block.as_chunks::<SIDE>();
    let mut values = [i32x8::splat(simd, 0); SIDE];
    for (value, row) in values.iter_mut().zip(rows) {
        *value = i32x8::load_array_ref(simd, row);
    }
    // Two bits more are kept between the passes; both together make a value eight times as large.
    let columns = pass(simd, values, 1 << (FRACTION - 3)).map(|value| value >> (FRACTION - 2));
    let last = FRACTION + 2 + 3;
    let columns = pass(simd, turned(simd, columns), (1 << (last - 1)) + (128 << last));
    let columns = columns.map(|value| (value >> last).max(0).min(255));
    // A lane of these has four pixels of a row.
    let [a, b, c, d, e, f, g, h] = columns;
    let left = a | (b << 8) | (c << 16) | (d << 24);
    let right = e | (f << 8) | (g << 16) | (h << 24);
    let (upper, lower) = simd.interleave_i32x8(left, right);
    let mut pixels = [[0; SIDE]; SIDE];
    let halves = pixels.as_flattened_mut().as_chunks_mut::<32>().0;
    for (half, rows) in halves.iter_mut().zip([upper, lower]) {
        rows.to_bytes().store_slice(half);
    }
    pixels
}

/// The pixels of a block that has only this mean.
#[inline(always)]
pub(super) fn flat(dc: i32) -> u8 {
    (dc.wrapping_add(4 + (128 << 3)) >> 3).clamp(0, 255) as u8
}
