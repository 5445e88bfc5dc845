//! A document opened for faxing: any number of parts of any kind, as one PDF.

use crate::model::{Failure, FailureKind, FaxPage, Limits, Paper, Part, Raster};
use crate::sniff::{Format, sniff};
use crate::{pdf, picture, raster, text};
use hayro::RenderCache;
use hayro::hayro_syntax::Pdf;
use self_cell::self_cell;
use std::cell::OnceCell;
use std::sync::Arc;

self_cell!(
    /// A parsed PDF with the fonts and pictures that its pages share.
    struct Shown {
        owner: Pdf,
        #[not_covariant]
        dependent: RenderCache,
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
    shown: OnceCell<Option<Shown>>,
}

impl Document {
    /// Opens a document; what is not a PDF becomes one on `paper`.
    pub fn open(parts: Vec<Part>, paper: Paper, limits: Limits) -> Result<Self, Failure> {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else {
            return Err(Failure::new(
                FailureKind::Empty,
                "There is no document; send one.",
            ));
        };
        let mut document = Self::open_one(first, paper, limits)?;
        if parts.len() > 0 {
            let mut all = vec![document];
            for part in parts {
                all.push(Self::open_one(part, paper, limits)?);
            }
            document = Self::join(all, limits)?;
        }
        if document.bytes.len() as u64 > limits.max_bytes {
            return Err(Failure::too_many_bytes(limits.max_bytes));
        }
        Ok(document)
    }

    fn open_one(part: Part, paper: Paper, limits: Limits) -> Result<Self, Failure> {
        if part.data.is_empty() {
            return Err(Failure::new(
                FailureKind::Empty,
                "The file is empty; send a document with content.",
            ));
        }
        match sniff(&part.data, &part.media_type) {
            Format::Pdf => Self::from_pdf(part.data, limits),
            Format::Refused(name) => Err(Failure::new(
                FailureKind::Unsupported,
                format!("{name} can't be faxed; save it as a PDF and send that."),
            )),
            Format::Picture(format) => {
                let made = picture::to_pdf(part.data, format, paper)?;
                Ok(Self::made(made.pdf, made.pages, made.notes, limits))
            }
            Format::Tiff => {
                let made = picture::tiff_to_pdf(&part.data, paper, limits.max_pages)?;
                Ok(Self::made(made.pdf, made.pages, made.notes, limits))
            }
            Format::Other if part.media_type == "text/html" || is_html(&part.data) => Err(Failure::new(
                FailureKind::Unsupported,
                "A web page can't be faxed; print it to a PDF and send that.",
            )),
            Format::Other if text::is_text(&part.data) || claims_text(&part) => {
                let made = text::to_pdf(&part.data, paper, limits.max_pages)?;
                Ok(Self::made(made.pdf, made.pages, made.notes, limits))
            }
            Format::Other => Err(Failure::new(
                FailureKind::Unsupported,
                "This kind of file can't be faxed; send a PDF, a picture or plain text.",
            )),
        }
    }

    fn from_pdf(data: Vec<u8>, limits: Limits) -> Result<Self, Failure> {
        let bytes = Arc::new(data);
        let pdf = pdf::open(Arc::clone(&bytes), limits.max_pages)?;
        let pages = pdf.pages().len();
        if let Some(note) = pdf::reason_to_copy(&pdf, &bytes) {
            return Ok(Self::made(
                pdf::copy(&[&pdf]),
                pages,
                vec![note.to_owned()],
                limits,
            ));
        }
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        let shown = OnceCell::from(Some(Shown::new(pdf, |_| RenderCache::new())));
        Ok(Self {
            bytes,
            untouched: true,
            pages,
            notes: Vec::new(),
            limits,
            shown,
        })
    }

    /// The pages of all documents, in order, as one.
    fn join(documents: Vec<Self>, limits: Limits) -> Result<Self, Failure> {
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
            limits,
        ))
    }

    /// A PDF that was written here, of `pages` pages.
    fn made(made: Vec<u8>, pages: usize, notes: Vec<String>, limits: Limits) -> Self {
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        let bytes = Arc::new(made);
        Self {
            bytes,
            untouched: false,
            pages,
            notes,
            limits,
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
            Some(Shown::new(pdf, |_| RenderCache::new()))
        });
        shown.as_ref().ok_or_else(absent)?.with_dependent(|pdf, cache| {
            let page = pdf.pages().get(index as usize).ok_or_else(absent)?;
            let drawn = raster::render(page, cache, raster, self.limits.max_rows, number)?;
            // A page is often meant to be white; one whose content is damaged is not.
            if drawn.black == 0 && pdf::lost_content(page) {
                let message = format!("Page {number} is damaged and came out white; save the PDF again.");
                return Err(Failure::new(FailureKind::Broken, message));
            }
            Ok(drawn)
        })
    }
}

/// Whether the gateway took it for a text, and no zero byte says otherwise.
fn claims_text(part: &Part) -> bool {
    part.media_type.starts_with("text/") && !part.data.contains(&0)
}

/// Whether a text is the source of a web page, which nobody wants to read on paper.
fn is_html(data: &[u8]) -> bool {
    let data = data
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(data)
        .trim_ascii_start();
    let starts = |mark: &[u8]| {
        data.get(..mark.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(mark))
    };
    starts(b"<!doctype html") || starts(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Halftone, Resolution};
    use pdf_writer::{Content, Rect, Ref};

    const LIMITS: Limits = Limits {
        max_pages: 200,
        max_bytes: 50_000_000,
        max_rows: 4000,
    };
    const RASTER: Raster = Raster {
        width: 1728,
        resolution: Resolution::Fine,
        paper: Paper::Letter,
        halftone: Halftone::Automatic,
    };

    fn part(data: impl Into<Vec<u8>>, media_type: &str) -> Vec<Part> {
        vec![Part {
            data: data.into(),
            media_type: media_type.to_owned(),
        }]
    }

    fn open(data: impl Into<Vec<u8>>, media_type: &str) -> Result<Document, Failure> {
        Document::open(part(data, media_type), Paper::Letter, LIMITS)
    }

    fn kind(data: impl Into<Vec<u8>>, media_type: &str) -> FailureKind {
        open(data, media_type).err().expect("a refusal").kind
    }

    /// A PDF of pages of this size with a filled square inch in the middle of each.
    fn squares(pages: usize, width: f32, height: f32) -> Vec<u8> {
        let mut pdf = pdf_writer::Pdf::new();
        pdf.catalog(Ref::new(1)).pages(Ref::new(2));
        let id = |page: usize| i32::try_from(page * 2 + 3).unwrap();
        pdf.pages(Ref::new(2))
            .kids((0..pages).map(|page| Ref::new(id(page))))
            .count(pages as i32);
        for page in 0..pages {
            let (page, stream) = (Ref::new(id(page)), Ref::new(id(page) + 1));
            pdf.page(page)
                .parent(Ref::new(2))
                .media_box(Rect::new(0.0, 0.0, width, height))
                .contents(stream)
                .resources();
            let mut content = Content::new();
            content
                .rect(width / 2.0 - 36.0, height / 2.0 - 36.0, 72.0, 72.0)
                .fill_nonzero();
            pdf.stream(stream, &content.finish());
        }
        pdf.finish()
    }

    #[test]
    fn a_sound_pdf_is_left_as_it_is() {
        let document = open(squares(3, 612.0, 792.0), "application/pdf").unwrap();
        assert_eq!(document.pages(), 3);
        assert!(document.pdf().is_none());
        assert!(document.notes().is_empty());
    }

    #[test]
    fn a_page_keeps_its_size_on_paper() {
        let document = open(squares(1, 612.0, 792.0), "application/pdf").unwrap();
        let fine = document.render(0, &RASTER).unwrap();
        assert_eq!(
            (fine.width, fine.height, fine.x_dpi, fine.y_dpi),
            (1728, 2156, 204, 196)
        );
        assert_eq!(fine.black, 204 * 196);
        let standard = document
            .render(
                0,
                &Raster {
                    resolution: Resolution::Standard,
                    ..RASTER
                },
            )
            .unwrap();
        assert_eq!((standard.height, standard.y_dpi), (1078, 98));
        assert_eq!(standard.black, 204 * 98);
        let a4 = document
            .render(
                0,
                &Raster {
                    paper: Paper::A4,
                    ..RASTER
                },
            )
            .unwrap();
        assert_eq!(a4.height, 2292);
        assert!(document.render(1, &RASTER).is_err());
    }

    #[test]
    fn landscape_is_turned_and_large_pages_shrink() {
        let turned = open(squares(1, 792.0, 612.0), "")
            .unwrap()
            .render(0, &RASTER)
            .unwrap();
        assert!(turned.black.abs_diff(204 * 196) < 500, "{}", turned.black);
        let poster = open(squares(1, 1224.0, 1584.0), "")
            .unwrap()
            .render(0, &RASTER)
            .unwrap();
        assert!(poster.black.abs_diff(204 * 196 / 4) < 500, "{}", poster.black);
        let huge = open(squares(1, 200_000.0, 200_000.0), "")
            .unwrap()
            .render(0, &RASTER)
            .unwrap();
        assert_eq!((huge.width, huge.height), (1728, 2156));
    }

    #[test]
    fn text_becomes_pages_with_ink() {
        let document = open("Hello, world\n", "text/plain").unwrap();
        assert_eq!(document.pages(), 1);
        let page = document.render(0, &RASTER).unwrap();
        assert!((300..10_000).contains(&page.black), "{}", page.black);
        assert!(document.pdf().unwrap().starts_with(b"%PDF-"));
        let wide = open("Привет, Łódź\n", "text/plain")
            .unwrap()
            .render(0, &RASTER)
            .unwrap();
        assert!((300..10_000).contains(&wide.black), "{}", wide.black);
        // A name or a claim never makes a document something else.
        assert_eq!(
            open("19 bytes of a text.", "application/octet-stream")
                .unwrap()
                .pages(),
            1
        );
    }

    #[test]
    fn a_box_is_drawn_for_a_character_without_a_glyph() {
        let document = open("\u{4e16}", "text/plain").unwrap();
        assert_eq!(document.notes().len(), 1);
        assert!(document.render(0, &RASTER).unwrap().black > 50);
    }

    #[test]
    fn every_text_page_has_ink() {
        let document = open("line\n".repeat(57 * 3), "text/plain").unwrap();
        assert_eq!(document.pages(), 3);
        for page in 0..3 {
            assert!(document.render(page, &RASTER).unwrap().black > 0);
        }
    }

    #[test]
    fn refusals_have_their_kind() {
        assert_eq!(kind("", "text/plain"), FailureKind::Empty);
        assert_eq!(kind("  \n", "text/plain"), FailureKind::Empty);
        assert_eq!(kind("%PDF-1.4\ngarbage", "application/pdf"), FailureKind::Broken);
        assert_eq!(kind(squares(0, 1.0, 1.0), "application/pdf"), FailureKind::Empty);
        assert_eq!(
            kind(squares(201, 10.0, 10.0), "application/pdf"),
            FailureKind::TooManyPages
        );
        assert_eq!(
            kind(
                &b"\x7fELF\x02\x01\x01\0\0\0\0\0\0"[..],
                "application/octet-stream"
            ),
            FailureKind::Unsupported
        );
        assert_eq!(
            kind(&b"PK\x03\x04\x14\0\x06\0"[..], "application/zip"),
            FailureKind::Unsupported
        );
        assert_eq!(
            kind("<!DOCTYPE html><p>Hello", "text/plain"),
            FailureKind::Unsupported
        );
        assert_eq!(kind("{\\rtf1 Hello}", "text/plain"), FailureKind::Unsupported);
        let tight = Limits {
            max_bytes: 100,
            ..LIMITS
        };
        let refused = Document::open(part("text", "text/plain"), Paper::Letter, tight)
            .err()
            .unwrap();
        assert_eq!(refused.kind, FailureKind::TooLarge);
    }

    #[test]
    fn a_cut_pdf_is_broken() {
        let whole = squares(5, 612.0, 792.0);
        for share in [10, 30, 50, 70, 90] {
            let cut = whole[..whole.len() * share / 100].to_vec();
            assert_eq!(kind(cut, "application/pdf"), FailureKind::Broken, "{share} %");
        }
    }

    #[test]
    fn lost_content_is_broken() {
        let whole = squares(2, 612.0, 792.0);
        let text = String::from_utf8_lossy(&whole).into_owned();
        let lost = text.replacen("/Contents 4 0 R", "/Contents 9 0 R", 1);
        assert_ne!(lost, text);
        assert_eq!(kind(lost, "application/pdf"), FailureKind::Broken);
        let lost = text.replacen("/Kids [3 0 R", "/Kids [9 0 R", 1);
        assert_ne!(lost, text);
        assert_eq!(kind(lost, "application/pdf"), FailureKind::Broken);
    }

    /// Nothing is encrypted here; the entry that says so decides.
    #[test]
    fn encryption_is_named() {
        let whole = squares(1, 612.0, 792.0);
        let text = String::from_utf8_lossy(&whole).into_owned();
        let locked = text.replacen(
            "trailer\n<<",
            "trailer\n<< /Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P -4 >> ",
            1,
        );
        assert_ne!(locked, text);
        assert_eq!(kind(locked, "application/pdf"), FailureKind::Encrypted);
    }
}
