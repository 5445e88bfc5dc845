//! Pages of text, lines and pictures, which most faxes are: drawn in a byte of grey for each pixel, letters from a store of those
//! drawn before. The general way composes every page in colour, four times the memory, although the paper shows none of
//! it.
//!
//! What needs more than ink on paper (round gradients, transparency by masks, blending, slanted pictures) ends the attempt,
//! and the page is drawn the general way.

mod glyphs;
mod jpeg;
mod paper;
mod pictures;
mod plane;
mod ramp;
mod scale;
mod tiles;

use self::glyphs::Glyphs;
use self::paper::{Filling, Ink, Paper};
use self::pictures::Decoded;
use self::ramp::Ramp;
use crate::pdf::is_image;
use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::hayro_cmap::WritingMode;
use hayro::hayro_interpret::pattern::Pattern;
use hayro::hayro_interpret::util::RectExt;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, FillRule, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, Paint, SoftMask, StrokeProps, interpret_page,
};
use hayro::hayro_syntax::object::Stream;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Cap, Join, Rect, Shape, Stroke};
use std::cell::RefCell;
use vello_common::clip::{ClipRef, ClipShape};
use vello_common::fearless_simd::Level;
use vello_common::peniko::Fill;
use vello_common::strip_generator::StripStorage;
use vello_common::viewport::ViewportState;

/// Thinnest line in pixels: "the thinnest line that can be rendered" (ISO 32000-1, 8.4.3.2) shall be seen.
const THINNEST: f64 = 1.0;
/// The same for the outlines of letters, which it would make bold.
const THINNEST_LETTER: f64 = 0.25;

/// Draws pages in grey and keeps what the pages of one document share.
pub(super) struct Pen<'a> {
    cache: InterpreterCache<'a>,
    glyphs: RefCell<Glyphs>,
    paper: RefCell<Paper>,
}

impl<'a> Pen<'a> {
    pub(super) fn new() -> Self {
        Self {
            cache: InterpreterCache::new(),
            glyphs: RefCell::new(Glyphs::new()),
            paper: RefCell::default(),
        }
    }

    /// What `then` makes of the grey values of a page of this size; nothing when the page isn't one of ink alone.
    pub(super) fn draw<T>(
        &self,
        page: &'a Page<'a>,
        settings: &InterpreterSettings,
        transform: Affine,
        (width, height): (u16, u16),
        then: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        if has_masked_pictures(page) {
            return None;
        }
        let mut paper = self.paper.borrow_mut();
        paper.renew(width.into(), height.into());
        let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let mut sheet = Sheet {
            paper: &mut paper,
            glyphs: &mut self.glyphs.borrow_mut(),
            viewport: ViewportState::new(width, height, Level::new()),
            strips: StripStorage::default(),
            area,
            decoded: Decoded::default(),
            plain: plane::is_plain(page),
            more: false,
            drawn: 0,
            in_cell: false,
        };
        // What lies outside the crop box isn't shown.
        let shown = transform.transform_rect_bbox(page.intersected_crop_box().to_kurbo());
        if !shown.inflate(1.0 / 256.0, 1.0 / 256.0).contains_rect(area) {
            sheet.push_clip_rect(&shown);
        }
        let mut context = Context::new(transform, area, &self.cache, page.xref(), settings.clone());
        interpret_page(page, &mut context, &mut sheet);
        let more = sheet.more;
        (!more).then(|| then(paper.grey()))
    }
}

/// Whether a page names pictures that need more than ink: finding out on the way would cost drawing it twice.
fn has_masked_pictures(page: &Page<'_>) -> bool {
    let objects = &page.resources().x_objects;
    objects.keys().any(|name| {
        let object = objects.get::<Stream<'_>>(name.as_ref());
        object.is_some_and(|object| is_image(object.dict()) && plane::is_masked(object.dict()))
    })
}

/// The device that draws.
struct Sheet<'p> {
    paper: &'p mut Paper,
    glyphs: &'p mut Glyphs,
    viewport: ViewportState,
    strips: StripStorage,
    area: Rect,
    decoded: Decoded,
    /// The values of pictures mean what they say.
    plain: bool,
    /// The page needs more than ink.
    more: bool,
    /// Things drawn so far.
    drawn: usize,
    /// Drawing a letter that is drawn by its font, or a tile of a pattern: lines may be thinner than a pixel there.
    in_cell: bool,
}

impl Sheet<'_> {
    /// The ink to draw with; none ends the attempt.
    fn ink(&mut self, props: &DrawProps<'_>) -> Option<Ink> {
        let ink = match &props.paint {
            Paint::Color(color) if self.may_draw(&props.soft_mask, props.blend_mode) => {
                Some(Ink::new(color.to_rgba().to_rgba8()))
            }
            _ => None,
        };
        self.more |= ink.is_none();
        ink
    }

    /// Whether the attempt goes on, and something is put on the page as it is.
    fn may_draw(&self, mask: &Option<SoftMask<'_>>, blend: BlendMode) -> bool {
        !self.more && mask.is_none() && blend == BlendMode::Normal
    }

    fn fill(&mut self, path: &BezPath, transform: Affine, rule: FillRule, paint: &impl Filling) {
        let strips = &mut self.strips;
        strips.clear();
        self.viewport.with_generator_and_clip(|generator, clip| {
            let clip = clip.map(|clip| clip.path);
            generator.generate_filled_path(path, fill(rule), transform, None, strips, clip);
        });
        self.paper.put_strips(strips, paint);
    }

    fn fill_rect(&mut self, rect: &Rect, transform: Affine, paint: &impl Filling) {
        let [a, b, c, d, _, _] = transform.as_coeffs();
        if (b != 0.0 || c != 0.0) && (a != 0.0 || d != 0.0) {
            self.fill(&rect.to_path(0.1), transform, FillRule::NonZero, paint);
            return;
        }
        let rect = transform.transform_rect_bbox(*rect);
        let strips = &mut self.strips;
        strips.clear();
        self.viewport.with_generator_and_clip(|generator, clip| {
            generator.generate_filled_rect_fast(&rect, strips, clip);
        });
        self.paper.put_strips(strips, paint);
    }

    fn stroke(&mut self, path: &BezPath, transform: Affine, props: &StrokeProps, thinnest: f64, ink: Ink) {
        let [a, b, c, d, _, _] = transform.as_coeffs();
        let factor = a.hypot(b).max(c.hypot(d));
        let thinnest = if self.in_cell { 0.0 } else { thinnest };
        let width = f64::from(props.line_width).max(thinnest.max(0.01) / factor);
        let extent = width / 2.0 * f64::from(props.miter_limit).max(std::f64::consts::SQRT_2);
        let bounds = transform.transform_rect_bbox(path.control_box().inflate(extent, extent));
        if !width.is_finite() || !bounds.overlaps(self.area) {
            return;
        }
        // Round ends of a line as thin as a pixel can't be told from square ones, and take longer.
        let thin = width * factor <= 1.0;
        let stroke = Stroke {
            width,
            join: if thin && props.line_join == Join::Round {
                Join::Bevel
            } else {
                props.line_join
            },
            miter_limit: props.miter_limit.into(),
            start_cap: if thin && props.line_cap == Cap::Round {
                Cap::Square
            } else {
                props.line_cap
            },
            end_cap: if thin && props.line_cap == Cap::Round {
                Cap::Square
            } else {
                props.line_cap
            },
            dash_pattern: props.dash_array.iter().copied().map(f64::from).collect(),
            dash_offset: props.dash_offset.into(),
        };
        let strips = &mut self.strips;
        strips.clear();
        self.viewport.with_generator_and_clip(|generator, clip| {
            let clip = clip.map(|clip| clip.path);
            generator.generate_stroked_path(path, &stroke, transform, None, strips, clip);
        });
        self.paper.put_strips(strips, &ink);
    }

    fn fill_glyphs(&mut self, run: &GlyphRun<'_, '_>, transform: Affine, ink: Ink) {
        let hinted = run.writing_mode() == WritingMode::Horizontal;
        for glyph in run.glyphs() {
            let Glyph::Outline(outline) = &**glyph else {
                continue;
            };
            let shape = self.glyphs.shape(outline, transform * glyph.transform(), hinted);
            match self.glyphs.mask(&shape) {
                Some(Some(mask)) => {
                    let bounds = mask.bounds();
                    let whole = match self.viewport.clip() {
                        None => true,
                        Some(ClipRef {
                            shape: ClipShape::AxisAlignedRect(clip),
                            ..
                        }) => clip.contains_rect(bounds),
                        Some(_) => false,
                    };
                    if whole {
                        self.paper.put_mask(&mask, ink);
                    } else {
                        self.fill(&shape.outline, shape.transform, FillRule::NonZero, &ink);
                    }
                }
                // A space.
                Some(None) => {}
                None => self.fill(&shape.outline, shape.transform, FillRule::NonZero, &ink),
            }
        }
    }

    fn stroke_glyphs(&mut self, run: &GlyphRun<'_, '_>, transform: Affine, props: &StrokeProps, ink: Ink) {
        for glyph in run.glyphs() {
            if let Glyph::Outline(outline) = &**glyph {
                let path = glyph.transform() * outline.outline();
                self.stroke(&path, transform, props, THINNEST_LETTER, ink);
            }
        }
    }
}

impl Sheet<'_> {
    /// Fills a shape with a gradient or tiles; false when the paint is neither.
    fn fill_with_pattern<'a>(&mut self, path: &BezPath, rule: FillRule, props: &DrawProps<'a>) -> bool
    where
        Self: Device<'a>,
    {
        let Paint::Pattern(pattern) = &props.paint else {
            return false;
        };
        if !self.may_draw(&props.soft_mask, props.blend_mode) {
            return false;
        }
        let drawn = match &**pattern {
            Pattern::Shading(shading) => {
                let ramp = Ramp::new(shading);
                ramp.map(|ramp| self.fill(path, props.transform, rule, &ramp))
                    .is_some()
            }
            Pattern::Tiling(tiles) => {
                let shape = ClipPath {
                    path: props.transform * path,
                    fill: rule,
                };
                self.fill_tiled(tiles, &shape)
            }
        };
        self.more |= !drawn;
        true
    }
}

impl<'a> Device<'a> for Sheet<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        let (fill, stroke) = parts(mode);
        if fill.is_none() && stroke.is_none() {
            return;
        }
        self.drawn += 1;
        if let (Some(rule), None) = (fill, stroke)
            && self.fill_with_pattern(path, rule, &props)
        {
            return;
        }
        let Some(ink) = self.ink(&props) else { return };
        if let Some(rule) = fill {
            self.fill(path, props.transform, rule, &ink);
        }
        if let Some(stroke) = stroke {
            self.stroke(path, props.transform, stroke, THINNEST, ink);
        }
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'a>, mode: &DrawMode) {
        let (fill, stroke) = parts(mode);
        if fill.is_none() && stroke.is_none() {
            return;
        }
        self.drawn += 1;
        if let (Some(rule), None) = (fill, stroke)
            && self.fill_with_pattern(&rect.to_path(0.1), rule, &props)
        {
            return;
        }
        let Some(ink) = self.ink(&props) else { return };
        if fill.is_some() {
            self.fill_rect(rect, props.transform, &ink);
        }
        if let Some(stroke) = stroke {
            self.stroke(&rect.to_path(0.1), props.transform, stroke, THINNEST, ink);
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let (fill, stroke) = parts(mode);
        if fill.is_none() && stroke.is_none() {
            return;
        }
        self.drawn += run.glyphs().len();
        let Some(ink) = self.ink(&props) else { return };
        for glyph in run.glyphs() {
            if let Glyph::Type3(drawing) = &**glyph {
                let outer = std::mem::replace(&mut self.in_cell, true);
                drawing.interpret(self, props.transform, glyph.transform(), &props.paint);
                self.in_cell = outer;
            }
        }
        if fill.is_some() {
            self.fill_glyphs(run, props.transform, ink);
        }
        if let Some(stroke) = stroke {
            self.stroke_glyphs(run, props.transform, stroke, ink);
        }
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        self.viewport
            .push_clip_path(&clip.path, fill(clip.fill), Affine::IDENTITY, None);
    }

    fn push_clip_rect(&mut self, rect: &Rect) {
        self.viewport.push_clip_rect(rect);
    }

    fn pop_clip(&mut self) {
        self.viewport.pop_clip();
    }

    fn push_transparency_group(&mut self, opacity: f32, mask: Option<SoftMask<'a>>, blend: BlendMode) {
        // A group that is put on the page as it is looks like its parts.
        self.more |= opacity < 1.0 || mask.is_some() || blend != BlendMode::Normal;
    }

    fn pop_transparency_group(&mut self) {}

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.drawn += 1;
        self.put_image(&image, &props);
    }
}

/// What is filled and what is stroked.
fn parts(mode: &DrawMode) -> (Option<FillRule>, Option<&StrokeProps>) {
    match mode {
        DrawMode::Fill(rule) => (Some(*rule), None),
        DrawMode::Stroke(stroke) => (None, Some(stroke)),
        DrawMode::FillAndStroke(rule, stroke) => (Some(*rule), Some(stroke)),
        DrawMode::Invisible => (None, None),
    }
}

fn fill(rule: FillRule) -> Fill {
    match rule {
        FillRule::NonZero => Fill::NonZero,
        FillRule::EvenOdd => Fill::EvenOdd,
    }
}
