//! How files are put together, and pages that no paper holds.

use super::file::*;
use crate::FailureKind;

#[test]
fn bytes_before_the_header_are_not_handed_on() {
    let sound = page("", "", FOOT, &[]);
    assert!(open(&sound).pdf().is_none());
    for before in ["x", "HTTP/1.1 200 OK\r\n\r\n", "\u{feff}"] {
        let file = [before.as_bytes(), &sound].concat();
        assert!(handed_on(&file).starts_with(b"%PDF-"));
        assert_flat(&open(&file));
    }
}

#[test]
fn a_file_that_has_to_be_repaired_is_written_anew() {
    let sound = String::from_utf8(page("", "", FOOT, &[])).unwrap();
    for (from, to) in [
        ("%PDF-1.7\n", "%PDF-1.7\n%\n"),
        ("startxref\n", "startxref\n1"),
        ("0000000009", "0000000007"),
        ("/Length 37", "/Length 7"),
        ("/Length 37", "/Length 5 0 R"),
    ] {
        let odd = sound.replacen(from, to, 1);
        assert_ne!(odd, sound);
        let document = open(odd.as_bytes());
        assert!(document.pdf().is_some(), "{from}");
        assert_flat(&document);
    }
}

#[test]
fn a_page_tree_in_a_circle_is_mended_or_refused() {
    let sound = String::from_utf8(page("", "", FOOT, &[])).unwrap();
    for kids in [
        "[3 0 R 2 0 R]",
        "[2 0 R 3 0 R]",
        "[3 0 R 9 0 R]",
        "[3 0 R 3 0 R]",
        "[2 0 R]",
    ] {
        for count in ["1", "2"] {
            let odd = sound.replacen("[3 0 R] /Count 1", &format!("{kids} /Count {count}"), 1);
            match try_open(&[odd.as_bytes()]) {
                Ok(document) => assert_flat(&document),
                Err(failure) => assert_eq!(failure.kind, FailureKind::Broken, "{kids} {count}"),
            }
        }
    }
    let wrong = sound.replacen("/Count 1", "/Count 0", 1);
    assert_flat(&open(wrong.as_bytes()));
}

#[test]
fn a_file_whose_attachments_alone_are_encrypted_opens() {
    let entries = |filters: &str| {
        format!(
            "<< /Filter /Standard /V 4 /R 4 /Length 128 /P -4 /O <{0}> /U <{0}> /CF << /None << /CFM /None >> /StdCF << /CFM /AESV2 /AuthEvent /EFOpen /Length 16 >> >> {filters} /EFF /StdCF >>",
            "0e".repeat(32)
        )
    };
    let locked = |filters: &str, is_direct: bool| {
        let file = page(
            "/Names << /EmbeddedFiles << /Names [(a.txt) 7 0 R] >> >>",
            "",
            FOOT,
            &[
                entries(filters),
                "<< /Type /Filespec /F (a.txt) /EF << /F 8 0 R >> >>".to_owned(),
                stream(
                    "/Type /EmbeddedFile /Filter /Crypt /DecodeParms << /Name /StdCF >>",
                    "0123456789abcdef",
                ),
            ],
        );
        let text = String::from_utf8(file).unwrap();
        let encryption = if is_direct {
            entries(filters)
        } else {
            "6 0 R".to_owned()
        };
        text.replacen(
            "/Root 1 0 R",
            &format!("/Root 1 0 R /Encrypt {encryption} /ID [<00> <00>]"),
            1,
        )
    };
    for (filters, is_direct) in [
        ("/StmF /Identity /StrF /Identity", false),
        ("/StmF /Identity /StrF /Identity", true),
        ("/StmF /None /StrF /Identity", false),
        ("", false),
    ] {
        let document = open(locked(filters, is_direct).as_bytes());
        assert!(black(&document, 0, [0.0, 0.0, 612.0, 100.0]) > 200);
        assert!(!contains(document.pdf().unwrap(), "ncrypt"));
        assert_eq!(document.notes().len(), 1);
        assert_flat(&document);
    }
    for filters in ["/StmF /StdCF /StrF /Identity", "/StmF /Identity /StrF /StdCF"] {
        let failure = try_open(&[locked(filters, false).as_bytes()]).err().unwrap();
        assert_eq!(failure.kind, FailureKind::Encrypted, "{filters}");
    }
}

#[test]
fn a_page_has_one_size() {
    let square = "100 100 100 100 re f 500 700 50 50 re f";
    let file = page("", "/CropBox [50 50 300 400]", square, &[]);
    let document = open(&file);
    let pdf = document.pdf().unwrap();
    assert!(!contains(pdf, "612"));
    assert_flat(&document);
    assert!(
        open(&page("", "/CropBox [0 0 612 792]", square, &[]))
            .pdf()
            .is_none()
    );
}

#[test]
fn a_page_much_longer_than_paper_becomes_several() {
    let lines: String = (0..300)
        .map(|line| {
            format!(
                "BT /F 9 Tf 10 {} Td (Line {line} of the receipt) Tj ET ",
                5650 - line * 18
            )
        })
        .collect();
    for (size, turn, count) in [
        ("226 5669", 0, 8),
        ("226 5669", 90, 8),
        ("226 5669", 180, 8),
        ("5669 226", 270, 8),
        ("612 1008", 0, 1),
        ("612 1900", 0, 1),
    ] {
        let text = if size.starts_with("226") {
            lines.clone()
        } else {
            format!("0 0 {} re f", "5000 200")
        };
        let file = page("", "", &text, &[]);
        let file = String::from_utf8(file).unwrap().replacen(
            "[0 0 612 792]",
            &format!("[0 0 {size}] /Rotate {turn}"),
            1,
        );
        let document = open(file.as_bytes());
        assert_eq!(document.pages(), count, "{size} {turn}");
        assert_eq!(document.notes().len(), usize::from(size != "612 1008"), "{size}");
        for page in 0..count {
            assert!(
                document.render(page, &RASTER).unwrap().black > 1000,
                "{size} {turn} {page}"
            );
        }
    }
    // At its own size: a line of 9 points is as high as on any other page.
    let file =
        String::from_utf8(page("", "", &lines, &[]))
            .unwrap()
            .replacen("[0 0 612 792]", "[0 0 226 5669]", 1);
    let drawn = black(&open(file.as_bytes()), 0, [193.0, 0.0, 419.0, 792.0]);
    assert!(drawn > 20_000, "{drawn}");
    let many = file.replacen("226 5669", "226 90000", 1);
    assert_eq!(
        try_open(&[many.as_bytes()]).err().unwrap().kind,
        FailureKind::TooManyPages
    );
}

#[test]
fn a_page_without_a_black_pixel_is_refused() {
    for content in [
        "",
        "1 g 0 0 612 792 re f",
        "BT /F 12 Tf 3 Tr 72 700 Td (unseen) Tj ET",
        "1 g BT /F 12 Tf 72 700 Td (white) Tj ET",
        "0.99 g 0 0 99 99 re f",
        "BT /F 12 Tf 72 900 Td (beside the page) Tj ET",
        "BT /F 12 Tf 72 700 Td (   ) Tj ET",
    ] {
        let failure = try_open(&[&page("", "", content, &[])]).err().unwrap();
        assert_eq!(failure.kind, FailureKind::Empty, "{content}: {}", failure.message);
    }
    for content in [
        "0.6 g 0 0 612 792 re f",
        "0 0 1 1 re f",
        "0.7 g BT /F 30 Tf 72 700 Td (pale) Tj ET",
    ] {
        open(&page("", "", content, &[]));
    }
}

#[test]
fn soft_hyphens_of_fonts_that_are_not_embedded_are_hyphens() {
    const LINE: [f64; 4] = [60.0, 690.0, 300.0, 730.0];
    let simple = |text: &str, encoding: &str| {
        let font = format!(
            "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding {encoding} >> >> >>"
        );
        let file = page(
            "",
            &font,
            &format!("{FOOT} BT /F 24 Tf 72 700 Td {text} Tj ET"),
            &[],
        );
        black(&open(&file), 0, LINE)
    };
    let composite_file = |unicode: &str| {
        let map = format!(
            "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0010> <{unicode}> endbfchar"
        );
        let font = "/Resources << /Font << /F 5 0 R /A << /Type /Font /Subtype /Type0 /BaseFont /ArialMT /Encoding /Identity-H /ToUnicode 7 0 R /DescendantFonts [6 0 R] >> >> >>";
        page("", font, &format!("{FOOT} BT /A 24 Tf 72 700 Td <001000100010> Tj ET"), &[
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ArialMT /DW 556 /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /ArialMT /Flags 32 >> >>".to_owned(),
            stream("", &map),
        ])
    };
    let composite = |unicode: &str| black(&open(&composite_file(unicode)), 0, LINE);
    let hyphens = simple("(---)", "/WinAnsiEncoding");
    assert!(hyphens > 100);
    for (text, encoding) in [
        ("<adADad>", "/WinAnsiEncoding"),
        ("(\\255\\255\\255)", "/WinAnsiEncoding"),
        (
            "(\\255--)",
            "<< /BaseEncoding /WinAnsiEncoding /Differences [65 /B] >>",
        ),
        ("(AAA)", "<< /Differences [65 /sfthyphen] >>"),
        ("(AAA)", "<< /Differences [65 /uni2010] >>"),
    ] {
        assert_eq!(simple(text, encoding), hyphens, "{text} {encoding}");
    }
    for (text, encoding) in [
        ("<a0A0a0>", "/WinAnsiEncoding"),
        ("(AAA)", "<< /Differences [65 /nbspace] >>"),
    ] {
        assert_eq!(simple(text, encoding), 0, "{text}");
    }
    let hyphens = composite("002D");
    assert!(hyphens > 100);
    for unicode in ["00AD", "2010", "2011"] {
        assert_eq!(composite(unicode), hyphens, "{unicode}");
    }
    for unicode in ["0020", "00A0", "2009", "202F"] {
        assert_eq!(composite(unicode), 0, "{unicode}");
    }
    assert!(composite("2212") > 100);
    // Characters that the font used instead doesn't have.
    for (unicode, count) in [("0416", 1), ("0141", 0), ("0041", 0)] {
        assert_eq!(open(&composite_file(unicode)).notes().len(), count, "{unicode}");
    }
}
