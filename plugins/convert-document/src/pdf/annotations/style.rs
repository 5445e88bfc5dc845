//! Colours, lines and opacity of annotations (ISO 32000-1, 12.5.2 and 12.5.4).

use crate::pdf::objects::{name_is, numbers};
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Object};
use pdf_writer::Content;

/// Widest border in points that makes sense.
const WIDEST: f32 = 100.0;
/// Most dashes of a pattern.
const MAX_DASHES: usize = 8;

/// A colour of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Colour {
    Grey(f32),
    Rgb([f32; 3]),
    Cmyk([f32; 4]),
}

impl Colour {
    pub(super) const BLACK: Self = Self::Grey(0.0);

    /// The colour with these components; `None` stands for no colour.
    pub(super) fn new(components: &[f32]) -> Option<Self> {
        match *components {
            [grey] => Some(Self::Grey(grey)),
            [r, g, b] => Some(Self::Rgb([r, g, b])),
            [c, m, y, k] => Some(Self::Cmyk([c, m, y, k])),
            _ => None,
        }
    }

    /// The colour under `key`, which may be absent or transparent.
    pub(super) fn of(dict: &Dict<'_>, key: &str) -> Option<Self> {
        Self::new(&numbers(&dict.get::<Array<'_>>(key)?))
    }

    pub(super) fn fill(self, content: &mut Content) {
        match self {
            Self::Grey(grey) => content.set_fill_gray(grey),
            Self::Rgb([r, g, b]) => content.set_fill_rgb(r, g, b),
            Self::Cmyk([c, m, y, k]) => content.set_fill_cmyk(c, m, y, k),
        };
    }

    pub(super) fn stroke(self, content: &mut Content) {
        match self {
            Self::Grey(grey) => content.set_stroke_gray(grey),
            Self::Rgb([r, g, b]) => content.set_stroke_rgb(r, g, b),
            Self::Cmyk([c, m, y, k]) => content.set_stroke_cmyk(c, m, y, k),
        };
    }
}

/// The line around or along an annotation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Border {
    /// In points; 0 is no line.
    pub(super) width: f32,
    pub(super) dashes: Vec<f32>,
    /// Only the lower edge.
    pub(super) is_underline: bool,
}

impl Border {
    /// From the border style, or else the older entry; 1 point wide if neither is there.
    pub(super) fn of(annotation: &Dict<'_>) -> Self {
        let width = |width: Option<f32>| width.unwrap_or(1.0).clamp(0.0, WIDEST);
        if let Some(style) = annotation.get::<Dict<'_>>("BS") {
            let dashes = style
                .get::<Array<'_>>("D")
                .map_or(vec![3.0], |dashes| numbers(&dashes));
            return Self {
                width: width(style.get::<f32>("W")),
                dashes: if name_is(&style, "S", b"D") {
                    usable(dashes)
                } else {
                    Vec::new()
                },
                is_underline: name_is(&style, "S", b"U"),
            };
        }
        let border = annotation.get::<Array<'_>>("Border");
        let values = border.as_ref().map(numbers);
        let dashes = border.and_then(|border| match border.raw_iter().nth(3)? {
            MaybeRef::NotRef(Object::Array(dashes)) => Some(usable(numbers(&dashes))),
            _ => None,
        });
        Self {
            width: width(values.and_then(|values| values.get(2).copied())),
            dashes: dashes.unwrap_or_default(),
            is_underline: false,
        }
    }

    /// Sets the width and dashes of lines.
    pub(super) fn apply(&self, content: &mut Content) {
        content.set_line_width(self.width);
        if !self.dashes.is_empty() {
            content.set_dash_pattern(self.dashes.iter().copied(), 0.0);
        }
    }
}

/// A dash pattern that can be drawn; none for one that can't.
fn usable(mut dashes: Vec<f32>) -> Vec<f32> {
    dashes.truncate(MAX_DASHES);
    let drawn = dashes.iter().all(|dash| *dash >= 0.0) && dashes.iter().sum::<f32>() >= 0.5;
    if drawn { dashes } else { Vec::new() }
}

/// The constant opacity of an annotation.
pub(super) fn opacity(annotation: &Dict<'_>) -> f32 {
    annotation
        .get::<f32>("CA")
        .filter(|opacity| opacity.is_finite())
        .unwrap_or(1.0)
        .clamp(0.0, 1.0)
}
