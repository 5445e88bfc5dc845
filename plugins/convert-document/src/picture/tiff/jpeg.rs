//! JPEG in TIFF: strips or tiles that share tables (TIFF Technical Note 2), and whole files as TIFF 6.0 had them.

use super::file::Directory;
use super::{damaged, tag, unsupported};
use crate::model::Failure;
use crate::picture::{MAX_PIXELS, Pixels, decode as picture};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Start and end of an image (ITU-T T.81, table B.1).
const START: [u8; 2] = [0xff, 0xd8];
const END: [u8; 2] = [0xff, 0xd9];
/// How far before the end of its data the end of an image is looked for.
const END_WITHIN: usize = 64 * 1024;

/// Decoded samples, as the components have them.
pub(super) struct Image {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) samples: Vec<u8>,
}

/// Decodes a JPEG of this many components, which may need tables that stand elsewhere. Colours are not converted: what
/// the components are is the business of the TIFF.
pub(super) fn decode(data: &[u8], tables: Option<&[u8]>, components: usize) -> Result<Image, Failure> {
    // A file that was cut off still decodes, with grey where the rest would be.
    let is_whole = data.windows(2).rev().take(END_WITHIN).any(|mark| mark == END);
    if !is_whole {
        return Err(damaged());
    }
    let file = match tables {
        Some(tables) => {
            let tables = tables.strip_suffix(&END).unwrap_or(tables);
            [tables, data.strip_prefix(&START).unwrap_or(data)].concat()
        }
        None => data.to_vec(),
    };
    let limit = usize::try_from(MAX_PIXELS).unwrap_or(usize::MAX);
    let options = DecoderOptions::default()
        .set_max_width(limit)
        .set_max_height(limit);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(failure_from)?;
    let stored = decoder.input_colorspace().ok_or_else(damaged)?;
    let info = decoder.info().ok_or_else(damaged)?;
    if stored.num_components() != components {
        return Err(unsupported(
            "JPEG compression with components that its tags do not name",
        ));
    }
    crate::picture::check_size(u32::from(info.width), u32::from(info.height))?;
    decoder.set_options(options.jpeg_set_out_colorspace(stored));
    let samples = decoder.decode().map_err(failure_from)?;
    Ok(Image {
        width: u32::from(info.width),
        height: u32::from(info.height),
        samples,
    })
}

fn failure_from(error: DecodeErrors) -> Failure {
    match error {
        DecodeErrors::Unsupported(_) => unsupported("JPEG compression of an unusual kind"),
        _ => damaged(),
    }
}

/// Reads a page of the JPEG compression that TIFF 6.0 described and Technical Note 2 replaced, where it holds a whole JPEG
/// file: as its interchange stream or as its only strip.
pub(super) fn read_old(directory: &Directory<'_>, width: u32, height: u32) -> Result<Pixels, Failure> {
    let unreadable = || unsupported("JPEG compression as TIFF had it before 1995");
    // The lengths of these are often wrong; the file has a mark at its end.
    let at = |tag| {
        let [offset] = *directory.numbers(tag)? else {
            return None;
        };
        directory
            .file
            .rest(offset)
            .filter(|data| data.starts_with(&START))
    };
    let streams = [at(tag::JPEG_INTERCHANGE_FORMAT), at(tag::STRIP_OFFSETS)];
    let file = streams
        .into_iter()
        .flatten()
        .find_map(|data| whole_file(data, width, height))
        .ok_or_else(unreadable)?;
    let image = picture::jpeg_image(file)?;
    Ok(picture::pixels(image))
}

/// The JPEG file at the beginning of these bytes, when it has this size and is whole.
fn whole_file(data: &[u8], width: u32, height: u32) -> Option<&[u8]> {
    let mut rest = data.get(2..)?;
    let mut size = None;
    loop {
        let [0xff, marker, high, low, ..] = *rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let body = rest.get(4..length.checked_add(2)?)?;
        if matches!(marker, 0xc0..=0xc2) {
            let [_, h1, h2, w1, w2, ..] = *body else {
                return None;
            };
            size = Some((u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2])));
        }
        rest = rest.get(length + 2..)?;
        if marker == 0xda {
            break;
        }
    }
    let size = size.map(|(across, down)| (u32::from(across), u32::from(down)));
    let end = memchr::memmem::find(rest, &END)?;
    let header = data.len() - rest.len();
    data.get(..header + end + END.len())
        .filter(|_| size == Some((width, height)))
}
