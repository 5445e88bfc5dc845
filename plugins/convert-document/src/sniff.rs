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

/// Reads the signature. `believed` is the media type that the gateway read from the same bytes.
pub(crate) fn sniff(data: &[u8], believed: &str) -> Format {
    let at = |offset: usize, mark: &[u8]| data.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let starts: &[(&[u8], Format)] = &[
        (b"%PDF-", Format::Pdf),
        (b"\x89PNG\r\n\x1a\n", Format::Picture(Picture::Png)),
        (b"\xff\xd8\xff", Format::Picture(Picture::Jpeg)),
        (b"GIF87a", Format::Picture(Picture::Gif)),
        (b"GIF89a", Format::Picture(Picture::Gif)),
        (b"II*\0", Format::Tiff),
        (b"MM\0*", Format::Tiff),
        (b"II+\0", Format::Refused("A BigTIFF picture")),
        (b"MM\0+", Format::Refused("A BigTIFF picture")),
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
    // Rubbish before the mark is common; a text that quotes the mark is told apart by the gateway's reading.
    let head = data.get(..PDF_MARK_WITHIN.min(data.len())).unwrap_or_default();
    if believed != "text/plain" && head.windows(5).any(|window| window == b"%PDF-") {
        return Format::Pdf;
    }
    Format::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_decide() {
        assert_eq!(sniff(b"%PDF-1.7\n", "text/plain"), Format::Pdf);
        assert_eq!(sniff(b"junk\n%PDF-1.4", "application/pdf"), Format::Pdf);
        assert_eq!(sniff(b"A note on %PDF-1.4", "text/plain"), Format::Other);
        assert_eq!(
            sniff(b"BMW sells cars, long enough text", "text/plain"),
            Format::Other
        );
        assert_eq!(sniff(b"MM\0*\0\0\0\x08", ""), Format::Tiff);
        assert!(matches!(
            sniff(b"PK\x03\x04....word/document.xml", ""),
            Format::Refused(_)
        ));
        assert_eq!(sniff(b"", ""), Format::Other);
    }
}
