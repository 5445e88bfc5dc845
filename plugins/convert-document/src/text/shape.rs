//! Lines of characters to positioned glyphs: order of reading (UAX 9), joining and ligatures (OpenType), marks.

use super::fonts::{Font, FontSet};
use super::layout::{Line, Pages, columns, is_format_control};
use super::write::ADVANCE;
use crate::model::FontProvider;
use harfrust::{Buffer, Direction, Feature, ShapeOptions, ShaperFont, Tag};
use std::ops::Range;
use unicode_bidi::{Level, ParagraphBidiInfo};
use unicode_script::{Script, UnicodeScript};

/// Shown for a character without a glyph.
const MISSING_GLYPH: char = '□';

/// A glyph of a subset, placed relative to the beginning of its line, in points.
#[derive(Clone, Copy, Debug)]
pub(super) struct PositionedGlyph {
    pub(super) font: usize,
    pub(super) glyph: u16,
    pub(super) x: f32,
    pub(super) y: f32,
}

/// A line as it is drawn.
#[derive(Debug, Default)]
pub(super) struct ShapedLine {
    /// Glyphs from left to right.
    pub(super) glyphs: Vec<PositionedGlyph>,
    /// Width in points.
    pub(super) width: f32,
    /// Whether it ends at the right margin instead of beginning at the left one.
    pub(super) rtl: bool,
}

/// Pages of shaped lines with their fonts.
pub(super) struct ShapedPages {
    pub(super) fonts: FontSet,
    pub(super) pages: Vec<Vec<ShapedLine>>,
    /// Characters shown as a box.
    pub(super) missing: usize,
}

/// Characters that one font shapes together.
struct FontRun {
    /// None for characters without a glyph.
    font: Option<usize>,
    script: Script,
    range: Range<usize>,
}

impl ShapedPages {
    /// Shapes every line; none when the fonts in the component can't be read.
    pub(super) fn new(pages: &Pages, library: FontProvider) -> Option<Self> {
        let mut all = Self {
            fonts: FontSet::new(pages, library)?,
            pages: Vec::with_capacity(pages.len()),
            missing: 0,
        };
        for page in pages {
            let lines = page.iter().map(|line| all.line(line)).collect();
            all.pages.push(lines);
        }
        Some(all)
    }

    fn line(&mut self, line: &Line) -> ShapedLine {
        let mut shaped = ShapedLine {
            rtl: line.rtl,
            ..ShapedLine::default()
        };
        let text = line.text.as_str();
        let base = if line.rtl { Level::rtl() } else { Level::ltr() };
        if !line.rtl && text.chars().all(|c| c < '\u{590}') {
            self.run(text, 0..text.len(), false, &mut shaped);
            return shaped;
        }
        let order = ParagraphBidiInfo::new(text, Some(base));
        let (levels, runs) = order.visual_runs(0..text.len());
        for run in runs {
            let rtl = levels.get(run.start).is_some_and(Level::is_rtl);
            self.run(text, run, rtl, &mut shaped);
        }
        shaped
    }

    /// Shapes characters of one direction.
    fn run(&mut self, text: &str, run: Range<usize>, rtl: bool, shaped: &mut ShapedLine) {
        let mut font_runs = self.font_runs(text, run);
        if rtl {
            font_runs.reverse();
        }
        for item in font_runs {
            let Some(part) = text.get(item.range.clone()) else {
                continue;
            };
            match item.font {
                Some(font) => self.shape(part, font, item.script, rtl, shaped),
                None => self.boxes(part, shaped),
            }
        }
    }

    /// Cuts a run where font or script change.
    fn font_runs(&self, text: &str, run: Range<usize>) -> Vec<FontRun> {
        let mut font_runs: Vec<FontRun> = Vec::new();
        let part = text.get(run.clone()).unwrap_or_default();
        for (offset, c) in part.char_indices() {
            let at = run.start + offset;
            let end = at + c.len_utf8();
            let script = c.script();
            if let Some(last) = font_runs.last_mut() {
                let on = |c| {
                    last.font
                        .and_then(|font| self.fonts.list.get(font))
                        .is_some_and(|font| font.has(c))
                };
                let joins = script == Script::Inherited && on(c);
                if is_format_control(c) || joins {
                    last.range.end = end;
                    continue;
                }
            } else if is_format_control(c) {
                continue;
            }
            let font = self.fonts.font_for(c);
            match font_runs.last_mut() {
                Some(last) if last.font == font && shares_run(last.script, script, font) => {
                    // Spaces and punctuation take the script of what stands beside them.
                    if last.script == Script::Common {
                        last.script = script;
                    }
                    last.range.end = end;
                }
                _ => font_runs.push(FontRun {
                    font,
                    script,
                    range: at..end,
                }),
            }
        }
        font_runs
    }

    fn shape(&mut self, text: &str, index: usize, script: Script, rtl: bool, shaped: &mut ShapedLine) {
        let Some(font) = self.fonts.list.get_mut(index) else {
            return;
        };
        let mut buffer = Buffer::new();
        buffer.push_str(text);
        buffer.set_direction(if rtl {
            Direction::RightToLeft
        } else {
            Direction::LeftToRight
        });
        buffer.set_script(script.short_name().parse().ok());
        buffer.guess_segment_properties();
        // Ligatures of Latin letters would leave the columns; those of Arabic are part of writing it.
        let plain = [
            Feature::new(Tag::new(b"liga"), 0, ..),
            Feature::new(Tag::new(b"clig"), 0, ..),
        ];
        let features: &[Feature] = if rtl { &[] } else { &plain };
        let file = font.font.clone();
        let shaper = ShaperFont::new(&file);
        let options = ShapeOptions::new().features(features);
        if harfrust::shape(&shaper, &mut buffer, options).is_err() {
            self.boxes(text, shaped);
            return;
        }
        let unit = font.unit();
        let clusters: Vec<usize> = buffer
            .glyph_infos()
            .iter()
            .map(|info| info.cluster as usize)
            .collect();
        let glyphs = buffer.glyph_infos().iter().zip(buffer.glyph_positions());
        for (at, (info, place)) in glyphs.enumerate() {
            let part = cluster(text, &clusters, at, rtl);
            if part.chars().all(is_format_control) && !part.is_empty() {
                continue;
            }
            let Ok(id) = u16::try_from(info.glyph_id) else {
                continue;
            };
            let glyph = font.glyph(id, &shaper, part);
            let advance = place.x_advance as f32 * unit;
            // Wide characters stand in the middle of their two columns.
            let wide = part.chars().map(columns).max() == Some(2) && advance > 0.0;
            let cell = if wide { 2.0 * ADVANCE as f32 } else { advance };
            shaped.glyphs.push(PositionedGlyph {
                font: index,
                glyph,
                x: shaped.width + place.x_offset as f32 * unit + (cell - advance) / 2.0,
                y: place.y_offset as f32 * unit,
            });
            shaped.width += cell;
        }
    }

    /// A box for each character.
    fn boxes(&mut self, text: &str, shaped: &mut ShapedLine) {
        for c in text.chars() {
            if is_format_control(c) {
                continue;
            }
            self.missing += 1;
            let Some(font) = self.fonts.list.first_mut() else {
                return;
            };
            let file = font.font.clone();
            let shaper = ShaperFont::new(&file);
            let Some(id) = shaper.nominal_glyph(u32::from(MISSING_GLYPH)) else {
                return;
            };
            let id = u16::try_from(id.to_u32()).unwrap_or(0);
            let glyph = font.glyph(id, &shaper, "□");
            shaped.glyphs.push(PositionedGlyph {
                font: 0,
                glyph,
                x: shaped.width,
                y: 0.0,
            });
            shaped.width += ADVANCE as f32 * columns(c).max(1) as f32;
        }
    }
}

/// Whether characters of two scripts are shaped together.
fn shares_run(one: Script, other: Script, font: Option<usize>) -> bool {
    one == other || font.is_none() || one == Script::Common || other == Script::Common
}

impl Font {
    /// Takes a glyph into the subset; the first use says what it stands for.
    fn glyph(&mut self, id: u16, shaper: &ShaperFont<'_, '_>, text: &str) -> u16 {
        let glyph = self.used.remap(id);
        self.widths
            .entry(glyph)
            .or_insert_with(|| shaper.glyph_h_advance(u32::from(id).into()));
        if !text.is_empty() {
            self.texts.entry(glyph).or_insert_with(|| text.to_owned());
        }
        glyph
    }
}

/// The characters that a glyph stands for: its share of the cluster where glyphs and characters pair up, all of it
/// for the first glyph otherwise, nothing for further ones.
fn cluster<'t>(text: &'t str, clusters: &[usize], at: usize, rtl: bool) -> &'t str {
    let Some(&start) = clusters.get(at) else { return "" };
    let end = clusters.iter().copied().filter(|other| *other > start).min();
    let whole = text.get(start..end.unwrap_or(text.len())).unwrap_or_default();
    let first = clusters.iter().position(|other| *other == start).unwrap_or(at);
    let count = clusters.iter().filter(|other| **other == start).count();
    if count == 1 {
        return whole;
    }
    // Glyphs of a right-to-left cluster come in reverse.
    let nth = if rtl { count - 1 - (at - first) } else { at - first };
    if whole.chars().count() == count {
        let mut each = whole.char_indices();
        return each
            .nth(nth)
            .and_then(|(from, c)| whole.get(from..from + c.len_utf8()))
            .unwrap_or_default();
    }
    if nth == 0 { whole } else { "" }
}
