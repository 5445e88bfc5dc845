//! Renders pages of text, lines and images, which most faxes are, straight into one grey byte per pixel, with a cache of
//! glyph masks. The general renderer composes every page in colour, which takes four times the memory.
//!
//! A page that needs more than opaque or plainly transparent paint (radial gradients, soft masks, blend modes, rotated
//! images) is given up here and rendered by the general renderer.

mod canvas;
mod glyphs;
mod gradient;
mod images;
mod jpeg;
mod pixel_plane;
mod resample;
mod tiling;

use self::canvas::{FillColor, FillSource, GreyCanvas};
use self::glyphs::Glyphs;
use self::gradient::LinearGradient;
use self::images::Decoded;
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

/// Renders pages in grey and keeps the caches that the pages of one document share.
pub(super) struct GreyRenderer<'a> {
    cache: InterpreterCache<'a>,
    glyphs: RefCell<Glyphs>,
    canvas: RefCell<GreyCanvas>,
}

impl<'a> GreyRenderer<'a> {
    pub(super) fn new() -> Self {
        Self {
            cache: InterpreterCache::new(),
            glyphs: RefCell::new(Glyphs::new()),
            canvas: RefCell::default(),
        }
    }

    /// Renders `page` at this size and returns what `then` makes of its grey values; `None` when the page needs the
    /// general renderer.
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
        let mut canvas = self.canvas.borrow_mut();
        canvas.clear_to_white(width.into(), height.into());
        let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let mut device = GreyDevice {
            canvas: &mut canvas,
            glyphs: &mut self.glyphs.borrow_mut(),
            viewport: ViewportState::new(width, height, Level::new()),
            strips: StripStorage::default(),
            area,
            decoded: Decoded::default(),
            plain: pixel_plane::is_plain(page),
            unsupported: false,
            drawn: 0,
            in_cell: false,
        };
        // Content outside the crop box is not shown.
        let shown = transform.transform_rect_bbox(page.intersected_crop_box().to_kurbo());
        if !shown.inflate(1.0 / 256.0, 1.0 / 256.0).contains_rect(area) {
            device.push_clip_rect(&shown);
        }
        let mut context = Context::new(transform, area, &self.cache, page.xref(), settings.clone());
        interpret_page(page, &mut context, &mut device);
        let more = device.unsupported;
        (!more).then(|| then(canvas.grey()))
    }
}

/// Whether a page lists images with masks. They need the general renderer, and finding out while rendering would cost
/// rendering the page twice.
fn has_masked_pictures(page: &Page<'_>) -> bool {
    let objects = &page.resources().x_objects;
    objects.keys().any(|name| {
        let object = objects.get::<Stream<'_>>(name.as_ref());
        object.is_some_and(|object| is_image(object.dict()) && pixel_plane::is_masked(object.dict()))
    })
}

/// The interpreter's device that paints on a [`GreyCanvas`].
struct GreyDevice<'p> {
    canvas: &'p mut GreyCanvas,
    glyphs: &'p mut Glyphs,
    viewport: ViewportState,
    strips: StripStorage,
    area: Rect,
    decoded: Decoded,
    /// No transfer function or default colour space changes the meaning of image samples.
    plain: bool,
    /// The page needs the general renderer.
    unsupported: bool,
    /// Number of objects painted so far.
    drawn: usize,
    /// Inside a Type 3 glyph or a pattern cell, where lines may be thinner than a pixel.
    in_cell: bool,
}

impl GreyDevice<'_> {
    /// The colour to paint with; `None` marks the page as unsupported.
    fn fill_color(&mut self, props: &DrawProps<'_>) -> Option<FillColor> {
        let color = match &props.paint {
            Paint::Color(color) if self.may_draw(&props.soft_mask, props.blend_mode) => {
                Some(FillColor::new(color.to_rgba().to_rgba8()))
            }
            _ => None,
        };
        self.unsupported |= color.is_none();
        color
    }

    /// Whether the page is still supported, and the object has neither soft mask nor blend mode.
    fn may_draw(&self, mask: &Option<SoftMask<'_>>, blend: BlendMode) -> bool {
        !self.unsupported && mask.is_none() && blend == BlendMode::Normal
    }

    fn fill(&mut self, path: &BezPath, transform: Affine, rule: FillRule, paint: &impl FillSource) {
        let strips = &mut self.strips;
        strips.clear();
        self.viewport.with_generator_and_clip(|generator, clip| {
            let clip = clip.map(|clip| clip.path);
            generator.generate_filled_path(path, fill(rule), transform, None, strips, clip);
        });
        self.canvas.fill_strips(strips, paint);
    }

    fn fill_rect(&mut self, rect: &Rect, transform: Affine, paint: &impl FillSource) {
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
        self.canvas.fill_strips(strips, paint);
    }

    fn stroke(
        &mut self,
        path: &BezPath,
        transform: Affine,
        props: &StrokeProps,
        thinnest: f64,
        color: FillColor,
    ) {
        let [a, b, c, d, _, _] = transform.as_coeffs();
        let factor = a.hypot(b).max(c.hypot(d));
        let thinnest = if self.in_cell { 0.0 } else { thinnest };
        let width = f64::from(props.line_width).max(thinnest.max(0.01) / factor);
        let extent = width / 2.0 * f64::from(props.miter_limit).max(std::f64::consts::SQRT_2);
        let bounds = transform.transform_rect_bbox(path.control_box().inflate(extent, extent));
        if !width.is_finite() || !bounds.overlaps(self.area) {
            return;
        }
        // Round caps of a line one pixel wide look like square ones and take longer.
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
        self.canvas.fill_strips(strips, &color);
    }

    fn fill_glyphs(&mut self, run: &GlyphRun<'_, '_>, transform: Affine, color: FillColor) {
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
                        self.canvas.fill_mask(&mask, color);
                    } else {
                        self.fill(&shape.outline, shape.transform, FillRule::NonZero, &color);
                    }
                }
                // A space.
                Some(None) => {}
                None => self.fill(&shape.outline, shape.transform, FillRule::NonZero, &color),
            }
        }
    }

    fn stroke_glyphs(
        &mut self,
        run: &GlyphRun<'_, '_>,
        transform: Affine,
        props: &StrokeProps,
        color: FillColor,
    ) {
        for glyph in run.glyphs() {
            if let Glyph::Outline(outline) = &**glyph {
                let path = glyph.transform() * outline.outline();
                self.stroke(&path, transform, props, THINNEST_LETTER, color);
            }
        }
    }
}

impl GreyDevice<'_> {
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
                let ramp = LinearGradient::new(shading);
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
        self.unsupported |= !drawn;
        true
    }
}

impl<'a> Device<'a> for GreyDevice<'_> {
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
        let Some(color) = self.fill_color(&props) else {
            return;
        };
        if let Some(rule) = fill {
            self.fill(path, props.transform, rule, &color);
        }
        if let Some(stroke) = stroke {
            self.stroke(path, props.transform, stroke, THINNEST, color);
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
        let Some(color) = self.fill_color(&props) else {
            return;
        };
        if fill.is_some() {
            self.fill_rect(rect, props.transform, &color);
        }
        if let Some(stroke) = stroke {
            self.stroke(&rect.to_path(0.1), props.transform, stroke, THINNEST, color);
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let (fill, stroke) = parts(mode);
        if fill.is_none() && stroke.is_none() {
            return;
        }
        self.drawn += run.glyphs().len();
        let Some(color) = self.fill_color(&props) else {
            return;
        };
        for glyph in run.glyphs() {
            if let Glyph::Type3(drawing) = &**glyph {
                let outer = std::mem::replace(&mut self.in_cell, true);
                drawing.interpret(self, props.transform, glyph.transform(), &props.paint);
                self.in_cell = outer;
            }
        }
        if fill.is_some() {
            self.fill_glyphs(run, props.transform, color);
        }
        if let Some(stroke) = stroke {
            self.stroke_glyphs(run, props.transform, stroke, color);
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
        // A group without opacity, mask or blend mode looks like its parts.
        self.unsupported |= opacity < 1.0 || mask.is_some() || blend != BlendMode::Normal;
    }

    fn pop_transparency_group(&mut self) {}

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.drawn += 1;
        self.draw_raster_image(&image, &props);
    }
}

/// The fill rule and the stroke of a draw mode.
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
