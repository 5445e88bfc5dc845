//! PDF files: page geometry, fonts, filters, pictures, what acts and what is layered, and files that need mending.

use std::process::{Command, Stdio};

use super::writer::{LETTER, Pdf, letter, line};
use super::{Case, Ink};

pub(crate) fn cases() -> Vec<Case> {
    let mut all = geometry();
    all.extend(fonts());
    all.extend(filters());
    all.extend(pictures());
    all.extend(drawing());
    all.extend(notes());
    all.extend(active());
    all.extend(mended());
    all.extend(by_others());
    all
}

const FONT: &str = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>";

fn one(name: &str, entries: &str, content: &str, words: &[&str]) -> Case {
    let mut pdf = Pdf::new();
    pdf.page(entries, content);
    Case::fax(name, pdf.finish(""), 1, words)
}

fn geometry() -> Vec<Case> {
    let mut all = Vec::new();
    for turn in [0, 90, 180, 270, -90, 450] {
        for (name, size) in [("Letter", "0 0 612 792"), ("landscape", "0 0 792 612")] {
            let entries = format!("/MediaBox [{size}] /Rotate {turn} {FONT}");
            let content = "BT /F 24 Tf 100 300 Td (Turned) Tj ET 3 w 60 60 400 400 re S";
            all.push(one(
                &format!("pdf {name} turned by {turn}"),
                &entries,
                content,
                &[],
            ));
        }
    }
    for (name, size) in [
        ("A4", "0 0 595 842"),
        ("Legal", "0 0 612 1008"),
        ("A3", "0 0 842 1191"),
        ("A5", "0 0 420 595"),
        ("a moved origin", "-100 -100 512 692"),
        ("corners the other way", "612 792 0 0"),
        ("a poster", "0 0 4000 5000"),
        ("a label", "0 0 144 144"),
    ] {
        let entries = format!("/MediaBox [{size}] {FONT}");
        let content = "BT /F 24 Tf 20 60 Td (Size) Tj ET 10 10 100 30 re f";
        let ink = if name == "a poster" {
            Ink::Near(1.8)
        } else {
            Ink::Near(1.5)
        };
        all.push(one(&format!("pdf of {name}"), &entries, content, &["Size"]).ink(ink));
    }
    let cropped = format!("/MediaBox [0 0 612 792] /CropBox [100 100 400 500] {FONT}");
    all.push(one(
        "pdf with a crop box",
        &cropped,
        "120 120 200 50 re f BT /F 24 Tf 120 300 Td (In) Tj ET",
        &["In"],
    ));
    let unit = format!("/MediaBox [0 0 306 396] /UserUnit 2 {FONT}");
    all.push(one(
        "pdf with a user unit",
        &unit,
        "BT /F 24 Tf 20 60 Td (Unit) Tj ET 10 10 100 30 re f",
        &["Unit"],
    ));
    let mut mixed = Pdf::new();
    for size in ["0 0 612 792", "0 0 792 612", "0 0 842 1191"] {
        let content = "BT /F 24 Tf 72 500 Td (Mixed) Tj ET 60 60 400 400 re S";
        mixed.page(&format!("/MediaBox [{size}] {FONT}"), content);
    }
    all.push(Case::fax(
        "pdf of mixed sizes",
        mixed.finish(""),
        3,
        &["Mixed", "Mixed", "Mixed"],
    ));
    all
}

fn fonts() -> Vec<Case> {
    let mut all = Vec::new();
    for name in [
        "Helvetica",
        "Helvetica-Bold",
        "Helvetica-Oblique",
        "Helvetica-BoldOblique",
        "Times-Roman",
        "Times-Bold",
        "Times-Italic",
        "Times-BoldItalic",
        "Courier",
        "Courier-Bold",
        "Courier-Oblique",
        "Courier-BoldOblique",
        "Symbol",
        "ZapfDingbats",
        "Arial",
        "TimesNewRoman,Bold",
        "NoSuchFont",
    ] {
        let entries = format!(
            "/MediaBox [0 0 612 792] /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /{name} >> >> >>"
        );
        let content = "BT /F 36 Tf 72 700 Td (Sample text 123) Tj 0 -50 Td (Second line) Tj ET";
        let words: &[&str] = if name == "Symbol" || name == "ZapfDingbats" {
            &[]
        } else {
            &["Sample text 123"]
        };
        all.push(one(&format!("pdf in {name}"), &entries, content, words).ink(Ink::Near(1.7)));
    }
    for (mode, ink) in [
        (0, Ink::Near(1.5)),
        (1, Ink::Near(1.8)),
        (2, Ink::Near(1.6)),
        (3, Ink::None),
        (7, Ink::None),
    ] {
        let content = format!("BT /F 48 Tf {mode} Tr 72 600 Td (Mode) Tj ET");
        all.push(one(&format!("pdf with text mode {mode}"), LETTER, &content, &[]).ink(ink));
    }
    let mut drawn = Pdf::new();
    let glyph = drawn.stream("", b"1000 0 0 0 750 750 d1 0 0 750 750 re f");
    let font = drawn.add(format!(
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 750 750] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 97 \
         /LastChar 97 /Widths [1000] /CharProcs << /sq {glyph} 0 R >> /Encoding << /Type /Encoding \
         /Differences [97 /sq] >> /Resources << >> >>"
    ));
    let entries = format!("/MediaBox [0 0 612 792] /Resources << /Font << /F {font} 0 R >> >>");
    drawn.page(&entries, "BT /F 60 Tf 72 600 Td (aaa) Tj ET");
    all.push(Case::fax("pdf with a drawn font", drawn.finish(""), 1, &[]));
    all.push(one(
        "pdf with spaced text",
        LETTER,
        "BT /F 20 Tf 5 Tc 150 Tz 72 600 Td [(W) -200 (ide)] TJ ET",
        &[],
    ));
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
    let with = |resources: &str| format!("/MediaBox [0 0 612 792] /Resources << {resources} >>");
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
        .ink(Ink::None),
    );
    all.push(one("pdf that is empty on purpose", LETTER, "", &[]).ink(Ink::None));
    all
}

fn notes() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, kind) in [
        ("a stamp", "/Subtype /Stamp"),
        ("a form field", "/Subtype /Widget /FT /Tx /T (name) /V (x)"),
        ("a free text", "/Subtype /FreeText /Contents (x) /DA (/F 12 Tf)"),
    ] {
        let mut pdf = Pdf::new();
        let look = pdf.stream(
            "/Type /XObject /Subtype /Form /BBox [0 0 200 60] /Resources << >>",
            b"0 0 200 60 re f",
        );
        let note = pdf.add(format!(
            "<< /Type /Annot {kind} /Rect [100 500 300 560] /F 4 /AP << /N {look} 0 R >> >>"
        ));
        pdf.page(
            &format!("{LETTER} /Annots [{note} 0 R]"),
            "BT /F 24 Tf 72 700 Td (Noted) Tj ET",
        );
        let pdf = if name == "a form field" {
            pdf.catalog(&format!("/AcroForm << /Fields [{note} 0 R] >>"))
        } else {
            pdf
        };
        all.push(Case::fax(
            format!("pdf with {name}"),
            pdf.finish(""),
            1,
            &["Noted"],
        ));
    }
    let mut hidden = Pdf::new();
    let look = hidden.stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 200 60] /Resources << >>",
        b"0 0 200 60 re f",
    );
    let note = hidden.add(format!(
        "<< /Type /Annot /Subtype /Stamp /Rect [100 500 300 560] /F 2 /AP << /N {look} 0 R >> >>"
    ));
    hidden.page(&format!("{LETTER} /Annots [{note} 0 R]"), &line("Hidden note"));
    all.push(Case::fax(
        "pdf with a hidden note",
        hidden.finish(""),
        1,
        &["Hidden note"],
    ));
    all
}

/// What acts is taken out of the file that is handed on.
fn active() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, action, gone) in [
        (
            "a script at opening",
            "/S /JavaScript /JS (app.alert\\(1\\))",
            "JavaScript",
        ),
        ("a program to launch", "/S /Launch /F (calc.exe)", "Launch"),
        (
            "a form to submit",
            "/S /SubmitForm /F (http://example.com)",
            "SubmitForm",
        ),
        (
            "a file elsewhere",
            "/S /GoToR /F (other.pdf) /D [0 /Fit]",
            "GoToR",
        ),
        ("data to import", "/S /ImportData /F (x.fdf)", "ImportData"),
    ] {
        let mut pdf = Pdf::new();
        pdf.page(LETTER, &line("Acting"));
        let pdf = pdf.catalog(&format!("/OpenAction << {action} >>"));
        all.push(Case::fax(format!("pdf with {name}"), pdf.finish(""), 1, &["Acting"]).without(&[gone]));
        let mut pdf = Pdf::new();
        let note = format!(
            "<< /Type /Annot /Subtype /Link /Rect [72 690 200 720] /Border [0 0 0] /A << {action} >> >>"
        );
        pdf.page(&format!("{LETTER} /Annots [{note}]"), &line("Linked"));
        all.push(
            Case::fax(
                format!("pdf with a link to {name}"),
                pdf.finish(""),
                1,
                &["Linked"],
            )
            .without(&[gone]),
        );
    }
    let mut pdf = Pdf::new();
    let file = pdf.stream("/Type /EmbeddedFile", b"MZ a program");
    pdf.page(LETTER, &line("Attached"));
    let pdf = pdf.catalog(&format!(
        "/Names << /EmbeddedFiles << /Names [(a.exe) << /Type /Filespec /F (a.exe) /EF << /F {file} 0 R >> >>] >> >>"
    ));
    all.push(
        Case::fax("pdf with an attachment", pdf.finish(""), 1, &["Attached"])
            .without(&["EmbeddedFile", "MZ a program"]),
    );
    let mut pdf = Pdf::new();
    pdf.page(
        &format!("{LETTER} /AA << /O << /S /JavaScript /JS (x) >> >>"),
        &line("Page action"),
    );
    all.push(
        Case::fax(
            "pdf with an action of a page",
            pdf.finish(""),
            1,
            &["Page action"],
        )
        .without(&["JavaScript"]),
    );
    let mut pdf = Pdf::new();
    let note = "<< /Type /Annot /Subtype /Link /Rect [72 690 200 720] /Border [0 0 0] /A << /S /URI /URI (http://example.com) >> >>";
    pdf.page(&format!("{LETTER} /Annots [{note}]"), &line("A web address"));
    all.push(Case::fax(
        "pdf with a web address",
        pdf.finish(""),
        1,
        &["A web address"],
    ));
    all
}

/// Files that are not as they should be and can be shown in full all the same.
fn mended() -> Vec<Case> {
    let whole = letter("Mended");
    let replace = |from: &[u8], to: &[u8]| -> Vec<u8> {
        let at = whole
            .windows(from.len())
            .position(|window| window == from)
            .expect("the words");
        [&whole[..at], to, &whole[at + from.len()..]].concat()
    };
    vec![
        Case::fax(
            "pdf behind rubbish",
            [b"rubbish\n".as_slice(), &whole].concat(),
            1,
            &["Mended"],
        ),
        Case::fax(
            "pdf before rubbish",
            [&whole, b"\nrubbish\n".as_slice()].concat(),
            1,
            &["Mended"],
        ),
        Case::fax(
            "pdf with a wrong startxref",
            replace(b"startxref\n", b"startxref\n9"),
            1,
            &["Mended"],
        ),
        Case::fax(
            "pdf with wrong offsets",
            replace(b"0000000015", b"0000000999"),
            1,
            &["Mended"],
        ),
        Case::fax(
            "pdf with a wrong length",
            replace(b"/Length ", b"/Length 9"),
            1,
            &["Mended"],
        ),
        Case::fax(
            "pdf without an end mark",
            whole[..whole.len() - 6].to_vec(),
            1,
            &["Mended"],
        ),
        Case::fax(
            "pdf with spaces at the end",
            [&whole, [b' '; 500].as_slice()].concat(),
            1,
            &["Mended"],
        ),
    ]
}

/// Files that other programs made, where they are installed.
fn by_others() -> Vec<Case> {
    let mut all = Vec::new();
    let folder = tempfile::tempdir().expect("folder");
    let source = folder.path().join("in.pdf");
    std::fs::write(&source, crate::harness::documents::pdf(2, "Rewritten")).expect("file");
    for (name, options) in [
        ("as 1.4", &["-dCompatibilityLevel=1.4"][..]),
        ("as 1.7", &["-dCompatibilityLevel=1.7"]),
        ("for the web", &["-dFastWebView=true"]),
        (
            "under an owner's password, 40 bits",
            &["-sOwnerPassword=x", "-dEncryptionR=2", "-dKeyLength=40"],
        ),
        (
            "under an owner's password, 128 bits",
            &["-sOwnerPassword=x", "-dEncryptionR=3", "-dKeyLength=128"],
        ),
    ] {
        let out = folder.path().join("out.pdf");
        let made = Command::new("gs")
            .args(["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite"])
            .args(options)
            .arg(format!("-sOutputFile={}", out.display()))
            .arg(&source)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match made {
            Ok(status) if status.success() => {
                let bytes = std::fs::read(&out).expect("a PDF");
                let case = Case::fax(
                    format!("pdf written by Ghostscript {name}"),
                    bytes,
                    2,
                    &["Rewritten"],
                );
                all.push(if name.contains("password") {
                    case.without(&["/Encrypt"])
                } else {
                    case
                });
            }
            Ok(_) => {}
            Err(_) => eprintln!("skipped: PDF written {name}, without Ghostscript to write it"),
        }
    }
    for path in [
        "/usr/share/doc/shared-mime-info/shared-mime-info-spec.pdf",
        "/usr/share/doc/libtasn1-doc/libtasn1.pdf",
    ] {
        if let (Ok(bytes), Some(pages)) = (std::fs::read(path), pages_of(path)) {
            all.push(Case::fax(path, bytes, pages, &[]).ink(Ink::Near(1.6)));
        }
    }
    all
}

/// The pages that poppler counts.
fn pages_of(path: &str) -> Option<u32> {
    let output = Command::new("pdfinfo").arg(path).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("Pages:")?.trim().parse().ok())
}
