//! The fonts of a text: two in the component, further ones by script from the gateway.

use super::layout::{Pages, is_format_control};
use crate::model::FontProvider;
use harfrust::{Buffer, ShapeOptions, ShaperFont};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use subsetter::GlyphRemapper;
use unicode_script::{Script, UnicodeScript};

/// Latin, Greek, Cyrillic, Arabic and more, every glyph as wide as the others; its licence stands beside it.
static MONO: &[u8] = include_bytes!("../../assets/DejaVuSansMono.ttf");
/// Hebrew, which the other lacks: a part of DejaVu Sans under the same licence.
static HEBREW: &[u8] = include_bytes!("../../assets/DejaVuSansHebrew.ttf");

/// Scripts that are asked for in one document; more is not a text but a table of characters.
const MAX_SCRIPTS: usize = 8;
/// Size in points at which a glyph of the first font advances by one column of 6 points.
const MONO_SIZE: f32 = 9.966;
/// Size of other fonts in points: leaves a little air in the two columns of a wide character.
const OTHER_SIZE: f32 = 10.5;

/// A font with what a document uses of it.
pub(super) struct Font {
    /// The parsed file.
    pub(super) font: harfrust::Font,
    /// The bytes of the file.
    pub(super) data: Arc<Vec<u8>>,
    /// Size in points.
    pub(super) size: f32,
    /// Glyphs used, by their number in the subset.
    pub(super) used: GlyphRemapper,
    /// What each glyph of the subset stands for.
    pub(super) texts: BTreeMap<u16, String>,
    /// Advance of each glyph of the subset in units of the font.
    pub(super) widths: BTreeMap<u16, i32>,
}

/// The fonts of a document, in the order in which they are asked for a character.
pub(super) struct FontSet {
    pub(super) list: Vec<Font>,
    /// Where each character of the document is found.
    font_of: HashMap<char, usize>,
}

impl Font {
    fn new(data: Vec<u8>, size: f32) -> Option<Self> {
        let data = Arc::new(data);
        let shared: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(SharedBytes(Arc::clone(&data)));
        let font = harfrust::Font::new(harfrust::font::Blob::from(shared), 0)?;
        Some(Self {
            font,
            data,
            size,
            used: GlyphRemapper::new(),
            texts: BTreeMap::new(),
            widths: BTreeMap::new(),
        })
    }

    /// Whether the font has a glyph for the character.
    pub(super) fn has(&self, c: char) -> bool {
        let glyph = self.font.charmap().map_unicode(c);
        glyph.is_some()
    }

    /// Whether the font can put the character together from others: a letter and its accents (OpenType shaping
    /// decomposes what has no glyph of its own).
    fn composes(&self, c: char) -> bool {
        let mut buffer = Buffer::new();
        buffer.push(u32::from(c), 0);
        buffer.guess_segment_properties();
        let shaped = harfrust::shape(&ShaperFont::new(&self.font), &mut buffer, ShapeOptions::new());
        let glyphs = buffer.glyph_infos();
        shaped.is_ok() && glyphs.len() > 1 && glyphs.iter().all(|glyph| glyph.glyph_id != 0)
    }

    /// Points for one unit of the font.
    pub(super) fn unit(&self) -> f32 {
        self.size / f32::from(self.font.units_per_em().max(1))
    }
}

/// One copy of a file for the shaper and for the subset.
struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FontSet {
    /// The fonts that these pages need; none when those in the component can't be read.
    pub(super) fn new(pages: &Pages, library: FontProvider) -> Option<Self> {
        let mono = Font::new(MONO.to_vec(), MONO_SIZE)?;
        let seen: BTreeSet<char> = pages
            .iter()
            .flatten()
            .flat_map(|line| line.text.chars())
            .collect();
        let mut fonts = vec![mono];
        let mut asked = BTreeSet::new();
        for c in seen.iter().copied() {
            if is_format_control(c) || c.is_control() || font_with(&fonts, c).is_some() {
                continue;
            }
            let Some(script) = script_to_ask(c) else { continue };
            if asked.len() >= MAX_SCRIPTS || !asked.insert(script) {
                continue;
            }
            let data = match script {
                "Hebr" => Some(HEBREW.to_vec()),
                other => library(other),
            };
            fonts.extend(data.and_then(|data| Font::new(data, OTHER_SIZE)));
        }
        let shown = |c: &char| !c.is_control() && *c != char::REPLACEMENT_CHARACTER;
        let entry = |c: char| Some((c, font_with(&fonts, c)?));
        let font_of = seen.into_iter().filter(shown).filter_map(entry).collect();
        Some(Self { list: fonts, font_of })
    }

    /// The font to draw a character with.
    pub(super) fn font_for(&self, c: char) -> Option<usize> {
        self.font_of.get(&c).copied()
    }
}

/// The first font that draws a character.
fn font_with(fonts: &[Font], c: char) -> Option<usize> {
    let whole = fonts.iter().position(|font| font.has(c));
    whole.or_else(|| fonts.iter().position(|font| font.composes(c)))
}

/// The script to ask a font for, as its ISO 15924 code. Chinese and Japanese share one.
fn script_to_ask(c: char) -> Option<&'static str> {
    match c.script() {
        Script::Han | Script::Hiragana | Script::Katakana | Script::Bopomofo => Some("Hani"),
        Script::Common | Script::Inherited => {
            // Punctuation, enclosed and full-width characters of East Asia.
            matches!(c, '\u{2e80}'..='\u{33ff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}')
                .then_some("Hani")
        }
        Script::Unknown => None,
        other => Some(other.short_name()),
    }
}
