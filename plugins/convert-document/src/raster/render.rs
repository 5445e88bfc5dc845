//! Draws one page of a PDF on fax paper.

use super::bitmap::Bitmap;
use super::grey::GreyRenderer;
use super::halftone::Pixels;
use super::{g4, halftone};
use crate::model::{Failure, FailureKind, FaxPage, Halftone, Paper, Raster, Resolution, X_DPI};
use crate::pdf::Fonts;
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings, render_into};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Widest row drawn; Group 3 machines go up to 2432, and the renderer counts pixels in 16 bits.
const MAX_WIDTH: u32 = 10_000;
/// Most rows of a page, for the same reason.
const MAX_ROWS: u32 = 20_000;
/// A page that misses the paper by less than this is drawn at its own size: 0.5 %, or 1 mm of 8.5 inches.
const SAME_SIZE: f64 = 0.005;

/// Draws the pages of one document: keeps what they share and, once for all of them, the memory they are drawn in.
pub(crate) struct Renderer<'a> {
    fonts: Arc<Fonts>,
    grey: GreyRenderer<'a>,
    cache: RenderCache<'a>,
    canvas: RefCell<Option<Canvas>>,
}

/// Where a page is drawn in colour.
struct Canvas {
    context: RenderContext,
    pixels: Pixmap,
}

impl Canvas {
    fn new((width, height): (u16, u16)) -> Self {
        Self {
            context: RenderContext::new(width, height),
            pixels: Pixmap::new(width, height),
        }
    }
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(fonts: Arc<Fonts>) -> Self {
        Self {
            fonts,
            grey: GreyRenderer::new(),
            cache: RenderCache::new(),
            canvas: RefCell::default(),
        }
    }

    /// Draws `page`, its number for messages counted from 1 being `number`, on at most `max_rows` rows.
    pub(crate) fn draw(
        &self,
        page: &'a Page<'a>,
        raster: &Raster,
        max_rows: u32,
        number: u32,
    ) -> Result<FaxPage, Failure> {
        let (bitmap, lost) = self.bitmap(page, raster, max_rows, number)?;
        let black = bitmap.black();
        if black == 0 && lost > 0 {
            // The page has content, and all of it was lost.
            return Err(Failure::damaged_page(number));
        }
        Ok(FaxPage {
            width: bitmap.width(),
            height: bitmap.height(),
            x_dpi: X_DPI,
            y_dpi: raster.resolution.y_dpi(),
            g4: g4::encode(&bitmap),
            black,
        })
    }

    /// Refuses a page of which something can't be shown, and tells whether anything of it is black. It is drawn coarsely,
    /// and as it is printed only if that leaves it white.
    pub(crate) fn check(&self, page: &'a Page<'a>, max_rows: u32, number: u32) -> Result<bool, Failure> {
        let coarse = Raster {
            width: 432,
            resolution: Resolution::Standard,
            paper: Paper::Letter,
            halftone: Halftone::Threshold,
        };
        let fine = Raster {
            width: 1728,
            resolution: Resolution::Fine,
            halftone: Halftone::Automatic,
            ..coarse
        };
        for raster in [coarse, fine] {
            match self.bitmap(page, &raster, max_rows, number)? {
                (bitmap, 0) if bitmap.black() > 0 => return Ok(true),
                (_, 0) => {}
                _ => return Err(Failure::damaged_page(number)),
            }
        }
        Ok(false)
    }

    /// The pixels of a page, and how many pictures and fonts were lost on the way.
    fn bitmap(
        &self,
        page: &'a Page<'a>,
        raster: &Raster,
        max_rows: u32,
        number: u32,
    ) -> Result<(Bitmap, u32), Failure> {
        let size = size(raster, max_rows)?;
        let (width, height) = size;
        let transform = fit(page, raster, width, height).ok_or_else(|| {
            Failure::new(
                FailureKind::Broken,
                format!("Page {number} has no usable size; save the PDF again."),
            )
        })?;
        let lost = Arc::new(AtomicU32::new(0));
        let settings = self.fonts.settings(&lost);
        let halftoned =
            |pixels: Pixels<'_>| halftone::to_bitmap(pixels, width.into(), height.into(), raster.halftone);
        let grey = |grey: &[u8]| halftoned(Pixels::Grey(grey));
        let bitmap = self
            .grey
            .draw(page, &settings, transform, size, grey)
            .unwrap_or_else(|| {
                lost.store(0, Ordering::Relaxed);
                let mut kept = self.canvas.borrow_mut();
                drop(kept.take_if(|kept| (kept.pixels.width(), kept.pixels.height()) != size));
                let canvas = kept.get_or_insert_with(|| Canvas::new(size));
                self.colour(page, &settings, transform, canvas);
                halftoned(Pixels::Rgba(canvas.pixels.data_as_u8_slice()))
            });
        self.fonts.check(number)?;
        Ok((bitmap, lost.load(Ordering::Relaxed)))
    }

    /// Draws a page of any kind in colour.
    fn colour(
        &self,
        page: &'a Page<'a>,
        settings: &InterpreterSettings,
        transform: Affine,
        canvas: &mut Canvas,
    ) {
        let Canvas { context, pixels } = canvas;
        context.reset();
        let how = RenderSettings::default();
        render_into(page, &self.cache, settings, &how, context, transform);
        context.flush();
        // Every pixel is written, so that those of the last page need not be cleared.
        let target = RasterizerSettings {
            target_init: TargetInit::Clear(WHITE),
            ..RasterizerSettings::default()
        };
        context.render_with(pixels, &mut Resources::default(), target);
    }
}

/// Pixels of the sheet.
fn size(raster: &Raster, max_rows: u32) -> Result<(u16, u16), Failure> {
    let (_, height) = raster.paper.points();
    let rows = (height / 72.0 * f64::from(raster.resolution.y_dpi())).round() as u32;
    let rows = rows.min(max_rows).min(MAX_ROWS);
    let fits = (1..=MAX_WIDTH).contains(&raster.width) && rows > 0;
    let too_large = || Failure::new(FailureKind::TooLarge, "A fax page of this size can't be drawn.");
    if !fits {
        return Err(too_large());
    }
    Ok((
        u16::try_from(raster.width).map_err(|_| too_large())?,
        u16::try_from(rows).map_err(|_| too_large())?,
    ))
}

/// Fits the page on the sheet, turned a quarter when it is wider than high, in the middle, with its aspect kept.
fn fit(page: &Page<'_>, raster: &Raster, width: u16, height: u16) -> Option<Affine> {
    let (page_width, page_height) = page.render_dimensions();
    let (page_width, page_height) = (f64::from(page_width), f64::from(page_height));
    let usable = |length: f64| length.is_finite() && length > 0.0;
    if !usable(page_width) || !usable(page_height) {
        return None;
    }
    let landscape = page_width > page_height;
    let (turned_width, turned_height) = if landscape {
        (page_height, page_width)
    } else {
        (page_width, page_height)
    };
    let (paper_width, paper_height) = sheet(raster.paper, raster, height);
    let scale = (paper_width / turned_width).min(paper_height / turned_height);
    let scale = if (scale - 1.0).abs() < SAME_SIZE {
        1.0
    } else {
        scale
    };
    let x_scale = f64::from(X_DPI) / 72.0;
    let y_scale = f64::from(raster.resolution.y_dpi()) / 72.0;
    // A quarter turn clockwise: the top edge comes to lie on the right.
    let turn = if landscape {
        Affine::new([0.0, 1.0, -1.0, 0.0, page_height, 0.0])
    } else {
        Affine::IDENTITY
    };
    let left = (f64::from(width) - turned_width * scale * x_scale) / 2.0;
    let top = (f64::from(height) - turned_height * scale * y_scale) / 2.0;
    Some(
        Affine::translate((left, top))
            * Affine::scale_non_uniform(scale * x_scale, scale * y_scale)
            * turn
            * page.initial_transform(true).to_kurbo(),
    )
}

/// Size of the sheet in points, no higher than its rows. A row of 1728 pixels is a little narrower than Letter:
/// the 3 pixels lost on either side are margin on every document.
fn sheet(paper: Paper, raster: &Raster, rows: u16) -> (f64, f64) {
    let (width, height) = paper.points();
    let across = f64::from(raster.width) * 72.0 / f64::from(X_DPI);
    let across = if (across / width - 1.0).abs() < SAME_SIZE {
        width
    } else {
        across.min(width)
    };
    let down = f64::from(rows) * 72.0 / f64::from(raster.resolution.y_dpi());
    (
        across,
        if (down / height - 1.0).abs() < SAME_SIZE {
            height
        } else {
            down.min(height)
        },
    )
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
