//! Pages of lines to a PDF file.

use super::layout::{Grid, Pages};
use crate::model::Paper;
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Content, Filter, Name, Pdf, Rect, Ref};

/// Advance of a character in points: Courier at 10 point.
const ADVANCE: f64 = 6.0;
/// Distance of base lines in points: six lines to the inch.
const LEADING: f64 = 12.0;
/// White around the text in points: three quarters of an inch.
const MARGIN: f64 = 54.0;
/// Up to this many pages the content is stored as it is: compressing costs more than it saves.
const PLAIN_UP_TO: usize = 2;
/// Fast: nine tenths of the saving at a quarter of the time.
const DEFLATE_LEVEL: u8 = 1;

/// A font that can show the lines.
pub(super) trait Face {
    /// Size in points at which a character advances by 6 points.
    fn size(&self) -> f32;
    /// Shows one line at the current place.
    fn show(&self, line: &str, content: &mut Content);
    /// Writes the font as object `font`, with whatever else it needs as objects from `free` on.
    fn write(&self, pdf: &mut Pdf, font: Ref, free: Ref);
}

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
pub(super) fn pdf(pages: &Pages, sheet: &Sheet, face: &dyn Face) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut next = Ref::new(1);
    let (catalog, tree, font) = (next.bump(), next.bump(), next.bump());
    pdf.catalog(catalog).pages(tree);
    let mut kids = Vec::with_capacity(pages.len());
    for lines in pages {
        let (page, stream) = (next.bump(), next.bump());
        kids.push(page);
        let mut writer = pdf.page(page);
        writer.parent(tree).contents(stream);
        writer.media_box(Rect::new(0.0, 0.0, sheet.width as f32, sheet.height as f32));
        writer.resources().fonts().pair(Name(b"F"), font);
        drop(writer);
        let content = page_content(lines, sheet, face);
        if pages.len() <= PLAIN_UP_TO {
            pdf.stream(stream, &content);
        } else {
            let packed = compress_to_vec_zlib(&content, DEFLATE_LEVEL);
            pdf.stream(stream, &packed).filter(Filter::FlateDecode);
        }
    }
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(kids).count(count);
    face.write(&mut pdf, font, next);
    pdf.finish()
}

fn page_content(lines: &[String], sheet: &Sheet, face: &dyn Face) -> Vec<u8> {
    let mut content = Content::new();
    // The first base line is a little under the top margin so that capitals touch it.
    let top = sheet.height - MARGIN - 0.75 * LEADING;
    content
        .begin_text()
        .set_font(Name(b"F"), face.size())
        .set_leading(LEADING as f32);
    content.next_line(MARGIN as f32, top as f32);
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            content.next_line_using_leading();
        }
        if !line.is_empty() {
            face.show(line, &mut content);
        }
    }
    content.end_text();
    content.finish().into_vec()
}
