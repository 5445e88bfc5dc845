//! A subset of DejaVu Sans Mono for texts beyond WinAnsi.

use super::layout::{Pages, is_combining};
use super::write;
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};
use skrifa::{FontRef, MetadataProvider};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;

/// The font; its licence stands beside it in `assets/`.
static FONT: &[u8] = include_bytes!("../../assets/DejaVuSansMono.ttf");
/// Shown for a character without a glyph.
const BOX: char = '□';
/// Advance of every glyph in thousandths of the size (1233 of 2048 units).
const ADVANCE: f32 = 602.05;
/// Six letters make it a subset (ISO 32000-1, 9.6.4).
const NAME: Name<'_> = Name(b"FAXGAT+DejaVuSansMono");

/// The glyphs of one document.
pub(super) struct Face {
    glyphs: BTreeMap<char, u16>,
    subset: Vec<u8>,
    missing: usize,
    box_glyph: u16,
}

impl Face {
    /// Gathers the glyphs that the pages need; none when the font in the crate can't be read.
    pub(super) fn new(pages: &Pages) -> Option<Self> {
        let font = FontRef::new(FONT).ok()?;
        let charmap = font.charmap();
        let mut remapper = GlyphRemapper::new();
        let mut glyph = |c: char| {
            let id = charmap
                .map(c)
                .and_then(|id| u16::try_from(id.to_u32()).ok())
                .filter(|id| *id != 0)?;
            Some(remapper.remap(id))
        };
        let box_glyph = glyph(BOX)?;
        let mut glyphs = BTreeMap::new();
        let mut absent = BTreeMap::new();
        for c in pages.iter().flatten().flat_map(|line| line.chars()) {
            if glyphs.contains_key(&c) {
                continue;
            }
            match glyph(c).filter(|_| c != char::REPLACEMENT_CHARACTER) {
                Some(id) => {
                    glyphs.insert(c, id);
                }
                None => *absent.entry(c).or_insert(0) += 1,
            }
        }
        let subset = subsetter::subset(FONT, 0, &remapper).ok()?;
        Some(Self {
            glyphs,
            subset,
            missing: absent.into_values().sum(),
            box_glyph,
        })
    }

    /// How many characters of the document are shown as a box.
    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    fn to_unicode(&self) -> Vec<u8> {
        let mut map = UnicodeCmap::<u16>::new(Name(b"FaxgateText"), IDENTITY);
        for (&c, &glyph) in &self.glyphs {
            map.pair(glyph, c);
        }
        map.finish().into_vec()
    }
}

/// Glyph ids of the subset are used as character codes.
const IDENTITY: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

impl write::Face for Face {
    fn size(&self) -> f32 {
        6000.0 / ADVANCE
    }

    fn show(&self, line: &str, content: &mut Content) {
        let mut bytes = Vec::with_capacity(line.len() * 2);
        let mut positioned = content.show_positioned();
        let mut items = positioned.items();
        for c in line.chars() {
            if is_combining(c) {
                // Back over the character it belongs to.
                items.show(Str(&std::mem::take(&mut bytes)));
                items.adjust(ADVANCE);
            }
            bytes.extend(
                self.glyphs
                    .get(&c)
                    .copied()
                    .unwrap_or(self.box_glyph)
                    .to_be_bytes(),
            );
        }
        items.show(Str(&bytes));
    }

    fn write(&self, pdf: &mut Pdf, font: Ref, mut free: Ref) {
        let (cid, descriptor, file, unicode) = (free.bump(), free.bump(), free.bump(), free.bump());
        pdf.type0_font(font)
            .base_font(NAME)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(unicode);
        let mut descendant = pdf.cid_font(cid);
        descendant
            .subtype(CidFontType::Type2)
            .base_font(NAME)
            .system_info(IDENTITY);
        descendant.font_descriptor(descriptor).default_width(ADVANCE);
        descendant.cid_to_gid_map_predefined(Name(b"Identity"));
        descendant.finish();
        // Figures of the font's own tables, in thousandths of the size.
        pdf.font_descriptor(descriptor)
            .name(NAME)
            .flags(FontFlags::FIXED_PITCH | FontFlags::SYMBOLIC)
            .bbox(Rect::new(-558.0, -375.0, 718.0, 1042.0))
            .italic_angle(0.0)
            .ascent(928.0)
            .descent(-236.0)
            .cap_height(729.0)
            .stem_v(90.0)
            .font_file2(file);
        let packed = compress_to_vec_zlib(&self.subset, 6);
        let length = i32::try_from(self.subset.len()).unwrap_or(i32::MAX);
        pdf.stream(file, &packed)
            .filter(Filter::FlateDecode)
            .pair(Name(b"Length1"), length);
        let packed = compress_to_vec_zlib(&self.to_unicode(), 6);
        pdf.stream(unicode, &packed).filter(Filter::FlateDecode);
    }
}
