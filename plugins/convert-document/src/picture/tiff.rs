//! TIFF 6.0 and BigTIFF, page by page.
//!
//! A page of fax codes keeps its codes; everything else is decoded to grey or to black and white. What is sound but can't be
//! read is named as such, never as damaged.

mod codec;
mod file;
mod jpeg;
mod layout;
mod samples;
#[cfg(test)]
mod tests;

use super::ccitt::{self, Coding, Compression};
use super::place::{Orientation, Resolution};
use super::{PageImage, Pixels, broken, check_size};
use crate::model::{Failure, FailureKind};
use crate::raster::Bitmap;
use file::{Directory, File};
use layout::Layout;

/// Tags of TIFF 6.0 that matter here.
mod tag {
    pub(super) const NEW_SUBFILE_TYPE: u16 = 254;
    pub(super) const SUBFILE_TYPE: u16 = 255;
    pub(super) const IMAGE_WIDTH: u16 = 256;
    pub(super) const IMAGE_LENGTH: u16 = 257;
    pub(super) const BITS_PER_SAMPLE: u16 = 258;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC: u16 = 262;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const ORIENTATION: u16 = 274;
    pub(super) const SAMPLES_PER_PIXEL: u16 = 277;
    pub(super) const ROWS_PER_STRIP: u16 = 278;
    pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(super) const X_RESOLUTION: u16 = 282;
    pub(super) const Y_RESOLUTION: u16 = 283;
    pub(super) const PLANAR_CONFIGURATION: u16 = 284;
    pub(super) const T4_OPTIONS: u16 = 292;
    pub(super) const RESOLUTION_UNIT: u16 = 296;
    pub(super) const PREDICTOR: u16 = 317;
    pub(super) const COLOR_MAP: u16 = 320;
    pub(super) const TILE_WIDTH: u16 = 322;
    pub(super) const TILE_LENGTH: u16 = 323;
    pub(super) const TILE_OFFSETS: u16 = 324;
    pub(super) const TILE_BYTE_COUNTS: u16 = 325;
    pub(super) const INK_SET: u16 = 332;
    pub(super) const EXTRA_SAMPLES: u16 = 338;
    pub(super) const SAMPLE_FORMAT: u16 = 339;
    pub(super) const JPEG_TABLES: u16 = 347;
    pub(super) const JPEG_INTERCHANGE_FORMAT: u16 = 513;
    pub(super) const YCBCR_SUBSAMPLING: u16 = 530;
}

/// Pixels of all pages together: two hundred fax pages twice over.
const MAX_TOTAL_PIXELS: u64 = 1_600_000_000;
/// Bytes of decoded grey kept for all pages together.
const MAX_TOTAL_GREY: u64 = 96 * 1024 * 1024;

/// Reads every page that is not a reduced copy of another or a mask.
pub(super) fn read(data: &[u8], max_pages: u32) -> Result<Vec<PageImage>, Failure> {
    let file = File::new(data).ok_or_else(damaged)?;
    let mut images = Vec::new();
    let (mut pixels, mut grey) = (0u64, 0u64);
    for directory in pages(&file)? {
        if images.len() >= max_pages as usize {
            return Err(Failure::too_many_pages(max_pages));
        }
        let (width, height) = size(&directory)?;
        pixels += u64::from(width) * u64::from(height);
        let content = content(&directory, width, height)?;
        if let Pixels::Grey { data, .. } = &content {
            grey += data.len() as u64;
        }
        if pixels > MAX_TOTAL_PIXELS || grey > MAX_TOTAL_GREY {
            return Err(Failure::new(
                FailureKind::TooLarge,
                "The picture has too many pixels; send fewer pages.",
            ));
        }
        images.push(PageImage {
            pixels: content,
            resolution: resolution(&directory),
            orientation: directory
                .number(tag::ORIENTATION)
                .and_then(|value| u8::try_from(value).ok())
                .and_then(Orientation::from_exif)
                .unwrap_or(Orientation::NoTransforms),
        });
    }
    if images.is_empty() {
        return Err(Failure::new(
            FailureKind::Empty,
            "The picture has no pages; send a document with content.",
        ));
    }
    Ok(images)
}

fn damaged() -> Failure {
    broken("The TIFF is damaged; save it again.")
}

/// The TIFF is sound and has something that is not read here.
fn unsupported(what: &str) -> Failure {
    Failure::new(
        FailureKind::Unsupported,
        format!(
            "This TIFF has {what}, which can't be read here; save it as PDF or as a TIFF with Group 4 or LZW compression and \
             send that."
        ),
    )
}

/// The directories of pages. Where all are reduced copies they are what there is.
fn pages<'a>(file: &File<'a>) -> Result<Vec<Directory<'a>>, Failure> {
    const REDUCED: u64 = 1;
    const MASK: u64 = 4;
    let (mut full, mut reduced) = (Vec::new(), Vec::new());
    for offset in file.directories()? {
        let directory = file.directory(offset).ok_or_else(damaged)?;
        let flags = directory.number(tag::NEW_SUBFILE_TYPE).unwrap_or(0);
        if flags & MASK != 0 {
            continue;
        }
        if flags & REDUCED != 0 || directory.number(tag::SUBFILE_TYPE) == Some(2) {
            reduced.push(directory);
        } else {
            full.push(directory);
        }
    }
    Ok(if full.is_empty() { reduced } else { full })
}

fn size(directory: &Directory<'_>) -> Result<(u32, u32), Failure> {
    let side = |tag| {
        directory
            .number(tag)
            .and_then(|length| u32::try_from(length).ok())
            .ok_or_else(damaged)
    };
    let (width, height) = (side(tag::IMAGE_WIDTH)?, side(tag::IMAGE_LENGTH)?);
    check_size(width, height)?;
    Ok((width, height))
}

fn content(directory: &Directory<'_>, width: u32, height: u32) -> Result<Pixels, Failure> {
    if directory.number(tag::COMPRESSION) == Some(6) {
        return jpeg::read_old(directory, width, height);
    }
    let layout = Layout::read(directory, width, height)?;
    match layout.coding {
        layout::Coding::Fax(compression) if layout.chunk.0 == width => fax(directory, &layout, compression),
        _ => samples::read(directory, &layout),
    }
}

impl Coding {
    /// How the strips of a page are coded.
    fn new(directory: &Directory<'_>, compression: Compression) -> Self {
        let options = match compression {
            Compression::Group3 => directory.number(tag::T4_OPTIONS).unwrap_or(0),
            Compression::ModifiedHuffman | Compression::Group4 => 0,
        };
        Self {
            compression,
            two_dimensional: options & 1 == 1,
            aligned: options & 4 == 4,
            reversed: directory.number(tag::FILL_ORDER) == Some(2),
        }
    }
}

/// Reads a fax page. One that is a single sound strip, as fax programs write them, keeps its bytes; the rows of several
/// strips would not join to one picture, and damage is repaired here rather than by the reader of the PDF: these are
/// decoded.
fn fax(directory: &Directory<'_>, layout: &Layout, compression: Compression) -> Result<Pixels, Failure> {
    let (width, height) = (layout.width, layout.height);
    let coding = Coding::new(directory, compression);
    // 0 says that zeros are white, which is how the codes have it (TIFF 6.0, PhotometricInterpretation).
    let inverted = layout.colour == layout::Colour::Grey;
    if let [(offset, length)] = *layout.chunks {
        let strip = directory.file.slice(offset, length).ok_or_else(damaged)?;
        if let Some(strip) = ccitt::validated(strip, coding, width, height) {
            return Ok(Pixels::Fax {
                width,
                height,
                coding,
                inverted,
                blank: if inverted {
                    !strip.has_white
                } else {
                    !strip.has_black
                },
                data: strip.data,
            });
        }
    }
    let mut bitmap = Bitmap::new(width, height);
    let mut rows = bitmap.rows_mut();
    for (strip, (offset, length)) in (0..).zip(&layout.chunks) {
        let data = directory.file.slice(*offset, *length).ok_or_else(damaged)?;
        let (_, count) = layout.chunk_pixels(strip);
        if !ccitt::read(data, coding, width, count, &mut rows) {
            return Err(damaged());
        }
    }
    drop(rows);
    if inverted {
        bitmap.invert();
    }
    Ok(Pixels::Bilevel(bitmap))
}

fn resolution(directory: &Directory<'_>) -> Option<Resolution> {
    let per_inch = match directory.number(tag::RESOLUTION_UNIT).unwrap_or(2) {
        2 => 1.0,
        3 => 2.54,
        _ => return None,
    };
    let ratio = |tag| directory.ratios(tag)?.first().copied();
    Resolution::new(
        ratio(tag::X_RESOLUTION)? * per_inch,
        ratio(tag::Y_RESOLUTION)? * per_inch,
    )
}
