//! Black and white pictures that Flate compresses better than Group 4, such as halftones.

use crate::raster::Bitmap;
use miniz_oxide::deflate::compress_to_vec_zlib;

/// Pixels for each bit of Group 4 code, at least, on a page of letters.
const PIXELS_PER_CODE_BIT: u64 = 8;

/// The bits of a picture compressed, black being 1, when that takes less than the `group4` bytes of their fax codes. Those
/// were made for letters: halftones and patterns they make no smaller, and they take long to be read.
pub(super) fn deflated(bitmap: &Bitmap, group4: usize) -> Option<Vec<u8>> {
    let pixels = u64::from(bitmap.width()) * u64::from(bitmap.height());
    if group4 as u64 * 8 * PIXELS_PER_CODE_BIT < pixels {
        return None;
    }
    let bytes = bitmap.width().div_ceil(8) as usize;
    let mut bits = Vec::with_capacity(bytes * bitmap.height() as usize);
    for words in bitmap.rows() {
        bits.extend(words.iter().flat_map(|word| word.to_be_bytes()).take(bytes));
    }
    let deflated = compress_to_vec_zlib(&bits, 1);
    (deflated.len() < group4).then_some(deflated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::encode;
    use miniz_oxide::inflate::decompress_to_vec_zlib;

    fn bitmap(black: impl Fn(u32, u32) -> bool) -> Bitmap {
        let mut bitmap = Bitmap::new(1001, 700);
        for (y, row) in (0..).zip(bitmap.rows_mut()) {
            for x in (0..1001).filter(|x| black(*x, y)) {
                row[x as usize / 64] |= 1 << (63 - x % 64);
            }
        }
        bitmap
    }

    #[test]
    fn patterns_are_deflated_and_letters_are_not() {
        let stripes = |x: u32, y: u32| (x + y) % 9 < 3;
        let pattern = bitmap(stripes);
        let codes = encode(&pattern).len();
        let deflated = deflated(&pattern, codes).unwrap();
        assert!(deflated.len() * 20 < codes, "{} of {codes}", deflated.len());
        let bits = decompress_to_vec_zlib(&deflated).unwrap();
        assert_eq!(bits.len(), 126 * 700);
        for (y, row) in (0..).zip(bits.chunks(126)) {
            let black = |x: u32| row[x as usize / 8] >> (7 - x % 8) & 1 == 1;
            assert!((0..1001).all(|x| black(x) == stripes(x, y)), "row {y}");
        }
        let letters = bitmap(|x, y| y / 30 % 2 == 0 && x / 20 % 2 == 0);
        let codes = encode(&letters).len();
        assert!(super::deflated(&letters, codes).is_none());
    }

    #[test]
    fn noise_that_nothing_makes_smaller_stays_in_fax_codes() {
        let noise = bitmap(|x, y| (x * 31 + y * 17).wrapping_mul(2_654_435_761) >> 29 == 0);
        let deflated = deflated(&noise, 1000);
        assert!(deflated.is_none(), "larger than the codes");
    }
}
