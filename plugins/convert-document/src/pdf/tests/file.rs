//! Files of one page written by hand, and what of the page is black.

use crate::{Document, Failure, Halftone, Limits, OpenOptions, Paper, Part, Raster, Resolution};

pub(super) const LIMITS: Limits = Limits {
    max_pages: 20,
    max_bytes: 10_000_000,
    max_rows: 2500,
};
pub(super) const RASTER: Raster = Raster {
    width: 1728,
    resolution: Resolution::Fine,
    paper: Paper::Letter,
    halftone: Halftone::Threshold,
};

/// Objects from number 1, the catalog, on.
pub(super) fn file(objects: &[String]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let at = out.len();
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n",
        objects.len() + 1
    );
    out.extend((table + &trailer).bytes());
    out
}

pub(super) fn stream(dict: &str, content: &str) -> String {
    format!(
        "<< {dict} /Length {} >>\nstream\n{content}\nendstream",
        content.len()
    )
}

/// A file of one Letter page: 1 is the catalog, 2 the page tree, 3 the page, 4 its content, 5 Helvetica, named `F`; from 6
/// on come `more`.
pub(super) fn page(catalog: &str, page: &str, content: &str, more: &[String]) -> Vec<u8> {
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R {catalog} >>"),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R {} {page} >>",
            if page.contains("/Resources") {
                ""
            } else {
                "/Resources << /Font << /F 5 0 R >> >>"
            }
        ),
        stream("", content),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    objects.extend_from_slice(more);
    file(&objects)
}

/// A line of text at the foot of the page, so that it is not blank.
pub(super) const FOOT: &str = "BT /F 12 Tf 72 40 Td (Page one) Tj ET";

pub(super) fn try_open(files: &[&[u8]]) -> Result<Document, Failure> {
    let part = |data: &&[u8]| Part {
        data: data.to_vec(),
        media_type: "application/pdf".to_owned(),
        attributes: Vec::new(),
    };
    Document::open(
        files.iter().map(part).collect(),
        OpenOptions::for_tests(Paper::Letter, LIMITS),
    )
}

pub(super) fn open(data: &[u8]) -> Document {
    try_open(&[data]).unwrap()
}

/// What is handed on for a file that is written anew.
pub(super) fn handed_on(data: &[u8]) -> Vec<u8> {
    open(data).pdf().expect("a new file").to_vec()
}

/// Black pixels of a page within left, bottom, right and top in points of a Letter page.
pub(super) fn black(document: &Document, page: u32, [x0, y0, x1, y1]: [f64; 4]) -> u64 {
    let drawn = document.render(page, &RASTER).unwrap();
    let bitmap = crate::raster::decoded(&drawn.g4, drawn.width, drawn.height);
    let (across, down) = (f64::from(drawn.width) / 612.0, f64::from(drawn.height) / 792.0);
    let columns = (x0 * across) as usize..(x1 * across) as usize;
    let rows = ((792.0 - y1) * down) as usize..((792.0 - y0) * down) as usize;
    let is_black = |row: &[u64], x: usize| row[x / 64] >> (63 - x % 64) & 1;
    let rows = bitmap.rows().skip(rows.start).take(rows.len());
    rows.map(|row| columns.clone().map(|x| is_black(row, x)).sum::<u64>())
        .sum()
}

pub(super) fn contains(data: &[u8], word: &str) -> bool {
    memchr::memmem::find(data, word.as_bytes()).is_some()
}

/// Checks that what is handed on has no annotations, is as it should be when it is sent again, and looks the same.
pub(super) fn assert_flat(document: &Document) {
    let pdf = document.pdf().expect("a new file");
    for word in ["/Annots", "/AcroForm", "/Widget", "/JavaScript"] {
        assert!(!contains(pdf, word), "{word}");
    }
    let again = open(pdf);
    assert!(again.pdf().is_none(), "what is handed on is fit to be handed on");
    let whole = [0.0, 0.0, 612.0, 792.0];
    for page in 0..document.pages() {
        assert_eq!(black(document, page, whole), black(&again, page, whole));
    }
}
