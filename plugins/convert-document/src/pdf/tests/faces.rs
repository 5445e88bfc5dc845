//! What is shown is what is handed on: nothing that one reader prints and another doesn't, and nothing that acts.

use super::file::*;

const UPPER: [f64; 4] = [0.0, 400.0, 612.0, 792.0];
const LOWER: [f64; 4] = [0.0, 60.0, 612.0, 400.0];

fn form(content: &str, more: &str) -> String {
    stream(
        &format!("/Type /XObject /Subtype /Form /BBox [0 0 612 792] {more}"),
        content,
    )
}

#[test]
fn of_keys_that_come_twice_one_is_handed_on() {
    let file = page(
        "",
        "/Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R /X 7 0 R >> >>",
        &format!("{FOOT} /X Do"),
        &[form("100 500 100 100 re f", ""), form("100 100 100 100 re f", "")],
    );
    let document = open(&file);
    let (upper, lower) = (black(&document, 0, UPPER), black(&document, 0, LOWER));
    assert!((upper > 0) != (lower > 0), "{upper} {lower}");
    assert_flat(&document);
    for twice in [
        "/Contents 4 0 R /Contents 6 0 R",
        "/Rotate 0 /Rotate 90",
        "/MediaBox [0 0 612 792] /MediaBox [0 0 300 300]",
    ] {
        let file = page("", twice, FOOT, &[stream("", "100 500 100 100 re f")]);
        assert_flat(&open(&file));
    }
}

#[test]
fn the_alternate_image_for_printing_is_handed_on() {
    let image = |value: u8, more: &str| {
        let data = format!("{value:02x}").repeat(64) + ">";
        stream(
            &format!(
                "/Type /XObject /Subtype /Image /Width 8 /Height 8 /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /ASCIIHexDecode {more}"
            ),
            &data,
        )
    };
    for (alternates, is_black) in [
        ("/Alternates [<< /Image 7 0 R /DefaultForPrinting true >>]", true),
        ("/Alternates [<< /Image 7 0 R >>]", false),
        (
            "/Alternates [null << /Image 6 0 R >> << /Image 7 0 R /DefaultForPrinting true >>]",
            true,
        ),
    ] {
        let file = page(
            "",
            "/Resources << /Font << /F 5 0 R >> /XObject << /I 6 0 R >> >>",
            &format!("{FOOT} q 300 0 0 300 100 450 cm /I Do Q"),
            &[image(255, alternates), image(0, "")],
        );
        let document = open(&file);
        assert_eq!(black(&document, 0, UPPER) > 1000, is_black, "{alternates}");
        assert!(!contains(document.pdf().unwrap(), "/Alternates"));
        assert_flat(&document);
    }
}

#[test]
fn layers_are_those_of_print() {
    let layered = |config: &str, usage: &str, content: &str| {
        let file = page(
            &format!("/OCProperties << /OCGs [6 0 R 7 0 R] /D << {config} >> >>"),
            "/Resources << /Font << /F 5 0 R >> /XObject << /X 10 0 R >> /Properties << /A 6 0 R /B 7 0 R /C 8 0 R /D 9 0 R /S << /MCID 0 >> >> >>",
            &format!("{FOOT} {content}"),
            &[
                format!("<< /Type /OCG /Name (a) {usage} >>"),
                "<< /Type /OCG /Name (b) >>".to_owned(),
                "<< /Type /OCMD /OCGs [6 0 R 7 0 R] /P /AllOn >>".to_owned(),
                "<< /Type /OCMD /VE [/Or [/Not 6 0 R] [/And 7 0 R 6 0 R]] >>".to_owned(),
                form("100 500 100 100 re f", "/OC 6 0 R"),
            ],
        );
        let document = open(&file);
        assert_flat(&document);
        black(&document, 0, UPPER) > 1000
    };
    let square = |name: &str| format!("/OC /{name} BDC 100 500 100 100 re f EMC");
    let off_in_print = "/Usage << /Print << /PrintState /OFF >> /View << /ViewState /ON >> >>";
    let on_in_print = "/Usage << /Print << /PrintState /ON >> >>";
    let automatic = "/AS [<< /Event /Print /Category [/Print] /OCGs [6 0 R] >>]";
    for (config, usage, content, is_shown) in [
        ("", "", square("A"), true),
        ("/OFF [6 0 R]", "", square("A"), false),
        ("/OFF [6 0 R]", "", square("B"), true),
        ("/BaseState /OFF", "", square("A"), false),
        ("/BaseState /OFF /ON [6 0 R]", "", square("A"), true),
        (automatic, off_in_print, square("A"), false),
        (
            "/AS [<< /Event /View /Category [/View] /OCGs [6 0 R] >>]",
            off_in_print,
            square("A"),
            true,
        ),
        (
            &*format!("/OFF [6 0 R] {automatic}"),
            on_in_print,
            square("A"),
            true,
        ),
        (automatic, off_in_print, "/X Do".to_owned(), false),
        ("", "", "/X Do".to_owned(), true),
        ("", "", square("C"), true),
        ("/OFF [7 0 R]", "", square("C"), false),
        ("", "", square("D"), true),
        ("/OFF [7 0 R]", "", square("D"), false),
        ("/OFF [6 0 R]", "", square("D"), true),
        ("/OFF [6 0 R]", "", square("S"), true),
    ] {
        assert_eq!(
            layered(config, usage, &content),
            is_shown,
            "{config} {usage} {content}"
        );
    }
}

/// Pages with scripts, attachments or links to other files: entries of the catalog and the page, the content, and objects.
fn active_pages() -> Vec<(String, &'static str, String, Vec<String>)> {
    let script = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>";
    let open_form = "/Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R >> >>";
    let draw = format!("{FOOT} /X Do");
    vec![
        (
            String::new(),
            open_form,
            draw.clone(),
            vec![form("", "/Ref << /F (other.pdf) /Page 0 >>")],
        ),
        (
            String::new(),
            open_form,
            draw.clone(),
            vec![form("", "/OPI << /1.3 << /F (other.tif) >> >>")],
        ),
        (
            String::new(),
            open_form,
            draw.clone(),
            vec![form("", "/AF [<< /Type /Filespec >>]")],
        ),
        (
            String::new(),
            open_form,
            draw.clone(),
            vec![form("", "/Subtype2 /PS /PS 4 0 R")],
        ),
        (
            String::new(),
            open_form,
            draw.clone(),
            vec![stream("/Type /XObject /Subtype /PS", "(%stdout) (w) file")],
        ),
        (
            "/Outlines 6 0 R".to_owned(),
            "",
            FOOT.to_owned(),
            vec![
                "<< /First 7 0 R >>".to_owned(),
                "<< /Title (a) /Next 8 0 R /Dest [3 0 R /Fit] >>".to_owned(),
                format!("<< /Title (b) /Next 7 0 R /A {script} >>"),
            ],
        ),
        (
            "/AF [6 0 R]".to_owned(),
            "",
            FOOT.to_owned(),
            vec!["<< /Type /Filespec /F (x) >>".to_owned()],
        ),
        (
            String::new(),
            "/AF [6 0 R]",
            FOOT.to_owned(),
            vec!["<< /Type /Filespec /F (x) >>".to_owned()],
        ),
        (
            format!("/Names << /JavaScript << /Names [(x) {script}] >> >>"),
            "",
            FOOT.to_owned(),
            Vec::new(),
        ),
        (
            format!("/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next {script} >>"),
            "",
            FOOT.to_owned(),
            Vec::new(),
        ),
        (format!("/AA << /WP {script} >>"), "", FOOT.to_owned(), Vec::new()),
        (
            String::new(),
            "/Annots [<< /Subtype /Link /Border [0 0 0] /Rect [0 0 9 9] /A << /S /Launch /F (x) >> >>]",
            FOOT.to_owned(),
            Vec::new(),
        ),
    ]
}

#[test]
fn nothing_that_acts_is_handed_on() {
    for (catalog, entries, content, more) in active_pages() {
        let file = page(&catalog, entries, &content, &more);
        let document = open(&file);
        let pdf = document.pdf().expect("a new file");
        for word in [
            "JavaScript",
            "app.alert",
            "/AF",
            "/Ref",
            "/OPI",
            "/PS",
            "Filespec",
            "/Next",
            "Launch",
            "other.",
        ] {
            assert!(!contains(pdf, word), "{word} of {catalog} {entries} {more:?}");
        }
        assert_eq!(document.notes().len(), 1, "{catalog} {entries} {more:?}");
        assert_flat(&document);
    }
}

#[test]
fn what_nobody_knows_is_left_behind_without_a_word() {
    for (catalog, entries) in [
        ("/PieceInfo << /Some (thing) >>", ""),
        ("", "/PieceInfo << /Some (thing) >>"),
        ("/StructTreeRoot << /Type /StructTreeRoot >>", ""),
        ("", "/Resources << /Font << /F 5 0 R >> /Some (thing) >>"),
    ] {
        let document = open(&page(catalog, entries, FOOT, &[]));
        assert!(document.notes().is_empty());
        assert!(!contains(document.pdf().unwrap(), "thing"));
        assert_flat(&document);
    }
    for (catalog, entries) in [
        (
            "/Lang (en) /ViewerPreferences << /DisplayDocTitle true >> /OpenAction [3 0 R /Fit]",
            "",
        ),
        (
            "/OpenAction << /S /GoTo /D [3 0 R /Fit] >>",
            "/StructParents 0 /Tabs /S",
        ),
        (
            "",
            "/Annots [<< /Subtype /Link /Border [0 0 0] /Rect [0 0 9 9] /A << /S /URI /URI (http://localhost/) >> >>]",
        ),
    ] {
        assert!(
            open(&page(catalog, entries, FOOT, &[])).pdf().is_none(),
            "{catalog} {entries}"
        );
    }
}

#[test]
fn entries_that_come_to_nothing_are_left_out() {
    let file = page(
        "",
        "/Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R /Y 98 0 R >> /ExtGState << /G 97 0 R >> >> /PieceInfo << >>",
        &format!("{FOOT} /X Do /Y Do"),
        &[form(
            "100 500 100 100 re f",
            "/Group << /S /Transparency /CS 99 0 R >> /Matrix null /BBox [0 0 612 792]",
        )],
    );
    let document = open(&file);
    let pdf = document.pdf().unwrap();
    for word in ["/CS", "null", "/Matrix", "/G "] {
        assert!(!contains(pdf, word), "{word}");
    }
    assert!(black(&document, 0, UPPER) > 1000);
    assert_flat(&document);
}
