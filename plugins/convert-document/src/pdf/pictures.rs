//! Whether pictures can be decoded, told from how they begin.

use super::{inflate, names};
use crate::model::{Failure, FailureKind};
use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::stream::ImageDecodeParams;
use hayro::hayro_syntax::object::{Dict, Name, Stream};
use hayro::hayro_syntax::page::Page;
use std::collections::BTreeSet;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Whether an object is a picture.
pub(crate) fn is_image(dict: &Dict<'_>) -> bool {
    let kind = dict.get::<Name<'_>>("Subtype");
    kind.is_some_and(|kind| kind.as_ref() == b"Image")
}

/// Whether the pictures of a page begin as what they are said to be: then something of them is seen, for decoders make the
/// best of what comes later. Of JPEG 2000 and JBIG2 files it is only looked whether there is data. A page whose pictures
/// aren't found, or are within forms, is not known to begin well.
pub(crate) fn begin_well(page: &Page<'_>) -> bool {
    let objects = &page.resources().x_objects;
    let mut found = false;
    let well = objects.keys().all(|name| {
        found = true;
        let picture = objects.get::<Stream<'_>>(name.as_ref());
        picture.is_some_and(|picture| is_image(picture.dict()) && begins_well(&picture))
    });
    well && found
}

/// Refuses a page that shows a picture with more pixels than there can be memory for, or one that doesn't begin as what it
/// is said to be, so that nothing of it would be seen. Pictures within forms aren't looked at.
pub(crate) fn check_pictures(page: &Page<'_>, number: u32) -> Result<(), Failure> {
    let objects = &page.resources().x_objects;
    if objects.is_empty() {
        return Ok(());
    }
    // All pages may list the pictures of all.
    let names: BTreeSet<&[u8]> = names(page).collect();
    for name in names {
        let picture = objects.get::<Stream<'_>>(name);
        let Some(picture) = picture.filter(|picture| is_image(picture.dict())) else {
            continue;
        };
        if is_too_large(picture.dict()) {
            return Err(too_many_pixels(number));
        }
        if !begins_well(&picture) {
            return Err(Failure::damaged_page(number));
        }
    }
    Ok(())
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
        [Filter::DctDecode] => {
            let side = usize::from(u16::MAX);
            let options = DecoderOptions::default().set_max_width(side).set_max_height(side);
            let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*data), options);
            decoder.decode_headers().is_ok()
        }
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
