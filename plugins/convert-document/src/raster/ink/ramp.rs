//! Axial gradients ("shading type 2", ISO 32000-1, 8.7.4.5.3): their colours depend on one number, so they are looked up
//! in a table as long as the gradient is in pixels.

use super::paper::{Filling, Ink};
use hayro::hayro_interpret::encode::EncodedShadingPattern;
use hayro::hayro_interpret::pattern::ShadingPattern;
use hayro::hayro_interpret::shading::ShadingType;
use hayro::kurbo::Point;

/// Most colours of a gradient: about twice the rows of a page.
const MOST: f64 = 4096.0;

/// A gradient on the paper.
pub(super) struct Ramp {
    /// From where it begins to where it ends.
    inks: Vec<Ink>,
    before: Ink,
    after: Ink,
    /// Places of the table from one pixel to the next, across and down.
    step: [f64; 2],
    /// The place of the first pixel of the page.
    origin: f64,
}

impl Ramp {
    /// Nothing if the gradient is of another kind.
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
            inks: (0..length as usize)
                .map(|index| ink(&encoded, place(index)))
                .collect(),
            before: ink(&encoded, -1.0),
            after: ink(&encoded, 2.0),
            step: [a * length, c * length],
            origin: ((a + c) / 2.0 + e) * length,
        })
    }

    fn at(&self, place: f64) -> Ink {
        if place < 0.0 {
            return self.before;
        }
        self.inks.get(place as usize).copied().unwrap_or(self.after)
    }
}

/// The colour where this share of the way along the axis is gone.
fn ink(shading: &EncodedShadingPattern, share: f64) -> Ink {
    let colour = shading.sample(Point::new(share, 0.0));
    Ink::new(colour.map(|part| (part * 255.0 + 0.5) as u8))
}

impl Filling for Ramp {
    fn inks(&self, x: usize, y: usize) -> impl Iterator<Item = Ink> {
        let [across, down] = self.step;
        let begin = self.origin + down * y as f64;
        (x..).map(move |x| self.at(begin + across * x as f64))
    }
}
