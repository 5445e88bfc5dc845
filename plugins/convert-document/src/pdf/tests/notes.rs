//! Annotations: those that print are part of the page, drawn as they are described if they have no appearance.

use super::file::*;
use crate::FailureKind;

const WHERE: [f64; 4] = [180.0, 640.0, 520.0, 760.0];

fn annotated(annotation: &str, more: &[String]) -> Vec<u8> {
    let mut objects = vec![format!("<< /Type /Annot {annotation} >>")];
    objects.extend_from_slice(more);
    page("", "/Annots [6 0 R]", FOOT, &objects)
}

/// Annotations without an appearance, with bounds of their black pixels.
const DESCRIBED: &[(&str, u64, u64)] = &[
    (
        "/Subtype /FreeText /DA (/Helv 14 Tf 0 g) /Contents (TYPED: call 9am)",
        2500,
        9000,
    ),
    (
        "/Subtype /FreeText /DA (/Helv 14 Tf 0 g) /BS << /W 0 >> /Contents (TYPED: call 9am)",
        700,
        3000,
    ),
    (
        "/Subtype /FreeText /DA (/Helv 14 Tf 0 g) /IT /FreeTextTypeWriter /Contents <FEFF041C043E0441043A04320430>",
        500,
        3000,
    ),
    (
        "/Subtype /FreeText /DA (/Helv 14 Tf 0 g) /BS << /W 0 >> /Contents <FEFF06270644062506460633062706460020>",
        200,
        3000,
    ),
    (
        "/Subtype /FreeText /BS << /W 0 >> /RC (<body><p>TYPED: call &lt; 9am</p></body>)",
        500,
        3000,
    ),
    (
        "/Subtype /FreeText /C [1 1 0] /CL [190 650 195 680 200 690] /LE /OpenArrow /Contents (x)",
        2500,
        9000,
    ),
    (
        "/Subtype /Ink /C [0 0 0] /BS << /W 3 >> /InkList [[200 690 220 720 240 690 300 690] [310 700]]",
        1500,
        9000,
    ),
    ("/Subtype /Line /L [200 700 400 700] /BS << /W 3 >>", 4000, 6000),
    (
        "/Subtype /Line /L [200 700 400 700] /BS << /W 3 >> /LE [/ClosedArrow /Diamond]",
        4300,
        9000,
    ),
    (
        "/Subtype /PolyLine /Vertices [200 690 300 720 400 690]",
        1500,
        3500,
    ),
    (
        "/Subtype /Polygon /Vertices [200 690 300 720 400 690] /IC [0]",
        20_000,
        30_000,
    ),
    ("/Subtype /Square /BS << /W 2 >>", 9000, 12_000),
    ("/Subtype /Square /BS << /W 2 /S /D /D [3 3] >>", 3000, 8000),
    ("/Subtype /Circle /IC [0 0 0]", 70_000, 100_000),
    (
        "/Subtype /Underline /QuadPoints [200 710 400 710 200 690 400 690]",
        1000,
        4000,
    ),
    ("/Subtype /StrikeOut", 4000, 9000),
    (
        "/Subtype /Squiggly /QuadPoints [200 710 400 710 200 690 400 690]",
        1000,
        5000,
    ),
    ("/Subtype /Stamp /Name /NotApproved", 5000, 40_000),
    ("/Subtype /Caret", 0, 0),
    ("/Subtype /Link /Border [0 0 2]", 8000, 13_000),
    ("/Subtype /Link /Border [0 0 0]", 0, 0),
    ("/Subtype /Popup", 0, 0),
];

#[test]
fn annotations_without_an_appearance_are_drawn() {
    for (annotation, least, most) in DESCRIBED {
        let file = annotated(&format!("/F 4 /Rect [190 680 490 730] {annotation}"), &[]);
        let document = open(&file);
        let drawn = black(&document, 0, WHERE);
        assert!((*least..=*most).contains(&drawn), "{annotation}: {drawn}");
        if document.pdf().is_some() {
            assert_flat(&document);
        }
        // Values that make no sense end in nothing worse than nothing.
        for (from, to) in [
            ("[190 680 490 730]", "[0 0 0 0]"),
            ("[190 680 490 730]", "[1e30 0 -1e30 1]"),
            (" 690", " -1e35"),
            ("/W 3", "/W -1e9"),
        ] {
            let odd = String::from_utf8_lossy(&file).replace(from, to);
            if let Ok(document) = try_open(&[odd.as_bytes()]) {
                document.render(0, &RASTER).unwrap();
            }
        }
    }
}

#[test]
fn only_what_is_marked_for_printing_is_printed() {
    let square = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 10 10]",
        "0 0 10 10 re f",
    );
    for (flags, is_printed, notes) in [
        ("", false, 1),
        ("/F 0", false, 1),
        ("/F 4", true, 0),
        ("/F 6", false, 0),
        ("/F 2", false, 0),
        ("/F 36", true, 0),
        ("/F 32", false, 0),
    ] {
        for appearance in ["/AP << /N 7 0 R >>", "/IC [0]"] {
            let annotation = format!("/Subtype /Square /Rect [200 680 300 730] {flags} {appearance}");
            let document = open(&annotated(&annotation, std::slice::from_ref(&square)));
            assert_eq!(black(&document, 0, WHERE) > 1000, is_printed, "{annotation}");
            assert_eq!(document.notes().len(), notes, "{annotation}");
            assert_flat(&document);
        }
    }
}

#[test]
fn an_appearance_fills_its_rectangle() {
    let drawn = |matrix: &str, bbox: &str| {
        let form = stream(
            &format!("/Type /XObject /Subtype /Form /BBox {bbox} {matrix}"),
            "0 0 10 10 re f",
        );
        let document = open(&annotated(
            "/Subtype /Square /F 4 /Rect [300 730 200 680] /AP << /N 7 0 R >>",
            &[form],
        ));
        black(&document, 0, [200.0, 680.0, 300.0, 730.0]) * 100 / black(&document, 0, WHERE)
    };
    for (matrix, bbox) in [
        ("", "[0 0 10 10]"),
        ("/Matrix [0 1 -1 0 5 5]", "[0 0 10 10]"),
        ("/Matrix [3 0 0 2 0 0]", "[10 10 0 0]"),
    ] {
        assert!(drawn(matrix, bbox) > 97, "{matrix}");
    }
}

const LINE: &str = "BT /F 14 Tf 190 700 Td (The important line of the page) Tj ET";

#[test]
fn a_highlight_leaves_the_text_readable() {
    let highlighted = |group: &str, content: &str| {
        let resources = "/Resources << /ExtGState << /M << /BM /Multiply >> /N << /BM /Normal >> >> /XObject << /X 8 0 R >> >>";
        let inner = stream(
            "/Type /XObject /Subtype /Form /BBox [180 690 520 720] /Group << /S /Transparency >>",
            "1 1 0 rg 180 690 340 30 re f",
        );
        let form = stream(
            &format!("/Type /XObject /Subtype /Form /BBox [180 690 520 720] {group} {resources}"),
            content,
        );
        let mut objects = vec![
            "<< /Type /Annot /Subtype /Highlight /F 4 /Rect [180 690 520 720] /AP << /N 7 0 R >> >>"
                .to_owned(),
        ];
        objects.extend([form, inner]);
        let document = open(&page("", "/Annots [6 0 R]", &format!("{FOOT} {LINE}"), &objects));
        assert_flat(&document);
        black(&document, 0, WHERE)
    };
    let plain = black(&open(&page("", "", &format!("{FOOT} {LINE}"), &[])), 0, WHERE);
    let fill = "1 1 0 rg 180 690 340 30 re f";
    for (group, content) in [
        ("", format!("/M gs {fill}")),
        ("/Group << /S /Transparency >>", format!("/M gs {fill}")),
        (
            "/Group << /S /Transparency /I false /CS /DeviceRGB >>",
            format!("/M gs {fill}"),
        ),
        ("/Group << /S /Transparency >>", "/M gs /X Do".to_owned()),
        ("", "/M gs /X Do".to_owned()),
    ] {
        let drawn = highlighted(group, &content);
        assert!(
            drawn.abs_diff(plain) < plain / 10,
            "{group} {content}: {drawn} of {plain}"
        );
    }
    // What isn't blended with the page covers it.
    for (group, content) in [
        ("", fill.to_owned()),
        ("/Group << /S /Transparency /I true >>", format!("/M gs {fill}")),
    ] {
        assert_eq!(highlighted(group, &content), 0, "{group} {content}");
    }
    // One without an appearance.
    let file = page(
        "",
        "/Annots [6 0 R]",
        &format!("{FOOT} {LINE}"),
        &["<< /Type /Annot /Subtype /Highlight /F 4 /C [1 1 0] /Rect [180 690 520 720] >>".to_owned()],
    );
    assert!(black(&open(&file), 0, WHERE).abs_diff(plain) < plain / 10);
}

#[test]
fn groups_of_page_content_blend_as_well() {
    let group = |how: &str, page_state: &str| {
        let form = stream(
            &format!(
                "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Group << /S /Transparency {how} >> /Resources << /ExtGState << /M << /BM [/Multiply /Normal] >> >> >>"
            ),
            "/M gs 1 1 0 rg 180 690 340 30 re f",
        );
        let file = page(
            "",
            "/Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R >> /ExtGState << /H << /ca .5 >> >> >>",
            &format!("{FOOT} {LINE} q {page_state} /X Do Q"),
            &[form],
        );
        open(&file)
    };
    let plain = black(&open(&page("", "", &format!("{FOOT} {LINE}"), &[])), 0, WHERE);
    let blended = black(&group("", ""), 0, WHERE);
    assert!(blended.abs_diff(plain) < plain / 10, "{blended} of {plain}");
    assert_eq!(black(&group("/I true", ""), 0, WHERE), 0);
    assert_eq!(black(&group("/K true", ""), 0, WHERE), 0);
    // A group that is half transparent is one.
    assert!(group("", "/H gs").pdf().is_none());
}

#[test]
fn drawings_do_not_depend_on_how_the_content_leaves_off() {
    let square = "/Subtype /Square /IC [0] /F 4 /Rect [200 680 300 730]";
    let expected = black(&open(&annotated(square, &[])), 0, WHERE);
    for content in [
        "q 0.5 0 0 0.5 0 0 cm BT /F 12 Tf 72 40 Td (x) Tj",
        "/Span BMC q q BT",
        "Q Q 0.1 0 0 0.1 0 0 cm",
        "q Q Q 1 0 0 1 50 50 cm 0 0 9 9 re W n",
    ] {
        let file = page(
            "",
            "/Annots [6 0 R]",
            &format!("{FOOT} {content}"),
            &[format!("<< /Type /Annot {square} >>")],
        );
        assert_eq!(black(&open(&file), 0, WHERE), expected, "{content}");
    }
}

#[test]
fn a_page_that_only_screens_show_is_blank() {
    let file = page(
        "",
        "/Annots [6 0 R]",
        "",
        &["<< /Type /Annot /Subtype /Square /IC [0] /Rect [0 0 612 792] >>".to_owned()],
    );
    assert_eq!(try_open(&[&file]).err().unwrap().kind, FailureKind::Empty);
}
