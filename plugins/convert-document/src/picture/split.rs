//! Pictures that go over several pages: those of their pages that would be blank are left out.

use super::place::{Placement, place};
use super::{PageImage, Pixels, ccitt, decode};
use crate::model::{Failure, Paper};
use crate::raster::Bitmap;

/// Where a picture lies, without pages on which nothing of it is seen.
pub(super) fn placement(image: &PageImage, paper: Paper) -> Result<Placement, Failure> {
    let (width, height) = image.pixels.size();
    let mut placement = place(width, height, image.resolution, image.orientation, paper);
    if placement.parts.len() > 1 {
        let dark = dark_lines(&image.pixels, placement.along_rows)?;
        let length = dark.len() as f64;
        placement.parts.retain(|part| {
            let (from, to) = (part.shows.0 * length, part.shows.1 * length);
            dark.get(from as usize..(to.ceil() as usize).min(dark.len()))
                .is_some_and(|lines| lines.contains(&true))
        });
    }
    Ok(placement)
}

/// Which rows or columns have a pixel that is not white.
fn dark_lines(pixels: &Pixels, rows: bool) -> Result<Vec<bool>, Failure> {
    match pixels {
        Pixels::Bilevel(bitmap) => Ok(of_bitmap(bitmap, rows)),
        Pixels::Fax {
            width,
            height,
            coding,
            inverted,
            data,
            ..
        } => {
            // The codes are in order already.
            let coding = ccitt::Coding {
                reversed: false,
                ..*coding
            };
            let mut bitmap = Bitmap::new(*width, *height);
            ccitt::read(data, coding, *width, *height, &mut bitmap.rows_mut());
            if *inverted {
                bitmap.invert();
            }
            Ok(of_bitmap(&bitmap, rows))
        }
        Pixels::Grey { width, data, .. } => Ok(of_grey(data, *width as usize, rows)),
        Pixels::Jpeg { width, file, .. } => {
            let grey = decode::jpeg_image(file)?.into_luma8().into_raw();
            Ok(of_grey(&grey, *width as usize, rows))
        }
    }
}

fn of_bitmap(bitmap: &Bitmap, rows: bool) -> Vec<bool> {
    if rows {
        return bitmap
            .rows()
            .map(|row| row.iter().any(|word| *word != 0))
            .collect();
    }
    let mut all = vec![0; bitmap.width().div_ceil(64) as usize];
    for row in bitmap.rows() {
        all.iter_mut().zip(row).for_each(|(all, word)| *all |= word);
    }
    let bits = all
        .iter()
        .flat_map(|word| (0..64).map(move |bit| word << bit >> 63 == 1_u64));
    bits.take(bitmap.width() as usize).collect()
}

fn of_grey(grey: &[u8], width: usize, rows: bool) -> Vec<bool> {
    let lines = grey.chunks_exact(width.max(1));
    if rows {
        return lines
            .map(|line| line.iter().any(|value| *value != u8::MAX))
            .collect();
    }
    let mut all = vec![false; width];
    for line in lines {
        all.iter_mut()
            .zip(line)
            .for_each(|(dark, value)| *dark |= *value != u8::MAX);
    }
    all
}
