//! Form fields: their values stay, whatever else of the file goes.

use super::file::*;
use crate::FailureKind;

const VALUE: [f64; 4] = [220.0, 680.0, 480.0, 720.0];

/// A form with one text field and these further entries of the catalog, the form and the field.
fn form(catalog: &str, form: &str, field: &str, appearance: Option<&str>) -> Vec<u8> {
    let appearance_entry = if appearance.is_some() {
        "/AP << /N 7 0 R >>"
    } else {
        ""
    };
    page(
        &format!(
            "{catalog} /AcroForm << /DA (/Helv 12 Tf 0 g) /DR << /Font << /Helv 5 0 R >> >> /Fields [6 0 R] {form} >>"
        ),
        "/Annots [6 0 R]",
        FOOT,
        &[
            format!(
                "<< /Type /Annot /Subtype /Widget /FT /Tx /T (f) /F 4 /DA (/Helv 14 Tf 0 g) /Rect [220 688 480 710] \
                 {appearance_entry} {field} >>"
            ),
            stream(
                "/Type /XObject /Subtype /Form /BBox [0 0 260 22] /Resources << /Font << /Helv 5 0 R >> >>",
                appearance.unwrap_or_default(),
            ),
        ],
    )
}

const SHOWN: &str = "/Tx BMC q BT /Helv 14 Tf 2 6 Td (Jane Sample) Tj ET Q EMC";

#[test]
fn a_value_stays_when_the_file_is_written_anew() {
    let script = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>";
    let calm = open(&form("", "", "/V (Jane Sample)", Some(SHOWN)));
    let shown = black(&calm, 0, VALUE);
    assert!(shown > 500, "{shown}");
    assert!(calm.notes().is_empty());
    assert_flat(&calm);
    for (catalog, field, is_active) in [
        ("", format!("/AA << /K {script} >>"), true),
        (&*format!("/OpenAction {script}"), String::new(), true),
        ("/AF [8 0 R]", String::new(), true),
        (
            "/Names << /EmbeddedFiles << /Names [(x) 8 0 R] >> >>",
            String::new(),
            true,
        ),
        (
            "",
            "/A << /S /SubmitForm /F (http://localhost/) >>".to_owned(),
            true,
        ),
        ("", "/A << /S /ResetForm >>".to_owned(), true),
        ("", "/A << /S /GoToR /F (other.pdf) >>".to_owned(), true),
        ("", "/Parent 9 0 R".to_owned(), false),
    ] {
        let document = open(&form(
            catalog,
            "",
            &format!("/V (Jane Sample) {field}"),
            Some(SHOWN),
        ));
        assert_eq!(black(&document, 0, VALUE), shown, "{catalog} {field}");
        assert_eq!(
            document.notes().len(),
            usize::from(is_active),
            "{catalog} {field}"
        );
        assert_flat(&document);
    }
    // A second file.
    let file = form("", "", "/V (Jane Sample)", Some(SHOWN));
    let both = try_open(&[&file, &page("", "", FOOT, &[])]).unwrap();
    assert_eq!((both.pages(), black(&both, 0, VALUE)), (2, shown));
    assert_flat(&both);
}

#[test]
fn a_visible_signature_stays() {
    let signed = form(
        "",
        "/SigFlags 3",
        "/FT /Sig /V << /Type /Sig /Filter /Adobe.PPKLite >>",
        Some(SHOWN),
    );
    let document = open(&signed);
    assert!(black(&document, 0, VALUE) > 500);
    assert_flat(&document);
}

#[test]
fn a_value_without_an_appearance_is_drawn() {
    let empty = Some("/Tx BMC EMC");
    for (form_entries, appearance) in [
        ("/NeedAppearances true", None),
        ("", None),
        ("/NeedAppearances true", empty),
        ("", empty),
    ] {
        for (field, least) in [
            ("/V (Jane Sample)", 500),
            ("/V <FEFF004A0061006E0065>", 200),
            ("/V <FEFF041C043E0441043A0432043000210021>", 500),
            ("/V (Jane Sample) /Q 2 /MK << /BC [0] /BG [1] >>", 1500),
            ("/V (Jane\\rSample) /Ff 4096 /DA (/TiRo 0 Tf 0 g)", 300),
            ("/V (12345678) /Ff 16777216 /MaxLen 8", 400),
            ("/V (secret) /Ff 8192", 50),
            (
                "/FT /Ch /Ff 131072 /V (b) /Opt [[(a) (Apple)] [(b) (Banana)]]",
                300,
            ),
            ("/FT /Ch /V [(Apple) (Pear)] /Opt [(Apple) (Pear)]", 300),
            ("/V (Turned) /MK << /R 180 >>", 200),
            ("/V <FEFF05E905DC05D505DD>", 200),
            ("/V (Large) /DA (/Helv 24 Tf 0 g)", 1000),
        ] {
            let document = open(&form("", form_entries, field, appearance));
            let shown = black(&document, 0, VALUE);
            assert!(shown > least, "{form_entries} {field}: {shown}");
            assert_eq!(black(&document, 0, [0.0, 100.0, 612.0, 670.0]), 0, "{field}");
            assert_flat(&document);
        }
    }
    // Nothing to show, and an appearance that shows something.
    assert_eq!(black(&open(&form("", "", "/V ()", None)), 0, VALUE), 0);
    let old = open(&form("", "/NeedAppearances true", "/V (W)", Some(SHOWN)));
    let kept = open(&form("", "", "/V (W)", Some(SHOWN)));
    assert!(black(&old, 0, VALUE) * 2 < black(&kept, 0, VALUE));
}

#[test]
fn values_come_from_the_field_above() {
    let file = page(
        "/AcroForm << /Fields [7 0 R] >>",
        "/Annots [6 0 R null 99 0 R 8 0 R]",
        FOOT,
        &[
            "<< /Type /Annot /Subtype /Widget /Parent 7 0 R /F 4 /Rect [220 688 480 710] >>".to_owned(),
            "<< /FT /Tx /T (f) /V (Jane Sample) /DA (/Helv 14 Tf 0 g) /Kids [6 0 R] >>".to_owned(),
            "<< /Type /Annot /Subtype /Square /F 4 /Rect [220 600 480 640] /BS << /W 2 >> >>".to_owned(),
        ],
    );
    let document = open(&file);
    assert!(black(&document, 0, VALUE) > 500);
    // What can't be found among the annotations hides none of those after it.
    assert!(black(&document, 0, [200.0, 590.0, 500.0, 650.0]) > 1000);
}

#[test]
fn check_boxes_show_their_state() {
    let box_of = |entries: &str| {
        let file = page(
            "/AcroForm << /Fields [6 0 R] >>",
            "/Annots [6 0 R]",
            FOOT,
            &[
                format!(
                    "<< /Type /Annot /Subtype /Widget /FT /Btn /T (b) /F 4 /Rect [220 690 240 710] {entries} >>"
                ),
                stream(
                    "/Type /XObject /Subtype /Form /BBox [0 0 20 20]",
                    "2 2 16 16 re f",
                ),
                stream("/Type /XObject /Subtype /Form /BBox [0 0 20 20]", "8 8 2 2 re f"),
            ],
        );
        black(&open(&file), 0, VALUE)
    };
    let states = "/AP << /N << /Yes 7 0 R /Off 8 0 R >> >>";
    let (on, off) = (
        box_of(&format!("{states} /AS /Yes")),
        box_of(&format!("{states} /AS /Off")),
    );
    assert!(on > 1500 && off > 10 && off < 100, "{on} {off}");
    assert_eq!(
        box_of(&format!("{states} /V /Yes")),
        on,
        "a missing state is that of the value"
    );
    assert_eq!(box_of(states), off);
    assert!(box_of("/V /Yes") > 200);
    assert_eq!(box_of("/V /Off"), 0);
    assert!(box_of("/Ff 65536 /MK << /CA (Go) /BC [0] >>") > 200);
}

#[test]
fn forms_that_only_some_readers_draw_are_refused() {
    let xfa = |catalog: &str, xfa: &str| {
        let packet = stream(
            "",
            "<config><acrobat7><dynamicRender> required</dynamicRender></acrobat7></config>",
        );
        page(
            &format!("{catalog} /AcroForm << /Fields [] /XFA {xfa} >>"),
            "",
            FOOT,
            &[stream("", "<template/>"), packet],
        )
    };
    for (file, word) in [
        (xfa("/NeedsRendering true", "[(template) 6 0 R]"), "XFA"),
        (xfa("/NeedsRendering true", "6 0 R"), "XFA"),
        (xfa("", "[(template) 6 0 R (config) 7 0 R]"), "XFA"),
        (xfa("", "7 0 R"), "XFA"),
        (
            page("/Collection << /Type /Collection /View /D >>", "", FOOT, &[]),
            "portfolio",
        ),
    ] {
        let failure = try_open(&[&file]).err().unwrap();
        assert_eq!(failure.kind, FailureKind::Broken);
        assert!(failure.message.contains(word), "{}", failure.message);
    }
    for (catalog, entry) in [
        ("", "[(template) 6 0 R]"),
        ("", "6 0 R"),
        ("/NeedsRendering false", "6 0 R"),
    ] {
        let document = open(&xfa(catalog, entry));
        assert!(document.notes().is_empty());
        assert_flat(&document);
    }
}
