//! Lines of text in fields and notes: fonts, sizes, colours, wrapping.

use super::style::Colour;
use super::{Form, Made, made};
use crate::model::Paper;
use crate::pdf::strings::win_ansi;
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::content::UntypedIter;
use hayro::hayro_syntax::object::{Dict, FromBytes, Name, Number, Object};
use hayro::kurbo::Rect;
use hayro_font::{Font, FontCache};
use pdf_writer::{Content, Name as PdfName, Str};
use unicode_bidi::{Direction, get_base_direction};

/// Size of text that is to fit its box by itself, where the box allows it, and the smallest.
const AUTOMATIC: f32 = 12.0;
const SMALLEST: f32 = 4.0;
/// Distance of lines, height of letters above the line and depth below it, in sizes of the font.
const LEADING: f32 = 1.15;
const ASCENT: f32 = 0.72;
const DESCENT: f32 = 0.21;
/// Most lines of one box.
const MAX_LINES: usize = 500;
/// Where text that was converted to a page begins, or ends if it is written from the right, and its size, in points.
const CONVERTED_LEFT: f32 = 54.0;
const CONVERTED_RIGHT: f32 = 54.0 + 84.0 * 6.0;
const CONVERTED_BASE: f32 = 792.0 - 54.0 - 9.0;
const CONVERTED_SIZE: f32 = 10.0;
const CONVERTED_ADVANCE: f32 = 0.6;
const CONVERTED_COLUMNS: usize = 84;

/// How text looks (ISO 32000-1, 12.7.3.3).
pub(super) struct TextStyle {
    font: &'static str,
    metrics: Option<Font<'static>>,
    /// In points; 0 fits the box.
    size: f32,
    pub(super) colour: Colour,
}

/// Where text stands in its box.
#[derive(Clone, Copy)]
pub(super) struct Placement {
    pub(super) area: Rect,
    /// 0 for left, 1 for the middle, 2 for right (ISO 32000-1, table 222).
    pub(super) quadding: i32,
    pub(super) is_multiline: bool,
    /// Cells of the same width, one for each character; 0 for running text.
    pub(super) cells: usize,
}

impl TextStyle {
    /// Reads a default appearance, whose font names are those of the form.
    pub(super) fn read(appearance: &[u8], form: &Form<'_>) -> Self {
        let (mut font, mut size, mut colour) = ("Helvetica", 0.0, Colour::BLACK);
        let mut operations = UntypedIter::new(appearance);
        while let Some(operation) = operations.next() {
            let operator: &[u8] = operation.operator;
            let numbers: Vec<f32> = operation.operands().filter_map(number).collect();
            match (operator, operation.operands().next()) {
                (b"Tf", Some(Object::Name(name))) => {
                    font = standard_font(name.as_ref(), form.font(name.as_ref()).as_ref());
                    size = numbers.last().copied().unwrap_or(0.0).abs();
                }
                (b"g" | b"rg" | b"k", _) => colour = Colour::new(&numbers).unwrap_or(colour),
                _ => {}
            }
        }
        Self::new(font, size, colour)
    }

    /// Text in a standard font, of a size in points or 0.
    pub(super) fn new(font: &'static str, size: f32, colour: Colour) -> Self {
        let size = if size.is_finite() { size.min(1000.0) } else { 0.0 };
        Self {
            font,
            metrics: metrics(font),
            size,
            colour,
        }
    }

    /// Draws text into a box, within what was drawn of the appearance before.
    pub(super) fn draw(&self, text: &str, at: Placement, form: &Form<'_>, to: &mut Made) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let codes = |line: &str| line.chars().map(win_ansi).collect::<Option<Vec<u8>>>();
        let is_standard = self.font == "ZapfDingbats" || text.split('\n').all(|line| codes(line).is_some());
        let layout = self.layout(&text, at, is_standard);
        let clip = clip(at, layout.size.into());
        let sides = [to.area[1].min(clip.y0 as f32), to.area[3].max(clip.y1 as f32)];
        (to.area[1], to.area[3]) = (sides[0], sides[1]);
        let mut content = Content::new();
        content.save_state();
        let corner = (clip.x0 as f32, clip.y0 as f32);
        content
            .rect(corner.0, corner.1, clip.width() as f32, clip.height() as f32)
            .clip_nonzero()
            .end_path();
        self.colour.fill(&mut content);
        if is_standard {
            let font = format!("F{}", to.fonts.len());
            to.fonts.push(self.font);
            content
                .begin_text()
                .set_font(PdfName(font.as_bytes()), layout.size);
            for (x, y, line) in &layout.lines {
                let codes: Vec<u8> = line.chars().filter_map(win_ansi).collect();
                content
                    .set_text_matrix([1.0, 0.0, 0.0, 1.0, *x, *y])
                    .show(Str(&codes));
            }
            content.end_text();
        } else {
            for (x, y, line) in &layout.lines {
                let left = at.area.x1 as f32 - CONVERTED_RIGHT * layout.size / CONVERTED_SIZE;
                let is_rtl = get_base_direction(line.as_str()) == Direction::Rtl;
                let left = if is_rtl {
                    left
                } else {
                    x - CONVERTED_LEFT * layout.size / CONVERTED_SIZE
                };
                convert(line, (left, *y, layout.size), form, &mut content, to);
            }
        }
        content.restore_state();
        to.content.extend(content.finish().into_vec());
    }

    fn layout(&self, text: &str, at: Placement, is_standard: bool) -> Layout {
        let (width, height) = (at.area.width() as f32, at.area.height() as f32);
        let limit = if is_standard {
            f32::MAX
        } else {
            CONVERTED_COLUMNS as f32 * CONVERTED_ADVANCE
        };
        let lines = |size: f32| match at.is_multiline {
            true => self.wrap(text, (width / size).min(limit), is_standard),
            false => vec![text.replace('\n', " ")],
        };
        let mut size = if self.size > 0.0 { self.size } else { AUTOMATIC };
        let mut set = lines(size);
        if self.size == 0.0 {
            if !at.is_multiline {
                size = (height / LEADING).min(AUTOMATIC);
            }
            let fits = |set: &[String], size: f32| {
                let widest = set
                    .iter()
                    .map(|line| self.width(line, is_standard))
                    .fold(0.0, f32::max);
                widest * size <= width && set.len() as f32 * LEADING * size <= height.max(LEADING * size)
            };
            while size > SMALLEST && at.cells == 0 && !fits(&set, size) {
                size = (size - 0.5).max(SMALLEST);
                set = lines(size);
            }
        }
        let top = match at.is_multiline {
            true => at.area.y1 as f32 - size * LEADING,
            false => (at.area.center().y as f32) - size * (ASCENT - DESCENT) / 2.0,
        };
        let mut placed = Vec::new();
        for (index, line) in set.into_iter().enumerate().take(MAX_LINES) {
            let y = top - index as f32 * size * LEADING;
            if at.cells > 0 {
                let cell = width / at.cells as f32;
                for (index, character) in line.chars().enumerate().take(at.cells) {
                    let character = character.to_string();
                    let middle = at.area.x0 as f32 + (index as f32 + 0.5) * cell;
                    placed.push((
                        middle - self.width(&character, is_standard) * size / 2.0,
                        y,
                        character,
                    ));
                }
                continue;
            }
            let free = (width - self.width(&line, is_standard) * size).max(0.0);
            let left = at.area.x0 as f32 + free * at.quadding.clamp(0, 2) as f32 / 2.0;
            placed.push((left, y, line));
        }
        Layout { size, lines: placed }
    }

    /// The lines of a text that are no wider than this many sizes of the font.
    fn wrap(&self, text: &str, width: f32, is_standard: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let mut line = String::new();
            for word in paragraph.split_inclusive(' ') {
                if !line.is_empty()
                    && self.width(&line, is_standard) + self.width(word.trim_end(), is_standard) > width
                {
                    lines.push(std::mem::take(&mut line));
                }
                for character in word.chars() {
                    let next = self.width(character.encode_utf8(&mut [0; 4]), is_standard);
                    if !line.is_empty() && character != ' ' && self.width(&line, is_standard) + next > width {
                        lines.push(std::mem::take(&mut line));
                    }
                    line.push(character);
                }
                if lines.len() > MAX_LINES {
                    return lines;
                }
            }
            lines.push(line);
        }
        lines
    }

    /// Width of a line in sizes of the font.
    fn width(&self, line: &str, is_standard: bool) -> f32 {
        let advance = |character: char| match (&self.metrics, win_ansi(character)) {
            (Some(font), Some(code)) if is_standard => font.code_advance(code.into()).x as f32 / 1000.0,
            _ => CONVERTED_ADVANCE,
        };
        line.chars().map(advance).sum()
    }
}

/// Where text may be drawn. A line that is higher than its box sticks out of it, rather than being cut.
fn clip(at: Placement, size: f64) -> Rect {
    let middle = at.area.center().y;
    let height = if at.is_multiline {
        0.0
    } else {
        size * f64::from(LEADING)
    };
    Rect {
        y0: at.area.y0.min(middle - height / 2.0),
        y1: at.area.y1.max(middle + height / 2.0),
        ..at.area
    }
}

/// Draws a line with characters that the standard fonts lack: it is converted as a text is, and the page shown as a form
/// whose left edge is at `left`.
fn convert(
    line: &str,
    (left, base, size): (f32, f32, f32),
    form: &Form<'_>,
    content: &mut Content,
    to: &mut Made,
) {
    let Ok(converted) = crate::text::print(line, None, Paper::Letter, 1, form.fonts) else {
        return;
    };
    let scale = size / CONVERTED_SIZE;
    let name = format!("T{}", to.texts.len());
    to.texts.push(converted.pdf);
    content.save_state();
    content.transform([scale, 0.0, 0.0, scale, left, base - CONVERTED_BASE * scale]);
    content.x_object(PdfName(name.as_bytes())).restore_state();
}

struct Layout {
    size: f32,
    /// Where each line begins, and its text.
    lines: Vec<(f32, f32, String)>,
}

/// An appearance with nothing in it yet.
pub(super) fn blank(area: Rect, opacity: f32) -> Made {
    made(Content::new(), area, opacity)
}

fn number(operand: &Object<'_>) -> Option<f32> {
    match operand {
        Object::Number(number) => Some(Number::as_f32(number)).filter(|number| number.is_finite()),
        _ => None,
    }
}

/// The standard font that is most like the one with this name.
fn standard_font(name: &[u8], font: Option<&Dict<'_>>) -> &'static str {
    let base = font.and_then(|font| font.get::<Name<'_>>("BaseFont"));
    let name = base.as_ref().map_or(name, AsRef::as_ref);
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is_bold = has(&["bold", "black", "heavy", "hebo", "tibo", "cobo", "demi"]);
    match () {
        () if has(&["dingbat", "zadb"]) => "ZapfDingbats",
        () if has(&["cour", "mono", "consol", "cobo"]) => {
            if is_bold {
                "Courier-Bold"
            } else {
                "Courier"
            }
        }
        () if has(&["times", "roman", "serif", "tiro", "tibo", "georgia", "garamond"]) && !has(&["sans"]) => {
            if is_bold {
                "Times-Bold"
            } else {
                "Times-Roman"
            }
        }
        () => {
            if is_bold {
                "Helvetica-Bold"
            } else {
                "Helvetica"
            }
        }
    }
}

/// The widths of a standard font.
fn metrics(font: &'static str) -> Option<Font<'static>> {
    let dict: &'static [u8] = match font {
        "Courier" | "Courier-Bold" => {
            b"<</Type/Font/Subtype/Type1/BaseFont/Courier/Encoding/WinAnsiEncoding>>"
        }
        "Times-Roman" => b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman/Encoding/WinAnsiEncoding>>",
        "Times-Bold" => b"<</Type/Font/Subtype/Type1/BaseFont/Times-Bold/Encoding/WinAnsiEncoding>>",
        "Helvetica-Bold" => b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
        "ZapfDingbats" => b"<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>",
        _ => b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    };
    let settings = InterpreterSettings::default();
    FontCache::new().font(
        &Dict::from_bytes(dict)?,
        &settings.font_resolver,
        &settings.cmap_resolver,
    )
}
