//! The exports of the component.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "converter-plugin" });
}

use bindings::exports::faxgate::policy::converter::{
    Document, Failure, FailureKind, FaxPage, Limits, Paper, Part, Raster, Resolution,
};
use bindings::exports::faxgate::policy::{converter, plugin};

struct Component;

bindings::export!(Component with_types_in bindings);

/// An opened document.
struct Blank;

impl plugin::Guest for Component {
    fn describe() -> plugin::About {
        plugin::About {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: env!("CARGO_PKG_DESCRIPTION").to_owned(),
            attributes: Vec::new(),
        }
    }

    fn check_settings() -> Result<(), String> {
        Ok(())
    }
}

impl converter::Guest for Component {
    type Document = Blank;
}

impl converter::GuestDocument for Blank {
    fn open(
        parts: Vec<Part>,
        _options: Vec<(String, String)>,
        _limits: Limits,
    ) -> Result<Document, Failure> {
        match parts.as_slice() {
            [part] if crate::reads(&part.data) => Ok(Document::new(Self)),
            _ => Err(Failure {
                kind: FailureKind::Unsupported,
                message: "This converter reads blank documents only.".to_owned(),
            }),
        }
    }

    fn pages(&self) -> u32 {
        1
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    fn pdf(&self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Some(crate::blank_pdf()))
    }

    fn render(&self, _index: u32, raster: Raster) -> Result<FaxPage, Failure> {
        let y_dpi = match raster.resolution {
            Resolution::Standard => 98,
            Resolution::Fine => 196,
        };
        // 11 inches of letter, 297 mm of A4.
        let height = match raster.paper {
            Paper::Letter => 11 * u32::from(y_dpi),
            Paper::A4 => 2970 * u32::from(y_dpi) / 254,
        };
        Ok(FaxPage {
            width: raster.width,
            height,
            x_dpi: 204,
            y_dpi,
            g4: crate::blank_page(height),
            black: 0,
            attributes: Vec::new(),
        })
    }
}
