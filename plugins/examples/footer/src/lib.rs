//! A footer under every page of a PDF: a sentence and, when asked for, a bar code (Code 39).
//!
//! ```toml
//! [plugins."footer".settings]
//! text = "Confidential: for the addressee only"
//! code = "DEPT-7"     # may be left out
//! ```
//!
//! Each page is made a little smaller, so that the footer covers nothing. Whatever is not a single PDF, and the
//! drawing of pages, is left to the next converter.

mod barcode;
#[cfg(target_family = "wasm")]
mod guest;

use std::sync::Arc;

use hayro_write::hayro_syntax::Pdf;
use hayro_write::pdf_writer::{Content, Finish as _, Name, Rect, Ref, Str};
use hayro_write::{ChunkSettings, ExtractionQuery};

/// Height of the footer, in points.
const HEIGHT: f32 = 28.0;
/// Distance from the edges that fax machines leave white, in points.
const MARGIN: f32 = 24.0;
/// Largest size of the letters, in points: legible at 98 dots per inch.
const LETTERS: f32 = 9.0;
/// Longest text, in letters: more of them would be too small on a fax.
const LONGEST: usize = 100;
/// Pages smaller than this in either direction have no space for a footer, in points.
const SMALLEST: f32 = 144.0;

/// What is stamped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// The sentence.
    pub text: String,
    /// What the bar code says, if there is one.
    pub code: Option<String>,
}

/// Why a PDF could not be stamped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampError {
    /// It can't be read; the next converter says why.
    Unreadable,
    /// It has form fields or notes, which a stamp would lose.
    Annotated,
    /// A page is too small.
    TooSmall,
}

impl Footer {
    /// Reads the settings; the error is a sentence for the operator.
    pub fn read(setting: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = setting("text")
            .unwrap_or_else(|| "Confidential".to_owned())
            .trim()
            .to_owned();
        let plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.is_empty() || text.len() > LONGEST || !plain(&text) {
            return Err(format!(
                "`text` has to be 1 to {LONGEST} letters, digits and signs of ASCII"
            ));
        }
        let code = setting("code").map(|code| code.trim().to_ascii_uppercase());
        let code = code.filter(|code| !code.is_empty());
        if code
            .as_deref()
            .is_some_and(|code| code.len() > 20 || barcode::bars(code).is_none())
        {
            return Err("`code` has to be at most 20 of A-Z, 0-9, space, - and .".to_owned());
        }
        Ok(Self { text, code })
    }

    /// The PDF with the footer under every page.
    pub fn stamp(&self, pdf: &Pdf) -> Result<Vec<u8>, StampError> {
        let pages = pdf.pages();
        let queries: Vec<_> = (0..pages.len()).map(ExtractionQuery::new_xobject).collect();
        let mut next = Ref::new(1);
        let (catalog, font) = (next.bump(), next.bump());
        let taken = hayro_write::extract(pdf, Box::new(|| next.bump()), ChunkSettings::default(), &queries);
        let taken = taken.map_err(|_| StampError::Unreadable)?;
        let tree = taken.page_tree_parent_ref;
        let mut out = hayro_write::pdf_writer::Pdf::new();
        let mut kids = Vec::new();
        for (page, picture) in pages.iter().zip(&taken.root_refs) {
            let picture = picture.map_err(|_| StampError::Unreadable)?;
            let (width, height) = page.render_dimensions();
            if width < SMALLEST || height < SMALLEST {
                return Err(StampError::TooSmall);
            }
            let (id, stream) = (next.bump(), next.bump());
            out.stream(stream, self.content(width, height).as_slice());
            let mut page = out.page(id);
            page.parent(tree)
                .media_box(Rect::new(0.0, 0.0, width, height))
                .contents(stream);
            let mut resources = page.resources();
            resources.x_objects().pair(Name(b"Page"), picture);
            resources.fonts().pair(Name(b"Footer"), font);
            resources.finish();
            page.finish();
            kids.push(id);
        }
        let count = i32::try_from(kids.len()).map_err(|_| StampError::Unreadable)?;
        out.catalog(catalog).pages(tree);
        out.pages(tree).kids(kids).count(count);
        out.type1_font(font).base_font(Name(b"Helvetica"));
        out.extend(&taken.chunk);
        Ok(out.finish())
    }

    /// The page above, the footer below.
    fn content(&self, width: f32, height: f32) -> hayro_write::pdf_writer::Buf {
        let mut content = Content::new();
        let scale = (height - HEIGHT) / height;
        let aside = width * (1.0 - scale) / 2.0;
        content.save_state();
        content.transform([scale, 0.0, 0.0, scale, aside, HEIGHT]);
        content.x_object(Name(b"Page"));
        content.restore_state();
        content.set_fill_gray(0.0);
        let mut available = width - 2.0 * MARGIN;
        if let Some(bars) = self.code.as_deref().and_then(barcode::bars) {
            let module = (available * 0.4 / bars.width).min(1.0);
            let left = width - MARGIN - bars.width * module;
            for (from, wide) in &bars.black {
                content.rect(left + from * module, 8.0, wide * module, HEIGHT - 10.0);
            }
            content.fill_nonzero();
            available = left - 2.0 * MARGIN;
        }
        // Letters of Helvetica are about half as wide as high.
        let letters = available / (0.55 * self.text.len() as f32);
        content.begin_text();
        content.set_font(Name(b"Footer"), letters.min(LETTERS));
        content.next_line(MARGIN, 12.0);
        content.show(Str(self.text.as_bytes()));
        content.end_text();
        content.finish()
    }
}

/// Opens what the stamp can take on without losing anything.
pub fn open(data: Vec<u8>) -> Result<Pdf, StampError> {
    let pdf = Pdf::new(Arc::new(data)).map_err(|_| StampError::Unreadable)?;
    if pdf.pages().is_empty() {
        return Err(StampError::Unreadable);
    }
    let annotated = pdf.pages().iter().any(|page| {
        page.raw()
            .get::<hayro_write::hayro_syntax::object::Array<'_>>("Annots")
            .is_some_and(|notes| notes.raw_iter().next().is_some())
    });
    if annotated {
        Err(StampError::Annotated)
    } else {
        Ok(pdf)
    }
}

#[cfg(test)]
mod tests;
