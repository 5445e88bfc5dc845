//! The frame of a PDF of one page; for tests.

use pdf_writer::writers::Page;
use pdf_writer::{Finish, Pdf, Rect, Ref};

/// A file whose objects 1 to 3 are the catalog, the tree and a Letter page, which `fill` gives its resources. Its content
/// is to be object 4.
pub(crate) fn one_page(fill: impl FnOnce(&mut Page<'_>)) -> Pdf {
    let mut pdf = Pdf::new();
    pdf.catalog(Ref::new(1)).pages(Ref::new(2));
    pdf.pages(Ref::new(2)).kids([Ref::new(3)]).count(1);
    let mut page = pdf.page(Ref::new(3));
    page.parent(Ref::new(2))
        .media_box(Rect::new(0.0, 0.0, 612.0, 792.0))
        .contents(Ref::new(4));
    fill(&mut page);
    page.finish();
    pdf
}
