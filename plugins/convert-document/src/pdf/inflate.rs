//! Checks compressed streams without keeping what is in them.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// The window of deflate (RFC 1951); output wraps around in it.
const WINDOW: usize = 32 * 1024;
/// Inflated bytes after which the rest is taken on trust.
const ENOUGH: usize = 32 * 1024 * 1024;

/// Whether the data is zlib (RFC 1950) or bare deflate that inflates to the end of its last block. The checksum
/// is not looked at: some programs cut it off, and every viewer forgives that.
pub(crate) fn is_whole(data: &[u8]) -> bool {
    inflates(blocks(data), ENOUGH)
}

/// Whether something of the data can be inflated.
pub(crate) fn begins_well(data: &[u8]) -> bool {
    inflates(blocks(data), 1)
}

/// What comes after the header, if there is one.
fn blocks(data: &[u8]) -> &[u8] {
    match data {
        [method, flags, rest @ ..]
            if method & 0x0f == 8
                && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
                && flags & 0x20 == 0 =>
        {
            rest
        }
        _ => data,
    }
}

/// Whether data inflates to its end, or to so many bytes.
fn inflates(mut data: &[u8], enough: usize) -> bool {
    let mut state = DecompressorOxide::new();
    let mut window = vec![0; WINDOW];
    let (mut at, mut total) = (0, 0);
    loop {
        let (status, read, written) = decompress(&mut state, data, &mut window, at, 0);
        data = data.get(read..).unwrap_or_default();
        at = (at + written) % WINDOW;
        total += written;
        match status {
            TINFLStatus::Done => return true,
            TINFLStatus::HasMoreOutput if total < enough => {}
            TINFLStatus::HasMoreOutput => return true,
            _ => return total >= enough,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    #[test]
    fn whole_streams_pass_and_cut_ones_do_not() {
        let content: Vec<u8> = (0..200_000u32)
            .flat_map(|i| (i.wrapping_mul(i) >> 7).to_le_bytes())
            .collect();
        let zlib = compress_to_vec_zlib(&content, 6);
        assert!(is_whole(&zlib));
        assert!(is_whole(&compress_to_vec(&content, 6)));
        assert!(
            is_whole(&zlib[..zlib.len() - 4]),
            "a missing checksum is forgiven"
        );
        assert!(!is_whole(&zlib[..zlib.len() / 2]));
        let mut spoilt = zlib;
        let middle = spoilt.len() / 2;
        spoilt[middle..middle + 64].fill(0xff);
        assert!(!is_whole(&spoilt));
        assert!(begins_well(&spoilt));
        spoilt[2..64].fill(0xff);
        assert!(!begins_well(&spoilt));
        assert!(!begins_well(b""));
    }
}
