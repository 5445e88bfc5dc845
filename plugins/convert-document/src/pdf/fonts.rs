//! Fonts that a PDF names without embedding them.
//!
//! The fourteen standard ones are part of the interpreter. Those for Chinese, Japanese and Korean, which older writers
//! leave to the reader (ISO 32000-1, 9.7.5.2), come from the gateway; where it has none, what is written in them can't
//! be drawn, and that is remembered.

use crate::model::{Failure, FailureKind, FontProvider};
use hayro::hayro_interpret::font::{FontData, FontQuery, StandardFont};
use hayro::hayro_interpret::hayro_cmap::CidFamily;
use hayro::hayro_interpret::{InterpreterSettings, InterpreterWarning};
use hayro::hayro_syntax::object::{Array, Dict, Name, String as PdfString};
use hayro::hayro_syntax::page::Page;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Scripts by their ISO 15924 codes.
const HANI: &str = "Hani";
const HANG: &str = "Hang";

/// The fonts that one document does not embed.
pub(crate) struct Fonts {
    library: FontProvider,
    /// What was found for Chinese and Japanese, once it was asked for.
    hani: OnceLock<Option<FontData>>,
    /// The same for Korean.
    hang: OnceLock<Option<FontData>>,
    missing: AtomicBool,
}

impl Fonts {
    pub(crate) fn new(library: FontProvider) -> Arc<Self> {
        Arc::new(Self {
            library,
            hani: OnceLock::new(),
            hang: OnceLock::new(),
            missing: AtomicBool::new(false),
        })
    }

    /// How pages are read; what can't be shown is counted in `lost`.
    pub(crate) fn settings(self: &Arc<Self>, lost: &Arc<AtomicU32>) -> InterpreterSettings {
        let (fonts, lost) = (Arc::clone(self), Arc::clone(lost));
        InterpreterSettings {
            warning_sink: Arc::new(move |warning| {
                if matches!(
                    warning,
                    InterpreterWarning::ImageDecodeFailure | InterpreterWarning::UnsupportedFont
                ) {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            }),
            font_resolver: Arc::new(move |query| fonts.resolve(query)),
            ..InterpreterSettings::default()
        }
    }

    fn resolve(&self, query: &FontQuery) -> Option<(FontData, u32)> {
        let query = match query {
            FontQuery::Standard(font) => return Some(font.get_font_data()),
            FontQuery::Fallback(query) => query,
        };
        let family = query
            .character_collection
            .as_ref()
            .map(|collection| &collection.family);
        let Some(script) = family.and_then(script) else {
            return Some(StandardFont::get_font_data(&query.pick_standard_font()));
        };
        let found = self.find(script);
        if found.is_none() {
            self.missing.store(true, Ordering::Relaxed);
        }
        found.map(|data| (data, 0))
    }

    fn find(&self, script: &'static str) -> Option<FontData> {
        let place = if script == HANG { &self.hang } else { &self.hani };
        let read = || (self.library)(script).map(|data| Arc::new(data) as FontData);
        place.get_or_init(read).clone()
    }

    /// Whether a page may use a font that is not available.
    pub(crate) fn may_lack(&self, page: &Page<'_>) -> bool {
        let fonts = &page.resources().fonts;
        let outside = |font: Dict<'_>| {
            let font = descendant(&font)?;
            let script = script_of(&font)?;
            (!is_embedded(&font)).then_some(script)
        };
        fonts.keys().any(|key| {
            let font = fonts.get::<Dict<'_>>(key.as_ref());
            font.and_then(outside)
                .is_some_and(|script| self.find(script).is_none())
        })
    }

    /// Refuses a document that used a font that is not available.
    pub(crate) fn check(&self, page: u32) -> Result<(), Failure> {
        if !self.missing.load(Ordering::Relaxed) {
            return Ok(());
        }
        let message = format!(
            "Page {page} uses Chinese, Japanese or Korean fonts that are not embedded in the PDF; save it again with \
             its fonts."
        );
        Err(Failure::new(FailureKind::Broken, message))
    }
}

/// The font behind a composite one (ISO 32000-1, 9.7).
pub(super) fn descendant<'a>(font: &Dict<'a>) -> Option<Dict<'a>> {
    font.get::<Array<'_>>("DescendantFonts")?
        .iter::<Dict<'_>>()
        .next()
}

fn is_embedded(font: &Dict<'_>) -> bool {
    let files = ["FontFile", "FontFile2", "FontFile3"];
    let descriptor = font.get::<Dict<'_>>("FontDescriptor");
    descriptor.is_some_and(|all| files.iter().any(|file| all.contains_key(*file)))
}

/// Whether a page chooses letters one by one from fonts that aren't in the document: those used instead may not have
/// them. The usual sets they do have.
pub(crate) fn chooses_letters(page: &Page<'_>) -> bool {
    let fonts = &page.resources().fonts;
    fonts.keys().any(|key| {
        let font = fonts.get::<Dict<'_>>(key.as_ref());
        font.is_some_and(|font| is_substituted(&font) && has_letters_of_its_own(&font))
    })
}

/// Whether another font is used for this one. Those drawn by the document itself (type 3) have no file either.
pub(super) fn is_substituted(font: &Dict<'_>) -> bool {
    let is_drawn = font
        .get::<Name<'_>>("Subtype")
        .is_some_and(|kind| kind.as_ref() == b"Type3");
    !is_drawn && !is_embedded(&descendant(font).unwrap_or_else(|| font.clone()))
}

/// Whether the letters of a font are more or others than those of the usual sets (ISO 32000-1, 9.6.6).
fn has_letters_of_its_own(font: &Dict<'_>) -> bool {
    let differs = |encoding: Dict<'_>| encoding.contains_key("Differences");
    font.get::<Dict<'_>>("Encoding").is_some_and(differs) || descendant(font).is_some()
}

/// Whether text in this font is glyph numbers of a font that isn't there, and nothing says what they mean.
fn numbers_glyphs(font: &Dict<'_>) -> bool {
    let encoding = font.get::<Name<'_>>("Encoding");
    let identity = encoding.is_some_and(|name| matches!(name.as_ref(), b"Identity-H" | b"Identity-V"));
    let of_glyphs = |font: Dict<'_>| script_of(&font).is_none() && !is_embedded(&font);
    identity && !font.contains_key("ToUnicode") && descendant(font).is_some_and(of_glyphs)
}

/// Refuses a page that is written in the numbers of glyphs (Identity-H, ISO 32000-1, 9.7.5.2) of a font that isn't in
/// the document, and doesn't say which letters they are: in another font they are other ones.
pub(crate) fn check_letters(page: &Page<'_>, number: u32) -> Result<(), Failure> {
    let fonts = &page.resources().fonts;
    let unknown = fonts.keys().any(|key| {
        let font = fonts.get::<Dict<'_>>(key.as_ref());
        font.is_some_and(|font| numbers_glyphs(&font)) && super::names(page).any(|name| name == key.as_ref())
    });
    if !unknown {
        return Ok(());
    }
    let message = format!(
        "Page {number} uses a font that is not embedded in the PDF, and its letters can't be told; save it again with \
         its fonts."
    );
    Err(Failure::new(FailureKind::Broken, message))
}

/// The script that the characters of a collection need.
fn script(family: &CidFamily) -> Option<&'static str> {
    match family {
        CidFamily::AdobeJapan1 | CidFamily::AdobeGB1 | CidFamily::AdobeCNS1 => Some(HANI),
        CidFamily::AdobeKorea1 => Some(HANG),
        _ => None,
    }
}

/// The script of the font behind a composite one, where it names a collection of Adobe's.
fn script_of(font: &Dict<'_>) -> Option<&'static str> {
    let ordering = font
        .get::<Dict<'_>>("CIDSystemInfo")?
        .get::<PdfString<'_>>("Ordering")?;
    script_of_ordering(ordering.as_bytes())
}

fn script_of_ordering(ordering: &[u8]) -> Option<&'static str> {
    match ordering {
        b"Japan1" | b"GB1" | b"CNS1" => Some(HANI),
        b"Korea1" => Some(HANG),
        _ => None,
    }
}
