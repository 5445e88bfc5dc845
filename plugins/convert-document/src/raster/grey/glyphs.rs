//! Letters drawn once: the same letter at the same size comes again and again.

use super::canvas::{Coverage, each_row};
use hayro::hayro_interpret::font::{HintingCache, OutlineGlyph};
use hayro::kurbo::{Affine, BezPath, Rect, Shape as _};
use std::collections::HashMap;
use std::rc::Rc;
use vello_common::fearless_simd::Level;
use vello_common::peniko::Fill;
use vello_common::strip_generator::{StripGenerator, StripStorage};

/// Places within a pixel that a letter may begin at.
const STEPS: f64 = 4.0;
/// Largest height and width in pixels of a letter that is kept.
const LARGEST: u16 = 128;
/// Bytes of masks that are kept; a document with more of them begins anew.
const KEPT: usize = 4 << 20;
/// Sizes in pixels for which the instructions of fonts are obeyed. They were not made for others.
const HINTED: std::ops::RangeInclusive<f64> = 4.0..=128.0;

/// Outlines and masks.
pub(super) struct Glyphs {
    hinting: HintingCache,
    outlines: HashMap<(u128, u32), Option<Rc<BezPath>>>,
    masks: HashMap<Key, Option<Rc<Drawn>>>,
    bytes: usize,
    generator: StripGenerator,
    strips: StripStorage,
}

/// What makes letters look the same.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    glyph: u128,
    hinted: bool,
    linear: [u64; 4],
    step: u8,
}

/// The outline of a letter and how it lies on the page.
pub(super) struct Shape {
    glyph: u128,
    hinted: bool,
    pub(super) outline: Rc<BezPath>,
    pub(super) transform: Affine,
}

struct Drawn {
    coverage: Vec<u8>,
    width: u16,
    height: u16,
    left: i32,
    top: i32,
}

/// The coverage of a letter at its place on the page.
pub(super) struct Mask {
    drawn: Rc<Drawn>,
    /// The pixel of its upper left corner.
    pub(super) place: (i32, i32),
}

impl Mask {
    /// Where it lies on the page.
    pub(super) fn bounds(&self) -> Rect {
        let (left, top) = (f64::from(self.place.0), f64::from(self.place.1));
        Rect::new(
            left,
            top,
            left + f64::from(self.drawn.width),
            top + f64::from(self.drawn.height),
        )
    }

    /// Its rows, one after the other, of [`Self::width`] values in 255ths.
    pub(super) fn coverage(&self) -> &[u8] {
        &self.drawn.coverage
    }

    /// Pixels of a row.
    pub(super) fn width(&self) -> usize {
        self.drawn.width.into()
    }
}

impl Glyphs {
    pub(super) fn new() -> Self {
        Self {
            hinting: HintingCache::new(),
            outlines: HashMap::new(),
            masks: HashMap::new(),
            bytes: 0,
            generator: StripGenerator::new(LARGEST, LARGEST, Level::new()),
            strips: StripStorage::default(),
        }
    }

    /// The outline to draw a letter with, fitted to the rows of pixels where it stands upright and `hint` allows it.
    pub(super) fn shape(&mut self, glyph: &OutlineGlyph, transform: Affine, hint: bool) -> Shape {
        let id = glyph.identifier().cache_key();
        let [a, b, c, d, e, f] = transform.as_coeffs();
        // Outlines are of 1000 units for the size of the font.
        let size = d.abs() * 1000.0;
        if hint && b == 0.0 && HINTED.contains(&size) {
            let (size, hinting) = (size as f32, &self.hinting);
            let kept = self.outlines.entry((id, size.to_bits()));
            let outline = kept.or_insert_with(|| glyph.hinted_outline(size, hinting).map(Rc::new));
            if let Some(outline) = outline {
                return Shape {
                    glyph: id,
                    hinted: true,
                    outline: Rc::clone(outline),
                    transform: Affine::new([a, b, c, d, e, f.round()]),
                };
            }
        }
        let kept = self.outlines.entry((id, 0));
        let outline = kept.or_insert_with(|| Some(Rc::new(glyph.outline())));
        Shape {
            glyph: id,
            hinted: false,
            outline: outline.clone().unwrap_or_default(),
            transform,
        }
    }

    /// The mask of a letter: nothing for one that is too large to be kept, nothing inside for one without color.
    pub(super) fn mask(&mut self, shape: &Shape) -> Option<Option<Mask>> {
        let [a, b, c, d, e, f] = shape.transform.as_coeffs();
        let steps = (e * STEPS).round();
        let column = (steps / STEPS).floor();
        let step = steps - column * STEPS;
        let row = f.round();
        let on_page = |place: f64| place.abs() < 1e6;
        if !on_page(column) || !on_page(row) {
            return None;
        }
        let key = Key {
            glyph: shape.glyph,
            hinted: shape.hinted,
            linear: [a, b, c, d].map(f64::to_bits),
            step: step as u8,
        };
        let drawn = match self.masks.get(&key) {
            Some(drawn) => drawn.clone(),
            None => {
                let path = Affine::new([a, b, c, d, step / STEPS, 0.0]) * shape.outline.as_ref().clone();
                let drawn = self.draw(&path)?.map(Rc::new);
                let bytes = drawn.as_ref().map_or(0, |drawn| drawn.coverage.len()) + 128;
                if self.bytes + bytes > KEPT {
                    self.masks.clear();
                    self.bytes = 0;
                }
                self.bytes += bytes;
                self.masks.insert(key, drawn.clone());
                drawn
            }
        };
        Some(drawn.map(|drawn| Mask {
            place: (column as i32 + drawn.left, row as i32 + drawn.top),
            drawn,
        }))
    }

    fn draw(&mut self, path: &BezPath) -> Option<Option<Drawn>> {
        let bounds = path.bounding_box();
        if bounds.is_zero_area() {
            return Some(None);
        }
        let (left, top) = (bounds.x0.floor(), bounds.y0.floor());
        let (width, height) = (bounds.x1.ceil() - left, bounds.y1.ceil() - top);
        let fits = |length: f64| length > 0.0 && length <= f64::from(LARGEST);
        if !fits(width) || !fits(height) || left.abs() > 1e6 || top.abs() > 1e6 {
            return None;
        }
        let (width, height) = (width as u16, height as u16);
        self.strips.clear();
        let corner = Affine::translate((-left, -top));
        self.generator
            .generate_filled_path(path, Fill::NonZero, corner, None, &mut self.strips, None);
        let columns = usize::from(width);
        let mut coverage = vec![0; columns * usize::from(height)];
        each_row(&self.strips, (columns, height.into()), |x, y, length, covered| {
            let begin = y * columns + x;
            let Some(pixels) = coverage.get_mut(begin..begin + length) else {
                return;
            };
            match covered {
                Coverage::Whole => pixels.fill(u8::MAX),
                Coverage::Columns(columns, row) => {
                    for (pixel, column) in pixels.iter_mut().zip(columns) {
                        *pixel = column.get(row).copied().unwrap_or_default();
                    }
                }
            }
        });
        Some(Some(Drawn {
            coverage,
            width,
            height,
            left: left as i32,
            top: top as i32,
        }))
    }
}
