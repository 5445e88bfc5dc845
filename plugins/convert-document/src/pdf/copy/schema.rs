//! The entries of PDF objects that decide how a page prints (ISO 32000-1), by what the object is for.
//!
//! This is a list of what is allowed. An entry that is not named here, now or in a later version of PDF, is not copied:
//! actions, scripts, attachments, links to other files, alternate presentations and private data of programs.

use hayro::hayro_syntax::object::{Dict, Name};

/// What an object is for, which decides the entries it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Numbers, names, strings, and arrays of them; no dictionaries or streams.
    Plain,
    /// A dictionary with any names as keys.
    Map(&'static Self),
    /// A stream without entries of its own, such as page content.
    Data,
    Resources,
    /// An image or a form; the dictionary says which.
    XObject,
    Image,
    Form,
    Group,
    Font,
    FontDescriptor,
    FontFile,
    Encoding,
    /// The Unicode values of a composite font that is not embedded.
    UnicodeMap,
    CidSystemInfo,
    GraphicsState,
    SoftMask,
    Function,
    Pattern,
    Shading,
    ColorSpace,
    DecodeParameters,
    /// An optional content group, or a membership of some.
    Layer,
}

use Role::{
    CidSystemInfo, ColorSpace, Data, DecodeParameters, Encoding, Font, FontDescriptor, FontFile, Form,
    Function, GraphicsState, Group, Image, Layer, Map, Pattern, Plain, Resources, Shading, SoftMask, XObject,
};

/// Entries with their roles.
type Entries = &'static [(&'static str, Role)];

impl Role {
    /// The role of the value under `key` in a dictionary of this role; `None` for one that is not copied.
    pub(crate) fn of_entry(self, key: &[u8]) -> Option<Self> {
        if let Map(role) = self {
            return Some(*role);
        }
        let named = |entries: Entries| {
            let entry = entries.iter().find(|(name, _)| name.as_bytes() == key);
            entry.map(|(_, role)| *role)
        };
        named(self.entries()).or_else(|| {
            self.plain()
                .as_bytes()
                .split(|byte| *byte == b' ')
                .any(|name| name == key)
                .then_some(Plain)
        })
    }

    /// The role of a stream or dictionary in the place of an external object; `None` for PostScript and unknown ones.
    pub(crate) fn of_x_object(dict: &Dict<'_>) -> Option<Self> {
        match dict.get::<Name<'_>>("Subtype")?.as_ref() {
            b"Image" => Some(Image),
            b"Form" => Some(Form),
            _ => None,
        }
    }

    /// Entries whose values are dictionaries, streams or references to them.
    fn entries(self) -> Entries {
        match self {
            Resources => &[
                ("ColorSpace", Map(&ColorSpace)),
                ("ExtGState", Map(&GraphicsState)),
                ("Font", Map(&Font)),
                ("Pattern", Map(&Pattern)),
                ("Properties", Map(&Layer)),
                ("Shading", Map(&Shading)),
                ("XObject", Map(&XObject)),
            ],
            Image => &[
                ("ColorSpace", ColorSpace),
                ("Mask", Image),
                ("OC", Layer),
                ("SMask", Image),
            ],
            Form => &[("Group", Group), ("OC", Layer), ("Resources", Resources)],
            Group => &[("CS", ColorSpace)],
            Font => &[
                ("CIDSystemInfo", CidSystemInfo),
                ("CIDToGIDMap", Data),
                ("CharProcs", Map(&Data)),
                ("DescendantFonts", Font),
                ("Encoding", Encoding),
                ("FontDescriptor", FontDescriptor),
                ("Resources", Resources),
                ("ToUnicode", Encoding),
            ],
            FontDescriptor => &[
                ("CIDSet", Data),
                ("FontFile", FontFile),
                ("FontFile2", FontFile),
                ("FontFile3", FontFile),
                ("Style", Map(&Plain)),
            ],
            Encoding => &[("CIDSystemInfo", CidSystemInfo), ("UseCMap", Encoding)],
            GraphicsState => &[
                ("Font", Font),
                ("SMask", SoftMask),
                ("TR", Function),
                ("TR2", Function),
            ],
            SoftMask => &[("G", Form), ("TR", Function)],
            Function => &[("Functions", Function)],
            Pattern => &[
                ("ExtGState", GraphicsState),
                ("Resources", Resources),
                ("Shading", Shading),
            ],
            Shading => &[("ColorSpace", ColorSpace), ("Function", Function)],
            // Also of the functions, profiles and attributes in the array of a colour space.
            ColorSpace => &[
                ("Alternate", ColorSpace),
                ("ColorSpace", ColorSpace),
                ("Colorants", Map(&ColorSpace)),
                ("Functions", Function),
                ("Process", ColorSpace),
            ],
            DecodeParameters => &[("JBIG2Globals", Data)],
            _ => &[],
        }
    }

    /// Entries with plain values, separated by spaces.
    fn plain(self) -> &'static str {
        match self {
            Resources => "ProcSet",
            Image => {
                "Type Subtype Name Width Height BitsPerComponent ImageMask Decode Interpolate Intent SMaskInData Matte"
            }
            Form => "Type Subtype FormType Name BBox Matrix",
            Group => "Type S I K",
            Font => "Type Subtype BaseFont Name FirstChar LastChar Widths FontBBox FontMatrix DW DW2 W W2",
            FontDescriptor => {
                "Type FontName FontFamily FontStretch FontWeight Flags FontBBox ItalicAngle Ascent Descent Leading \
                 CapHeight XHeight StemV StemH AvgWidth MaxWidth MissingWidth CharSet Lang"
            }
            FontFile => "Subtype Length1 Length2 Length3",
            Encoding => "Type BaseEncoding Differences CMapName WMode",
            CidSystemInfo => "Registry Ordering Supplement",
            GraphicsState => "Type LW LC LJ ML D RI OP op OPM FL SM SA BM CA ca AIS TK",
            SoftMask => "Type S BC",
            Function => "FunctionType Domain Range Size BitsPerSample Order Encode Decode C0 C1 N Bounds",
            Pattern => "Type PatternType PaintType TilingType BBox XStep YStep Matrix",
            Shading => {
                "ShadingType Background BBox AntiAlias Coords Domain Extend Matrix BitsPerCoordinate BitsPerComponent \
                 BitsPerFlag Decode VerticesPerRow"
            }
            ColorSpace => {
                "N Range WhitePoint BlackPoint Gamma Matrix Subtype Components FunctionType Domain Size BitsPerSample \
                 Order Encode Decode C0 C1 Bounds"
            }
            DecodeParameters => {
                "Predictor Colors BitsPerComponent Columns EarlyChange K EndOfLine EncodedByteAlign Rows EndOfBlock \
                 BlackIs1 DamagedRowsBeforeError ColorTransform"
            }
            _ => "",
        }
    }
}

/// The role of an entry that says how the data of a stream is coded.
pub(crate) fn of_coding(key: &[u8]) -> Option<Role> {
    match key {
        b"Filter" => Some(Plain),
        b"DecodeParms" | b"DP" => Some(DecodeParameters),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_allowed_by_role() {
        assert_eq!(Form.of_entry(b"BBox"), Some(Plain));
        assert_eq!(Form.of_entry(b"Resources"), Some(Resources));
        assert_eq!(Resources.of_entry(b"XObject"), Some(Map(&XObject)));
        assert_eq!(Map(&XObject).of_entry(b"Ref"), Some(XObject));
        for key in [
            "Ref",
            "OPI",
            "PS",
            "PieceInfo",
            "Metadata",
            "AF",
            "StructParents",
            "Type Subtype",
            "",
        ] {
            assert_eq!(Form.of_entry(key.as_bytes()), None, "{key}");
        }
        assert_eq!(Image.of_entry(b"Alternates"), None);
    }
}
