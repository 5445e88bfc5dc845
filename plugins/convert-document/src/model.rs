//! The shapes of the converter interface as plain Rust, so that everything but `guest` compiles and is tested
//! on any target. The names are those of `wit/converter.wit`.

/// One document as the sender gave it.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The bytes.
    pub data: Vec<u8>,
    /// Media type that the gateway read from the first bytes.
    pub media_type: String,
    /// What else the gateway says about it; only cover pages have some.
    pub attributes: Vec<(String, String)>,
}

/// Gives the font file for a script, named by its ISO 15924 code; none when there is none.
pub type FontProvider = &'static (dyn Fn(&str) -> Option<Vec<u8>> + Sync);

/// What a result may not exceed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pages of the whole fax.
    pub max_pages: u32,
    /// Bytes of the PDF handed to the provider.
    pub max_bytes: u64,
    /// Rows of one rendered page.
    pub max_rows: u32,
}

/// How documents are opened.
#[derive(Clone, Copy)]
pub struct OpenOptions {
    /// Paper for what is not a PDF.
    pub paper: Paper,
    /// What a result may not exceed.
    pub limits: Limits,
    /// Where further fonts come from.
    pub font_provider: FontProvider,
    /// Whether a PDF with scripts, attachments or links to other files is refused instead of cleaned.
    pub refuse_active: bool,
    /// Whether it was opened before, so that only its pages are to be drawn.
    pub checked: bool,
}

#[cfg(test)]
impl OpenOptions {
    /// No further fonts, and active content is cleaned.
    pub(crate) fn for_tests(paper: Paper, limits: Limits) -> Self {
        Self {
            paper,
            limits,
            font_provider: &|_| None,
            refuse_active: false,
            checked: false,
        }
    }
}

/// Why a document can't be faxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Not a format this converter reads.
    Unsupported,
    /// Needs a password.
    Encrypted,
    /// Damaged: not every page can be shown.
    Broken,
    /// Has no page or nothing on it.
    Empty,
    /// More pages than [`Limits::max_pages`].
    TooManyPages,
    /// More memory, pixels or bytes than allowed.
    TooLarge,
}

/// A refusal, with a sentence for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class, which decides the HTTP status.
    pub kind: FailureKind,
    /// One sentence that says what to do, without content of the document.
    pub message: String,
}

impl Failure {
    /// A refusal of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The document has more pages than `max`.
    pub fn too_many_pages(max: u32) -> Self {
        let message = format!("The document has more than {max} pages; send it in several faxes.");
        Self::new(FailureKind::TooManyPages, message)
    }

    /// Something of page `number`, counted from 1, can't be shown.
    pub fn damaged_page(number: u32) -> Self {
        let message = format!(
            "Page {number} can't be shown in full: its pictures or fonts are damaged; save the PDF again."
        );
        Self::new(FailureKind::Broken, message)
    }

    /// The PDF would have more bytes than `max`.
    pub fn too_many_bytes(max: u64) -> Self {
        let message =
            format!("The document takes more than {max} bytes as a PDF; send fewer or smaller pages.");
        Self::new(FailureKind::TooLarge, message)
    }
}

/// Paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    /// 8.5 by 11 inches.
    #[default]
    Letter,
    /// 210 by 297 mm.
    A4,
}

impl Paper {
    /// Width and height in points (1/72 inch).
    pub fn points(self) -> (f64, f64) {
        match self {
            Self::Letter => (612.0, 792.0),
            Self::A4 => (595.276, 841.89),
        }
    }

    /// The paper that the option `page-size` names; anything else is Letter, the gateway's default.
    pub fn from_option(value: Option<&str>) -> Self {
        if value.is_some_and(|value| value.eq_ignore_ascii_case("a4")) {
            Self::A4
        } else {
            Self::Letter
        }
    }
}

/// Vertical resolution of a fax page; both are 204 dots per inch across (ITU-T T.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// 98 dots per inch down.
    Standard,
    /// 196 dots per inch down.
    Fine,
}

impl Resolution {
    /// Dots per inch down.
    pub fn y_dpi(self) -> u16 {
        match self {
            Self::Standard => 98,
            Self::Fine => 196,
        }
    }
}

/// Dots per inch across, whatever the resolution.
pub const X_DPI: u16 = 204;

/// How grey becomes black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halftone {
    /// Error diffusion for pictures, threshold for text and line art.
    Automatic,
    /// One threshold for everything.
    Threshold,
    /// Error diffusion for everything.
    Diffuse,
}

/// How one page is to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Raster {
    /// Pixels per row.
    pub width: u32,
    /// Vertical resolution.
    pub resolution: Resolution,
    /// Paper to fit the page on.
    pub paper: Paper,
    /// Treatment of grey.
    pub halftone: Halftone,
}

/// One page as the far machine will print it.
#[derive(Clone, Debug)]
pub struct FaxPage {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Dots per inch across.
    pub x_dpi: u16,
    /// Dots per inch down.
    pub y_dpi: u16,
    /// ITU-T T.6 data with end-of-block.
    pub g4: Vec<u8>,
    /// Black pixels.
    pub black: u64,
}
