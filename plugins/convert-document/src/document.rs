//! A document opened for faxing: any number of parts of any kind, as one PDF.

use crate::model::{Failure, FailureKind, FaxPage, Limits, Part, Raster, Terms};
use crate::raster::Renderer;
use crate::sniff::{Format, sniff};
use crate::{cover, html, pdf, picture, text};
use hayro::hayro_syntax::Pdf;
use self_cell::self_cell;
use std::cell::OnceCell;
use std::sync::Arc;

self_cell!(
    /// A parsed PDF with the fonts and pictures that its pages share.
    struct Shown {
        owner: Pdf,
        #[not_covariant]
        dependent: Renderer,
    }
);

/// A document opened for faxing.
pub struct Document {
    bytes: Arc<Vec<u8>>,
    /// Whether `bytes` are what the sender gave.
    untouched: bool,
    pages: u32,
    notes: Vec<String>,
    limits: Limits,
    fonts: Arc<pdf::Fonts>,
    shown: OnceCell<Option<Shown>>,
}

impl Document {
    /// Opens a document; what is not a PDF becomes one on the paper of the terms.
    pub fn open(parts: Vec<Part>, terms: Terms) -> Result<Self, Failure> {
        let limits = terms.limits;
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else {
            return Err(Failure::new(
                FailureKind::Empty,
                "There is no document; send one.",
            ));
        };
        let mut document = Self::open_one(first, terms)?;
        if parts.len() > 0 {
            let mut all = vec![document];
            for part in parts {
                all.push(Self::open_one(part, terms)?);
            }
            document = Self::join(all, terms)?;
        }
        if document.bytes.len() as u64 > limits.max_bytes {
            return Err(Failure::too_many_bytes(limits.max_bytes));
        }
        Ok(document)
    }

    fn open_one(part: Part, terms: Terms) -> Result<Self, Failure> {
        let Terms {
            paper,
            limits,
            library,
            ..
        } = terms;
        if part.media_type == cover::MEDIA_TYPE {
            let made = cover::to_pdf(&part, paper, limits.max_pages, library)?;
            return Ok(Self::made(made.pdf, made.pages, made.notes, terms));
        }
        if part.data.is_empty() {
            return Err(Failure::new(
                FailureKind::Empty,
                "The file is empty; send a document with content.",
            ));
        }
        match sniff(&part.data, &part.media_type) {
            Format::Pdf => Self::from_pdf(part.data, terms),
            Format::Refused(name) => Err(Failure::new(
                FailureKind::Unsupported,
                format!("{name} can't be faxed; save it as a PDF and send that."),
            )),
            Format::Picture(format) => {
                let made = picture::to_pdf(part.data, format, paper)?;
                Ok(Self::made(made.pdf, made.pages, made.notes, terms))
            }
            Format::Tiff => {
                let made = picture::tiff_to_pdf(&part.data, paper, limits.max_pages)?;
                Ok(Self::made(made.pdf, made.pages, made.notes, terms))
            }
            Format::Other if part.media_type == "text/html" || html::is_html(&part.data) => {
                let made = html::to_pdf(&part.data, paper, limits.max_pages, library)?;
                Ok(Self::made(made.pdf, made.pages, made.notes, terms))
            }
            Format::Other if text::is_text(&part.data) || claims_text(&part) => {
                let made = text::to_pdf(&part.data, paper, limits.max_pages, library)?;
                Ok(Self::made(made.pdf, made.pages, made.notes, terms))
            }
            Format::Other => Err(Failure::new(
                FailureKind::Unsupported,
                "This kind of file can't be faxed; send a PDF, a picture or plain text.",
            )),
        }
    }

    fn from_pdf(data: Vec<u8>, terms: Terms) -> Result<Self, Failure> {
        let limits = terms.limits;
        let bytes = Arc::new(data);
        let pdf = pdf::open(Arc::clone(&bytes), limits.max_pages, terms.checked)?;
        let pages = pdf.pages().len();
        let fonts = pdf::Fonts::new(terms.library);
        let mut notes = Vec::new();
        if !terms.checked {
            let missing = check_pages(&pdf, limits, &fonts)?;
            notes.extend(note_on_letters(missing));
        }
        if terms.refuse_active && !terms.checked && pdf::acts(&pdf) {
            return Err(Failure::new(
                FailureKind::Broken,
                "The PDF holds scripts, attachments or links to other files, which are not accepted here; print it to a \
                 new PDF and send that.",
            ));
        }
        if let Some(note) = pdf::reason_to_copy(&pdf, &bytes) {
            notes.push(note.to_owned());
            return Ok(Self::made(pdf::copy(&[&pdf]), pages, notes, terms));
        }
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        let shown = OnceCell::from(Some(Shown::new(pdf, |_| Renderer::new(Arc::clone(&fonts)))));
        Ok(Self {
            bytes,
            untouched: true,
            pages,
            notes,
            limits,
            fonts,
            shown,
        })
    }

    /// The pages of all documents, in order, as one.
    fn join(documents: Vec<Self>, terms: Terms) -> Result<Self, Failure> {
        let limits = terms.limits;
        let pages = documents
            .iter()
            .map(|document| u64::from(document.pages))
            .sum::<u64>();
        if pages > u64::from(limits.max_pages) {
            return Err(Failure::too_many_pages(limits.max_pages));
        }
        let lost = || {
            Failure::new(
                FailureKind::Broken,
                "The documents can't be joined; send them one by one.",
            )
        };
        let mut parsed = Vec::with_capacity(documents.len());
        for document in &documents {
            parsed.push(Pdf::new(Arc::clone(&document.bytes)).map_err(|_| lost())?);
        }
        let made = pdf::copy(&parsed.iter().collect::<Vec<_>>());
        let notes = documents
            .into_iter()
            .flat_map(|document| document.notes)
            .collect();
        Ok(Self::made(
            made,
            usize::try_from(pages).unwrap_or(usize::MAX),
            notes,
            terms,
        ))
    }

    /// A PDF that was written here, of `pages` pages.
    fn made(made: Vec<u8>, pages: usize, notes: Vec<String>, terms: Terms) -> Self {
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        let bytes = Arc::new(made);
        Self {
            bytes,
            untouched: false,
            pages,
            notes,
            limits: terms.limits,
            fonts: pdf::Fonts::new(terms.library),
            shown: OnceCell::new(),
        }
    }

    /// Number of pages, at least 1.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// What the sender should know, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The PDF to hand to the provider; none when the only part is fit as it stands.
    pub fn pdf(&self) -> Option<&[u8]> {
        (!self.untouched).then_some(self.bytes.as_slice())
    }

    /// Draws page `index`, counted from 0.
    pub fn render(&self, index: u32, raster: &Raster) -> Result<FaxPage, Failure> {
        let number = index.saturating_add(1);
        let absent = || Failure::new(FailureKind::Broken, format!("The document has no page {number}."));
        let shown = self.shown.get_or_init(|| {
            let pdf = Pdf::new(Arc::clone(&self.bytes)).ok()?;
            Some(Shown::new(pdf, |_| Renderer::new(Arc::clone(&self.fonts))))
        });
        shown
            .as_ref()
            .ok_or_else(absent)?
            .with_dependent(|pdf, renderer| {
                let page = pdf.pages().get(index as usize).ok_or_else(absent)?;
                let drawn = renderer.draw(page, raster, self.limits.max_rows, number)?;
                // A page is often meant to be white; one whose content is damaged is not.
                if drawn.black == 0 && pdf::lost_content(page) {
                    return Err(came_out_white(number));
                }
                Ok(drawn)
            })
    }
}

/// Pages with nothing but pictures that are drawn when a document is opened. Of those beyond, only those are whose pictures
/// can't be looked at one by one: decoding all of a long scan would take seconds.
const DRAWN: usize = 12;

/// Refuses a document with a page that would come out white although its content draws, that shows a picture that
/// can't be seen, or that is written in a font that is nowhere or whose letters can't be told. Gives back how many
/// letters are missing in fonts used instead.
fn check_pages(pdf: &Pdf, limits: Limits, fonts: &Arc<pdf::Fonts>) -> Result<usize, Failure> {
    let looker = pdf::Looker::new(pdf, fonts);
    let mut renderer = None;
    let mut drawn = 0;
    for (number, page) in (1..).zip(pdf.pages().iter()) {
        pdf::check_letters(page, number)?;
        let seen = looker.look(page, !fonts.may_lack(page) && !pdf::chooses_letters(page));
        fonts.check(number)?;
        let all_begin_well = pdf::check_pictures(page, number)?;
        match seen {
            pdf::Seen::Fine => {}
            pdf::Seen::Lost => return Err(came_out_white(number)),
            pdf::Seen::Pictures if drawn >= DRAWN && all_begin_well => {}
            pdf::Seen::Pictures => {
                drawn += 1;
                let renderer = renderer.get_or_insert_with(|| Renderer::new(Arc::clone(fonts)));
                renderer.check(page, limits.max_rows, number)?;
            }
        }
    }
    Ok(looker.missing())
}

/// What the sender should know of letters that are missing.
fn note_on_letters(missing: usize) -> Option<String> {
    let (letters, are) = match missing {
        0 => return None,
        1 => ("1 letter".to_owned(), "is"),
        _ => (format!("{missing} letters"), "are"),
    };
    Some(format!(
        "{letters} of the PDF {are} missing in the font used instead of one that is not embedded in it: look at the \
         preview, or save the PDF with its fonts."
    ))
}

fn came_out_white(number: u32) -> Failure {
    let message = format!("Page {number} is damaged and came out white; save the PDF again.");
    Failure::new(FailureKind::Broken, message)
}

/// Whether the gateway took it for a text, and no zero byte says otherwise.
fn claims_text(part: &Part) -> bool {
    part.media_type.starts_with("text/") && !part.data.contains(&0)
}

#[cfg(test)]
mod tests;
