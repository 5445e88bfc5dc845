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
    /// A resolution worth believing: programs that don't know write 72 or 96, whatever the picture.
    pub(super) fn new(x: f64, y: f64) -> Option<Self> {
        let sane = |dpi: f64| dpi.is_finite() && (97.0..=10_000.0).contains(&dpi);
        (sane(x) && sane(y)).then_some(Self { x, y })
    }
}

/// Resolution of a picture that names none: that of a screen.
const SCREEN: Resolution = Resolution { x: 96.0, y: 96.0 };
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

/// The matrix that draws the unit square of a picture of `width` by `height` pixels on the paper: at its own
/// size or smaller when its resolution is known, turned a quarter when it is wider than the paper and fits better
/// so, and in the middle.
pub(super) fn place(
    width: u32,
    height: u32,
    resolution: Option<Resolution>,
    orientation: Orientation,
    paper: Paper,
) -> [f32; 6] {
    let (paper_width, paper_height) = paper.points();
    let dpi = resolution.unwrap_or(SCREEN);
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
    let scale = ((paper_width - 2.0 * margin) / across).min((paper_height - 2.0 * margin) / down);
    // A full page fills the paper; anything else is only ever made smaller.
    let scale = if margin == 0.0 { scale } else { scale.min(1.0) };
    let (across, down) = (across * scale, down * scale);
    let [a, b, c, d] = [map[0] * across, map[1] * down, map[2] * across, map[3] * down];
    // The middle of the unit square goes to the middle of the paper.
    let (x, y) = ((paper_width - a - c) / 2.0, (paper_height - b - d) / 2.0);
    [a as f32, b as f32, c as f32, d as f32, x as f32, y as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners(matrix: [f32; 6]) -> [(f32, f32); 2] {
        let [a, b, c, d, e, f] = matrix;
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
}
