//! Checks that images can be decoded by looking at their first bytes.

use super::{inflate, names};
use crate::model::{Failure, FailureKind};
use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::stream::ImageDecodeParams;
use hayro::hayro_syntax::object::{Dict, Name, Stream};
use hayro::hayro_syntax::page::Page;
use std::collections::BTreeSet;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Whether an object is a picture.
pub(crate) fn is_image(dict: &Dict<'_>) -> bool {
    let kind = dict.get::<Name<'_>>("Subtype");
    kind.is_some_and(|kind| kind.as_ref() == b"Image")
}

/// Refuses a page that shows a picture with more pixels than there can be memory for, or one that doesn't begin as what it
/// is said to be, so that nothing of it would be seen. Of JPEG 2000 and JBIG2 files it is only looked whether there is data.
///
/// Otherwise tells whether something of all that it shows is seen then, for decoders make the best of what comes later: not
/// if there are forms, whose pictures aren't looked at, or objects that aren't found.
pub(crate) fn check_images(page: &Page<'_>, number: u32) -> Result<bool, Failure> {
    let objects = &page.resources().x_objects;
    if objects.is_empty() {
        return Ok(false);
    }
    // All pages may list the pictures of all.
    let names: BTreeSet<&[u8]> = names(page).filter(|name| objects.contains_key(*name)).collect();
    let mut all_begin_well = !names.is_empty();
    for name in names {
        let picture = objects.get::<Stream<'_>>(name);
        let Some(picture) = picture.filter(|picture| is_image(picture.dict())) else {
            all_begin_well = false;
            continue;
        };
        if is_too_large(picture.dict()) {
            return Err(too_many_pixels(number));
        }
        if !begins_well(&picture) {
            return Err(Failure::damaged_page(number));
        }
    }
    Ok(all_begin_well)
}

/// Reads what comes before the pixels of a JPEG file, as large as these may be, whose brightness is to be decoded.
pub(crate) fn jpeg_decoder(file: &[u8]) -> Option<JpegDecoder<ZCursor<&[u8]>>> {
    let side = usize::from(u16::MAX);
    let options = DecoderOptions::default()
        .set_max_width(side)
        .set_max_height(side)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().ok()?;
    Some(decoder)
}

/// Bytes of pixels that no conversion has memory for.
const TOO_LARGE: u64 = 256 * 1024 * 1024;

/// Whether the pixels of a picture take too much even at a byte for each, or at a bit when it is black and white.
fn is_too_large(dict: &Dict<'_>) -> bool {
    let side = |key: &str| u64::from(dict.get::<u32>(key).unwrap_or(0));
    let pixels = side("Width").saturating_mul(side("Height"));
    let bits = dict.get::<u32>("BitsPerComponent").map_or(1, |bits| bits.min(8));
    pixels / 8 * u64::from(bits) > TOO_LARGE
}

fn too_many_pixels(number: u32) -> Failure {
    let message = format!(
        "A picture on page {number} has too many pixels; save the PDF again with pictures of at most 600 dots per inch."
    );
    Failure::new(FailureKind::TooLarge, message)
}

fn begins_well(picture: &Stream<'_>) -> bool {
    let data = picture.raw_data();
    match picture.filters().as_slice() {
        [Filter::DctDecode] => jpeg_decoder(&data).is_some(),
        [Filter::CcittFaxDecode] => {
            let one_row = ImageDecodeParams {
                width: picture.dict().get("Width").unwrap_or(0),
                height: 1,
                ..ImageDecodeParams::default()
            };
            picture.decoded_image(&one_row).is_ok()
        }
        [Filter::FlateDecode, ..] => inflate::begins_well(&data),
        _ => !data.is_empty(),
    }
}
