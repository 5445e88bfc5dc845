//! Interprets a page without rasterising it, to find content that was lost.
//!
//! The parser and the interpreter forgive much. A content stream that falls apart, a font whose glyphs are gone or a
//! picture that can't be decoded all end in a white page and no error, so what is drawn is counted here.

use super::Fonts;
use super::strings::is_standard;
use crate::raster::luma;
use hayro::hayro_interpret::font::{FontData, Glyph, GlyphId, OutlineGlyph, StandardFont};
use hayro::hayro_interpret::hayro_cmap::BfString;
use hayro::hayro_interpret::hayro_syntax::Pdf;
use hayro::hayro_interpret::hayro_syntax::object::Dict;
use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, Paint, SoftMask, interpret, interpret_page,
};
use hayro::hayro_syntax::content::TypedIter;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{BezPath, Rect, Shape};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

/// Whether the content of a page comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Something dark is drawn.
    Visible,
    /// Nothing was lost, and whether something is dark shows when the page is rendered.
    Uncertain,
    /// Only images are drawn: whether they can be decoded shows when the page is rendered.
    ImagesOnly,
    /// The content draws, and nothing of it came out.
    Lost,
}

/// Painting operators that are interpreted first. Nearly every page begins with something dark, which settles that it is
/// not blank.
const PREFIX_OPERATORS: [usize; 2] = [1, 8];

/// Luma of a colour that is black after halftoning (the plain threshold).
const DARK: u8 = 128;

/// Bytes of page content that are interpreted when a document is opened; later pages are not inspected.
const INSPECTED_BYTES: usize = 16 * 1024 * 1024;
/// Bytes searched for an operator that cost as much as one byte interpreted.
const SEARCH_COST_RATIO: usize = 16;

/// Inspects the pages of one document.
pub(crate) struct PageInspector<'a> {
    cache: InterpreterCache<'a>,
    settings: InterpreterSettings,
    warnings: Arc<AtomicU32>,
    budget: Cell<usize>,
    /// Characters, on the pages inspected in full, that no font has.
    missing: Cell<usize>,
    layered: bool,
}

impl<'a> PageInspector<'a> {
    pub(crate) fn new(pdf: &'a Pdf, fonts: &Arc<Fonts>) -> Self {
        let warnings = Arc::new(AtomicU32::new(0));
        Self {
            cache: InterpreterCache::new(),
            settings: fonts.settings(&warnings),
            warnings,
            budget: Cell::new(INSPECTED_BYTES),
            missing: Cell::new(0),
            // Layers that are switched off are meant not to be seen.
            layered: super::copy::root(pdf)
                .is_some_and(|root| root.get::<Dict<'_>>("OCProperties").is_some()),
        }
    }

    /// Inspects one page; only its first operators if that is `enough`.
    pub(crate) fn inspect(&self, page: &Page<'a>, enough: bool) -> Coverage {
        let content = page.page_stream().unwrap_or_default();
        if !self.spend(content.len() / SEARCH_COST_RATIO) || (enough && self.inspect_prefix(page, content)) {
            return Coverage::Visible;
        }
        if !self.spend(content.len()) {
            return Coverage::Visible;
        }
        self.warnings.store(0, Ordering::Relaxed);
        let mut probe = CoverageProbe::new(page);
        interpret_page(page, &mut self.context(page), &mut probe);
        self.missing.set(self.missing.get() + probe.missing);
        if probe.is_dark {
            return Coverage::Visible;
        }
        if probe.inked {
            return Coverage::Uncertain;
        }
        if self.warnings.load(Ordering::Relaxed) > 0 || probe.lost > 0 {
            return Coverage::Lost;
        }
        if probe.pictures > 0 {
            return Coverage::ImagesOnly;
        }
        let silent = probe.drawn == 0 && !self.layered;
        if silent && paints(content) {
            Coverage::Lost
        } else {
            Coverage::Uncertain
        }
    }

    /// Number of characters, on the pages inspected in full, that substitute fonts lack.
    pub(crate) fn missing(&self) -> usize {
        self.missing.get()
    }

    /// Whether the beginning of a page draws something dark.
    fn inspect_prefix(&self, page: &Page<'a>, content: &[u8]) -> bool {
        PREFIX_OPERATORS.iter().any(|most| {
            let begin = through_paint(content, *most);
            let Some(begin) = begin.filter(|begin| self.spend(begin.len())) else {
                return false;
            };
            let mut probe = CoverageProbe::new(page);
            interpret(
                TypedIter::new(begin),
                page.resources(),
                &mut self.context(page),
                &mut probe,
            );
            probe.is_dark
        })
    }

    /// Takes `bytes` off the budget; false when too little is left.
    fn spend(&self, bytes: usize) -> bool {
        let left = self.budget.get().checked_sub(bytes);
        self.budget.set(left.unwrap_or(0));
        left.is_some()
    }

    fn context(&self, page: &Page<'a>) -> Context<'a> {
        let area = area_of(page);
        let transform = page.initial_transform(true).to_kurbo();
        Context::new(transform, area, &self.cache, page.xref(), self.settings.clone())
    }
}

/// Whether a content stream has an operator that paints.
pub(super) fn paints(content: &[u8]) -> bool {
    through_paint(content, 1).is_some()
}

/// A content stream through its operator number `count` that paints (ISO 32000-1, annex A), as a word of its own.
/// Words in strings count too: what is cut there ends early, which loses nothing that came before.
fn through_paint(content: &[u8], count: usize) -> Option<&[u8]> {
    let delimits = |byte: &u8| byte.is_ascii_whitespace() || b"()<>[]{}/%".contains(byte);
    let mut end = 0;
    let painting = content.split(delimits).filter_map(|word| {
        end += word.len() + 1;
        is_painting(word).then_some(end - 1)
    });
    let end = painting.take(count).last()?;
    content.get(..end)
}

fn is_painting(word: &[u8]) -> bool {
    matches!(
        word,
        b"Tj"
            | b"TJ"
            | b"'"
            | b"\""
            | b"f"
            | b"F"
            | b"f*"
            | b"B"
            | b"B*"
            | b"b"
            | b"b*"
            | b"S"
            | b"s"
            | b"Do"
            | b"sh"
            | b"BI"
    )
}

/// A device that records what was drawn instead of drawing it.
#[derive(Default)]
struct CoverageProbe {
    /// The page in its own points.
    area: Rect,
    /// Something on the page is dark enough to be black whatever the halftone.
    is_dark: bool,
    /// Something that is not white has an outline.
    inked: bool,
    /// Calls of any kind.
    drawn: usize,
    /// Visible glyphs without an outline.
    lost: usize,
    /// Characters that are not in their font.
    missing: usize,
    pictures: usize,
}

impl CoverageProbe {
    fn new(page: &Page<'_>) -> Self {
        Self {
            area: area_of(page),
            ..Self::default()
        }
    }

    /// Takes note of something with these bounds that is painted.
    fn see(&mut self, bounds: Rect, paint: &Paint<'_>) {
        self.inked = true;
        self.is_dark |= is_dark(paint) && bounds.inflate(1.0, 1.0).overlaps(self.area);
    }
}

fn area_of(page: &Page<'_>) -> Rect {
    let (width, height) = page.render_dimensions();
    Rect::new(0.0, 0.0, width.into(), height.into())
}

/// Whether a character has a visible shape: neither white space nor a control or format character.
fn is_letter(character: char) -> bool {
    let directs = matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    );
    !directs && !character.is_whitespace() && !character.is_control()
}

/// Where the data of the standard fonts is, to tell them from those of documents.
static STANDARD_FONTS: LazyLock<Vec<usize>> = LazyLock::new(|| {
    use StandardFont::{
        Courier, CourierBold, CourierBoldOblique, CourierOblique, Helvetica, HelveticaBold,
        HelveticaBoldOblique, HelveticaOblique, TimesBold, TimesBoldItalic, TimesItalic, TimesRoman,
    };
    let fonts = [
        Courier,
        CourierBold,
        CourierBoldOblique,
        CourierOblique,
        Helvetica,
        HelveticaBold,
        HelveticaBoldOblique,
        HelveticaOblique,
        TimesBold,
        TimesBoldItalic,
        TimesItalic,
        TimesRoman,
    ];
    fonts
        .iter()
        .map(|font| address(&font.get_font_data().0))
        .collect()
});

fn address(data: &FontData) -> usize {
    (**data).as_ref().as_ptr().addr()
}

/// Whether a standard font is used for a composite one and has no glyph for the character: the interpreter draws one that
/// has the same number by chance.
fn is_mistaken(outline: &OutlineGlyph) -> bool {
    let Some(BfString::Char(character)) = outline.as_unicode() else {
        return false;
    };
    is_letter(character)
        && !is_standard(character)
        && outline
            .font_data()
            .is_some_and(|font| STANDARD_FONTS.contains(&address(&font.data)))
}

/// Whether a character is not in its font, so that nothing is drawn for it, or something else.
fn is_missing(glyph: &Glyph<'_>) -> bool {
    let Glyph::Outline(outline) = glyph else {
        return false;
    };
    if is_mistaken(outline) {
        return true;
    }
    outline.glyph_id() == GlyphId::NOTDEF
        && outline.outline().is_empty()
        && match outline.as_unicode() {
            Some(BfString::Char(letter)) => is_letter(letter),
            Some(BfString::String(letters)) => letters.chars().any(is_letter),
            None => false,
        }
}

/// Whether a glyph without an outline loses nothing: a space, told by its character or else by the usual codes.
fn is_space(glyph: &OutlineGlyph) -> bool {
    match glyph.as_unicode() {
        Some(BfString::Char(character)) => !is_letter(character),
        _ => matches!(glyph.char_code(), 0 | 3 | 9 | 10 | 13 | 32 | 160),
    }
}

/// Whether a paint leaves white paper white.
fn is_pale(paint: &Paint<'_>) -> bool {
    match paint {
        Paint::Color(color) => {
            let [r, g, b, a] = color.to_rgba().to_rgba8();
            a == 0 || [r, g, b].iter().all(|part| *part >= 250)
        }
        Paint::Pattern(_) => false,
    }
}

/// Whether a paint is black in print.
fn is_dark(paint: &Paint<'_>) -> bool {
    match paint {
        Paint::Color(color) => {
            let [r, g, b, a] = color.to_rgba().to_rgba8();
            a == u8::MAX && luma(r, g, b) < DARK
        }
        Paint::Pattern(_) => false,
    }
}

impl<'a> Device<'a> for CoverageProbe {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.drawn += 1;
        if !matches!(mode, DrawMode::Invisible) && !path.is_empty() && !is_pale(&props.paint) {
            self.see(
                props.transform.transform_rect_bbox(path.bounding_box()),
                &props.paint,
            );
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}

    fn draw_glyph_run(
        &mut self,
        run: &hayro::hayro_interpret::font::GlyphRun<'_, 'a>,
        props: DrawProps<'a>,
        mode: &DrawMode,
    ) {
        self.drawn += 1;
        if matches!(mode, DrawMode::Invisible) || is_pale(&props.paint) {
            return;
        }
        self.missing += run.glyphs().iter().filter(|glyph| is_missing(glyph)).count();
        for glyph in run.glyphs() {
            if self.is_dark {
                return;
            }
            match &**glyph {
                Glyph::Outline(outline) => {
                    let bounds = outline.outline().bounding_box();
                    if bounds.area() > 0.0 {
                        let place = props.transform * glyph.transform();
                        self.see(place.transform_rect_bbox(bounds), &props.paint);
                        continue;
                    }
                    self.lost += usize::from(!is_space(outline));
                }
                Glyph::Type3(drawing) => {
                    drawing.interpret(self, props.transform, glyph.transform(), &props.paint);
                }
            }
        }
    }

    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.drawn += 1;
        self.pictures += 1;
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painting_operators_are_words_of_their_own() {
        for content in ["BT (x)Tj ET", "[(x)]TJ", "0 0 1 1 re\nf*", "/I Do"] {
            assert!(paints(content.as_bytes()), "{content}");
        }
        for content in ["q Q", "1 0 0 rg /Sf gs", "BT ET"] {
            assert!(!paints(content.as_bytes()), "{content}");
        }
    }

    #[test]
    fn a_glance_ends_behind_an_operator() {
        let content = b"BT (a) Tj (x)' ET 0 0 9 9 re f Q";
        let inspect_prefix = |count| through_paint(content, count).map(|begin| begin.len());
        assert_eq!([1, 2, 3].map(inspect_prefix), [Some(9), Some(14), Some(30)]);
        assert_eq!(inspect_prefix(9), inspect_prefix(3), "as many as there are");
        assert_eq!(through_paint(b"BT ET", 1), None);
    }
}
