//! Where a picture lies on the paper.

use crate::model::Paper;
pub(super) use image::metadata::Orientation;

/// Dots per inch, across and down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Resolution {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Resolution {
    /// A plausible resolution: programs that don't know it write 72 or 96, whatever the picture.
    pub(super) fn new(x: f64, y: f64) -> Option<Self> {
        let sane = |dpi: f64| dpi.is_finite() && (97.0..=10_000.0).contains(&dpi);
        (sane(x) && sane(y)).then_some(Self { x, y })
    }
}

/// Resolution of a picture that names none: that of a screen.
const DEFAULT_RESOLUTION: Resolution = Resolution { x: 96.0, y: 96.0 };
/// White around a picture that is not a full page, in points.
const MARGIN: f64 = 18.0;
/// A picture whose size differs from the paper's by less than this share is a scan of a full page.
const FULL_PAGE: f64 = 0.08;

/// A linear map, `[a, b, c, d]` with `x' = a x + c y` and `y' = b x + d y`; y points up.
type Linear = [f64; 4];

const UPRIGHT: Linear = [1.0, 0.0, 0.0, 1.0];
/// A quarter turn clockwise.
const QUARTER: Linear = [0.0, -1.0, 1.0, 0.0];

fn then(first: Linear, second: Linear) -> Linear {
    let ([a, b, c, d], [e, f, g, h]) = (first, second);
    [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]
}

fn linear(orientation: Orientation) -> Linear {
    const MIRROR: Linear = [-1.0, 0.0, 0.0, 1.0];
    let half = then(QUARTER, QUARTER);
    let three = then(half, QUARTER);
    match orientation {
        Orientation::NoTransforms => UPRIGHT,
        Orientation::Rotate90 => QUARTER,
        Orientation::Rotate180 => half,
        Orientation::Rotate270 => three,
        Orientation::FlipHorizontal => MIRROR,
        Orientation::FlipVertical => then(MIRROR, half),
        Orientation::Rotate90FlipH => then(QUARTER, MIRROR),
        Orientation::Rotate270FlipH => then(three, MIRROR),
    }
}

/// A picture that fits a page only at less than this share of the size that its width allows may go on to further pages.
const MUCH_TALLER: f64 = 0.5;
/// It does when it would be drawn at less than this share of its own size: the print of a till receipt could not be read.
const LEGIBLE: f64 = 0.5;
/// The same for a picture that names no resolution. Its pixels are taken for those of a screen, of which a fax shows twice as
/// many to the inch.
const LEGIBLE_ON_SCREEN: f64 = 0.33;
/// What the end of a page and the beginning of the next both show, in points: a line of text that is cut is whole on one.
const OVERLAP: f64 = 14.0;

/// One page of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The matrix that draws the unit square of the picture.
    pub(super) matrix: [f32; 6],
    /// What it shows of the rows or columns of the picture, as shares of their number.
    pub(super) shows: (f64, f64),
}

/// Where a picture lies on its pages.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    /// Its pages, at least one.
    pub(super) parts: Vec<Part>,
    /// Whether several pages show different rows; else they show different columns.
    pub(super) along_rows: bool,
    /// Left, bottom, width and height of what is drawn on each of several pages.
    pub(super) clip: [f32; 4],
}

/// Places a picture of `width` by `height` pixels on the paper: at its own size or smaller when its resolution is known,
/// turned a quarter when it is wider than the paper and fits better so, and in the middle; over several pages when it is much
/// taller than one.
pub(super) fn place(
    width: u32,
    height: u32,
    resolution: Option<Resolution>,
    orientation: Orientation,
    paper: Paper,
) -> Placement {
    let (paper_width, paper_height) = paper.points();
    let dpi = resolution.unwrap_or(DEFAULT_RESOLUTION);
    let (mut across, mut down) = (f64::from(width) * 72.0 / dpi.x, f64::from(height) * 72.0 / dpi.y);
    let mut map = linear(orientation);
    if map[0] == 0.0 {
        std::mem::swap(&mut across, &mut down);
    }
    if across > down && across > paper_width - 2.0 * MARGIN {
        map = then(map, QUARTER);
        std::mem::swap(&mut across, &mut down);
    }
    let near = |length: f64, paper: f64| (length / paper - 1.0).abs() < FULL_PAGE;
    let margin = if near(across, paper_width) && near(down, paper_height) {
        0.0
    } else {
        MARGIN
    };
    let (inner_width, inner_height) = (paper_width - 2.0 * margin, paper_height - 2.0 * margin);
    // A full page fills the paper; anything else is only ever made smaller.
    let limit = if margin == 0.0 { f64::INFINITY } else { 1.0 };
    let by_width = (inner_width / across).min(limit);
    let by_height = inner_height / down;
    let legible = resolution.map_or(LEGIBLE_ON_SCREEN, |_| LEGIBLE);
    let split = by_height < by_width * MUCH_TALLER && by_height < legible;
    let scale = if split { by_width } else { by_width.min(by_height) };
    let (across, down) = (across * scale, down * scale);
    let drawn = Drawn {
        matrix: [map[0] * across, map[1] * down, map[2] * across, map[3] * down],
        down,
        paper: (paper_width, paper_height),
        margin,
    };
    Placement {
        parts: if split {
            drawn.pages(map)
        } else {
            vec![drawn.part(paper_height / 2.0, (0.0, 1.0))]
        },
        along_rows: map[3] != 0.0,
        clip: [margin, margin, inner_width, inner_height].map(|value| value as f32),
    }
}

/// A picture at the size at which it is drawn.
struct Drawn {
    matrix: Linear,
    /// Its height on paper.
    down: f64,
    /// Width and height of the paper.
    paper: (f64, f64),
    margin: f64,
}

impl Drawn {
    /// The page on which the middle of the picture is as high as `middle`, and in the middle from left to right.
    fn part(&self, middle: f64, shows: (f64, f64)) -> Part {
        let [a, b, c, d] = self.matrix;
        let x = (self.paper.0 - a - c) / 2.0;
        Part {
            matrix: [a, b, c, d, x, middle - (b + d) / 2.0].map(|value| value as f32),
            shows,
        }
    }

    /// The pages that it takes, from the top.
    fn pages(&self, map: Linear) -> Vec<Part> {
        // Whether the first row or column lies at the top.
        let begins_at_top = if map[3] == 0.0 { map[1] < 0.0 } else { map[3] > 0.0 };
        let inner = self.paper.1 - 2.0 * self.margin;
        let step = inner - OVERLAP;
        let count = 1 + ((self.down - inner) / step).ceil().max(0.0) as u32;
        let page = |number: u32| {
            let top = f64::from(number) * step;
            let (from, to) = (top / self.down, ((top + inner) / self.down).min(1.0));
            let shows = if begins_at_top {
                (from, to)
            } else {
                (1.0 - to, 1.0 - from)
            };
            self.part(self.paper.1 - self.margin + top - self.down / 2.0, shows)
        };
        (0..count).map(page).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners(placement: Placement) -> [(f32, f32); 2] {
        assert_eq!(placement.parts.len(), 1);
        let [a, b, c, d, e, f] = placement.parts[0].matrix;
        // Lower left and upper right of the picture.
        [(e, f), (a + c + e, b + d + f)]
    }

    #[test]
    fn a_full_page_scan_fills_the_page() {
        let dpi = Resolution::new(300.0, 300.0);
        let [low, high] = corners(place(2550, 3300, dpi, Orientation::NoTransforms, Paper::Letter));
        assert_eq!((low, high), ((0.0, 0.0), (612.0, 792.0)));
    }

    #[test]
    fn a_fax_page_has_different_resolutions_across_and_down() {
        let dpi = Resolution::new(204.0, 98.0);
        let [low, high] = corners(place(1728, 1078, dpi, Orientation::NoTransforms, Paper::Letter));
        assert!(
            (high.0 - low.0 - 609.9).abs() < 3.0 && (high.1 - low.1 - 792.0).abs() < 4.0,
            "{low:?} {high:?}"
        );
    }

    #[test]
    fn a_small_picture_keeps_its_size() {
        let dpi = Resolution::new(200.0, 200.0);
        let [low, high] = corners(place(400, 200, dpi, Orientation::NoTransforms, Paper::Letter));
        assert_eq!((low, high), ((234.0, 360.0), (378.0, 432.0)));
    }

    #[test]
    fn a_wide_picture_is_turned() {
        let [low, high] = corners(place(4000, 2000, None, Orientation::NoTransforms, Paper::Letter));
        // Its lower left corner comes to lie at the upper left.
        assert!(low.0 < high.0 && low.1 > high.1, "{low:?} {high:?}");
        assert!((low.1 - high.1) > 700.0);
    }

    #[test]
    fn orientation_turns_the_corners() {
        let at = |orientation| corners(place(100, 100, None, orientation, Paper::Letter));
        let quadrant = |[low, high]: [(f32, f32); 2]| (low.0 < high.0, low.1 < high.1);
        assert_eq!(quadrant(at(Orientation::NoTransforms)), (true, true));
        assert_eq!(quadrant(at(Orientation::Rotate180)), (false, false));
        assert_eq!(quadrant(at(Orientation::Rotate90)), (true, false));
        assert_eq!(quadrant(at(Orientation::Rotate270)), (false, true));
        assert_eq!(quadrant(at(Orientation::FlipHorizontal)), (false, true));
        assert_eq!(quadrant(at(Orientation::FlipVertical)), (true, false));
    }

    #[test]
    fn a_receipt_goes_on_to_further_pages_at_its_own_size() {
        // 226 by 5669 points, as rows, as columns, and upside down.
        for (width, height, orientation, along_rows, first) in [
            (226, 5669, Orientation::NoTransforms, true, 0.0),
            (226, 5669, Orientation::Rotate180, true, 1.0),
            (5669, 226, Orientation::NoTransforms, false, 0.0),
            (5669, 226, Orientation::Rotate90, false, 0.0),
            (5669, 226, Orientation::Rotate270, false, 1.0),
        ] {
            let dpi = Resolution { x: 72.0, y: 72.0 };
            let placement = place(width, height, Some(dpi), orientation, Paper::Letter);
            assert_eq!(
                (placement.parts.len(), placement.along_rows),
                (8, along_rows),
                "{orientation:?}"
            );
            let (mut top, mut seen) = (774.0, 0.0);
            for part in &placement.parts {
                let [a, b, c, d, _, f] = part.matrix;
                assert!(((a + c).abs() - 226.0).abs() < 0.1 && ((b + d).abs() - 5669.0).abs() < 0.1);
                assert!((f.max(f + b + d) - top).abs() < 0.1, "{orientation:?}: {part:?}");
                top += 756.0 - OVERLAP as f32;
                let (from, to) = part.shows;
                assert!(from < to && (0.0..=1.0).contains(&from) && (0.0..=1.0).contains(&to));
                // Every part of the picture is on some page.
                let (near, far) = if first == 0.0 {
                    (from, to)
                } else {
                    (1.0 - to, 1.0 - from)
                };
                assert!(near <= seen, "{orientation:?}: {part:?}");
                seen = far;
            }
            assert_eq!(seen, 1.0);
        }
    }

    #[test]
    fn pictures_of_usual_shapes_stay_on_one_page() {
        for (width, height) in [(3000, 4000), (1080, 2400), (2400, 1080), (3000, 60), (100, 200)] {
            let placement = place(width, height, None, Orientation::NoTransforms, Paper::A4);
            assert_eq!(placement.parts.len(), 1, "{width} by {height}");
        }
        let legal = Resolution::new(200.0, 200.0);
        let placement = place(1700, 2800, legal, Orientation::NoTransforms, Paper::Letter);
        assert_eq!(placement.parts.len(), 1);
    }
}
