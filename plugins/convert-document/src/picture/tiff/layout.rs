//! How the samples of a page are laid out: what its tags say, and whether it can be read.

use super::file::Directory;
use super::{damaged, tag, unsupported};
use crate::model::{Failure, FailureKind};

/// Most bytes that the strips or tiles of a page may decompress to.
const MAX_DECOMPRESSED: u64 = 512 * 1024 * 1024;
/// Most samples of a pixel: inks and alpha channels.
const MAX_SAMPLES: u64 = 16;

/// Compressions of strips and tiles that hold samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lzw,
    PackBits,
    Deflate,
}

/// How strips and tiles are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Samples(Compression),
    Fax(super::ccitt::Compression),
    Jpeg,
    OldJpeg,
}

/// What the samples of a pixel mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Colour {
    /// The first sample is the brightness, from black to white: grey, Y of YCbCr, L of Lab.
    Grey,
    /// The first sample is the brightness, from white to black.
    InvertedGrey,
    /// Red, green and blue.
    Rgb,
    /// Cyan, magenta, yellow and black.
    Cmyk,
    /// The first sample is an index into these grey values.
    Palette(Vec<u8>),
}

/// What a sample beyond the colour means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    /// The colour is multiplied by it already.
    Associated,
    Unassociated,
}

/// The tags of one page.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) coding: Coding,
    pub(super) colour: Colour,
    /// Bits of each sample.
    pub(super) bits: u32,
    /// Whether samples are signed.
    pub(super) signed: bool,
    /// Samples of each pixel.
    pub(super) samples: usize,
    /// The alpha channel and which sample it is.
    pub(super) alpha: Option<(Alpha, usize)>,
    /// Whether each sample has strips or tiles of its own.
    pub(super) planar: bool,
    /// Whether samples are stored as differences.
    pub(super) differences: bool,
    /// Whether the first pixel is in the lowest bit of a byte.
    pub(super) reversed: bool,
    /// Pixels of a strip or tile, across and down.
    pub(super) chunk: (u32, u32),
    /// Offset and length of each strip or tile.
    pub(super) chunks: Vec<(u64, u64)>,
    /// Pixels for one pair of Cb and Cr, across and down, where these are stored together (TIFF 6.0, section 21).
    pub(super) subsampling: Option<(u32, u32)>,
}

impl Layout {
    pub(super) fn read(directory: &Directory<'_>, width: u32, height: u32) -> Result<Self, Failure> {
        let coding = coding(directory)?;
        let samples = directory.number(tag::SAMPLES_PER_PIXEL).unwrap_or(1);
        if samples == 0 {
            return Err(damaged());
        }
        if samples > MAX_SAMPLES {
            return Err(unsupported("more than 16 samples per pixel"));
        }
        let bits = bits(directory, samples)?;
        if coding == Coding::Jpeg && bits != 8 {
            return Err(unsupported(
                "JPEG compression of samples that are not 8 bits wide",
            ));
        }
        let signed = signed(directory)?;
        let planar = directory.number(tag::PLANAR_CONFIGURATION) == Some(2) && samples > 1;
        let differences = predictor(directory, coding, bits)?;
        let (colour, colours) = colour(directory, coding, bits, samples)?;
        let is_ycbcr = directory.number(tag::PHOTOMETRIC) == Some(6);
        let chunk = chunk_size(directory, width, height, if planar { samples } else { 1 })?;
        let mut layout = Self {
            width,
            height,
            coding,
            colour,
            bits,
            signed,
            samples: samples as usize,
            alpha: alpha(directory, colours, samples),
            planar,
            differences,
            reversed: directory.number(tag::FILL_ORDER) == Some(2),
            chunk,
            chunks: Vec::new(),
            subsampling: (is_ycbcr && !planar && matches!(coding, Coding::Samples(_)))
                .then(|| subsampling(directory))
                .transpose()?,
        };
        if layout.subsampling.is_some() && bits != 8 {
            return Err(unsupported("YCbCr samples that are not 8 bits wide"));
        }
        layout.chunks = layout.find_chunks(directory)?;
        Ok(layout)
    }

    /// Strips or tiles across and down.
    pub(super) fn grid(&self) -> (u32, u32) {
        (
            self.width.div_ceil(self.chunk.0),
            self.height.div_ceil(self.chunk.1),
        )
    }

    /// Pixels that a strip or tile in this row holds, across and down. Tiles are always whole.
    pub(super) fn chunk_pixels(&self, row: u32) -> (u32, u32) {
        let (across, down) = self.chunk;
        if across == self.width {
            (across, down.min(self.height - (row * down).min(self.height)))
        } else {
            (across, down)
        }
    }

    /// Samples of a pixel in one strip or tile.
    pub(super) fn samples_together(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes of one row of a strip or tile.
    pub(super) fn row_bytes(&self) -> usize {
        let bits = u64::from(self.chunk.0) * u64::from(self.bits) * self.samples_together() as u64;
        usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// The strips or tiles that are needed, all within the file.
    fn find_chunks(&self, directory: &Directory<'_>) -> Result<Vec<(u64, u64)>, Failure> {
        let (across, down) = self.grid();
        let planes = if self.planar { self.samples as u64 } else { 1 };
        let needed = u64::from(across) * u64::from(down) * planes;
        let decompressed = self.row_bytes() as u64 * u64::from(self.chunk.1) * needed;
        if decompressed > MAX_DECOMPRESSED {
            return Err(Failure::new(
                FailureKind::TooLarge,
                "The picture takes too much memory; make it smaller.",
            ));
        }
        let tiled = directory.numbers(tag::TILE_WIDTH).is_some();
        let (offsets, lengths) = if tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        // Some writers of tiles use the tags of strips.
        let offsets = directory
            .numbers(offsets)
            .or_else(|| directory.numbers(tag::STRIP_OFFSETS))
            .ok_or_else(damaged)?;
        let lengths = directory
            .numbers(lengths)
            .or_else(|| directory.numbers(tag::STRIP_BYTE_COUNTS))
            .unwrap_or_default();
        let file = &directory.file;
        let mut chunks = Vec::with_capacity(offsets.len());
        for (index, offset) in offsets.iter().enumerate().take(needed as usize) {
            // Old writers leave the lengths out, or write 0 for the only strip.
            let length = match lengths.get(index).copied() {
                Some(length) if length > 0 => length,
                _ => file.rest(*offset).ok_or_else(damaged)?.len() as u64,
            };
            chunks.push((*offset, length));
        }
        if (chunks.len() as u64) < needed {
            return Err(damaged());
        }
        Ok(chunks)
    }
}

fn coding(directory: &Directory<'_>) -> Result<Coding, Failure> {
    use super::ccitt::Compression::{Group3, Group4, ModifiedHuffman};
    let name = match directory.number(tag::COMPRESSION).unwrap_or(1) {
        1 => return Ok(Coding::Samples(Compression::None)),
        2 => return Ok(Coding::Fax(ModifiedHuffman)),
        3 => return Ok(Coding::Fax(Group3)),
        4 => return Ok(Coding::Fax(Group4)),
        5 => return Ok(Coding::Samples(Compression::Lzw)),
        6 => return Ok(Coding::OldJpeg),
        7 => return Ok(Coding::Jpeg),
        8 | 32946 => return Ok(Coding::Samples(Compression::Deflate)),
        32773 => return Ok(Coding::Samples(Compression::PackBits)),
        9 | 10 | 34661 => "JBIG compression",
        32771 => "fax compression in words",
        32809 => "ThunderScan compression",
        33003 | 33005 | 34712 => "JPEG 2000 compression",
        34676 | 34677 => "SGI Log compression",
        34887 => "LERC compression",
        34925 => "LZMA compression",
        34926 | 50000 => "Zstandard compression",
        34927 | 50001 => "WebP compression",
        50002 | 52546 => "JPEG XL compression",
        _ => "a compression of its own",
    };
    Err(unsupported(name))
}

/// Bits of each sample, which have to be alike.
fn bits(directory: &Directory<'_>, samples: u64) -> Result<u32, Failure> {
    let all = directory.numbers(tag::BITS_PER_SAMPLE).unwrap_or_else(|| vec![1]);
    let first = all.first().copied().ok_or_else(damaged)?;
    if all.iter().take(samples as usize).any(|bits| *bits != first) {
        return Err(unsupported("samples of different widths"));
    }
    match first {
        0 => Err(damaged()),
        1..=16 | 24 | 32 => Ok(first as u32),
        _ => Err(unsupported("samples of more than 32 bits")),
    }
}

/// Whether samples are signed.
fn signed(directory: &Directory<'_>) -> Result<bool, Failure> {
    match directory.number(tag::SAMPLE_FORMAT) {
        None | Some(1 | 4) => Ok(false),
        Some(2) => Ok(true),
        Some(3) => Err(unsupported("floating-point samples")),
        Some(_) => Err(unsupported("complex samples")),
    }
}

/// Whether samples are stored as differences. Other codings than LZW and Deflate have none, whatever the tag says.
fn predictor(directory: &Directory<'_>, coding: Coding, bits: u32) -> Result<bool, Failure> {
    if !matches!(coding, Coding::Samples(Compression::Lzw | Compression::Deflate)) {
        return Ok(false);
    }
    match directory.number(tag::PREDICTOR).unwrap_or(1) {
        1 => Ok(false),
        2 if matches!(bits, 8 | 16 | 32) => Ok(true),
        2 => Err(unsupported(
            "differences of samples that are not 8, 16 or 32 bits wide",
        )),
        3 => Err(unsupported("floating-point samples")),
        _ => Err(unsupported("an unknown predictor")),
    }
}

/// What the samples mean, and how many of them belong to the colour.
fn colour(
    directory: &Directory<'_>,
    coding: Coding,
    bits: u32,
    samples: u64,
) -> Result<(Colour, u64), Failure> {
    let photometric = directory.number(tag::PHOTOMETRIC).unwrap_or(match coding {
        // Fax codes say which runs are white; without the tag that is what holds.
        Coding::Fax(_) => 0,
        _ if samples >= 3 => 2,
        _ => 1,
    });
    let (colour, colours) = match photometric {
        0 => (Colour::InvertedGrey, 1),
        1 => (Colour::Grey, 1),
        2 => (Colour::Rgb, 3),
        3 => (Colour::Palette(palette(directory, bits)?), 1),
        5 if directory.number(tag::INK_SET).unwrap_or(1) == 1 => (Colour::Cmyk, 4),
        5 => return Err(unsupported("inks that are not CMYK")),
        // The brightness comes first and is all that a fax shows.
        6 | 8..=10 => (Colour::Grey, 3),
        32803 | 34892 => return Err(unsupported("raw data of a camera")),
        32844 | 32845 => return Err(unsupported("logarithmic brightness")),
        _ => return Err(unsupported("a colour space of its own")),
    };
    if colours > samples && !matches!(coding, Coding::OldJpeg) {
        return Err(damaged());
    }
    if matches!(coding, Coding::Fax(_)) && (samples != 1 || bits != 1) {
        return Err(unsupported("fax compression of a picture with tones"));
    }
    Ok((colour, colours))
}

/// The grey values of a palette. Entries have 16 bits, though some writers give 8.
fn palette(directory: &Directory<'_>, bits: u32) -> Result<Vec<u8>, Failure> {
    if bits > 8 {
        return Err(unsupported("a palette of more than 256 colours"));
    }
    let entries = directory.numbers(tag::COLOR_MAP).ok_or_else(damaged)?;
    let count = 1_usize << bits;
    let shift = if entries.iter().any(|entry| *entry > 255) {
        8
    } else {
        0
    };
    let channel = |index: usize| {
        let values = entries
            .get(index * count..(index + 1) * count)
            .ok_or_else(damaged)?;
        Ok(values.iter().map(move |value| (value >> shift) as u8))
    };
    let (red, green, blue) = (channel(0)?, channel(1)?, channel(2)?);
    Ok(red
        .zip(green)
        .zip(blue)
        .map(|((red, green), blue)| super::samples::luma(red, green, blue))
        .collect())
}

/// What the first sample after the colours means. Four samples of RGB without a word about the fourth have an alpha
/// channel, as libtiff reads them.
fn alpha(directory: &Directory<'_>, colours: u64, samples: u64) -> Option<(Alpha, usize)> {
    if samples <= colours {
        return None;
    }
    let alpha = match directory.number(tag::EXTRA_SAMPLES) {
        Some(1) => Alpha::Associated,
        Some(2) => Alpha::Unassociated,
        None if colours == 3 && samples == 4 => Alpha::Associated,
        _ => return None,
    };
    Some((alpha, colours as usize))
}

/// Pixels of a strip or tile. Rows of a strip without a number, or with the 2^32 - 1 that stands for it, are all rows
/// (TIFF 6.0, RowsPerStrip).
fn chunk_size(
    directory: &Directory<'_>,
    width: u32,
    height: u32,
    planes: u64,
) -> Result<(u32, u32), Failure> {
    if let Some(across) = directory.number(tag::TILE_WIDTH) {
        let down = directory.number(tag::TILE_LENGTH).ok_or_else(damaged)?;
        let size = |pixels: u64| {
            u32::try_from(pixels)
                .ok()
                .filter(|pixels| (1..=65_536).contains(pixels))
                .ok_or_else(damaged)
        };
        return Ok((size(across)?, size(down)?));
    }
    let strips = directory
        .numbers(tag::STRIP_OFFSETS)
        .map_or(1, |offsets| offsets.len() as u64 / planes)
        .max(1);
    let rows = directory
        .number(tag::ROWS_PER_STRIP)
        .unwrap_or_else(|| u64::from(height).div_ceil(strips));
    let rows = rows.clamp(1, u64::from(height));
    Ok((width, u32::try_from(rows).unwrap_or(height)))
}

fn subsampling(directory: &Directory<'_>) -> Result<(u32, u32), Failure> {
    let numbers = directory
        .numbers(tag::YCBCR_SUBSAMPLING)
        .unwrap_or_else(|| vec![2, 2]);
    match numbers.as_slice() {
        [across @ (1 | 2 | 4), down @ (1 | 2 | 4), ..] => Ok((*across as u32, *down as u32)),
        _ => Err(damaged()),
    }
}
