//! A document opened for faxing: any number of parts of any kind, as one PDF.

use crate::model::{Failure, FailureKind, FaxPage, Limits, OpenOptions, Part, Raster};
use crate::raster::Renderer;
use crate::sniff::{Format, sniff};
use crate::{cover, pdf, picture, text};
use hayro::hayro_syntax::Pdf;
use self_cell::self_cell;
use std::cell::OnceCell;
use std::sync::Arc;

self_cell!(
    /// A parsed PDF with the renderer whose caches its pages share.
    struct ParsedPdf {
        owner: Pdf,
        #[not_covariant]
        dependent: Renderer,
    }
);

/// A document opened for faxing.
pub struct Document {
    bytes: Arc<Vec<u8>>,
    /// Whether `bytes` are the sender's file.
    untouched: bool,
    pages: u32,
    notes: Vec<String>,
    limits: Limits,
    fonts: Arc<pdf::Fonts>,
    parsed: OnceCell<Option<ParsedPdf>>,
}

impl Document {
    /// Opens a document; anything but a PDF is converted to one, on the paper size of the options.
    pub fn open(parts: Vec<Part>, options: OpenOptions) -> Result<Self, Failure> {
        let limits = options.limits;
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else {
            return Err(Failure::new(
                FailureKind::Empty,
                "There is no document; send one.",
            ));
        };
        let mut document = Self::open_one(first, options)?;
        if parts.len() > 0 {
            let mut all = vec![document];
            for part in parts {
                all.push(Self::open_one(part, options)?);
            }
            document = Self::join(all, options)?;
        }
        if document.bytes.len() as u64 > limits.max_bytes {
            return Err(Failure::too_many_bytes(limits.max_bytes));
        }
        Ok(document)
    }

    fn open_one(part: Part, options: OpenOptions) -> Result<Self, Failure> {
        let OpenOptions {
            paper,
            limits,
            font_provider,
            ..
        } = options;
        if part.media_type == cover::MEDIA_TYPE {
            let made = cover::to_pdf(&part, paper, limits.max_pages, font_provider)?;
            return Ok(Self::written(made.pdf, made.pages, made.notes, options));
        }
        if part.data.is_empty() {
            return Err(Failure::new(
                FailureKind::Empty,
                "The file is empty; send a document with content.",
            ));
        }
        match sniff(&part.data) {
            Format::Pdf => Self::from_pdf(part.data, options),
            Format::Refused(name) => Err(Failure::new(
                FailureKind::Unsupported,
                format!("{name} can't be faxed; save it as a PDF and send that."),
            )),
            Format::Picture(format) => {
                let made = picture::to_pdf(part.data, format, paper, limits.max_pages)?;
                Self::written(made.pdf, made.pages, made.notes, options).with_content()
            }
            Format::Tiff => {
                let made = picture::tiff_to_pdf(&part.data, paper, limits.max_pages)?;
                Self::written(made.pdf, made.pages, made.notes, options).with_content()
            }
            Format::Other => {
                let made = text::to_pdf(&part, paper, limits.max_pages, font_provider)?;
                Ok(Self::written(made.pdf, made.pages, made.notes, options))
            }
        }
    }

    fn from_pdf(data: Vec<u8>, options: OpenOptions) -> Result<Self, Failure> {
        let limits = options.limits;
        let opened = pdf::open(Arc::new(data), limits.max_pages, options.checked)?;
        if options.checked {
            return Ok(Self::opened(opened.pdf, opened.bytes, options));
        }
        let audit = opened.audit(options.paper);
        if audit.is_active && options.refuse_active {
            return Err(Failure::new(
                FailureKind::Broken,
                "The PDF holds scripts, attachments or links to other files, which are not accepted here; print it to a \
                 new PDF and send that.",
            ));
        }
        let mut notes = Vec::new();
        if audit.is_active {
            notes.push(
                "The PDF held scripts, attachments or links to other files; only its pages are sent."
                    .to_owned(),
            );
        } else if opened.was_protected {
            notes.push(
                "The PDF was protected without a password; it is sent without the protection.".to_owned(),
            );
        }
        let mut document = if audit.must_copy {
            let copy = pdf::copy(&[&opened.pdf], options.paper, options.font_provider);
            notes.extend(note_on_annotations(copy.not_printed));
            notes.extend(note_on_cut_pages(copy.cut));
            Self::written(copy.pdf, copy.pages, Vec::new(), options)
        } else {
            Self::opened(opened.pdf, opened.bytes, options)
        };
        if document.pages > limits.max_pages {
            return Err(Failure::too_many_pages(limits.max_pages));
        }
        notes.extend(note_on_letters(document.check()?));
        let small = |pdf: &Pdf| {
            pdf.pages()
                .iter()
                .filter(|page| pdf::is_small(page, options.paper))
                .count()
        };
        notes.extend(
            document
                .parsed()
                .and_then(|parsed| note_on_small_pages(small(parsed.borrow_owner()))),
        );
        document.notes = notes;
        Ok(document)
    }

    /// A PDF that is handed on as it is.
    fn opened(pdf: Pdf, bytes: Arc<Vec<u8>>, options: OpenOptions) -> Self {
        let fonts = pdf::Fonts::new(options.font_provider);
        let pages = u32::try_from(pdf.pages().len()).unwrap_or(u32::MAX);
        Self {
            bytes,
            untouched: true,
            pages,
            notes: Vec::new(),
            limits: options.limits,
            parsed: OnceCell::from(Some(ParsedPdf::new(pdf, |_| Renderer::new(Arc::clone(&fonts))))),
            fonts,
        }
    }

    /// The document, if something is on each of its pages.
    fn with_content(self) -> Result<Self, Failure> {
        self.check()?;
        Ok(self)
    }

    /// Refuses a document with a page that can't be printed, or on which nothing would be.
    fn check(&self) -> Result<usize, Failure> {
        let parsed = self
            .parsed()
            .filter(|parsed| parsed.borrow_owner().pages().len() == self.pages as usize);
        let parsed = parsed.ok_or_else(|| {
            Failure::new(
                FailureKind::Broken,
                "The PDF is damaged: its pages can't be read; save it again.",
            )
        })?;
        parsed.with_dependent(|pdf, renderer| check_pages(pdf, renderer, self.limits, &self.fonts))
    }

    fn parsed(&self) -> Option<&ParsedPdf> {
        let parse = || {
            let pdf = Pdf::new(Arc::clone(&self.bytes)).ok()?;
            Some(ParsedPdf::new(pdf, |_| Renderer::new(Arc::clone(&self.fonts))))
        };
        self.parsed.get_or_init(parse).as_ref()
    }

    /// The pages of all documents, in order, as one.
    fn join(documents: Vec<Self>, options: OpenOptions) -> Result<Self, Failure> {
        let limits = options.limits;
        let pages = documents
            .iter()
            .map(|document| u64::from(document.pages))
            .sum::<u64>();
        if pages > u64::from(limits.max_pages) {
            return Err(Failure::too_many_pages(limits.max_pages));
        }
        let unreadable = || {
            Failure::new(
                FailureKind::Broken,
                "The documents can't be joined; send them one by one.",
            )
        };
        let mut parsed = Vec::with_capacity(documents.len());
        for document in &documents {
            parsed.push(Pdf::new(Arc::clone(&document.bytes)).map_err(|_| unreadable())?);
        }
        let sources: Vec<&Pdf> = parsed.iter().collect();
        let made = pdf::copy(&sources, options.paper, options.font_provider).pdf;
        let notes = documents
            .into_iter()
            .flat_map(|document| document.notes)
            .collect();
        Ok(Self::written(
            made,
            usize::try_from(pages).unwrap_or(usize::MAX),
            notes,
            options,
        ))
    }

    /// A PDF that this converter wrote, of `pages` pages.
    fn written(made: Vec<u8>, pages: usize, notes: Vec<String>, options: OpenOptions) -> Self {
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        let bytes = Arc::new(made);
        Self {
            bytes,
            untouched: false,
            pages,
            notes,
            limits: options.limits,
            fonts: pdf::Fonts::new(options.font_provider),
            parsed: OnceCell::new(),
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
        self.parsed().ok_or_else(absent)?.with_dependent(|pdf, renderer| {
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

/// Number of pages with images only that are rendered as a check when a document is opened. Decoding all of a long scan
/// would take seconds; of later pages, only those whose images can't be checked one by one are rendered.
const MAX_CHECK_RENDERS: usize = 12;

/// Refuses a document with a page that comes out white although its content paints, that shows an image that can't be
/// decoded, or that uses a font that is not available or whose characters are unknown. Returns the number of
/// characters that substitute fonts lack.
fn check_pages<'a>(
    pdf: &'a Pdf,
    renderer: &Renderer<'a>,
    limits: Limits,
    fonts: &Arc<pdf::Fonts>,
) -> Result<usize, Failure> {
    let inspector = pdf::PageInspector::new(pdf, fonts);
    let mut drawn = 0;
    for (number, page) in (1..).zip(pdf.pages().iter()) {
        pdf::check_letters(page, number)?;
        let coverage = inspector.inspect(page, !fonts.may_lack(page) && !pdf::chooses_letters(page));
        fonts.check(number)?;
        let all_begin_well = pdf::check_images(page, number)?;
        match coverage {
            pdf::Coverage::Visible => {}
            pdf::Coverage::Lost => return Err(came_out_white(number)),
            pdf::Coverage::ImagesOnly if drawn >= MAX_CHECK_RENDERS && all_begin_well => {}
            pdf::Coverage::ImagesOnly | pdf::Coverage::Uncertain => {
                drawn += 1;
                if !renderer.check(page, limits.max_rows, number)? {
                    return Err(blank(number, pdf.pages().len()));
                }
            }
        }
    }
    Ok(inspector.missing())
}

/// Refuses a page without a black pixel.
fn blank(number: u32, pages: usize) -> Failure {
    let message = match pages {
        1 => "The document is blank: nothing on it would be printed; send one with content.".to_owned(),
        _ => format!("Page {number} is blank: nothing on it would be printed; send the document without it."),
    };
    Failure::new(FailureKind::Empty, message)
}

/// The note about what is seen on screens and not printed.
fn note_on_annotations(count: usize) -> Option<String> {
    let (annotations, are) = match count {
        0 => return None,
        1 => ("1 annotation or form field".to_owned(), "is"),
        _ => (format!("{count} annotations or form fields"), "are"),
    };
    Some(format!(
        "{annotations} of the PDF {are} not marked for printing and {are} not sent: look at the preview, or print the \
         PDF to a new one with them."
    ))
}

/// The note about pages that are printed small.
fn note_on_small_pages(count: usize) -> Option<String> {
    let (pages, are) = match count {
        0 => return None,
        1 => ("1 page".to_owned(), "is"),
        _ => (format!("{count} pages"), "are"),
    };
    Some(format!(
        "{pages} of the PDF {are} much longer than the paper and {are} printed small: look at the preview, or send shorter \
         pages."
    ))
}

/// The note about pages that became several.
fn note_on_cut_pages(count: usize) -> Option<String> {
    let (pages, are) = match count {
        0 => return None,
        1 => ("1 page".to_owned(), "is"),
        _ => (format!("{count} pages"), "are"),
    };
    Some(format!(
        "{pages} of the PDF {are} much longer than the paper and {are} sent in several pages."
    ))
}

/// The note about characters that are missing.
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

#[cfg(test)]
mod tests;
