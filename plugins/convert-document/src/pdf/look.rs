//! A quick look at what a page draws, without drawing it: whether what ought to be seen was lost on the way.
//!
//! The parser and the interpreter forgive much. A content stream that falls apart, a font whose glyphs are gone or a
//! picture that can't be decoded all end in a white page and no error, so what is drawn is counted here.

use super::Fonts;
use hayro::hayro_interpret::font::{Glyph, GlyphId};
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
use hayro::kurbo::{Affine, BezPath, Rect, Shape};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a page came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Something is drawn, or nothing was meant to be.
    Fine,
    /// Only pictures are drawn: whether they are sound shows when the page is.
    Pictures,
    /// The content draws, and nothing of it came out.
    Lost,
}

/// How many painting operators are looked at before a whole page is: nearly every page begins with something dark,
/// and ink once seen is seen.
const GLANCES: [usize; 2] = [1, 8];

/// Bytes of page content that are interpreted when a document is opened; pages beyond are taken on trust.
const LOOKED_AT: usize = 16 * 1024 * 1024;
/// Searching so many bytes for an operator costs as much as interpreting one.
const SEARCHED: usize = 16;

/// Looks at pages of one document.
pub(crate) struct Looker<'a> {
    cache: InterpreterCache<'a>,
    settings: InterpreterSettings,
    warnings: Arc<AtomicU32>,
    budget: Cell<usize>,
    /// Letters of the pages looked at as a whole that no font has.
    missing: Cell<usize>,
    layered: bool,
}

impl<'a> Looker<'a> {
    pub(crate) fn new(pdf: &'a Pdf, fonts: &Arc<Fonts>) -> Self {
        let warnings = Arc::new(AtomicU32::new(0));
        Self {
            cache: InterpreterCache::new(),
            settings: fonts.settings(&warnings),
            warnings,
            budget: Cell::new(LOOKED_AT),
            missing: Cell::new(0),
            // Layers that are switched off are meant not to be seen.
            layered: super::copy::root(pdf)
                .is_some_and(|root| root.get::<Dict<'_>>("OCProperties").is_some()),
        }
    }

    /// Looks at one page; at all of it when a few strokes are not `enough`.
    pub(crate) fn look(&self, page: &Page<'a>, enough: bool) -> Seen {
        let content = page.page_stream().unwrap_or_default();
        if !self.spend(content.len() / SEARCHED) || (enough && self.glance(page, content)) {
            return Seen::Fine;
        }
        if !self.spend(content.len()) {
            return Seen::Fine;
        }
        self.warnings.store(0, Ordering::Relaxed);
        let mut eye = Eye::default();
        interpret_page(page, &mut self.context(page), &mut eye);
        self.missing.set(self.missing.get() + eye.missing);
        if eye.inked {
            return Seen::Fine;
        }
        if self.warnings.load(Ordering::Relaxed) > 0 || eye.lost > 0 {
            return Seen::Lost;
        }
        if eye.pictures > 0 {
            return Seen::Pictures;
        }
        let silent = eye.drawn == 0 && !self.layered;
        if silent && paints(content) {
            Seen::Lost
        } else {
            Seen::Fine
        }
    }

    /// How many letters of the pages that were looked at as a whole aren't in the fonts that are used for those that the
    /// document doesn't have.
    pub(crate) fn missing(&self) -> usize {
        self.missing.get()
    }

    /// Whether the beginning of a page draws something dark.
    fn glance(&self, page: &Page<'a>, content: &[u8]) -> bool {
        GLANCES.iter().any(|most| {
            let begin = through_paint(content, *most);
            let Some(begin) = begin.filter(|begin| self.spend(begin.len())) else {
                return false;
            };
            let mut eye = Eye::default();
            interpret(
                TypedIter::new(begin),
                page.resources(),
                &mut self.context(page),
                &mut eye,
            );
            eye.inked
        })
    }

    /// Takes the reading of so many bytes off the budget; false when too little is left.
    fn spend(&self, bytes: usize) -> bool {
        let left = self.budget.get().checked_sub(bytes);
        self.budget.set(left.unwrap_or(0));
        left.is_some()
    }

    fn context(&self, page: &Page<'a>) -> Context<'a> {
        let (width, height) = page.render_dimensions();
        let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let transform = page.initial_transform(true).to_kurbo();
        Context::new(transform, area, &self.cache, page.xref(), self.settings.clone())
    }
}

/// Whether a content stream has an operator that paints.
fn paints(content: &[u8]) -> bool {
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

/// A device that draws nothing and remembers what it was asked to.
#[derive(Default)]
struct Eye {
    /// Something dark has an outline.
    inked: bool,
    /// Calls of any kind.
    drawn: usize,
    /// Glyphs that ought to be seen and have no outline.
    lost: usize,
    /// Letters that aren't in their font.
    missing: usize,
    pictures: usize,
}

/// Whether a character is drawn: a space isn't, nor is what only says how others are put.
fn is_letter(character: char) -> bool {
    let directs = matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    );
    !directs && !character.is_whitespace() && !character.is_control()
}

/// Whether a letter isn't in its font and nothing is drawn for it.
fn is_missing(glyph: &Glyph<'_>) -> bool {
    let Glyph::Outline(outline) = glyph else {
        return false;
    };
    outline.glyph_id() == GlyphId::NOTDEF
        && outline.outline().is_empty()
        && match outline.as_unicode() {
            Some(BfString::Char(letter)) => is_letter(letter),
            Some(BfString::String(letters)) => letters.chars().any(is_letter),
            None => false,
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

impl<'a> Device<'a> for Eye {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.drawn += 1;
        self.inked |= !matches!(mode, DrawMode::Invisible) && !path.is_empty() && !is_pale(&props.paint);
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
        if self.inked {
            return;
        }
        for glyph in run.glyphs() {
            match &**glyph {
                Glyph::Outline(outline) => {
                    if outline.outline().bounding_box().area() > 0.0 {
                        self.inked = true;
                        return;
                    }
                    // A space has no outline and loses nothing.
                    self.lost += usize::from(!matches!(outline.char_code(), 0 | 3 | 9 | 10 | 13 | 32 | 160));
                }
                Glyph::Type3(glyph) => {
                    glyph.interpret(self, Affine::IDENTITY, Affine::IDENTITY, &props.paint);
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
        let glance = |count| through_paint(content, count).map(|begin| begin.len());
        assert_eq!([1, 2, 3].map(glance), [Some(9), Some(14), Some(30)]);
        assert_eq!(glance(9), glance(3), "as many as there are");
        assert_eq!(through_paint(b"BT ET", 1), None);
    }
}
