//! Check boxes, radio buttons and push buttons without an appearance (ISO 32000-1, 12.7.4.2).

use super::Made;
use super::field::{Field, string};
use super::style::Colour;
use super::text::{Placement, TextStyle};
use hayro::hayro_syntax::object::{Dict, Object, String as PdfString};
use hayro::kurbo::Rect;

/// Flags of button fields (ISO 32000-1, table 226).
mod flag {
    pub(super) const RADIO: u32 = 1 << 15;
    pub(super) const PUSH: u32 = 1 << 16;
}

/// Size of a mark in parts of its box.
const MARK: f64 = 0.8;

impl Field<'_, '_> {
    /// The mark of a box that is checked, or the caption of a push button, on its background.
    pub(super) fn button(
        &self,
        characteristics: &Dict<'_>,
        area: Rect,
        (mut made, _): (Made, f64),
    ) -> Option<Made> {
        let flags = match self.inherited("Ff") {
            Some(Object::Number(flags)) => u32::try_from(flags.as_i64()).unwrap_or(0),
            _ => 0,
        };
        let caption = characteristics
            .get::<PdfString<'_>>("CA")
            .and_then(|caption| string(Object::String(caption)));
        let mut at = Placement {
            area,
            quadding: 1,
            is_multiline: false,
            cells: 0,
        };
        if flags & flag::PUSH != 0 {
            self.style()
                .draw(&caption.unwrap_or_default(), at, self.form, &mut made);
            return Some(made);
        }
        if self.is_checked(flags & flag::RADIO != 0) {
            let size = area.width().min(area.height()) * MARK;
            let usual = if flags & flag::RADIO != 0 { "l" } else { "4" };
            at.area = area;
            let style = TextStyle::new("ZapfDingbats", size as f32, Colour::BLACK);
            style.draw(caption.as_deref().unwrap_or(usual), at, self.form, &mut made);
        }
        Some(made)
    }

    /// Whether the state is other than off. A radio button that doesn't say which one it is may be any.
    fn is_checked(&self, is_radio: bool) -> bool {
        let own = self.widget.get::<hayro::hayro_syntax::object::Name<'_>>("AS");
        let state = own.or_else(|| self.state().filter(|_| !is_radio));
        state.is_some_and(|state| state.as_ref() != b"Off")
    }
}
