//! Strips and tiles to grey.

use super::ccitt;
use super::codec::decompress;
use super::file::Directory;
use super::layout::{Alpha, Coding, Colour, Compression, Layout};
use super::{damaged, jpeg, tag};
use crate::model::Failure;
use crate::picture::{Pixels, decode};
use crate::raster::Bitmap;
use std::borrow::Cow;

/// Brightness of a colour (ITU-R BT.601).
pub(super) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    ((u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8) as u8
}

/// The decoded bytes of one strip or tile of one plane.
struct Chunk<'a> {
    bytes: Cow<'a, [u8]>,
    row_bytes: usize,
}

impl Chunk<'_> {
    fn row(&self, y: u32) -> Result<&[u8], Failure> {
        let start = y as usize * self.row_bytes;
        self.bytes.get(start..start + self.row_bytes).ok_or_else(damaged)
    }
}

/// Decodes a page.
pub(super) fn read(directory: &Directory<'_>, layout: &Layout) -> Result<Pixels, Failure> {
    let reader = Reader { directory, layout };
    let strips = layout.chunk.0 == layout.width;
    let is_bilevel = layout.bits == 1
        && layout.samples == 1
        && strips
        && matches!(layout.colour, Colour::Grey | Colour::InvertedGrey)
        && matches!(layout.coding, Coding::Samples(_));
    if is_bilevel {
        return reader.bilevel();
    }
    let (grey, visible) = reader.grey(layout.alpha)?;
    // An alpha channel that hides everything is not meant as one.
    let grey = if visible { grey } else { reader.grey(None)?.0 };
    Ok(decode::from_grey(layout.width, layout.height, grey))
}

struct Reader<'a> {
    directory: &'a Directory<'a>,
    layout: &'a Layout,
}

impl<'a> Reader<'a> {
    /// Decodes the strip or tile of this number, counted over all planes, in this row of them.
    fn chunk(&self, number: usize, row: u32) -> Result<Chunk<'a>, Failure> {
        let layout = self.layout;
        let (offset, length) = *layout.chunks.get(number).ok_or_else(damaged)?;
        let data = self.directory.file.slice(offset, length).ok_or_else(damaged)?;
        let (across, down) = layout.chunk_pixels(row);
        match layout.coding {
            Coding::Samples(compression) => {
                let (row_bytes, rows) = match layout.subsampling {
                    Some((x, y)) => (
                        across.div_ceil(x) as usize * (x * y + 2) as usize,
                        down.div_ceil(y),
                    ),
                    None => (layout.row_bytes(), down),
                };
                let bytes = self.samples(data, compression, row_bytes * rows as usize)?;
                Ok(Chunk { bytes, row_bytes })
            }
            Coding::Fax(compression) => {
                let mut bitmap = Bitmap::new(across, down);
                let coding = ccitt::Coding::new(self.directory, compression);
                if !ccitt::read(data, coding, across, down, &mut bitmap.rows_mut()) {
                    return Err(damaged());
                }
                let row_bytes = layout.row_bytes();
                let row = |words: &[u64]| {
                    let bytes = words.iter().flat_map(|word| word.to_be_bytes());
                    bytes.take(row_bytes).collect::<Vec<_>>()
                };
                let bytes = Cow::Owned(bitmap.rows().flat_map(row).collect());
                Ok(Chunk { bytes, row_bytes })
            }
            Coding::Jpeg => {
                let tables = self.directory.bytes(tag::JPEG_TABLES);
                let image = jpeg::decode(data, tables, layout.samples_together())?;
                if image.width < across.min(layout.width) || image.height < down {
                    return Err(damaged());
                }
                Ok(Chunk {
                    row_bytes: image.width as usize * layout.samples_together(),
                    bytes: Cow::Owned(image.samples),
                })
            }
            Coding::OldJpeg => Err(super::unsupported("JPEG compression of the kind before 1995")),
        }
    }

    /// Decompressed samples, with those that are stored as differences summed up.
    fn samples(
        &self,
        data: &'a [u8],
        compression: Compression,
        length: usize,
    ) -> Result<Cow<'a, [u8]>, Failure> {
        let layout = self.layout;
        let mut bytes = if layout.reversed {
            let ordered: Vec<u8> = data.iter().map(|byte| byte.reverse_bits()).collect();
            Cow::Owned(decompress(&ordered, compression, length)?.into_owned())
        } else {
            decompress(data, compression, length)?
        };
        if layout.differences {
            let little = self.directory.file.little;
            for row in bytes.to_mut().chunks_mut(layout.row_bytes().max(1)) {
                sum_up(row, layout.bits, layout.samples_together(), little);
            }
        }
        Ok(bytes)
    }

    /// A page of black and white strips.
    fn bilevel(&self) -> Result<Pixels, Failure> {
        let layout = self.layout;
        let mut bitmap = Bitmap::new(layout.width, layout.height);
        let mut rows = bitmap.rows_mut();
        for strip in 0..layout.grid().1 {
            let chunk = self.chunk(strip as usize, strip)?;
            for y in 0..layout.chunk_pixels(strip).1 {
                let (Some(row), bytes) = (rows.next(), chunk.row(y)?) else {
                    break;
                };
                for (word, bytes) in row.iter_mut().zip(bytes.chunks(8)) {
                    let mut whole = [0; 8];
                    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                    *word = u64::from_be_bytes(whole);
                }
                if let (Some(last), past @ 1..) = (row.last_mut(), layout.width % 64) {
                    *last &= !(u64::MAX >> past);
                }
            }
        }
        drop(rows);
        if layout.colour == Colour::Grey {
            bitmap.invert();
        }
        Ok(Pixels::Bilevel(bitmap))
    }

    /// Grey values of the page, and whether its alpha channel shows anything.
    fn grey(&self, alpha: Option<(Alpha, usize)>) -> Result<(Vec<u8>, bool), Failure> {
        let layout = self.layout;
        let width = layout.width as usize;
        let mut grey = vec![255; width * layout.height as usize];
        let (across, down) = layout.grid();
        let mut visible = alpha.is_none();
        for row in 0..down {
            for column in 0..across {
                let planes = self.planes(row, column, alpha.is_some())?;
                let (top, left) = (
                    row as usize * layout.chunk.1 as usize,
                    column as usize * layout.chunk.0 as usize,
                );
                let count = (layout.chunk.0 as usize).min(width - left);
                let lines = grey
                    .chunks_exact_mut(width)
                    .skip(top)
                    .take(layout.chunk.1 as usize);
                for (y, line) in (0..).zip(lines) {
                    let samples = self.row(&planes, y, count)?;
                    let line = line.get_mut(left..left + count).ok_or_else(damaged)?;
                    visible |= shade(&samples, layout, alpha, line);
                }
            }
        }
        Ok((grey, visible))
    }

    /// The planes of a strip or tile that are needed.
    fn planes(&self, row: u32, column: u32, alpha: bool) -> Result<Vec<Chunk<'a>>, Failure> {
        let layout = self.layout;
        let (across, down) = layout.grid();
        let in_plane = across as usize * down as usize;
        let first = row as usize * across as usize + column as usize;
        let one = !layout.planar || (!alpha && !matches!(layout.colour, Colour::Rgb | Colour::Cmyk));
        let count = if one { 1 } else { layout.samples };
        (0..count)
            .map(|plane| self.chunk(plane * in_plane + first, row))
            .collect()
    }

    /// The samples of `count` pixels of a row, 8 bits each; those of a palette as they are.
    fn row(&self, planes: &[Chunk<'_>], y: u32, count: usize) -> Result<Vec<u8>, Failure> {
        let layout = self.layout;
        let [first, others @ ..] = planes else {
            return Err(damaged());
        };
        if let Some((across, down)) = layout.subsampling {
            return Ok(brightness(
                first.row(y / down)?,
                across,
                down,
                y,
                count,
                layout.samples,
            ));
        }
        let little = self.directory.file.little;
        let samples = unpack(first.row(y)?, layout, little, count * layout.samples_together());
        if !layout.planar {
            return Ok(samples);
        }
        let mut all = vec![0; count * layout.samples];
        let others = others
            .iter()
            .map(|plane| Ok(unpack(plane.row(y)?, layout, little, count)));
        for (at, plane) in std::iter::once(Ok(samples)).chain(others).enumerate() {
            let places = all.iter_mut().skip(at).step_by(layout.samples);
            places.zip(plane?).for_each(|(to, from)| *to = from);
        }
        Ok(all)
    }
}

/// The Y of pixels that share Cb and Cr: units of `across` by `down` Y, then Cb and Cr (TIFF 6.0, section 21).
fn brightness(units: &[u8], across: u32, down: u32, y: u32, count: usize, samples: usize) -> Vec<u8> {
    let (across, size) = (across as usize, (across * down + 2) as usize);
    let from = (y % down) as usize * across;
    let mut all = vec![128; count * samples];
    let ys = units
        .chunks_exact(size)
        .flat_map(|unit| unit.get(from..from + across).unwrap_or_default());
    let places = all.iter_mut().step_by(samples.max(1));
    places.zip(ys).for_each(|(to, y)| *to = *y);
    all
}

/// Sums up samples that are stored as differences to the pixel before (TIFF 6.0, section 14).
fn sum_up(row: &mut [u8], bits: u32, samples: usize, little: bool) {
    let width = bits as usize / 8;
    let mut last = vec![0_u32; samples];
    for pixel in row.chunks_exact_mut(width * samples) {
        for (sample, last) in pixel.chunks_exact_mut(width).zip(&mut last) {
            let significant = |at: usize| 8 * (if little { at } else { width - 1 - at });
            let value = sample.iter().enumerate().fold(0_u32, |value, (at, byte)| {
                value | u32::from(*byte) << significant(at)
            });
            *last = last.wrapping_add(value);
            for (at, byte) in sample.iter_mut().enumerate() {
                *byte = (*last >> significant(at)) as u8;
            }
        }
    }
}

/// Samples of a row as 8 bits each: the highest bits of wider ones, narrower ones scaled up. Those of a palette stay.
fn unpack(bytes: &[u8], layout: &Layout, little: bool, count: usize) -> Vec<u8> {
    let bits = layout.bits;
    let indexed = matches!(layout.colour, Colour::Palette(_));
    let sign = if layout.signed && !indexed { 0x80 } else { 0 };
    if bits.is_multiple_of(8) {
        let width = bits as usize / 8;
        let highest = if little { width - 1 } else { 0 };
        return bytes
            .iter()
            .skip(highest)
            .step_by(width)
            .take(count)
            .map(|byte| byte ^ sign)
            .collect();
    }
    let full = (1_u32 << bits) - 1;
    let (mut held, mut have) = (0_u32, 0);
    let mut next = bytes.iter();
    (0..count)
        .map(|_| {
            while have < bits {
                held = held << 8 | u32::from(next.next().copied().unwrap_or(0));
                have += 8;
            }
            have -= bits;
            let value = held >> have & full;
            if indexed {
                value as u8
            } else {
                (value * 255 / full) as u8 ^ sign
            }
        })
        .collect()
}

/// Turns pixels into grey over white paper; says whether any of them is visible.
fn shade(samples: &[u8], layout: &Layout, alpha: Option<(Alpha, usize)>, line: &mut [u8]) -> bool {
    let mut visible = alpha.is_none();
    for (grey, pixel) in line.iter_mut().zip(samples.chunks_exact(layout.samples)) {
        let sample = |at: usize| pixel.get(at).copied().unwrap_or(0);
        let colour = match &layout.colour {
            Colour::Grey => sample(0),
            Colour::InvertedGrey => 255 - sample(0),
            Colour::Rgb => luma(sample(0), sample(1), sample(2)),
            Colour::Cmyk => {
                let paper = luma(255 - sample(0), 255 - sample(1), 255 - sample(2));
                (u32::from(paper) * u32::from(255 - sample(3)) / 255) as u8
            }
            Colour::Palette(values) => values.get(usize::from(sample(0))).copied().unwrap_or(255),
        };
        *grey = match alpha {
            None => colour,
            Some((kind, at)) => {
                let alpha = sample(at);
                visible |= alpha > 0;
                over(colour, alpha, kind, &layout.colour)
            }
        };
    }
    visible
}

/// A colour over white paper.
fn over(colour: u8, alpha: u8, kind: Alpha, space: &Colour) -> u8 {
    // Multiplied inks and multiplied values that begin at white are lighter, not darker: only where 0 is black is the
    // colour multiplied as it stands.
    let multiplied = kind == Alpha::Associated && matches!(space, Colour::Grey | Colour::Rgb);
    if multiplied {
        colour.saturating_add(255 - alpha)
    } else {
        ((u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255) as u8
    }
}
