//! What can't be faxed, with the class of its refusal.

use faxgate_domain::document::DocumentErrorKind::{
    Broken, Empty, Encrypted, TooLarge, TooManyPages, Unsupported,
};

use super::Case;
use super::writer::{LETTER, Pdf, letter, line};
use crate::documents;

/// All cases of this file.
pub fn cases() -> Vec<Case> {
    let mut all = kinds();
    all.extend(empty());
    all.extend(damaged());
    all.extend(large());
    all
}

fn kinds() -> Vec<Case> {
    let none: &[(&str, &[u8])] = &[
        ("a DOCX", b"PK\x03\x04\x14\0\x06\0word/document.xml"),
        (
            "an empty archive",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ),
        (
            "an old Word document",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0",
        ),
        ("an RTF document", b"{\\rtf1\\ansi Hello}"),
        ("a PostScript document", b"%!PS-Adobe-3.0\n(x) show showpage\n"),
        ("a program", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"),
        ("a gzip archive", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("a 7z archive", b"7z\xbc\xaf\x27\x1c\0\x04"),
        ("a RAR archive", b"Rar!\x1a\x07\x01\0"),
        ("a HEIC picture", b"\0\0\0\x18ftypheic\0\0\0\0"),
        ("an AVIF picture", b"\0\0\0\x18ftypavif\0\0\0\0"),
        (
            "a PDF that lost its first line",
            b"1 0 obj\n<</Type/Catalog>>\nendobj\nxref\n0 2\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n",
        ),
        (
            "data for a printer",
            b"\x1b%-12345X@PJL ENTER LANGUAGE=PCL\r\n\x1bEHello\x1bE",
        ),
        (
            "a file in base64",
            b"JVBERi0xLjQKJcfsj6IKNSAwIG9iago8PC9MZW5ndGggNiAwIFIv",
        ),
        (
            "the source of a mail",
            b"From: a@example.com\nMIME-Version: 1.0\nContent-Type: text/plain\n\nHello\n",
        ),
        (
            "an SVG picture",
            b"<svg xmlns='http://www.w3.org/2000/svg'><text>x</text></svg>",
        ),
        ("an XML document", b"<?xml version='1.0'?><note>x</note>"),
        (
            "random bytes",
            &[0, 200, 1, 3, 250, 0, 7, 9, 128, 2, 0, 0, 255, 17],
        ),
    ];
    let mut all: Vec<Case> = none
        .iter()
        .map(|(name, bytes)| Case::refused(*name, *bytes, Unsupported))
        .collect();
    all.push(Case::refused(
        "a PDF with a password",
        documents::encrypted_pdf(),
        Encrypted,
    ));
    all
}

fn empty() -> Vec<Case> {
    let mut all: Vec<Case> = [
        ("an empty file", ""),
        ("a text of spaces", "  \n\t \r\n"),
        ("a text of form feeds", "\u{c}\u{c}"),
        ("a lone byte order mark", "\u{feff}"),
        (
            "a web page without text",
            "<!doctype html><html><body></body></html>",
        ),
        (
            "a web page that is a script",
            "<html><script>document.write('x')</script></html>",
        ),
    ]
    .into_iter()
    .map(|(name, text)| Case::refused(name, text, Empty))
    .collect();
    all.push(Case::refused("a PDF without pages", Pdf::new().finish(""), Empty));
    all.push(Case::refused("a white PNG", super::pictures::white_png(), Empty));
    all.push(Case::refused(
        "a text with a blank page",
        "one\u{c}\u{c}two",
        Empty,
    ));
    all
}

fn damaged() -> Vec<Case> {
    let whole = letter("Whole");
    let mut all: Vec<Case> = [10, 30, 50, 70, 90, 95]
        .into_iter()
        .map(|share| {
            let cut = whole[..whole.len() * share / 100].to_vec();
            Case::refused(format!("a PDF cut after {share} %"), cut, Broken)
        })
        .collect();
    let text = String::from_utf8_lossy(&whole).into_owned();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        // Binary bytes of the second line are a comment.
        text.replacen(from, to, 1).into_bytes()
    };
    all.push(Case::refused(
        "a PDF that lost its content",
        change("/Contents 3 0 R", "/Contents 9 0 R"),
        Broken,
    ));
    all.push(Case::refused(
        "a PDF that lost a page",
        change("/Kids [4 0 R", "/Kids [9 0 R"),
        Broken,
    ));
    all.push(Case::refused(
        "a PDF of words",
        "%PDF-1.4\nnot what it says\n",
        Broken,
    ));
    let mut flate = Pdf::new();
    let content = flate.stream(
        "/Filter /FlateDecode",
        b"\x78\x9c broken data that no inflater reads",
    );
    let page = format!("<< /Type /Page /Parent 2 0 R {LETTER} /Contents {content} 0 R >>");
    flate.add(page);
    let mut flate = String::from_utf8_lossy(&flate.finish("")).into_owned();
    flate = flate.replace("/Kids [] /Count 0", "/Kids [4 0 R] /Count 1");
    all.push(Case::refused("a PDF with a broken stream", flate, Broken));
    let mut junk = Pdf::new();
    junk.page(LETTER, "zz Tj yy re (( f");
    all.push(Case::refused(
        "a PDF whose content is rubbish",
        junk.finish(""),
        Broken,
    ));
    let mut png = super::pictures::png_bytes();
    png.truncate(png.len() / 2);
    all.push(Case::refused("a cut PNG", png, Broken));
    let mut jpeg = super::pictures::jpeg_bytes();
    jpeg.truncate(jpeg.len() / 2);
    all.push(Case::refused("a cut JPEG", jpeg, Broken));
    for (name, bytes) in [
        ("a cut TIFF", b"II*\0\x08\0\0\0\x01\0".as_slice()),
        ("a cut BigTIFF", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"),
    ] {
        all.push(Case::refused(name, bytes, Broken));
    }
    all
}

fn large() -> Vec<Case> {
    let mut all = vec![
        Case::refused(
            "a text of 201 pages",
            "page\u{c}".repeat(200) + "end",
            TooManyPages,
        ),
        Case::refused("a PDF of 201 pages", documents::pdf(201, "x"), TooManyPages),
    ];
    let mut pdf = Pdf::new();
    for _ in 0..201 {
        pdf.page(LETTER, &line("x"));
    }
    all.push(Case::refused(
        "another PDF of 201 pages",
        pdf.finish(""),
        TooManyPages,
    ));
    all.push(Case::refused(
        "a PNG of 3.6 billion pixels",
        large_png(),
        TooLarge,
    ));
    all
}

/// A PNG whose header says 60,000 by 60,000 pixels.
pub fn large_png() -> Vec<u8> {
    let mut png = super::pictures::png_bytes();
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let sum = super::pictures::crc(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    png
}
