//! Pages of lines to a PDF file.

use super::layout::{Grid, Line, Pages};
use crate::model::Paper;
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Content, Filter, Name, Pdf, Rect, Ref, Str};

/// Advance of a character in points: Courier at 10 point.
pub(super) const ADVANCE: f64 = 6.0;
/// Distance of base lines in points: six lines to the inch.
pub(super) const LEADING: f64 = 12.0;
/// White around the text in points: three quarters of an inch.
const MARGIN: f64 = 54.0;
/// Up to this many pages the content is stored as it is: compressing costs more than it saves.
const UNCOMPRESSED_PAGES: usize = 2;
/// The fast level: nine tenths of the saving in a quarter of the time.
const DEFLATE_LEVEL: u8 = 1;

/// Fonts that can show the lines.
pub(super) trait FontWriter {
    /// How many fonts; their resources are named `F0` and so on.
    fn font_count(&self) -> usize;
    /// Draws the lines of page `number`, counted from 0, the first base line beginning at `x` and `y`.
    fn show_page(&self, number: usize, lines: &[Line], x: f32, y: f32, content: &mut Content);
    /// Writes the fonts as these objects, with whatever else they need as objects from `free` on.
    fn write_fonts(&self, pdf: &mut Pdf, fonts: &[Ref], free: Ref);
}

/// A word in large letters at the head of the first page, with a rule below; takes the place of the first
/// [`HEADING_LINES`] lines, which the text leaves blank.
pub(crate) type Heading = Option<&'static str>;

/// Lines that a heading takes.
pub(super) const HEADING_LINES: usize = 5;

/// A sheet of paper with its margins.
pub(super) struct Sheet {
    width: f64,
    height: f64,
}

impl Sheet {
    /// The sheet for this paper.
    pub(super) fn new(paper: Paper) -> Self {
        let (width, height) = paper.points();
        Self { width, height }
    }

    /// What fits between the margins: 84 by 57 on Letter, 81 by 61 on A4.
    pub(super) fn grid(&self) -> Grid {
        let fit = |length: f64, step: f64| ((length - 2.0 * MARGIN) / step).floor().max(1.0) as usize;
        Grid {
            columns: fit(self.width, ADVANCE),
            lines: fit(self.height, LEADING),
        }
    }
}

/// Writes the file.
pub(super) fn pdf(pages: &Pages, sheet: &Sheet, writer: &dyn FontWriter, heading: Heading) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut next = Ref::new(1);
    let (catalog, tree) = (next.bump(), next.bump());
    let fonts: Vec<Ref> = (0..writer.font_count()).map(|_| next.bump()).collect();
    let large = heading.map(|_| next.bump());
    pdf.catalog(catalog).pages(tree);
    let mut kids = Vec::with_capacity(pages.len());
    for (number, lines) in pages.iter().enumerate() {
        let (page, stream) = (next.bump(), next.bump());
        kids.push(page);
        let mut page_object = pdf.page(page);
        page_object.parent(tree).contents(stream);
        page_object.media_box(Rect::new(0.0, 0.0, sheet.width as f32, sheet.height as f32));
        let mut resources = page_object.resources();
        let mut named = resources.fonts();
        for (index, font) in fonts.iter().enumerate() {
            named.pair(Name(format!("F{index}").as_bytes()), *font);
        }
        if let Some(large) = large {
            named.pair(Name(b"H"), large);
        }
        drop(named);
        drop(resources);
        drop(page_object);
        let mut content = Content::new();
        if let Some(word) = heading.filter(|_| number == 0) {
            sheet.draw_heading(word, &mut content);
        }
        // The first base line is below the top margin by the height of a capital.
        let top = sheet.height - MARGIN - 0.75 * LEADING;
        writer.show_page(number, lines, MARGIN as f32, top as f32, &mut content);
        let content = content.finish().into_vec();
        if pages.len() <= UNCOMPRESSED_PAGES {
            pdf.stream(stream, &content);
        } else {
            let packed = compress_to_vec_zlib(&content, DEFLATE_LEVEL);
            pdf.stream(stream, &packed).filter(Filter::FlateDecode);
        }
    }
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(kids).count(count);
    if let Some(large) = large {
        pdf.type1_font(large)
            .base_font(Name(b"Helvetica-Bold"))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    writer.write_fonts(&mut pdf, &fonts, next);
    pdf.finish()
}

impl Sheet {
    fn draw_heading(&self, word: &str, content: &mut Content) {
        let rule = self.height - MARGIN - 3.2 * LEADING;
        content
            .begin_text()
            .set_font(Name(b"H"), 30.0)
            .next_line(MARGIN as f32, (rule + 8.0) as f32)
            .show(Str(word.as_bytes()))
            .end_text();
        content
            .set_line_width(1.5)
            .move_to(MARGIN as f32, rule as f32)
            .line_to((self.width - MARGIN) as f32, rule as f32)
            .stroke();
    }
}
