//! TIFF 6.0, page by page.
//!
//! Fax compressions are read here, since few libraries know all three; everything else by the `tiff` crate.

use super::ccitt::{self, Coding, Compression};
use super::place::{Orientation, Resolution};
use super::{MAX_BYTES, Pixels, Scan, broken, check_size, decode};
use crate::model::{Failure, FailureKind};
use crate::raster::Bitmap;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::{ColorType, TiffError};
use std::io::Cursor;

/// Tags of TIFF 6.0 that matter here.
mod tag {
    pub(super) const NEW_SUBFILE_TYPE: u16 = 254;
    pub(super) const IMAGE_WIDTH: u16 = 256;
    pub(super) const IMAGE_LENGTH: u16 = 257;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC: u16 = 262;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const ORIENTATION: u16 = 274;
    pub(super) const ROWS_PER_STRIP: u16 = 278;
    pub(super) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(super) const X_RESOLUTION: u16 = 282;
    pub(super) const Y_RESOLUTION: u16 = 283;
    pub(super) const T4_OPTIONS: u16 = 292;
    pub(super) const RESOLUTION_UNIT: u16 = 296;
}

/// Directories followed at most, thumbnails included.
const MAX_DIRECTORIES: usize = 4096;
/// Pixels of all pages together: two hundred fax pages twice over.
const MAX_TOTAL_PIXELS: u64 = 1_600_000_000;
/// Bytes of decoded grey kept for all pages together.
const MAX_TOTAL_GREY: u64 = 96 * 1024 * 1024;

/// Reads every page that is not a reduced copy of another.
pub(super) fn read(data: &[u8], max_pages: u32) -> Result<Vec<Scan>, Failure> {
    let file = File::new(data).ok_or_else(damaged)?;
    let mut scans = Vec::new();
    let (mut pixels, mut grey) = (0u64, 0u64);
    for (index, offset) in file.directories()?.into_iter().enumerate() {
        let directory = file.directory(offset).ok_or_else(damaged)?;
        if directory.number(tag::NEW_SUBFILE_TYPE).unwrap_or(0) & 1 == 1 {
            continue;
        }
        if scans.len() >= max_pages as usize {
            return Err(Failure::too_many_pages(max_pages));
        }
        let width = directory.number(tag::IMAGE_WIDTH).ok_or_else(damaged)?;
        let height = directory.number(tag::IMAGE_LENGTH).ok_or_else(damaged)?;
        check_size(width, height)?;
        pixels += u64::from(width) * u64::from(height);
        let content = match directory.number(tag::COMPRESSION) {
            Some(2) => fax(&directory, Compression::ModifiedHuffman, width, height)?,
            Some(3) => fax(&directory, Compression::Group3, width, height)?,
            Some(4) => fax(&directory, Compression::Group4, width, height)?,
            _ => other(data, index)?,
        };
        if let Pixels::Grey { data, .. } = &content {
            grey += data.len() as u64;
        }
        if pixels > MAX_TOTAL_PIXELS || grey > MAX_TOTAL_GREY {
            return Err(Failure::new(
                FailureKind::TooLarge,
                "The picture has too many pixels; send fewer pages.",
            ));
        }
        scans.push(Scan {
            pixels: content,
            resolution: directory.resolution(),
            orientation: directory
                .number(tag::ORIENTATION)
                .and_then(|value| u8::try_from(value).ok())
                .and_then(Orientation::from_exif)
                .unwrap_or(Orientation::NoTransforms),
        });
    }
    if scans.is_empty() {
        return Err(Failure::new(
            FailureKind::Empty,
            "The picture has no pages; send a document with content.",
        ));
    }
    Ok(scans)
}

fn damaged() -> Failure {
    broken("The TIFF is damaged; save it again.")
}

/// Reads a fax page. One that is a single sound strip, as fax programs write them, keeps its bytes; the rows of several
/// strips would not join to one picture, and what is damaged is to be mended here and not by whoever draws the page:
/// these are decoded.
fn fax(
    directory: &Directory<'_>,
    compression: Compression,
    width: u32,
    height: u32,
) -> Result<Pixels, Failure> {
    let options = match compression {
        Compression::Group3 => directory.number(tag::T4_OPTIONS).unwrap_or(0),
        Compression::ModifiedHuffman | Compression::Group4 => 0,
    };
    let coding = Coding {
        compression,
        two_dimensional: options & 1 == 1,
        aligned: options & 4 == 4,
        reversed: directory.number(tag::FILL_ORDER) == Some(2),
    };
    let rows_per_strip = directory
        .number(tag::ROWS_PER_STRIP)
        .unwrap_or(height)
        .clamp(1, height);
    let offsets = directory.numbers(tag::STRIP_OFFSETS).ok_or_else(damaged)?;
    let lengths = directory.numbers(tag::STRIP_BYTE_COUNTS).ok_or_else(damaged)?;
    // 0 says that zeros are white, which is how the codes have it (TIFF 6.0, PhotometricInterpretation).
    let inverted = directory.number(tag::PHOTOMETRIC) == Some(1);
    if let ([offset], [length]) = (offsets.as_slice(), lengths.as_slice())
        && rows_per_strip == height
    {
        let strip = directory.file.slice(*offset, *length).ok_or_else(damaged)?;
        if let Some(data) = ccitt::sound(strip, coding, width, height) {
            return Ok(Pixels::Fax {
                width,
                height,
                coding,
                inverted,
                data,
            });
        }
    }
    let mut bitmap = Bitmap::new(width, height);
    let mut rows = bitmap.rows_mut();
    let mut left = height;
    for (offset, length) in offsets.into_iter().zip(lengths) {
        if left == 0 {
            break;
        }
        let strip = directory.file.slice(offset, length).ok_or_else(damaged)?;
        let count = rows_per_strip.min(left);
        if !ccitt::read(strip, coding, width, count, &mut rows) {
            return Err(damaged());
        }
        left -= count;
    }
    if left > 0 {
        return Err(damaged());
    }
    drop(rows);
    if inverted {
        bitmap.invert();
    }
    Ok(Pixels::Bilevel(bitmap))
}

/// Decodes a page of any other compression.
fn other(data: &[u8], index: usize) -> Result<Pixels, Failure> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_BYTES as usize;
    limits.intermediate_buffer_size = MAX_BYTES as usize;
    let mut decoder = Decoder::new(Cursor::new(data))
        .map_err(refuse)?
        .with_limits(limits);
    decoder.seek_to_image(index).map_err(refuse)?;
    let (width, height) = decoder.dimensions().map_err(refuse)?;
    check_size(width, height)?;
    let color = decoder.colortype().map_err(refuse)?;
    let samples = match decoder.read_image().map_err(refuse)? {
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.into_iter().map(|sample| (sample >> 8) as u8).collect(),
        _ => return Err(unsupported()),
    };
    if color == ColorType::Gray(1) {
        return bilevel(&samples, width, height).ok_or_else(damaged);
    }
    let grey = to_grey(&samples, color, width as usize).ok_or_else(unsupported)?;
    if grey.len() != width as usize * height as usize {
        return Err(damaged());
    }
    Ok(decode::from_grey(width, height, grey))
}

/// Packed samples, 1 being white, to black and white.
fn bilevel(samples: &[u8], width: u32, height: u32) -> Option<Pixels> {
    let stride = width.div_ceil(8) as usize;
    if samples.len() < stride * height as usize {
        return None;
    }
    let mut bitmap = Bitmap::new(width, height);
    for (row, bytes) in bitmap.rows_mut().zip(samples.chunks_exact(stride)) {
        for (word, bytes) in row.iter_mut().zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            *word = u64::from_be_bytes(whole);
        }
    }
    bitmap.invert();
    Some(Pixels::Bilevel(bitmap))
}

/// 8-bit samples, or packed ones of fewer bits, to grey.
fn to_grey(samples: &[u8], color: ColorType, width: usize) -> Option<Vec<u8>> {
    let luma =
        |r: u8, g: u8, b: u8| ((u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29) >> 8) as u8;
    let over =
        |grey: u8, alpha: u8| ((u32::from(grey) * u32::from(alpha)) / 255 + 255 - u32::from(alpha)) as u8;
    Some(match color {
        ColorType::Gray(8 | 16) => samples.to_vec(),
        ColorType::Gray(bits @ (2 | 4)) => {
            let per_byte = 8 / usize::from(bits);
            let scale = 255 / ((1u8 << bits) - 1);
            let unpack = |byte: &u8| {
                let byte = *byte;
                (0..per_byte)
                    .map(move |at| byte << (at * usize::from(bits)) >> (8 - bits))
                    .map(|v| v * scale)
            };
            samples
                .chunks(width.div_ceil(per_byte).max(1))
                .flat_map(|row| row.iter().flat_map(unpack).take(width))
                .collect()
        }
        ColorType::GrayA(8 | 16) => samples
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[v, a]| over(*v, *a))
            .collect(),
        ColorType::RGB(8 | 16) => samples
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[r, g, b]| luma(*r, *g, *b))
            .collect(),
        ColorType::RGBA(8 | 16) => samples
            .as_chunks::<4>()
            .0
            .iter()
            .map(|[r, g, b, a]| over(luma(*r, *g, *b), *a))
            .collect(),
        ColorType::YCbCr(8) => samples.as_chunks::<3>().0.iter().map(|[y, _, _]| *y).collect(),
        ColorType::CMYK(8 | 16) => samples
            .as_chunks::<4>()
            .0
            .iter()
            .map(|inks| {
                let [c, m, y, k] = inks.map(|ink| 255 - ink);
                (u32::from(luma(c, m, y)) * u32::from(k) / 255) as u8
            })
            .collect(),
        _ => return None,
    })
}

fn unsupported() -> Failure {
    Failure::new(
        FailureKind::Unsupported,
        "This variety of TIFF can't be read; save it as PDF or with Group 4 compression and send that.",
    )
}

fn refuse(error: TiffError) -> Failure {
    match error {
        TiffError::UnsupportedError(_) => unsupported(),
        TiffError::LimitsExceeded => Failure::new(
            FailureKind::TooLarge,
            "The picture takes too much memory; make it smaller.",
        ),
        _ => damaged(),
    }
}

/// The bytes of a file in their order.
#[derive(Clone, Copy)]
struct File<'a> {
    data: &'a [u8],
    little: bool,
}

impl<'a> File<'a> {
    fn new(data: &'a [u8]) -> Option<Self> {
        Some(Self {
            data,
            little: data.starts_with(b"II"),
        })
        .filter(|_| data.len() >= 8)
    }

    fn slice(&self, offset: u32, length: u32) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        self.data
            .get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }

    fn short(&self, bytes: &[u8]) -> Option<u16> {
        let bytes = *bytes.first_chunk::<2>()?;
        Some(if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn long(&self, bytes: &[u8]) -> Option<u32> {
        let bytes = *bytes.first_chunk::<4>()?;
        Some(if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// Places of the directories in the order of the chain, which may not turn back on itself.
    fn directories(&self) -> Result<Vec<u32>, Failure> {
        let mut found = Vec::new();
        let mut next = self
            .data
            .get(4..)
            .and_then(|rest| self.long(rest))
            .ok_or_else(damaged)?;
        while next != 0 {
            if found.contains(&next) || found.len() >= MAX_DIRECTORIES {
                return Err(damaged());
            }
            found.push(next);
            let count = self
                .slice(next, 2)
                .and_then(|bytes| self.short(bytes))
                .ok_or_else(damaged)?;
            let after = next.checked_add(2 + 12 * u32::from(count)).ok_or_else(damaged)?;
            // Some writers leave out the last link.
            next = self
                .slice(after, 4)
                .and_then(|bytes| self.long(bytes))
                .unwrap_or(0);
        }
        Ok(found)
    }

    fn directory(&self, offset: u32) -> Option<Directory<'a>> {
        let count = self.short(self.slice(offset, 2)?)?;
        let entries = self.slice(offset.checked_add(2)?, u32::from(count) * 12)?;
        Some(Directory {
            file: *self,
            entries: entries.as_chunks::<12>().0,
        })
    }
}

/// One page's tags.
struct Directory<'a> {
    file: File<'a>,
    entries: &'a [[u8; 12]],
}

impl Directory<'_> {
    /// Type, count and bytes of a tag's values.
    fn value(&self, tag: u16) -> Option<(u16, u32, &[u8])> {
        let entry = self
            .entries
            .iter()
            .find(|entry| self.file.short(*entry) == Some(tag))?;
        let kind = self.file.short(entry.get(2..)?)?;
        let count = self.file.long(entry.get(4..)?)?;
        let size = match kind {
            1 => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            _ => return None,
        };
        let length = count.checked_mul(size)?;
        let place = entry.get(8..)?;
        let bytes = if length <= 4 {
            place.get(..length as usize)?
        } else {
            self.file.slice(self.file.long(place)?, length)?
        };
        Some((kind, count, bytes))
    }

    fn numbers(&self, tag: u16) -> Option<Vec<u32>> {
        let (kind, _, bytes) = self.value(tag)?;
        match kind {
            1 => Some(bytes.iter().map(|byte| u32::from(*byte)).collect()),
            3 => bytes
                .chunks(2)
                .map(|bytes| self.file.short(bytes).map(u32::from))
                .collect(),
            4 => bytes.chunks(4).map(|bytes| self.file.long(bytes)).collect(),
            _ => None,
        }
    }

    fn number(&self, tag: u16) -> Option<u32> {
        self.numbers(tag)?.first().copied()
    }

    fn ratio(&self, tag: u16) -> Option<f64> {
        let (5, _, bytes) = self.value(tag)? else {
            return None;
        };
        let (over, under) = (self.file.long(bytes)?, self.file.long(bytes.get(4..)?)?);
        (under != 0).then(|| f64::from(over) / f64::from(under))
    }

    fn resolution(&self) -> Option<Resolution> {
        let per_inch = match self.number(tag::RESOLUTION_UNIT).unwrap_or(2) {
            2 => 1.0,
            3 => 2.54,
            _ => return None,
        };
        Resolution::new(
            self.ratio(tag::X_RESOLUTION)? * per_inch,
            self.ratio(tag::Y_RESOLUTION)? * per_inch,
        )
    }
}
