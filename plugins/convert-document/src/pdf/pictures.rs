//! Whether pictures can be decoded, told from how they begin.

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

/// Whether the pictures of a page begin as JPEG files and fax codes do: then something of them is seen, for decoders make
/// the best of what comes later. Others are taken on trust if there is data; a page whose pictures aren't found is not.
pub(crate) fn begin_well(page: &Page<'_>) -> bool {
    let objects = &page.resources().x_objects;
    let mut found = false;
    let well = objects.keys().all(|name| {
        let Some(object) = objects.get::<Stream<'_>>(name.as_ref()) else {
            return false;
        };
        found = true;
        is_image(object.dict()) && begins_well(&object)
    });
    well && found
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
        _ => !data.is_empty(),
    }
}
