//! What a document is, judged by its first bytes; names and declared types say nothing.

/// A family of formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Portable Document Format.
    Pdf,
    /// A picture that the `image` crate reads.
    Picture(Picture),
    /// Tagged Image File Format.
    Tiff,
    /// An office document, mail or page description with the name to show.
    Refused(&'static str),
    /// Neither: text, or something unknown.
    Other,
}

/// Pictures with a signature of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// Graphics Interchange Format.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// WebP.
    WebP,
}

/// How far into a file the mark `%PDF-` may stand (ISO 32000-1, annex H, note 13).
const PDF_MARK_WITHIN: usize = 1024;

/// Reads the signature.
pub(crate) fn sniff(data: &[u8]) -> Format {
    let at = |offset: usize, mark: &[u8]| data.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let starts: &[(&[u8], Format)] = &[
        (b"%PDF-", Format::Pdf),
        (b"\x89PNG\r\n\x1a\n", Format::Picture(Picture::Png)),
        (b"\xff\xd8\xff", Format::Picture(Picture::Jpeg)),
        (b"GIF87a", Format::Picture(Picture::Gif)),
        (b"GIF89a", Format::Picture(Picture::Gif)),
        (b"II*\0", Format::Tiff),
        (b"MM\0*", Format::Tiff),
        (b"II+\0", Format::Tiff),
        (b"MM\0+", Format::Tiff),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            Format::Refused("An Office document"),
        ),
        (
            b"PK\x03\x04",
            Format::Refused("An Office document (DOCX, XLSX, ODT) or archive"),
        ),
        (b"PK\x05\x06", Format::Refused("An archive")),
        (b"{\\rtf", Format::Refused("An RTF document")),
        (b"%!PS", Format::Refused("A PostScript document")),
        (b"\xc5\xd0\xd3\xc6", Format::Refused("A PostScript document")),
        (b"\x1f\x8b", Format::Refused("An archive")),
        (b"7z\xbc\xaf\x27\x1c", Format::Refused("An archive")),
        (b"Rar!\x1a\x07", Format::Refused("An archive")),
    ];
    if let Some((_, format)) = starts.iter().find(|(mark, _)| at(0, mark)) {
        return *format;
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Format::Picture(Picture::WebP);
    }
    if at(4, b"ftyphei") || at(4, b"ftypmif1") || at(4, b"ftypavif") {
        return Format::Refused("A HEIC or AVIF picture");
    }
    // Two letters are too few to tell a bitmap from a text that starts with them: the reserved fields help.
    if at(0, b"BM") && at(6, &[0; 4]) && data.len() > 26 {
        return Format::Picture(Picture::Bmp);
    }
    if is_pdf_after_others(data) {
        return Format::Pdf;
    }
    Format::Other
}

/// Whether a PDF stands after other bytes, which is common. A text that names the mark has no objects and no table of them.
fn is_pdf_after_others(data: &[u8]) -> bool {
    let head = data.get(..PDF_MARK_WITHIN + 5).unwrap_or(data);
    let Some(at) = memchr::memmem::find(head, b"%PDF-") else {
        return false;
    };
    let (before, rest) = data.split_at(at);
    let has = |mark: &[u8]| memchr::memmem::find(rest, mark).is_some();
    let before = before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before);
    before.trim_ascii().is_empty() || (has(b" obj") && has(b"endobj") && has(b"startxref"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_decide() {
        assert_eq!(sniff(b"%PDF-1.7\n"), Format::Pdf);
        assert_eq!(sniff(b"\xef\xbb\xbf%PDF-1.4"), Format::Pdf);
        assert_eq!(sniff(b"BMW sells cars, long enough text"), Format::Other);
        assert_eq!(sniff(b"MM\0*\0\0\0\x08"), Format::Tiff);
        assert_eq!(sniff(b"II+\0\x08\0\0\0"), Format::Tiff);
        assert!(matches!(
            sniff(b"PK\x03\x04....word/document.xml"),
            Format::Refused(_)
        ));
        assert_eq!(sniff(b""), Format::Other);
    }

    #[test]
    fn a_pdf_may_follow_other_bytes_and_a_letter_may_name_it() {
        let pdf = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\nxref\ntrailer\nstartxref\n9\n%%EOF\n";
        for before in [0, 1, 900, 1024] {
            let data = "x".repeat(before) + pdf;
            assert_eq!(sniff(data.as_bytes()), Format::Pdf, "{before}");
        }
        assert_eq!(sniff(("x".repeat(1025) + pdf).as_bytes()), Format::Other);
        for letter in [
            "A note on %PDF-1.4",
            "Every PDF begins with %PDF-1.4 and ends with %%EOF.",
            "It has to begin with\n%PDF-1.4\nand after that 1 0 obj and endobj.",
        ] {
            assert_eq!(sniff(letter.as_bytes()), Format::Other, "{letter}");
        }
    }
}
