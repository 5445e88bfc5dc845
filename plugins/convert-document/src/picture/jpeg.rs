//! JPEG: decoded once to see that it is whole, then stored as it is where a PDF reader can show it.

use super::place::Resolution;
use super::{MAX_BYTES, PageImage, Pixels, broken, check_size, decode};
use crate::model::{Failure, FailureKind};
use crate::sniff::Picture;
use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder};
use std::io::Cursor;

/// A JPEG with more pixels is reduced: a fax shows 4 million, and drawing the page takes 8 bytes for each.
const KEPT_PIXELS: u64 = 12_500_000;

/// What the headers say.
struct Header {
    components: u8,
    precision: u8,
    resolution: Option<Resolution>,
    /// Start of frame: 0 and 1 are sequential, 2 is progressive, the rest few readers know.
    frame: u8,
    /// Transform flag of an Adobe segment, where there is one.
    adobe: Option<u8>,
}

/// Reads a JPEG.
pub(super) fn read(data: Vec<u8>) -> Result<PageImage, Failure> {
    let damaged = || broken("The picture is damaged; save it again.");
    // A file that was cut off still decodes, with grey where the rest would be.
    if !data
        .windows(2)
        .rev()
        .take(64 * 1024)
        .any(|mark| mark == [0xff, 0xd9])
    {
        return Err(damaged());
    }
    let header = header(&data).ok_or_else(damaged)?;
    let kept = header.precision == 8 && header.frame <= 2 && matches!(header.components, 1 | 3);
    // Three components that are not YCbCr are rare and not shown alike by all readers.
    let kept = kept && (header.components == 1 || header.adobe.is_none_or(|transform| transform == 1));
    if !kept {
        let image = decode::read(&data, Picture::Jpeg, &mut Vec::new())?;
        return Ok(PageImage {
            resolution: header.resolution,
            ..image
        });
    }
    let mut decoder = JpegDecoder::new(Cursor::new(&data)).map_err(decode::failure_from)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let pixels = u64::from(width) * u64::from(height);
    // A progressive file is kept as 16-bit coefficients until its last scan.
    let working = pixels * u64::from(header.components) * if header.frame == 2 { 3 } else { 1 };
    if working > MAX_BYTES {
        return Err(Failure::new(
            FailureKind::TooLarge,
            "The picture has too many pixels; make it smaller.",
        ));
    }
    let orientation = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(decode::failure_from)?;
    let pixels = if pixels <= KEPT_PIXELS {
        Pixels::Jpeg {
            width,
            height,
            grey: header.components == 1,
            blank: image.as_bytes().iter().all(|sample| *sample == u8::MAX),
            file: data,
        }
    } else {
        decode::pixels(image)
    };
    Ok(PageImage {
        pixels,
        resolution: header.resolution,
        orientation,
    })
}

/// Walks the segments up to the start of frame (ITU-T T.81, B.1).
fn header(data: &[u8]) -> Option<Header> {
    let mut rest = data.get(2..)?;
    let mut resolution = None;
    let mut adobe = None;
    loop {
        // Any number of fill bytes may stand before a marker.
        while rest.first() == Some(&0xff) && rest.get(1) == Some(&0xff) {
            rest = rest.get(1..)?;
        }
        let ([0xff, marker, high, low], _) = rest.split_first_chunk::<4>()? else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let body = rest.get(4..length.checked_add(2)?)?;
        match marker {
            0xe0 if body.starts_with(b"JFIF\0") => resolution = density(body),
            0xee if body.starts_with(b"Adobe") => adobe = body.get(11).copied(),
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let (precision, components) = (*body.first()?, *body.get(5)?);
                return Some(Header {
                    components,
                    precision,
                    resolution,
                    frame: marker & 0x0f,
                    adobe,
                });
            }
            _ => {}
        }
        rest = rest.get(length + 2..)?;
    }
}

/// Density of a JFIF segment (JFIF 1.02).
fn density(body: &[u8]) -> Option<Resolution> {
    let (unit, rest) = body.get(7..)?.split_first()?;
    let (x, rest) = rest.split_first_chunk::<2>()?;
    let (y, _) = rest.split_first_chunk::<2>()?;
    let per_inch = match unit {
        1 => 1.0,
        2 => 2.54,
        _ => return None,
    };
    let dpi = |dots: &[u8; 2]| f64::from(u16::from_be_bytes(*dots)) * per_inch;
    Resolution::new(dpi(x), dpi(y))
}
