//! Whole documents in, drawn pages out: joining, cleaning and hostile files.

mod faces;
mod fields;
mod file;
mod notes;
mod structure;

use crate::one_page::one_page;
use crate::{Document, Failure, FailureKind, Halftone, Limits, OpenOptions, Paper, Part, Raster, Resolution};
use hayro::hayro_syntax::Pdf as Parsed;
use pdf_writer::types::{ActionType, AnnotationFlags, AnnotationType, TextRenderingMode};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

const LIMITS: Limits = Limits {
    max_pages: 20,
    max_bytes: 10_000_000,
    max_rows: 2500,
};
const RASTER: Raster = Raster {
    width: 1728,
    resolution: Resolution::Standard,
    paper: Paper::Letter,
    halftone: Halftone::Threshold,
};

fn open(files: &[&[u8]]) -> Result<Document, Failure> {
    let part = |data: &&[u8]| Part {
        data: data.to_vec(),
        media_type: "application/pdf".to_owned(),
        attributes: Vec::new(),
    };
    Document::open(
        files.iter().map(part).collect(),
        OpenOptions::for_tests(Paper::Letter, LIMITS),
    )
}

fn ink(document: &Document) -> Vec<u64> {
    (0..document.pages())
        .map(|page| document.render(page, &RASTER).unwrap().black)
        .collect()
}

/// Two pages: text in a font that the page tree passes down, and a form that an annotation shows.
fn form(script: bool) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let id = Ref::new;
    let mut catalog = pdf.catalog(id(1));
    catalog.pages(id(2));
    if script {
        let mut action = catalog.insert(Name(b"OpenAction")).dict();
        action.pair(Name(b"S"), Name(b"JavaScript"));
        action.pair(Name(b"JS"), Str(b"app.alert(1)"));
    }
    catalog.finish();
    let mut tree = pdf.pages(id(2));
    tree.kids([id(3), id(4)])
        .count(2)
        .media_box(Rect::new(0.0, 0.0, 612.0, 792.0));
    tree.resources().fonts().pair(Name(b"F"), id(9));
    tree.finish();
    pdf.page(id(3)).parent(id(2)).contents(id(5));
    pdf.page(id(4)).parent(id(2)).annotations([id(6)]);
    let mut content = Content::new();
    content
        .begin_text()
        .set_font(Name(b"F"), 40.0)
        .next_line(72.0, 600.0)
        .show(Str(b"Inherited font"))
        .end_text();
    pdf.stream(id(5), &content.finish());
    let mut note = pdf.annotation(id(6));
    note.subtype(AnnotationType::Widget)
        .rect(Rect::new(100.0, 100.0, 300.0, 200.0))
        .flags(AnnotationFlags::PRINT)
        .contents(TextStr("x"));
    note.appearance().normal().stream(id(7));
    if script {
        note.action().action_type(ActionType::Launch);
    }
    note.finish();
    let mut content = Content::new();
    content.rect(0.0, 0.0, 200.0, 100.0).fill_nonzero();
    pdf.form_xobject(id(7), &content.finish())
        .bbox(Rect::new(0.0, 0.0, 200.0, 100.0));
    pdf.type1_font(id(9)).base_font(Name(b"Helvetica"));
    pdf.finish()
}

#[test]
fn a_file_that_acts_is_written_anew_and_looks_the_same() {
    let calm = open(&[&form(false)]).unwrap();
    assert!(calm.notes().is_empty());
    let cleaned = open(&[&form(true)]).unwrap();
    let pdf = cleaned.pdf().unwrap();
    for word in [&b"JavaScript"[..], b"app.alert", b"Launch", b"OpenAction"] {
        assert!(!pdf.windows(word.len()).any(|window| window == word));
    }
    assert_eq!(cleaned.notes().len(), 1);
    assert_eq!(ink(&cleaned), ink(&calm));
    assert!(ink(&calm).iter().all(|black| *black > 5000));
}

#[test]
fn documents_are_joined_in_order() {
    let text = Document::open(
        vec![Part {
            data: b"One line.\n".to_vec(),
            media_type: "text/plain".to_owned(),
            attributes: Vec::new(),
        }],
        OpenOptions::for_tests(Paper::A4, LIMITS),
    )
    .unwrap();
    let text_pdf = text.pdf().unwrap();
    let form = form(false);
    let joined = open(&[text_pdf, &form, text_pdf]).unwrap();
    let alone = ink(&open(&[&form]).unwrap());
    let line = ink(&text);
    assert_eq!(ink(&joined), [line[0], alone[0], alone[1], line[0]]);
    assert_eq!(
        Parsed::new(joined.pdf().unwrap().to_vec()).unwrap().pages().len(),
        4
    );
    let many: Vec<&[u8]> = std::iter::repeat_n(&form[..], 11).collect();
    assert_eq!(open(&many).err().unwrap().kind, FailureKind::TooManyPages);
    assert_eq!(open(&[&form, b""]).err().unwrap().kind, FailureKind::Empty);
    assert_eq!(open(&[]).err().unwrap().kind, FailureKind::Empty);
}

#[test]
fn spoilt_files_give_a_page_or_a_refusal() {
    let sources = [form(true), form(false)];
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut refused = 0;
    for round in 0..400 {
        let mut data = sources[round % 2].clone();
        for _ in 0..1 + random() % 8 {
            let at = random() % data.len();
            match random() % 3 {
                0 => data[at] = random() as u8,
                1 => data[at] = b'0' + (random() % 10) as u8,
                _ => {
                    data.remove(at);
                }
            }
        }
        match open(&[&data]) {
            Err(_) => refused += 1,
            Ok(document) => assert!((1..=LIMITS.max_pages).contains(&document.pages())),
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn references_in_circles_end() {
    let text = String::from_utf8_lossy(&form(true)).into_owned();
    // The tree of pages, its resources and the appearance refer to themselves.
    for (from, to) in [
        ("/Parent 2 0 R", "/Parent 3 0 R"),
        ("/Kids [3 0 R", "/Kids [2 0 R"),
        ("/N 7 0 R", "/N 6 0 R"),
    ] {
        let looped = text.replacen(from, to, 1);
        assert_ne!(looped, text, "{from}");
        if let Ok(document) = open(&[looped.as_bytes()]) {
            assert!(document.pages() >= 1);
        }
    }
    let deep = text.replacen(
        "/OpenAction",
        &format!("/X {}{} /OpenAction", "[".repeat(5000), "]".repeat(5000)),
        1,
    );
    let _ = open(&[deep.as_bytes()]).map(|document| document.pages());
}

/// One page that draws a compressed form, and both may be spoilt.
fn compressed(spoil_content: bool, spoil_form: bool) -> Vec<u8> {
    let packed = |spoil: bool, content: Content| {
        let mut data = miniz_oxide::deflate::compress_to_vec_zlib(&content.finish(), 6);
        if spoil {
            data.truncate(data.len() / 2);
        }
        data
    };
    let mut square = Content::new();
    for step in 0..40u8 {
        square
            .rect(f32::from(step) * 3.0, f32::from(step) * 2.0, 30.0, 17.0)
            .fill_nonzero();
    }
    let mut content = Content::new();
    content
        .save_state()
        .transform([1.0, 0.0, 0.0, 1.0, 120.5, 250.25])
        .x_object(Name(b"X"))
        .restore_state();
    let id = Ref::new;
    let mut pdf = one_page(|page| {
        page.resources().x_objects().pair(Name(b"X"), id(5));
    });
    pdf.stream(id(4), &packed(spoil_content, content))
        .filter(pdf_writer::Filter::FlateDecode);
    let data = packed(spoil_form, square);
    let mut form = pdf.form_xobject(id(5), &data);
    form.bbox(Rect::new(0.0, 0.0, 200.0, 200.0))
        .filter(pdf_writer::Filter::FlateDecode);
    form.finish();
    pdf.finish()
}

#[test]
fn a_page_that_lost_what_it_draws_is_not_faxed_as_white() {
    assert!(ink(&open(&[&compressed(false, false)]).unwrap())[0] > 1000);
    assert_eq!(
        open(&[&compressed(true, false)]).err().unwrap().kind,
        FailureKind::Broken
    );
    let document = open(&[&compressed(false, true)]).unwrap();
    match document.render(0, &RASTER) {
        Ok(page) => assert!(page.black > 0, "what is left of the form was drawn"),
        Err(failure) => assert_eq!(failure.kind, FailureKind::Broken),
    }
}

/// A page of Helvetica, which isn't embedded, that writes these codes; some of them stand for letters of its own choice.
fn chosen(text: &[u8], letters: &[(u8, &str)], invisible: bool) -> Vec<u8> {
    let mut pdf = one_page(|page| {
        page.resources().fonts().pair(Name(b"F"), Ref::new(5));
    });
    let mut font = pdf.type1_font(Ref::new(5));
    font.base_font(Name(b"Helvetica"));
    let mut encoding = font.encoding_custom();
    encoding.base_encoding(Name(b"WinAnsiEncoding"));
    let mut differences = encoding.differences();
    for (code, name) in letters {
        differences.consecutive(*code, [Name(name.as_bytes())]);
    }
    differences.finish();
    encoding.finish();
    font.finish();
    let mut content = Content::new();
    let mode = match invisible {
        true => TextRenderingMode::Invisible,
        false => TextRenderingMode::Fill,
    };
    content
        .begin_text()
        .set_text_rendering_mode(mode)
        .set_font(Name(b"F"), 12.0)
        .next_line(72.0, 700.0)
        .show(Str(text))
        .end_text()
        .rect(72.0, 72.0, 9.0, 9.0)
        .fill_nonzero();
    pdf.stream(Ref::new(4), &content.finish());
    pdf.finish()
}

#[test]
fn letters_that_a_font_used_instead_lacks_are_counted() {
    let notes = |text: &[u8], letters: &[(u8, &str)], invisible| {
        let document = open(&[&chosen(text, letters, invisible)]).unwrap();
        document.notes().to_vec()
    };
    let cyrillic = [(b'b', "afii10066"), (b'v', "afii10067")];
    let two = notes(b"abv", &cyrillic, false);
    assert!(two.len() == 1 && two[0].starts_with("2 letters"), "{two:?}");
    let one = notes(b"b", &cyrillic, false);
    assert!(one.len() == 1 && one[0].starts_with("1 letter of"), "{one:?}");
    // Nobody misses what can't be seen, as the text behind a scan, or is a blank.
    assert!(notes(b"abv", &cyrillic, true).is_empty());
    assert!(notes(b"a b", &[(b'b', "nbspace"), (b'a', "uni200B")], false).is_empty());
    let usual: Vec<u8> = (32..=255)
        .filter(|code| !matches!(code, 127 | 129 | 141 | 143 | 144 | 157))
        .collect();
    assert!(
        notes(&usual, &[(b'A', "B")], false).is_empty(),
        "all of WinAnsi is there"
    );
}

/// A page with a line of text and a picture, which is drawn or only listed.
fn with_logo(filter: Filter, data: &[u8], is_drawn: bool) -> Vec<u8> {
    with_picture(filter, data, (64, 64, 8), is_drawn)
}

/// The same with a picture that has this width, height and bits for each value.
fn with_picture(
    filter: Filter,
    data: &[u8],
    (width, height, bits): (i32, i32, i32),
    is_drawn: bool,
) -> Vec<u8> {
    let mut pdf = one_page(|page| {
        let mut resources = page.resources();
        resources.fonts().pair(Name(b"F"), Ref::new(5));
        resources.x_objects().pair(Name(b"I"), Ref::new(6));
    });
    pdf.type1_font(Ref::new(5)).base_font(Name(b"Helvetica"));
    let mut image = pdf.image_xobject(Ref::new(6), data);
    image.filter(filter);
    image.width(width).height(height).bits_per_component(bits);
    image.color_space().device_gray();
    image.finish();
    let mut content = Content::new();
    content
        .begin_text()
        .set_font(Name(b"F"), 12.0)
        .next_line(72.0, 700.0)
        .show(Str(b"A letter with a seal"))
        .end_text();
    if is_drawn {
        content
            .transform([144.0, 0.0, 0.0, 144.0, 72.0, 72.0])
            .x_object(Name(b"I"));
    }
    pdf.stream(Ref::new(4), &content.finish());
    pdf.finish()
}

#[test]
fn a_picture_beside_text_is_not_lost_in_silence() {
    let grey: Vec<u8> = (0..64 * 64).map(|at| (at % 64 * 3) as u8).collect();
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut jpeg)
        .encode(&grey, 64, 64, image::ExtendedColorType::L8)
        .unwrap();
    let deflated = miniz_oxide::deflate::compress_to_vec_zlib(&grey, 6);
    for (filter, data) in [(Filter::DctDecode, jpeg), (Filter::FlateDecode, deflated)] {
        let mut spoilt = data.clone();
        let beginning = spoilt.len() / 2;
        spoilt[..beginning].fill(0xff);
        open(&[&with_logo(filter, &data, true)]).unwrap();
        let failure = open(&[&with_logo(filter, &spoilt, true)]).err().unwrap();
        assert!(
            failure.message.contains("Page 1 can't be shown in full"),
            "{filter:?}: {}",
            failure.message
        );
        // One that the page doesn't show is no matter.
        open(&[&with_logo(filter, &spoilt, false)]).unwrap();
    }
    let mut wide = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut wide)
        .encode(&[99; 20_000], 20_000, 1, image::ExtendedColorType::L8)
        .unwrap();
    open(&[&with_picture(Filter::DctDecode, &wide, (20_000, 1, 8), true)]).unwrap();
}

#[test]
fn pictures_with_too_many_pixels_are_named() {
    let data = miniz_oxide::deflate::compress_to_vec_zlib(&[0x55; 100_000], 6);
    for (width, height, bits) in [(20_000, 20_000, 8), (60_000, 60_000, 1), (i32::MAX, i32::MAX, 16)] {
        let file = |is_drawn| with_picture(Filter::FlateDecode, &data, (width, height, bits), is_drawn);
        let failure = open(&[&file(true)]).err().unwrap();
        assert_eq!(failure.kind, FailureKind::TooLarge);
        assert!(
            failure.message.starts_with("A picture on page 1"),
            "{}",
            failure.message
        );
        open(&[&file(false)]).unwrap();
    }
    // The largest plans, A0 at 600 dots per inch, are black and white.
    open(&[&with_picture(
        Filter::FlateDecode,
        &data,
        (19_866, 28_087, 1),
        true,
    )])
    .unwrap();
}
