//! The exports of the component.

mod bindings {
    #![allow(missing_docs, reason = "generated code")]
    wit_bindgen::generate!({ path: "../../../wit", world: "converter-plugin" });
}

use crate::{Footer, StampError};
use bindings::exports::faxgate::policy::converter::{
    Document, Failure, FailureKind, FaxPage, Limits, Part, Raster,
};
use bindings::exports::faxgate::policy::{converter, plugin};
use bindings::faxgate::policy::host;
use hayro_write::hayro_syntax::Pdf;

struct Component;

bindings::export!(Component with_types_in bindings);

/// An opened document.
struct Stamped {
    pdf: Pdf,
    footer: Footer,
}

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
        Footer::read(host::setting).map(drop)
    }
}

impl converter::Guest for Component {
    type Document = Stamped;
}

impl converter::GuestDocument for Stamped {
    fn open(
        mut parts: Vec<Part>,
        _options: Vec<(String, String)>,
        limits: Limits,
    ) -> Result<Document, Failure> {
        let part = match (parts.pop(), parts.is_empty()) {
            (Some(part), true) if part.media_type == "application/pdf" => part,
            _ => return Err(failure(FailureKind::Unsupported, "Only a single PDF is stamped.")),
        };
        let footer =
            Footer::read(host::setting).map_err(|error| failure(FailureKind::Unsupported, &error))?;
        let pdf = crate::open(part.data).map_err(stamp_failure)?;
        if u32::try_from(pdf.pages().len()).map_or(true, |pages| pages > limits.max_pages) {
            return Err(failure(
                FailureKind::TooManyPages,
                "The document has too many pages for one fax.",
            ));
        }
        Ok(Document::new(Self { pdf, footer }))
    }

    fn pages(&self) -> u32 {
        u32::try_from(self.pdf.pages().len()).unwrap_or(u32::MAX)
    }

    fn notes(&self) -> Vec<String> {
        vec!["A footer was added to every page.".to_owned()]
    }

    fn pdf(&self) -> Result<Option<Vec<u8>>, Failure> {
        self.footer.stamp(&self.pdf).map(Some).map_err(stamp_failure)
    }

    /// The next converter draws: what comes here to be drawn is stamped already.
    fn render(&self, _index: u32, _raster: Raster) -> Result<FaxPage, Failure> {
        Err(failure(FailureKind::Unsupported, "This converter draws nothing."))
    }
}

fn stamp_failure(error: StampError) -> Failure {
    match error {
        StampError::Unreadable => failure(FailureKind::Unsupported, "The PDF can't be read."),
        StampError::Annotated => failure(
            FailureKind::Broken,
            "The PDF has form fields or notes, which can't be stamped; print it to a PDF and send that.",
        ),
        StampError::TooSmall => failure(
            FailureKind::Broken,
            "A page of the PDF is too small for the footer; save it for letter or A4 paper and send it again.",
        ),
    }
}

fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure {
        kind,
        message: message.to_owned(),
    }
}
