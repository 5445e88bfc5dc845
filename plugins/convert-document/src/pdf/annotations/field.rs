//! Form fields (ISO 32000-1, 12.7): their values, and appearances for those that have none.

use super::style::{Border, Colour, opacity};
use super::text::{Placement, TextStyle, blank};
use super::{Drawing, Form, Made, Source, is_drawn, rectangle};
use crate::pdf::objects::{items, lineage};
use crate::pdf::strings::decode;
use hayro::hayro_syntax::object::{Dict, Name, Object, Stream, String as PdfString};
use hayro::kurbo::Rect;
use pdf_writer::Content;

/// Flags of fields (ISO 32000-1, tables 226, 228 and 230).
mod flag {
    pub(super) const MULTILINE: u32 = 1 << 12;
    pub(super) const PASSWORD: u32 = 1 << 13;
    pub(super) const COMBO: u32 = 1 << 17;
    pub(super) const COMB: u32 = 1 << 24;
}

/// Most characters of a value that are drawn: more than fits a page.
const MAX_CHARACTERS: usize = 20_000;

/// A form field as one of its widgets shows it.
pub(super) struct Field<'f, 'a> {
    pub(super) form: &'f Form<'a>,
    pub(super) widget: &'f Dict<'a>,
}

impl<'f, 'a> Field<'f, 'a> {
    pub(super) fn new(form: &'f Form<'a>, widget: &'f Dict<'a>) -> Self {
        Self { form, widget }
    }

    /// An entry of the widget, its field or the form.
    pub(super) fn inherited(&self, key: &str) -> Option<Object<'a>> {
        let found = lineage(self.widget).find_map(|dict| dict.get::<Object<'_>>(key));
        found.or_else(|| self.form.dict.get::<Object<'_>>(key))
    }

    fn number(&self, key: &str) -> u32 {
        match self.inherited(key) {
            Some(Object::Number(number)) => u32::try_from(number.as_i64()).unwrap_or(0),
            _ => 0,
        }
    }

    fn has_flag(&self, flag: u32) -> bool {
        self.number("Ff") & flag != 0
    }

    fn kind(&self) -> Option<Name<'a>> {
        self.inherited("FT").and_then(Object::into_name)
    }

    /// The state that the value of a button names.
    pub(super) fn state(&self) -> Option<Name<'a>> {
        let is_button = self.kind().is_some_and(|kind| kind.as_ref() == b"Btn");
        self.inherited("V").filter(|_| is_button)?.into_name()
    }

    /// Whether the value has to be drawn here: there is no appearance, or an empty one for a text, or the form asks for new
    /// ones.
    pub(super) fn needs_appearance(&self, appearance: Option<&Stream<'_>>) -> bool {
        let is_text = self
            .kind()
            .is_some_and(|kind| matches!(kind.as_ref(), b"Tx" | b"Ch"));
        if !is_text {
            return !self.widget.contains_key("AP");
        }
        let asks = self.form.dict.get::<bool>("NeedAppearances") == Some(true);
        !appearance.is_some_and(is_drawn) || asks && self.inherited("RV").is_none()
    }

    /// An appearance made from the value; `None` if there is nothing to show.
    pub(super) fn drawing(&self) -> Option<Drawing> {
        let rect = rectangle(self.widget).filter(|rect| rect.width() > 0.0 && rect.height() > 0.0)?;
        let characteristics = self.widget.get::<Dict<'_>>("MK").unwrap_or_default();
        let turn = characteristics.get::<i32>("R").unwrap_or(0).rem_euclid(360);
        let (width, height) = match turn {
            90 | 270 => (rect.height(), rect.width()),
            _ => (rect.width(), rect.height()),
        };
        let area = Rect::new(0.0, 0.0, width, height);
        let border = self.background(&characteristics, area);
        let made = match self.kind()?.as_ref() {
            b"Tx" => self.text(area, border),
            b"Ch" => self.choice(area, border),
            b"Btn" => self.button(&characteristics, area, border),
            _ => None,
        }?;
        let matrix = match turn {
            90 => [0.0, 1.0, -1.0, 0.0, rect.x1, rect.y0],
            180 => [-1.0, 0.0, 0.0, -1.0, rect.x1, rect.y1],
            270 => [0.0, -1.0, 1.0, 0.0, rect.x0, rect.y1],
            _ => [1.0, 0.0, 0.0, 1.0, rect.x0, rect.y0],
        };
        Some(Drawing {
            matrix,
            source: Source::Made(made),
        })
    }

    /// Background and border of the widget, and how wide the border is.
    fn background(&self, characteristics: &Dict<'_>, area: Rect) -> (Made, f64) {
        let mut made = blank(area, opacity(self.widget));
        let border = Border::of(self.widget);
        let mut content = Content::new();
        content.save_state();
        if let Some(colour) = Colour::of(characteristics, "BG") {
            colour.fill(&mut content);
            content
                .rect(0.0, 0.0, area.width() as f32, area.height() as f32)
                .fill_nonzero();
        }
        let width = f64::from(border.width);
        if let Some(colour) = Colour::of(characteristics, "BC").filter(|_| width > 0.0) {
            colour.stroke(&mut content);
            border.apply(&mut content);
            let line = area.inset(-width / 2.0);
            if border.is_underline {
                content
                    .move_to(0.0, border.width / 2.0)
                    .line_to(area.width() as f32, border.width / 2.0);
            } else {
                content.rect(
                    line.x0 as f32,
                    line.y0 as f32,
                    line.width() as f32,
                    line.height() as f32,
                );
            }
            content.stroke();
        }
        content.restore_state();
        made.content.extend(content.finish().into_vec());
        (made, width)
    }

    pub(super) fn style(&self) -> TextStyle {
        let appearance = self.inherited("DA").and_then(Object::into_string);
        TextStyle::read(appearance.as_ref().map_or(b"", PdfString::as_bytes), self.form)
    }

    fn text(&self, area: Rect, (mut made, border): (Made, f64)) -> Option<Made> {
        let mut text = string(self.inherited("V")?)?;
        if text.trim().is_empty() {
            return None;
        }
        if self.has_flag(flag::PASSWORD) {
            text = "*".repeat(text.chars().count());
        }
        let cells = if self.has_flag(flag::COMB) {
            self.number("MaxLen").min(1000) as usize
        } else {
            0
        };
        let inside = if cells > 0 {
            area
        } else {
            area.inset(-(border + 1.0).min(area.height() / 4.0))
        };
        let at = Placement {
            area: inside,
            quadding: self.number("Q") as i32,
            is_multiline: self.has_flag(flag::MULTILINE),
            cells,
        };
        self.style().draw(&text, at, self.form, &mut made);
        Some(made)
    }

    /// The chosen options: one in a line for a combo box, below each other for a list.
    fn choice(&self, area: Rect, (mut made, border): (Made, f64)) -> Option<Made> {
        let values = match self.inherited("V")? {
            Object::Array(values) => items(&values, self.form.xref).filter_map(string).collect(),
            value => vec![string(value)?],
        };
        let shown: Vec<String> = values.into_iter().map(|value| self.label(value)).collect();
        if shown.iter().all(|value| value.trim().is_empty()) {
            return None;
        }
        let at = Placement {
            area: area.inset(-(border + 1.0).min(area.height() / 4.0)),
            quadding: self.number("Q") as i32,
            is_multiline: !self.has_flag(flag::COMBO) && shown.len() > 1,
            cells: 0,
        };
        self.style().draw(&shown.join("\n"), at, self.form, &mut made);
        Some(made)
    }

    /// What an option is called; its value may be another.
    fn label(&self, value: String) -> String {
        let Some(Object::Array(options)) = self.inherited("Opt") else {
            return value;
        };
        let label = items(&options, self.form.xref).find_map(|option| {
            let pair: Vec<String> = items(&option.into_array()?, self.form.xref)
                .filter_map(string)
                .collect();
            match pair.as_slice() {
                [export, label] if *export == value => Some(label.clone()),
                _ => None,
            }
        });
        label.unwrap_or(value)
    }
}

/// The text of a value, which may be long enough for a stream.
pub(super) fn string(value: Object<'_>) -> Option<String> {
    let text = match value {
        Object::String(text) => decode(text.as_bytes()),
        Object::Stream(text) => decode(&text.decoded_data().ok()?),
        Object::Name(name) => decode(name.as_ref()),
        Object::Number(number) => number.as_f64().to_string(),
        _ => return None,
    };
    Some(text.chars().take(MAX_CHARACTERS).collect())
}

impl<'a> Form<'a> {
    /// A font that the form names.
    pub(super) fn font(&self, name: &[u8]) -> Option<Dict<'a>> {
        self.dict
            .get::<Dict<'_>>("DR")?
            .get::<Dict<'_>>("Font")?
            .get::<Dict<'_>>(name)
    }
}
