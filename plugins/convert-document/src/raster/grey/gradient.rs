//! Axial gradients ("shading type 2", ISO 32000-1, 8.7.4.5.3): their colours depend on one number, so they are looked up
//! in a table as long as the gradient is in pixels.

use super::canvas::{FillColor, FillSource};
use hayro::hayro_interpret::encode::EncodedShadingPattern;
use hayro::hayro_interpret::pattern::ShadingPattern;
use hayro::hayro_interpret::shading::ShadingType;
use hayro::kurbo::Point;

/// Most colours of a gradient: about twice the rows of a page.
const MOST: f64 = 4096.0;

/// An axial gradient in device space.
pub(super) struct LinearGradient {
    /// From where it begins to where it ends.
    fills: Vec<FillColor>,
    before: FillColor,
    after: FillColor,
    /// Table entries from one pixel to the next, across and down.
    step: [f64; 2],
    /// Table position of the first pixel of the page.
    origin: f64,
}

impl LinearGradient {
    /// `None` for other types of shading.
    pub(super) fn new(shading: &ShadingPattern) -> Option<Self> {
        let axial = matches!(
            shading.shading.shading_type.as_ref(),
            ShadingType::RadialAxial { axial: true, .. }
        );
        if !axial || shading.shading.clip_path.is_some() {
            return None;
        }
        let encoded = shading.encode();
        let [a, _, c, _, e, _] = encoded.base_transform.as_coeffs();
        let length = (1.0 / a.hypot(c)).ceil().clamp(1.0, MOST);
        if !(a.is_finite() && c.is_finite() && e.is_finite() && length.is_finite()) {
            return None;
        }
        let place = |index: usize| (index as f64 + 0.5) / length;
        Some(Self {
            fills: (0..length as usize)
                .map(|index| color_at(&encoded, place(index)))
                .collect(),
            before: color_at(&encoded, -1.0),
            after: color_at(&encoded, 2.0),
            step: [a * length, c * length],
            origin: ((a + c) / 2.0 + e) * length,
        })
    }

    fn at(&self, place: f64) -> FillColor {
        if place < 0.0 {
            return self.before;
        }
        self.fills.get(place as usize).copied().unwrap_or(self.after)
    }
}

/// The colour at this fraction of the axis.
fn color_at(shading: &EncodedShadingPattern, share: f64) -> FillColor {
    let colour = shading.sample(Point::new(share, 0.0));
    FillColor::new(colour.map(|part| (part * 255.0 + 0.5) as u8))
}

impl FillSource for LinearGradient {
    fn fills(&self, x: usize, y: usize) -> impl Iterator<Item = FillColor> {
        let [across, down] = self.step;
        let begin = self.origin + down * y as f64;
        (x..).map(move |x| self.at(begin + across * x as f64))
    }
}
