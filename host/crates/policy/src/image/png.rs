//! A page as a PNG, for people who want to see what was faxed (PNG third edition).

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};

use faxgate_domain::document::FaxPage;

/// Writes a page with one bit for each pixel; none when its data is damaged. Standard resolution has half as many
/// rows as columns for the same length, which few viewers honour: each row is written twice then.
#[must_use]
pub fn write(page: &FaxPage) -> Option<Vec<u8>> {
    let repeat = if page.y_dpi < 150 { 2 } else { 1 };
    let mut rows = Rows {
        width: page.width as usize,
        stride: page.width.div_ceil(8) as usize,
        repeat,
        left: page.height as usize,
        bits: Vec::new(),
    };
    let settings = DecodeSettings {
        columns: page.width,
        rows: page.height,
        end_of_block: true,
        end_of_line: false,
        rows_are_byte_aligned: false,
        encoding: EncodingMode::Group4,
        strict: true,
    };
    hayro_ccitt::decode(&page.g4, &mut rows, &mut DecoderContext::new(settings)).ok()?;
    let height = page.height.checked_mul(u32::try_from(repeat).ok()?)?;
    if rows.left > 0 {
        return None;
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, page.width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    // Dots per metre.
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: 8031,
        yppu: 7717,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&rows.bits).ok()?;
    writer.finish().ok()?;
    Some(out)
}

/// Packed rows, 0 is black.
struct Rows {
    width: usize,
    stride: usize,
    repeat: usize,
    left: usize,
    bits: Vec<u8>,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let Some(left) = self.left.checked_sub(1) else {
            return;
        };
        self.left = left;
        let mut row = vec![0xff_u8; self.stride];
        for pair in changes.chunks(2) {
            let from = pair.first().map_or(self.width, |x| *x as usize).min(self.width);
            let to = pair.get(1).map_or(self.width, |x| *x as usize).min(self.width);
            for x in from..to {
                if let Some(byte) = row.get_mut(x / 8) {
                    *byte &= !(0x80 >> (x % 8));
                }
            }
        }
        for _ in 0..self.repeat {
            self.bits.extend_from_slice(&row);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Eight white rows: eight times V0 (`1`), then the end of block.
    fn white(y_dpi: u16) -> FaxPage {
        FaxPage {
            width: 1728,
            height: 8,
            x_dpi: 204,
            y_dpi,
            g4: vec![0xff, 0x00, 0x10, 0x01],
            black: 0,
        }
    }

    #[test]
    fn rows_are_doubled_where_they_are_half_as_dense() {
        for (y_dpi, height) in [(196, 8), (98, 16)] {
            let png = write(&white(y_dpi)).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height), (1728, height));
            assert!(pixels.iter().all(|byte| *byte == 0xff));
        }
    }

    #[test]
    fn damaged_data_is_no_picture() {
        let mut page = white(196);
        page.height = 9;
        assert!(write(&page).is_none());
        page.g4 = vec![0; 40];
        assert!(write(&page).is_none());
    }
}
