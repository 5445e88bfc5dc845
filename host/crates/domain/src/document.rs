//! Documents: what their first bytes say, and why they may be refused.

use serde::{Deserialize, Serialize};

/// Most pages of one fax (the provider's limit).
pub const MAX_PAGES: u32 = 200;
/// Most rows of one page: a page of Letter paper has 2156 at fine resolution, a long receipt a few thousand.
pub const MAX_ROWS: u32 = 10_000;

/// A format told from the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `application/pdf`
    Pdf,
    /// `text/plain`, in whatever encoding
    Text,
    /// `text/html`
    Html,
    /// `application/rtf`
    Rtf,
    /// `image/png`
    Png,
    /// `image/jpeg`
    Jpeg,
    /// `image/gif`
    Gif,
    /// `image/bmp`
    Bmp,
    /// `image/webp`
    Webp,
    /// `image/tiff`
    Tiff,
    /// `application/zip`: also DOCX, ODT and the like
    Zip,
    /// `application/x-ole-storage`: old office formats
    Ole,
    /// `application/vnd.faxgate.cover`: a cover page, which the gateway makes of form fields; never told from bytes
    Cover,
    /// `application/octet-stream`: none of these
    Unknown,
}

/// Why a document can't be faxed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DocumentError {
    /// The class.
    pub kind: DocumentErrorKind,
    /// One sentence for the sender.
    pub message: String,
}

/// Classes of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentErrorKind {
    /// No converter reads it.
    Unsupported,
    /// Needs a password.
    Encrypted,
    /// Damaged.
    Broken,
    /// Nothing in it.
    Empty,
    /// More pages than a fax may have.
    TooManyPages,
    /// More bytes, pixels or memory than allowed.
    TooLarge,
}

/// Vertical resolution; across it is always 204 dots per inch (ITU-T T.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// 98 dots per inch.
    Standard,
    /// 196 dots per inch.
    #[default]
    Fine,
}

/// Paper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// 8.5 by 11 inches.
    #[default]
    Letter,
    /// 210 by 297 mm.
    A4,
}

/// How grey becomes black and white.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Halftone {
    /// Error diffusion for pictures, threshold for text.
    #[default]
    Automatic,
    /// One threshold.
    Threshold,
    /// Error diffusion.
    Diffuse,
}

/// How pages are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct RenderOptions {
    /// Vertical resolution.
    pub resolution: Resolution,
    /// Paper to fit on.
    pub paper: Paper,
    /// Treatment of grey.
    pub halftone: Halftone,
}

/// A page in front of the documents that says who writes to whom about what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Cover {
    /// For whom.
    pub to: String,
    /// By whom.
    pub from: String,
    /// About what.
    pub subject: String,
    /// A few lines.
    pub message: String,
}

/// One page as the far machine will print it: Group 4 data (ITU-T T.6), 1728 pixels a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxPage {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Dots per inch across.
    pub x_dpi: u16,
    /// Dots per inch down.
    pub y_dpi: u16,
    /// T.6 data, most significant bit first, 0 is white.
    pub g4: Vec<u8>,
    /// Black pixels; 0 means that the page came out white.
    pub black: u64,
}

impl MediaType {
    /// Tells the format from the bytes. Names and declared types say nothing.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Self {
        // Readers accept a PDF header within the first KiB (ISO 32000-1, implementation note 13).
        let head = bytes.get(..1024).unwrap_or(bytes);
        if head.windows(5).any(|w| w == b"%PDF-") {
            return Self::Pdf;
        }
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        match () {
            () if starts(b"\x89PNG\r\n\x1a\n") => Self::Png,
            () if starts(b"\xff\xd8\xff") => Self::Jpeg,
            () if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") => Self::Tiff,
            () if starts(b"GIF87a") || starts(b"GIF89a") => Self::Gif,
            () if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => Self::Webp,
            () if starts(b"BM") && bytes.get(6..10) == Some(&[0; 4]) => Self::Bmp,
            () if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => Self::Zip,
            () if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => Self::Ole,
            () if starts(b"{\\rtf") => Self::Rtf,
            () if looks_like_html(head) => Self::Html,
            () if looks_like_text(bytes) => Self::Text,
            () => Self::Unknown,
        }
    }

    /// The name of the type (RFC 6838).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain",
            Self::Html => "text/html",
            Self::Rtf => "application/rtf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Webp => "image/webp",
            Self::Tiff => "image/tiff",
            Self::Zip => "application/zip",
            Self::Ole => "application/x-ole-storage",
            Self::Cover => "application/vnd.faxgate.cover",
            Self::Unknown => "application/octet-stream",
        }
    }
}

impl Resolution {
    /// The words of the interface.
    pub const WORDS: [(&'static str, Self); 2] = [("standard", Self::Standard), ("fine", Self::Fine)];
}

impl Paper {
    /// The words of the interface.
    pub const WORDS: [(&'static str, Self); 2] = [("letter", Self::Letter), ("a4", Self::A4)];
}

impl Halftone {
    /// The words of the interface.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("automatic", Self::Automatic),
        ("threshold", Self::Threshold),
        ("diffuse", Self::Diffuse),
    ];
}

impl RenderOptions {
    /// Whether it is what is drawn when nobody asks for anything.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Cover {
    /// Longest line of a cover page, in characters.
    pub const MAX_LINE: usize = 200;
    /// Longest message of a cover page, in characters.
    pub const MAX_MESSAGE: usize = 4000;

    /// Whether there is nothing on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.to, &self.from, &self.subject, &self.message]
            .iter()
            .all(|text| text.trim().is_empty())
    }

    /// What is wrong with it, as a sentence for the sender.
    ///
    /// # Errors
    /// When a line or the message is too long, or a line has control characters.
    pub fn check(&self) -> Result<(), String> {
        for (name, line) in [("to", &self.to), ("from", &self.from), ("subject", &self.subject)] {
            if line.chars().count() > Self::MAX_LINE || line.chars().any(char::is_control) {
                return Err(format!(
                    "cover[{name}] has at most {} characters and no control characters",
                    Self::MAX_LINE
                ));
            }
        }
        if self.message.chars().count() > Self::MAX_MESSAGE {
            return Err(format!(
                "cover[message] has at most {} characters: send the rest as a file",
                Self::MAX_MESSAGE
            ));
        }
        Ok(())
    }
}

fn looks_like_html(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let start = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Text in UTF-8, in UTF-16 with a byte order mark, or in a legacy encoding without control characters.
fn looks_like_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return bytes.len().is_multiple_of(2);
    }
    let is_binary = |b: &u8| matches!(b, 0x00..=0x06 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    !bytes.iter().any(is_binary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let cases: &[(&[u8], MediaType)] = &[
            (b"%PDF-1.7\n", MediaType::Pdf),
            (b"\xef\xbb\xbf%PDF-1.4", MediaType::Pdf),
            (b"hello\n", MediaType::Text),
            (b"", MediaType::Text),
            ("\u{feff}gr\u{fc}\u{df}e".as_bytes(), MediaType::Text),
            (b"gr\xfc\xdfe", MediaType::Text),
            (b"\xff\xfeh\0i\0", MediaType::Text),
            (b"\x89PNG\r\n\x1a\n....", MediaType::Png),
            (b"\xff\xd8\xff\xe0", MediaType::Jpeg),
            (b"II*\0\x08\0\0\0", MediaType::Tiff),
            (b"PK\x03\x04", MediaType::Zip),
            (b"\0\x01\x02\x03", MediaType::Unknown),
            (b"<!DOCTYPE html><p>x", MediaType::Html),
            (b"{\\rtf1 x}", MediaType::Rtf),
        ];
        for (bytes, expected) in cases {
            assert_eq!(MediaType::sniff(bytes), *expected, "{bytes:?}");
        }
    }
}
