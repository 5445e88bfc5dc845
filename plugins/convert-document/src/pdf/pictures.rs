//! Whether pictures can be decoded, told from how they begin.

use super::{inflate, is_named};
use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::stream::ImageDecodeParams;
use hayro::hayro_syntax::object::{Dict, Name, Stream};
use hayro::hayro_syntax::page::Page;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

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

/// Whether a page shows a picture that doesn't begin as what it is said to be, so that nothing of it would be seen.
pub(crate) fn shows_spoilt(page: &Page<'_>) -> bool {
    let objects = &page.resources().x_objects;
    objects.keys().any(|name| {
        let picture = objects.get::<Stream<'_>>(name.as_ref());
        let is_spoilt = picture.is_some_and(|picture| is_image(picture.dict()) && !begins_well(&picture));
        is_spoilt && is_named(page, name.as_ref())
    })
}

fn begins_well(picture: &Stream<'_>) -> bool {
    let data = picture.raw_data();
    match picture.filters().as_slice() {
        [Filter::DctDecode] => JpegDecoder::new(ZCursor::new(&*data)).decode_headers().is_ok(),
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
