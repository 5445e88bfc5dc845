//! The component: turns the calls of the world `converter-plugin` into calls of [`crate::Document`].

use crate::model;

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]
    wit_bindgen::generate!({ path: "../../wit", world: "converter-plugin" });
}

use bindings::exports::faxgate::policy::converter::{
    Document, Failure, FailureKind, FaxPage, Guest, GuestDocument, Halftone, Limits, Paper, Part, Raster,
    Resolution,
};
use bindings::exports::faxgate::policy::plugin::{About, Guest as GuestPlugin};
use bindings::faxgate::policy::types::Attribute;
use bindings::faxgate::policy::{fonts, host};

/// What happens to a PDF with scripts, attachments or links to other files: `remove` (the default) or `refuse`.
const ACTIVE_CONTENT: &str = "active_content";

struct Component;

impl GuestPlugin for Component {
    fn describe() -> About {
        About {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: env!("CARGO_PKG_DESCRIPTION").to_owned(),
            attributes: Vec::new(),
        }
    }

    fn check_settings() -> Result<(), String> {
        match host::setting(ACTIVE_CONTENT).as_deref() {
            None | Some("remove" | "refuse") => Ok(()),
            Some(_) => Err(format!("{ACTIVE_CONTENT} is \"remove\" or \"refuse\"")),
        }
    }
}

impl Guest for Component {
    type Document = Opened;
}

/// A document that the gateway holds a handle of.
struct Opened(crate::Document);

impl GuestDocument for Opened {
    fn open(parts: Vec<Part>, options: Vec<Attribute>, limits: Limits) -> Result<Document, Failure> {
        let parts = parts
            .into_iter()
            .map(|part| model::Part {
                data: part.data,
                media_type: part.media_type,
                attributes: part.attributes,
            })
            .collect();
        let limits = model::Limits {
            max_pages: limits.max_pages,
            max_bytes: limits.max_bytes,
            max_rows: limits.max_rows,
        };
        let page_size = options
            .iter()
            .find(|(name, _)| name == "page-size")
            .map(|(_, value)| value.as_str());
        let paper = model::Paper::from_option(page_size);
        let options = model::OpenOptions {
            paper,
            limits,
            font_provider: &fonts::font,
            checked: options
                .iter()
                .any(|(name, value)| name == "checked" && value == "true"),
            refuse_active: host::setting(ACTIVE_CONTENT).as_deref() == Some("refuse"),
        };
        let document = crate::Document::open(parts, options).map_err(failure)?;
        Ok(Document::new(Self(document)))
    }

    fn pages(&self) -> u32 {
        self.0.pages()
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes().to_vec()
    }

    fn pdf(&self) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.0.pdf().map(<[u8]>::to_vec))
    }

    fn render(&self, index: u32, raster: Raster) -> Result<FaxPage, Failure> {
        let raster = model::Raster {
            width: raster.width,
            resolution: match raster.resolution {
                Resolution::Standard => model::Resolution::Standard,
                Resolution::Fine => model::Resolution::Fine,
            },
            paper: match raster.paper {
                Paper::Letter => model::Paper::Letter,
                Paper::A4 => model::Paper::A4,
            },
            halftone: match raster.halftone {
                Halftone::Automatic => model::Halftone::Automatic,
                Halftone::Threshold => model::Halftone::Threshold,
                Halftone::Diffuse => model::Halftone::Diffuse,
            },
        };
        let page = self.0.render(index, &raster).map_err(failure)?;
        Ok(FaxPage {
            width: page.width,
            height: page.height,
            x_dpi: page.x_dpi,
            y_dpi: page.y_dpi,
            g4: page.g4,
            black: page.black,
            attributes: Vec::new(),
        })
    }
}

fn failure(failure: model::Failure) -> Failure {
    let kind = match failure.kind {
        model::FailureKind::Unsupported => FailureKind::Unsupported,
        model::FailureKind::Encrypted => FailureKind::Encrypted,
        model::FailureKind::Broken => FailureKind::Broken,
        model::FailureKind::Empty => FailureKind::Empty,
        model::FailureKind::TooManyPages => FailureKind::TooManyPages,
        model::FailureKind::TooLarge => FailureKind::TooLarge,
    };
    Failure {
        kind,
        message: failure.message,
    }
}

bindings::export!(Component with_types_in bindings);
