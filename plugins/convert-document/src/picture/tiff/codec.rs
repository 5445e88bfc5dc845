//! Decompression of one strip or tile.

use super::damaged;
use super::layout::Compression;
use crate::model::Failure;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use std::borrow::Cow;
use weezl::{BitOrder, decode::Configuration};

/// The first `length` bytes that a strip or tile holds.
pub(super) fn decompress(
    data: &[u8],
    compression: Compression,
    length: usize,
) -> Result<Cow<'_, [u8]>, Failure> {
    let mut bytes = match compression {
        Compression::None => Cow::Borrowed(data),
        Compression::Lzw => Cow::Owned(lzw(data, length)),
        Compression::PackBits => Cow::Owned(pack_bits(data, length)),
        // What was read before a wrong checksum or beyond the limit is there in either case.
        Compression::Deflate => Cow::Owned(match decompress_to_vec_zlib_with_limit(data, length) {
            Ok(bytes) => bytes,
            Err(error) => error.output,
        }),
    };
    if bytes.len() < length {
        return Err(damaged());
    }
    match &mut bytes {
        Cow::Borrowed(all) => *all = all.get(..length).unwrap_or_default(),
        Cow::Owned(all) => all.truncate(length),
    }
    Ok(bytes)
}

/// LZW as TIFF 6.0 has it, or as programs wrote it before TIFF 5: lowest bit first, and codes grow one later. The first
/// code is the clear code 256, which tells them apart.
fn lzw(data: &[u8], length: usize) -> Vec<u8> {
    let is_old = matches!(data, [0, second, ..] if second & 1 == 1);
    let configuration = if is_old {
        Configuration::new(BitOrder::Lsb, 8)
    } else {
        Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    let mut decoder = configuration.build();
    let mut out = vec![0; length];
    let (mut read, mut written) = (0, 0);
    while let (Some(input), Some(output)) = (data.get(read..), out.get_mut(written..)) {
        if output.is_empty() {
            break;
        }
        let step = decoder.decode_bytes(input, output);
        read += step.consumed_in;
        written += step.consumed_out;
        let stuck = step.consumed_in == 0 && step.consumed_out == 0;
        if stuck || !matches!(step.status, Ok(weezl::LzwStatus::Ok)) {
            break;
        }
    }
    out.truncate(written);
    out
}

/// PackBits (TIFF 6.0, section 9).
fn pack_bits(data: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    let mut rest = data;
    while out.len() < length
        && let Some((&count, after)) = rest.split_first()
    {
        rest = match count {
            0..=127 => {
                let count = usize::from(count) + 1;
                let Some((bytes, after)) = after.split_at_checked(count) else {
                    break;
                };
                out.extend_from_slice(bytes);
                after
            }
            128 => after,
            129.. => {
                let Some((byte, after)) = after.split_first() else {
                    break;
                };
                out.resize(out.len() + 257 - usize::from(count), *byte);
                after
            }
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_follow_the_example_of_the_standard() {
        let packed = [
            0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa,
        ];
        let plain = [
            0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0x22, 0xaa, 0xaa,
            0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
        ];
        assert_eq!(pack_bits(&packed, 24), plain);
        assert_eq!(pack_bits(&[0x80, 0x80, 0x00, 7], 1), [7]);
        for cut in 0..packed.len() {
            assert!(decompress(&packed[..cut], Compression::PackBits, 24).is_err());
        }
    }

    #[test]
    fn both_kinds_of_lzw_are_read() {
        let plain: Vec<u8> = (0..40_000_u32)
            .map(|i| (i.wrapping_mul(i) >> 7) as u8 & 31)
            .collect();
        let new = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
            .encode(&plain)
            .unwrap();
        let old = weezl::encode::Encoder::new(BitOrder::Lsb, 8)
            .encode(&plain)
            .unwrap();
        for packed in [&new, &old] {
            assert_eq!(decompress(packed, Compression::Lzw, plain.len()).unwrap(), plain);
            assert_eq!(*decompress(packed, Compression::Lzw, 100).unwrap(), plain[..100]);
            let half = &packed[..packed.len() / 2];
            assert!(decompress(half, Compression::Lzw, plain.len()).is_err());
        }
    }

    #[test]
    fn deflate_may_hold_more_and_not_less() {
        let plain = vec![5; 1000];
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&plain, 6);
        for length in [1, 999, 1000] {
            assert_eq!(
                decompress(&packed, Compression::Deflate, length).unwrap().len(),
                length
            );
        }
        assert!(decompress(&packed, Compression::Deflate, 1001).is_err());
    }
}
