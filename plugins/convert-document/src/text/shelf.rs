//! The fonts of a text: two in the component, further ones by script from the gateway.

use super::layout::{Pages, is_steering};
use crate::model::Library;
use harfrust::{Buffer, Font, ShapeOptions, ShaperFont};
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
pub(super) struct Face {
    pub(super) font: Font,
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
pub(super) struct Shelf {
    pub(super) faces: Vec<Face>,
    /// Where each character of the document is found.
    places: HashMap<char, usize>,
}

impl Face {
    fn new(data: Vec<u8>, size: f32) -> Option<Self> {
        let data = Arc::new(data);
        let shared: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(Shared(Arc::clone(&data)));
        let font = Font::new(harfrust::font::Blob::from(shared), 0)?;
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
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Shelf {
    /// The fonts that these pages need; none when those in the component can't be read.
    pub(super) fn new(pages: &Pages, library: Library) -> Option<Self> {
        let mono = Face::new(MONO.to_vec(), MONO_SIZE)?;
        let seen: BTreeSet<char> = pages
            .iter()
            .flatten()
            .flat_map(|line| line.text.chars())
            .collect();
        let mut faces = vec![mono];
        let mut asked = BTreeSet::new();
        for c in seen.iter().copied() {
            if is_steering(c) || c.is_control() || find(&faces, c).is_some() {
                continue;
            }
            let Some(script) = wanted(c) else { continue };
            if asked.len() >= MAX_SCRIPTS || !asked.insert(script) {
                continue;
            }
            let data = match script {
                "Hebr" => Some(HEBREW.to_vec()),
                other => library(other),
            };
            faces.extend(data.and_then(|data| Face::new(data, OTHER_SIZE)));
        }
        let shown = |c: &char| !c.is_control() && *c != char::REPLACEMENT_CHARACTER;
        let place = |c: char| Some((c, find(&faces, c)?));
        let places = seen.into_iter().filter(shown).filter_map(place).collect();
        Some(Self { faces, places })
    }

    /// The font to draw a character with.
    pub(super) fn of(&self, c: char) -> Option<usize> {
        self.places.get(&c).copied()
    }
}

/// The first font that draws a character.
fn find(faces: &[Face], c: char) -> Option<usize> {
    let whole = faces.iter().position(|face| face.has(c));
    whole.or_else(|| faces.iter().position(|face| face.composes(c)))
}

/// The script to ask a font for, as its ISO 15924 code. Chinese and Japanese share one.
fn wanted(c: char) -> Option<&'static str> {
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
