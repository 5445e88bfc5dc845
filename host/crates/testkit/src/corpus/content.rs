//! PDF files: filters of streams, pictures, and what content draws.

use faxgate_domain::document::DocumentErrorKind;

use super::pdfs::one;
use super::writer::{LETTER, Pdf, line};
use super::{Case, Ink};

/// All cases of this file.
pub fn cases() -> Vec<Case> {
    let mut all = filters();
    all.extend(pictures());
    all.extend(drawing());
    all.extend(resources());
    all
}

fn filters() -> Vec<Case> {
    let content = line("Filtered");
    let mut all = Vec::new();
    let hex: String = content
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        + ">";
    let run: Vec<u8> = content
        .as_bytes()
        .chunks(100)
        .flat_map(|chunk| [&[u8::try_from(chunk.len() - 1).expect("short")], chunk].concat())
        .chain([128])
        .collect();
    let flate = miniz_oxide::deflate::compress_to_vec_zlib(content.as_bytes(), 6);
    let bare = miniz_oxide::deflate::compress_to_vec(content.as_bytes(), 6);
    for (name, data) in [
        ("ASCIIHexDecode", hex.clone().into_bytes()),
        ("RunLengthDecode", run),
        ("FlateDecode", flate.clone()),
        ("ASCII85Decode", ascii85(content.as_bytes())),
    ] {
        all.push(filtered(name, &format!("/Filter /{name}"), &data));
    }
    all.push(filtered(
        "two filters",
        "/Filter [/ASCIIHexDecode /FlateDecode]",
        &to_hex(&flate),
    ));
    all.push(
        filtered(
            "Flate without a check sum",
            "/Filter /FlateDecode",
            &flate[..flate.len() - 4],
        )
        .ink(Ink::Some),
    );
    // Poppler reads nothing of it.
    let Case { bytes, .. } = filtered("bare deflate", "/Filter /FlateDecode", &bare);
    all.push(Case::fax("pdf with bare deflate", bytes, 1, &[]).ink(Ink::Some));
    let mut parts = Pdf::new();
    let (first, second) = (
        parts.stream("", b"BT /F 24 Tf 72 700 Td (Two"),
        parts.stream("", b" parts) Tj ET 60 60 400 400 re S"),
    );
    let page = parts.page(LETTER, "");
    let text = format!("<< /Type /Page /Parent 2 0 R {LETTER} /Contents [{first} 0 R {second} 0 R] >>");
    parts.replace(page, text);
    all.push(Case::fax("pdf with content in two streams", parts.finish(""), 1, &[]).ink(Ink::Some));
    all
}

fn filtered(name: &str, entries: &str, data: &[u8]) -> Case {
    let mut pdf = Pdf::new();
    let page = pdf.page(LETTER, "");
    let stream = pdf.stream(entries, data);
    pdf.replace(
        page,
        format!("<< /Type /Page /Parent 2 0 R {LETTER} /Contents {stream} 0 R >>"),
    );
    Case::fax(format!("pdf with {name}"), pdf.finish(""), 1, &["Filtered"])
}

fn to_hex(data: &[u8]) -> Vec<u8> {
    (data.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ">").into_bytes()
}

fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in data.chunks(4) {
        let mut four = [0; 4];
        four[..chunk.len()].copy_from_slice(chunk);
        let mut value = u32::from_be_bytes(four);
        let mut five = [0; 5];
        for digit in five.iter_mut().rev() {
            *digit = 33 + u8::try_from(value % 85).expect("a digit");
            value /= 85;
        }
        out.extend_from_slice(&five[..=chunk.len()]);
    }
    out.extend_from_slice(b"~>");
    out
}

fn pictures() -> Vec<Case> {
    let tones: Vec<u8> = (0..100_u32)
        .flat_map(|y| (0..100_u32).map(move |x| if (x / 10 + y / 10) % 2 == 0 { 20 } else { 235 }))
        .collect();
    let coloured: Vec<u8> = tones.iter().flat_map(|tone| [*tone, *tone, *tone / 2]).collect();
    let bits: Vec<u8> = (0..100)
        .flat_map(|y| (0..13).map(move |x| if (x + y / 8) % 2 == 0 { 0xff } else { 0 }))
        .collect();
    let mut all = Vec::new();
    for (name, entries, data) in [
        ("grey", "/ColorSpace /DeviceGray /BitsPerComponent 8", &tones),
        (
            "grey, inverted",
            "/ColorSpace /DeviceGray /BitsPerComponent 8 /Decode [1 0]",
            &tones,
        ),
        ("colour", "/ColorSpace /DeviceRGB /BitsPerComponent 8", &coloured),
        ("bits", "/ColorSpace /DeviceGray /BitsPerComponent 1", &bits),
        ("a stencil", "/ImageMask true /BitsPerComponent 1", &bits),
        (
            "an index",
            "/ColorSpace [/Indexed /DeviceRGB 255 <00>] /BitsPerComponent 8",
            &tones,
        ),
    ] {
        let entries = entries.replace(
            "<00>",
            &format!(
                "<{}>",
                (0..=255)
                    .map(|n| format!("{n:02x}").repeat(3))
                    .collect::<String>()
            ),
        );
        all.push(image(name, &entries, 100, 100, data));
    }
    let jpeg = super::pictures::jpeg_bytes();
    all.push(image(
        "a JPEG",
        "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode",
        600,
        400,
        &jpeg,
    ));
    let inline = "q 300 0 0 300 100 300 cm BI /W 4 /H 4 /CS /G /BPC 8 ID \x00\x7f\x00\x7f\x7f\x00\x7f\x00\x00\x7f\x00\x7f\x7f\x00\x7f\x00 EI Q";
    all.push(one("pdf with a picture inline", LETTER, inline, &[]));
    all
}

fn image(name: &str, entries: &str, width: u32, height: u32, data: &[u8]) -> Case {
    let mut pdf = Pdf::new();
    let image = pdf.stream(
        &format!("/Type /XObject /Subtype /Image /Width {width} /Height {height} {entries}"),
        data,
    );
    let page = format!("/MediaBox [0 0 612 792] /Resources << /XObject << /I {image} 0 R >> >>");
    pdf.page(&page, "q 400 0 0 400 100 200 cm /I Do Q");
    Case::fax(format!("pdf with {name} as picture"), pdf.finish(""), 1, &[])
}

fn drawing() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, content) in [
        ("strokes", "5 w 100 100 m 500 700 l S 100 700 m 500 100 l S"),
        ("dashes", "5 w [20 10] 0 d 100 100 m 500 700 l S"),
        ("curves", "100 100 m 200 700 400 700 500 100 c f"),
        ("an even-odd fill", "100 100 400 400 re 200 200 200 200 re f*"),
        ("a clip", "q 100 100 100 100 re W n 0 0 600 700 re f Q"),
        ("a thin line", "0 w 100 100 m 500 100 l S 100 200 m 500 200 l S"),
        ("light grey", "0.6 g 100 100 400 400 re f"),
        ("CMYK", "0 0 0 1 k 100 100 300 300 re f"),
        (
            "nested states",
            "q q q 2 0 0 2 0 0 cm 50 50 100 100 re f Q Q Q 400 400 50 50 re f",
        ),
    ] {
        all.push(one(&format!("pdf with {name}"), LETTER, content, &[]));
    }
    all
}

/// What is drawn with resources of its own.
fn resources() -> Vec<Case> {
    let mut all = Vec::new();
    let with = |resources: &str| format!("/MediaBox [0 0 612 792] /Resources << {resources} >>");
    let axial = "/Shading << /S << /ShadingType 2 /ColorSpace /DeviceGray /Coords [100 0 500 0] /Function \
        << /FunctionType 2 /Domain [0 1] /C0 [0] /C1 [1] /N 1 >> >> >>";
    all.push(one(
        "pdf with a ramp",
        &with(axial),
        "q 100 100 400 400 re W n /S sh Q",
        &[],
    ));
    let see_through = "/ExtGState << /G << /ca 0.5 >> >>";
    all.push(one(
        "pdf with half-transparent ink",
        &with(see_through),
        "/G gs 100 100 400 400 re f",
        &[],
    ));
    let mut form = Pdf::new();
    let inner = form.stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << >>",
        b"10 10 80 80 re f",
    );
    let outer = form.stream(
        &format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 200 200] /Resources << /XObject << /X {inner} 0 R >> >>"
        ),
        b"/X Do 1 0 0 1 100 100 cm /X Do",
    );
    form.page(
        &with(&format!("/XObject << /X {outer} 0 R >>")),
        "2 0 0 2 100 100 cm /X Do",
    );
    all.push(Case::fax("pdf with nested forms", form.finish(""), 1, &[]));
    let mut tiles = Pdf::new();
    let tile = tiles.stream(
        "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 20 20] /XStep 20 /YStep 20 /Resources << >>",
        b"0 0 10 10 re f",
    );
    tiles.page(
        &with(&format!("/Pattern << /P {tile} 0 R >>")),
        "/Pattern cs /P scn 100 100 400 400 re f",
    );
    all.push(Case::fax("pdf with a pattern", tiles.finish(""), 1, &[]));
    let mut layers = Pdf::new();
    let (on, off) = (
        layers.add("<< /Type /OCG /Name (on) >>"),
        layers.add("<< /Type /OCG /Name (off) >>"),
    );
    layers.page(
        &with(&format!("/Properties << /A {on} 0 R /B {off} 0 R >>")),
        "/OC /A BDC 100 100 100 100 re f EMC /OC /B BDC 300 300 250 250 re f EMC",
    );
    let layers = layers.catalog(&format!(
        "/OCProperties << /OCGs [{on} 0 R {off} 0 R] /D << /OFF [{off} 0 R] >> >>"
    ));
    all.push(Case::fax(
        "pdf with a layer switched off",
        layers.finish(""),
        1,
        &[],
    ));
    all.push(
        one(
            "pdf that is white on purpose",
            LETTER,
            "1 g 0 0 612 792 re f",
            &[],
        )
        .but_refused(DocumentErrorKind::Empty),
    );
    all.push(one("pdf that is empty on purpose", LETTER, "", &[]).but_refused(DocumentErrorKind::Empty));
    all
}
