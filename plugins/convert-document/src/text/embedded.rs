//! Shaped lines as PDF: the parts of the fonts that they need, and where each glyph stands.

use super::layout::Line;
use super::shape::{Placed, Shaped, ShapedPages};
use super::shelf;
use super::write::{self, ADVANCE, LEADING};
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};

/// Less than this, in points, is no step aside.
const STEP: f32 = 0.01;

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
    across: f32,
}

impl Embedded {
    /// Cuts the fonts down to what is used; none when one can't be.
    pub(super) fn new(shaped: ShapedPages, columns: usize) -> Option<Self> {
        let subset = |face: &shelf::Face| subsetter::subset(&face.data, 0, &face.used).ok();
        let subsets: Option<Vec<_>> = shaped.shelf.faces.iter().map(subset).collect();
        Some(Self {
            subsets: subsets?,
            shaped,
            across: columns as f32 * ADVANCE as f32,
        })
    }

    /// How many characters of the document are shown as a box.
    pub(super) fn missing(&self) -> usize {
        self.shaped.missing
    }

    fn line(&self, line: &Shaped, left: f32, y: f32, content: &mut Content) {
        // Letters of other fonts may be wider than a column: such a line is drawn a little narrower.
        let squeeze = if line.width > self.across {
            self.across / line.width
        } else {
            1.0
        };
        let left = if line.rtl {
            left + self.across - line.width * squeeze
        } else {
            left
        };
        for run in line
            .glyphs
            .chunk_by(|a, b| a.face == b.face && (a.y - b.y).abs() < STEP)
        {
            let (Some(first), Some(face)) = (
                run.first(),
                run.first()
                    .and_then(|first| self.shaped.shelf.faces.get(first.face)),
            ) else {
                continue;
            };
            content
                .set_font(Name(format!("F{}", first.face).as_bytes()), face.size)
                .set_text_matrix([squeeze, 0.0, 0.0, 1.0, left + first.x * squeeze, y + first.y]);
            show(run, face, content);
        }
    }

    fn write_font(&self, pdf: &mut Pdf, index: usize, font: Ref, free: &mut Ref) {
        let (Some(face), Some(subset)) = (self.shaped.shelf.faces.get(index), self.subsets.get(index)) else {
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
        pdf.type0_font(font)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(unicode);
        let thousandths = |units: i32| units as f32 * 1000.0 / f32::from(face.font.units_per_em().max(1));
        let mut descendant = pdf.cid_font(cid);
        descendant
            .subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(IDENTITY);
        descendant.font_descriptor(descriptor).default_width(0.0);
        descendant.cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = descendant.widths();
        for (glyph, units) in &face.widths {
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
        for (glyph, text) in &face.texts {
            map.pair_with_multiple(*glyph, text.chars());
        }
        let packed = compress_to_vec_zlib(&map.finish().into_vec(), 6);
        pdf.stream(unicode, &packed).filter(Filter::FlateDecode);
    }
}

/// Shows glyphs of one font and height.
fn show(run: &[Placed], face: &shelf::Face, content: &mut Content) {
    let Some(first) = run.first() else { return };
    let mut pen = first.x;
    let mut bytes = Vec::with_capacity(run.len() * 2);
    let mut positioned = content.show_positioned();
    let mut items = positioned.items();
    for glyph in run {
        if (glyph.x - pen).abs() > STEP {
            if !bytes.is_empty() {
                items.show(Str(&std::mem::take(&mut bytes)));
            }
            items.adjust((pen - glyph.x) * 1000.0 / face.size);
            pen = glyph.x;
        }
        bytes.extend(glyph.glyph.to_be_bytes());
        let units = face.widths.get(&glyph.glyph).copied().unwrap_or(0);
        pen += units as f32 * face.unit();
    }
    items.show(Str(&bytes));
}

impl write::Face for Embedded {
    fn fonts(&self) -> usize {
        self.shaped.shelf.faces.len()
    }

    fn page(&self, number: usize, _lines: &[Line], x: f32, y: f32, content: &mut Content) {
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

    fn write(&self, pdf: &mut Pdf, fonts: &[Ref], mut free: Ref) {
        for (index, font) in fonts.iter().enumerate() {
            self.write_font(pdf, index, *font, &mut free);
        }
    }
}
