//! PDF files: page geometry, fonts, notes, what acts, and files that need mending.

use std::process::{Command, Stdio};

use faxgate_domain::document::DocumentErrorKind;

use super::writer::{LETTER, Pdf, letter, line};
use super::{Case, Ink};

/// All cases of this file.
pub fn cases() -> Vec<Case> {
    let mut all = geometry();
    all.extend(fonts());
    all.extend(named_fonts());
    all.extend(notes());
    all.extend(active());
    all.extend(mended());
    all.extend(by_others());
    all
}

const FONT: &str = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>";

/// A PDF of one page with these entries and this content.
pub fn one(name: &str, entries: &str, content: &str, words: &[&str]) -> Case {
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

/// Fonts for Chinese, Japanese and Korean that are only named, as older programs leave them to the reader.
fn named_fonts() -> Vec<Case> {
    let named = [
        ("HeiseiMin-W3", "Japan1", "90ms-RKSJ-H", "93fa967b8cea"),
        ("STSong-Light", "GB1", "UniGB-UCS2-H", "4e2d65870020"),
        ("MSung-Light", "CNS1", "UniCNS-UCS2-H", "4e2d65870020"),
        ("HYSMyeongJo-Medium", "Korea1", "UniKS-UCS2-H", "d55cae000020"),
    ];
    let case = |(font, ordering, encoding, text): (&str, &str, &str, &str)| {
        let mut pdf = Pdf::new();
        let inner = pdf.add(format!(
            "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{font} /DW 1000 /CIDSystemInfo << /Registry (Adobe) \
             /Ordering ({ordering}) /Supplement 2 >> >>"
        ));
        let outer = pdf.add(format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /{font}-{encoding} /Encoding /{encoding} \
             /DescendantFonts [{inner} 0 R] >>"
        ));
        let entries = format!("/MediaBox [0 0 612 792] /Resources << /Font << /F {outer} 0 R >> >>");
        pdf.page(&entries, &format!("BT /F 60 Tf 72 600 Td <{text}> Tj ET"));
        Case::fax(format!("pdf in {font}, not embedded"), pdf.finish(""), 1, &[]).ink(Ink::Some)
    };
    let mut all: Vec<Case> = named.map(case).into();
    all.extend(numbered_glyphs());
    all
}

/// Glyph numbers of a font that isn't there: another one has other letters at these numbers.
fn numbered_glyphs() -> [Case; 3] {
    let page = |map: Option<&[u8]>, content: &str| {
        let mut pdf = Pdf::new();
        let inner = pdf.add(
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Corporate /DW 600 /CIDToGIDMap /Identity /CIDSystemInfo << \
             /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        );
        let map = map.map_or_else(String::new, |map| {
            let stream = pdf.stream("", map);
            format!("/ToUnicode {stream} 0 R")
        });
        let outer = pdf.add(format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /Corporate /Encoding /Identity-H /DescendantFonts [{inner} 0 R] \
             {map} >>"
        ));
        let entries = format!(
            "/MediaBox [0 0 612 792] /Resources << /Font << /C {outer} 0 R /F << /Type /Font /Subtype /Type1 /BaseFont \
             /Helvetica >> >> >>"
        );
        pdf.page(&entries, content);
        pdf.finish("")
    };
    let told = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def \
        1 begincodespacerange <0000> <ffff> endcodespacerange 2 beginbfchar <0024> <0041> <0025> <0042> endbfchar \
        endcmap end end";
    let content = "BT /C 60 Tf 72 600 Td <00240025> Tj ET";
    [
        Case::refused(
            "pdf in glyph numbers, font not embedded",
            page(None, content),
            DocumentErrorKind::Broken,
        ),
        Case::fax(
            "pdf in glyph numbers that say their letters",
            page(Some(told), content),
            1,
            &[],
        )
        .ink(Ink::Some),
        Case::fax(
            "pdf that names such a font and doesn't use it",
            page(None, "BT /F 60 Tf 72 600 Td (Used) Tj ET"),
            1,
            &["Used"],
        ),
    ]
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
    for (mode, ink) in [(0, Ink::Near(1.5)), (1, Ink::Near(1.8)), (2, Ink::Near(1.6))] {
        let content = format!("BT /F 48 Tf {mode} Tr 72 600 Td (Mode) Tj ET");
        all.push(one(&format!("pdf with text mode {mode}"), LETTER, &content, &[]).ink(ink));
    }
    for mode in [3, 7] {
        let content = format!("BT /F 48 Tf {mode} Tr 72 600 Td (Mode) Tj ET");
        let unseen = one(&format!("pdf with text mode {mode}"), LETTER, &content, &[]);
        all.push(unseen.but_refused(DocumentErrorKind::Empty));
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
    std::fs::write(&source, crate::documents::pdf(2, "Rewritten")).expect("file");
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
