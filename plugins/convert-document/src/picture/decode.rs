//! PNG, GIF, BMP and WebP, by way of the `image` crate.

use super::place::Resolution;
use super::{MAX_BYTES, PageImage, Pixels, broken, check_size};
use crate::model::{Failure, FailureKind};
use crate::raster::Bitmap;
use crate::sniff::Picture;
use image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder,
};
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageError, Limits};
use std::io::Cursor;

/// Grey denser than this, in pixels across a page, is averaged down: 8.5 inches at 204 dots per inch.
const FAX_WIDTH: u32 = 1734;

/// Decodes a picture; the first frame of an animation.
pub(super) fn read(data: &[u8], format: Picture, notes: &mut Vec<String>) -> Result<PageImage, Failure> {
    let source = || Cursor::new(data);
    let (image, orientation, resolution, animated) = match format {
        Picture::Png => {
            let decoder = PngDecoder::new(source()).map_err(failure_from)?;
            decode_with(decoder, png_resolution(data), false)?
        }
        Picture::Gif => {
            let decoder = GifDecoder::new(source()).map_err(failure_from)?;
            let (width, height) = decoder.dimensions();
            check_size(width, height)?;
            let animated =
                GifDecoder::new(source()).is_ok_and(|gif| gif.into_frames().take(2).flatten().count() > 1);
            decode_with(decoder, None, animated)?
        }
        Picture::Bmp => decode_with(
            BmpDecoder::new(source()).map_err(failure_from)?,
            bmp_resolution(data),
            false,
        )?,
        Picture::WebP => {
            let decoder = WebPDecoder::new(source()).map_err(failure_from)?;
            let animated = decoder.has_animation();
            decode_with(decoder, None, animated)?
        }
        Picture::Jpeg => decode_with(JpegDecoder::new(source()).map_err(failure_from)?, None, false)?,
    };
    if animated {
        notes.push("The picture is animated; only its first frame is faxed.".to_owned());
    }
    Ok(PageImage {
        pixels: pixels(image),
        resolution,
        orientation,
    })
}

/// Decodes a JPEG file.
pub(super) fn jpeg_image(file: &[u8]) -> Result<DynamicImage, Failure> {
    let decoder = JpegDecoder::new(Cursor::new(file)).map_err(failure_from)?;
    Ok(decode_with(decoder, None, false)?.0)
}

type DecodedImage = (
    DynamicImage,
    image::metadata::Orientation,
    Option<Resolution>,
    bool,
);

fn decode_with(
    mut decoder: impl ImageDecoder,
    resolution: Option<Resolution>,
    animated: bool,
) -> Result<DecodedImage, Failure> {
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > MAX_BYTES {
        return Err(Failure::new(
            FailureKind::TooLarge,
            "The picture has too many pixels; make it smaller.",
        ));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES * 2);
    decoder.set_limits(limits).map_err(failure_from)?;
    let orientation = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(failure_from)?;
    Ok((image, orientation, resolution, animated))
}

pub(super) fn failure_from(error: ImageError) -> Failure {
    match error {
        ImageError::Limits(_) => Failure::new(
            FailureKind::TooLarge,
            "The picture takes too much memory; make it smaller.",
        ),
        ImageError::Unsupported(_) => Failure::new(
            FailureKind::Unsupported,
            "This variety of picture can't be read; save it as PNG or PDF and send that.",
        ),
        _ => broken("The picture is damaged; save it again."),
    }
}

/// Grey on white paper; black and white when there is nothing between.
pub(super) fn pixels(image: DynamicImage) -> Pixels {
    let (width, height) = (image.width(), image.height());
    let grey = if image.color().has_alpha() {
        let mut over = Vec::with_capacity(width as usize * height as usize);
        over.extend(image.into_luma_alpha8().pixels().map(|pixel| {
            let [luma, alpha] = pixel.0.map(u32::from);
            ((luma * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        }));
        over
    } else {
        image.into_luma8().into_raw()
    };
    from_grey(width, height, grey)
}

/// Keeps black and white exact, and averages grey down to what a fax shows.
pub(super) fn from_grey(width: u32, height: u32, grey: Vec<u8>) -> Pixels {
    if grey.iter().all(|value| matches!(value, 0 | 255)) {
        let mut bitmap = Bitmap::new(width, height);
        for (row, values) in bitmap.rows_mut().zip(grey.chunks_exact(width.max(1) as usize)) {
            for (word, values) in row.iter_mut().zip(values.chunks(64)) {
                for (bit, value) in values.iter().enumerate() {
                    *word |= u64::from(*value == 0) << (63 - bit);
                }
            }
        }
        return Pixels::Bilevel(bitmap);
    }
    // The shorter side lies across the page.
    let factor = width.min(height) / FAX_WIDTH;
    if factor >= 2 {
        shrink(width, height, &grey, factor)
    } else {
        Pixels::Grey {
            width,
            height,
            data: grey,
        }
    }
}

/// Averages squares of `factor` pixels; a rest at the right and the bottom is averaged on its own.
fn shrink(width: u32, height: u32, grey: &[u8], factor: u32) -> Pixels {
    let (wide, high) = (width.div_ceil(factor), height.div_ceil(factor));
    let step = factor as usize;
    let mut data = Vec::with_capacity(wide as usize * high as usize);
    let mut sums = vec![(0u32, 0u32); wide as usize];
    for rows in grey.chunks(width as usize * step) {
        sums.fill((0, 0));
        for row in rows.chunks(width as usize) {
            for (sum, values) in sums.iter_mut().zip(row.chunks(step)) {
                sum.0 += values.iter().map(|value| u32::from(*value)).sum::<u32>();
                sum.1 += values.len() as u32;
            }
        }
        data.extend(sums.iter().map(|(sum, count)| (sum / (*count).max(1)) as u8));
    }
    Pixels::Grey {
        width: wide,
        height: high,
        data,
    }
}

/// The `pHYs` chunk (PNG third edition, 11.3.4.3), which stands before the pixels.
fn png_resolution(data: &[u8]) -> Option<Resolution> {
    let mut rest = data.get(8..)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        match kind {
            b"pHYs" => {
                let (x, body) = after.split_first_chunk::<4>()?;
                let (y, body) = body.split_first_chunk::<4>()?;
                // 1 says metre; 0 gives only a ratio.
                let metre = body.first() == Some(&1);
                let dpi = |dots: &[u8; 4]| f64::from(u32::from_be_bytes(*dots)) * 0.0254;
                return if metre {
                    Resolution::new(dpi(x), dpi(y))
                } else {
                    None
                };
            }
            b"IDAT" | b"IEND" => return None,
            _ => rest = after.get(length.checked_add(4)?..)?,
        }
    }
}

/// Dots per metre in the bitmap information header.
fn bmp_resolution(data: &[u8]) -> Option<Resolution> {
    let at = |offset: usize| -> Option<f64> {
        let bytes = data.get(offset..)?.first_chunk::<4>()?;
        Some(f64::from(i32::from_le_bytes(*bytes)) * 0.0254)
    };
    let header = data.get(14..)?.first_chunk::<4>()?;
    if u32::from_le_bytes(*header) < 40 {
        return None;
    }
    Resolution::new(at(38)?, at(42)?)
}
