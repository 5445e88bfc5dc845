//! Files whose pages are not what they are about: forms that only some readers can draw, and collections of other files.

use super::copy::root;
use super::objects::items;
use crate::model::{Failure, FailureKind};
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Dict, Object, Stream};

/// Refuses dynamic XFA forms (ISO 32000-1, 12.7.8) and portfolios (7.11.6).
pub(super) fn check_contents(pdf: &Pdf) -> Result<(), Failure> {
    let catalog = root(pdf).unwrap_or_default();
    let form = catalog.get::<Dict<'_>>("AcroForm").unwrap_or_default();
    let needs_rendering = catalog.get::<bool>("NeedsRendering") == Some(true);
    if form.contains_key("XFA") && (needs_rendering || is_dynamic(pdf, &form)) {
        return Err(Failure::new(
            FailureKind::Broken,
            "The PDF is a dynamic XFA form, which holds only a notice for readers that can't draw it; open it in Adobe \
             Acrobat, print it to a new PDF and send that.",
        ));
    }
    if catalog.contains_key("Collection") {
        return Err(Failure::new(
            FailureKind::Broken,
            "The PDF is a portfolio, whose documents are attached to a cover sheet; send these documents as files of \
             their own.",
        ));
    }
    Ok(())
}

/// Whether the configuration of a form says that it has to be drawn anew (XFA 3.3, `dynamicRender`).
fn is_dynamic(pdf: &Pdf, form: &Dict<'_>) -> bool {
    let required = |packet: Stream<'_>| {
        packet
            .decoded_data()
            .is_ok_and(|packet| requires_rendering(&packet))
    };
    match form.get::<Object<'_>>("XFA") {
        Some(Object::Stream(all)) => required(all),
        Some(Object::Array(packets)) => items(&packets, pdf.xref())
            .filter_map(Object::into_stream)
            .any(required),
        _ => false,
    }
}

fn requires_rendering(packet: &[u8]) -> bool {
    let mut found = memchr::memmem::find_iter(packet, b"<dynamicRender");
    found.any(|at| {
        let element = packet.get(at..).unwrap_or_default();
        let text = memchr::memchr(b'>', element).and_then(|end| element.get(end + 1..));
        text.is_some_and(|text| text.trim_ascii_start().starts_with(b"required"))
    })
}
