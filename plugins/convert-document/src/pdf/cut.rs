//! Pages that are much longer than paper, such as till receipts: printed on one sheet nobody could read them, so they are
//! cut into several pages.

use crate::model::Paper;
use hayro::hayro_syntax::page::{Page, Rotation};
use pdf_writer::Rect;

/// A page that has to shrink to less than this part of the size that its width allows is cut.
const SMALLEST: f64 = 0.4;
/// A page that shrinks to less than this part is worth a note.
const SMALL: f64 = 0.6;
/// Points that two pieces have in common at natural size, so that a line of text is whole on one of them.
const OVERLAP: f64 = 24.0;
/// A page of more pieces than any fax has pages isn't cut at all; it is refused for its size.
const MAX_PIECES: usize = 1000;

/// The scale that the width of a page allows on a sheet, and the part of it that is left when the height has to fit too.
fn scales(short: f64, long: f64, sheet: (f64, f64)) -> (f64, f64) {
    let natural = (sheet.0 / short).min(1.0);
    (natural, (sheet.1 / long / natural).min(1.0))
}

/// The length of a piece and how many a page has, for a page this wide and high on a sheet that is as wide and high.
fn division(short: f64, long: f64, sheet: (f64, f64)) -> Option<(f64, usize)> {
    let (natural, part) = scales(short, long, sheet);
    // Also not a number.
    if !(part < SMALLEST && natural > 0.0) {
        return None;
    }
    let (length, overlap) = (sheet.1 / natural, OVERLAP / natural);
    let count = ((long - overlap) / (length - overlap)).ceil();
    (count <= MAX_PIECES as f64).then_some((length, count as usize))
}

/// Whether a page is so long that it is printed much smaller than its width allows.
pub(crate) fn is_small(page: &Page<'_>, paper: Paper) -> bool {
    let area = page.intersected_crop_box();
    let (width, height) = (area.x1 - area.x0, area.y1 - area.y0);
    scales(width.min(height), width.max(height), paper.points()).1 < SMALL
}

/// Whether a page becomes several ones on this paper.
pub(crate) fn is_cut(page: &Page<'_>, paper: Paper) -> bool {
    pieces(page, paper).len() > 1
}

/// The areas of a page that become pages, in reading order; `None` stands for all of it.
pub(crate) fn pieces(page: &Page<'_>, paper: Paper) -> Vec<Option<Rect>> {
    let area = page.intersected_crop_box();
    let (width, height) = (area.x1 - area.x0, area.y1 - area.y0);
    let is_wide = width > height;
    let (short, long) = (width.min(height), width.max(height));
    let Some((length, count)) = division(short, long, paper.points()) else {
        return vec![None];
    };
    let step = (long - length) / (count - 1).max(1) as f64;
    let offsets = (0..count).map(|piece| step * piece as f64);
    let rect = |from: f64| {
        let (x0, y0, x1, y1) = match is_wide {
            true => (area.x0 + from, area.y0, area.x0 + from + length, area.y1),
            false => (area.x0, area.y0 + from, area.x1, area.y0 + from + length),
        };
        Some(Rect::new(x0 as f32, y0 as f32, x1 as f32, y1 as f32))
    };
    let mut pieces: Vec<_> = offsets.map(rect).collect();
    if is_read_backwards(page.rotation(), is_wide) {
        pieces.reverse();
    }
    pieces
}

/// Whether reading goes against the axis along which a page is long: from the top down, or from left to right, of the
/// page as it is turned.
fn is_read_backwards(turn: Rotation, is_wide: bool) -> bool {
    match turn {
        Rotation::None => !is_wide,
        Rotation::Horizontal => false,
        Rotation::Flipped => is_wide,
        Rotation::FlippedHorizontal => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_much_longer_than_paper_are_cut() {
        let letter = Paper::Letter.points();
        for (short, long) in [
            (612.0, 792.0),
            (612.0, 1008.0),
            (792.0, 1224.0),
            (612.0, 1900.0),
            (10.0, 20.0),
            (0.0, 9.0),
        ] {
            assert_eq!(division(short, long, letter), None, "{short} by {long}");
        }
        for (short, long, is_small) in [
            (612.0, 792.0, false),
            (612.0, 1224.0, false),
            (612.0, 1400.0, true),
            (0.0, 0.0, false),
        ] {
            assert_eq!(
                scales(short, long, letter).1 < SMALL,
                is_small,
                "{short} by {long}"
            );
        }
        let (length, count) = division(226.0, 5669.0, letter).expect("pieces");
        assert_eq!((length, count), (792.0, 8));
        // Twice as wide as the sheet: a piece is twice as long.
        let (length, count) = division(1224.0, 20_000.0, letter).expect("pieces");
        assert_eq!((length, count), (1584.0, 13));
        assert_eq!(division(1.0, 1e9, letter), None);
    }
}
