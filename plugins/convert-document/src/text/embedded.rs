//! Shaped lines as PDF: the parts of the fonts that they need, and where each glyph stands.

use super::fonts::Font;
use super::layout::Line;
use super::shape::{PositionedGlyph, ShapedLine, ShapedPages};
use super::write::{self, ADVANCE, LEADING};
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};

/// Positions that differ by less than this, in points, are the same.
const TOLERANCE: f32 = 0.01;

/// Glyph ids of the subset are used as character codes.
const IDENTITY: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// Shaped pages on a sheet with this many columns.
pub(super) struct Embedded {
    shaped: ShapedPages,
    subsets: Vec<Vec<u8>>,
    line_width: f32,
}

impl Embedded {
    /// Cuts the fonts down to what is used; none when one can't be.
    pub(super) fn new(shaped: ShapedPages, columns: usize) -> Option<Self> {
        let subset = |font: &Font| subsetter::subset(&font.data, 0, &font.used).ok();
        let subsets: Option<Vec<_>> = shaped.fonts.list.iter().map(subset).collect();
        Some(Self {
            subsets: subsets?,
            shaped,
            line_width: columns as f32 * ADVANCE as f32,
        })
    }

    /// How many characters of the document are shown as a box.
    pub(super) fn missing(&self) -> usize {
        self.shaped.missing
    }

    fn line(&self, line: &ShapedLine, left: f32, y: f32, content: &mut Content) {
        // Letters of other fonts may be wider than a column: such a line is drawn a little narrower.
        let scale = if line.width > self.line_width {
            self.line_width / line.width
        } else {
            1.0
        };
        let left = if line.rtl {
            left + self.line_width - line.width * scale
        } else {
            left
        };
        for run in line
            .glyphs
            .chunk_by(|a, b| a.font == b.font && (a.y - b.y).abs() < TOLERANCE)
        {
            let (Some(first), Some(font)) = (
                run.first(),
                run.first()
                    .and_then(|first| self.shaped.fonts.list.get(first.font)),
            ) else {
                continue;
            };
            content
                .set_font(Name(format!("F{}", first.font).as_bytes()), font.size)
                .set_text_matrix([scale, 0.0, 0.0, 1.0, left + first.x * scale, y + first.y]);
            show_run(run, font, content);
        }
    }

    fn write_font(&self, pdf: &mut Pdf, index: usize, id: Ref, free: &mut Ref) {
        let (Some(font), Some(subset)) = (self.shaped.fonts.list.get(index), self.subsets.get(index)) else {
            return;
        };
        let tag = [
            b"FAXGA",
            [b'A' + u8::try_from(index % 26).unwrap_or(0)].as_slice(),
        ]
        .concat();
        let name = [tag.as_slice(), b"+FaxgateText"].concat();
        let name = Name(&name);
        let (cid, descriptor, file, unicode) = (free.bump(), free.bump(), free.bump(), free.bump());
        pdf.type0_font(id)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(unicode);
        let thousandths = |units: i32| units as f32 * 1000.0 / f32::from(font.font.units_per_em().max(1));
        let mut descendant = pdf.cid_font(cid);
        descendant
            .subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(IDENTITY);
        descendant.font_descriptor(descriptor).default_width(0.0);
        descendant.cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = descendant.widths();
        for (glyph, units) in &font.widths {
            widths.same(*glyph, *glyph, thousandths(*units));
        }
        widths.finish();
        descendant.finish();
        pdf.font_descriptor(descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(-560.0, -400.0, 1400.0, 1100.0))
            .italic_angle(0.0)
            .ascent(930.0)
            .descent(-240.0)
            .cap_height(730.0)
            .stem_v(90.0)
            .font_file2(file);
        let packed = compress_to_vec_zlib(subset, 6);
        let length = i32::try_from(subset.len()).unwrap_or(i32::MAX);
        pdf.stream(file, &packed)
            .filter(Filter::FlateDecode)
            .pair(Name(b"Length1"), length);
        let mut map = UnicodeCmap::<u16>::new(Name(b"FaxgateText"), IDENTITY);
        for (glyph, text) in &font.texts {
            map.pair_with_multiple(*glyph, text.chars());
        }
        let packed = compress_to_vec_zlib(&map.finish().into_vec(), 6);
        pdf.stream(unicode, &packed).filter(Filter::FlateDecode);
    }
}

/// Shows glyphs of one font and height.
fn show_run(run: &[PositionedGlyph], font: &Font, content: &mut Content) {
    let Some(first) = run.first() else { return };
    let mut cursor = first.x;
    let mut bytes = Vec::with_capacity(run.len() * 2);
    let mut positioned = content.show_positioned();
    let mut items = positioned.items();
    for glyph in run {
        if (glyph.x - cursor).abs() > TOLERANCE {
            if !bytes.is_empty() {
                items.show(Str(&std::mem::take(&mut bytes)));
            }
            items.adjust((cursor - glyph.x) * 1000.0 / font.size);
            cursor = glyph.x;
        }
        bytes.extend(glyph.glyph.to_be_bytes());
        let units = font.widths.get(&glyph.glyph).copied().unwrap_or(0);
        cursor += units as f32 * font.unit();
    }
    items.show(Str(&bytes));
}

impl write::FontWriter for Embedded {
    fn font_count(&self) -> usize {
        self.shaped.fonts.list.len()
    }

    fn show_page(&self, number: usize, _lines: &[Line], x: f32, y: f32, content: &mut Content) {
        content.begin_text();
        let lines = self
            .shaped
            .pages
            .get(number)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (index, line) in lines.iter().enumerate() {
            self.line(line, x, y - index as f32 * LEADING as f32, content);
        }
        content.end_text();
    }

    fn write_fonts(&self, pdf: &mut Pdf, ids: &[Ref], mut free: Ref) {
        for (index, id) in ids.iter().enumerate() {
            self.write_font(pdf, index, *id, &mut free);
        }
    }
}
