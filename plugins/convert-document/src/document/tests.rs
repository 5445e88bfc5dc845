//! Documents of every kind, opened and drawn.

use super::*;
use crate::model::{Halftone, Paper, Resolution};
use crate::one_page::one_page;
use pdf_writer::{Content, Finish, Rect, Ref};

const LIMITS: Limits = Limits {
    max_pages: 200,
    max_bytes: 50_000_000,
    max_rows: 4000,
};
const RASTER: Raster = Raster {
    width: 1728,
    resolution: Resolution::Fine,
    paper: Paper::Letter,
    halftone: Halftone::Automatic,
};

fn part(data: impl Into<Vec<u8>>, media_type: &str) -> Vec<Part> {
    vec![Part {
        data: data.into(),
        media_type: media_type.to_owned(),
        attributes: Vec::new(),
    }]
}

fn open(data: impl Into<Vec<u8>>, media_type: &str) -> Result<Document, Failure> {
    Document::open(
        part(data, media_type),
        OpenOptions::for_tests(Paper::Letter, LIMITS),
    )
}

fn kind(data: impl Into<Vec<u8>>, media_type: &str) -> FailureKind {
    open(data, media_type).err().expect("a refusal").kind
}

/// A PDF of pages of this size with a filled square inch in the middle of each.
fn squares(pages: usize, width: f32, height: f32) -> Vec<u8> {
    let mut pdf = pdf_writer::Pdf::new();
    pdf.catalog(Ref::new(1)).pages(Ref::new(2));
    let id = |page: usize| i32::try_from(page * 2 + 3).unwrap();
    pdf.pages(Ref::new(2))
        .kids((0..pages).map(|page| Ref::new(id(page))))
        .count(pages as i32);
    for page in 0..pages {
        let (page, stream) = (Ref::new(id(page)), Ref::new(id(page) + 1));
        pdf.page(page)
            .parent(Ref::new(2))
            .media_box(Rect::new(0.0, 0.0, width, height))
            .contents(stream)
            .resources();
        let mut content = Content::new();
        content
            .rect(width / 2.0 - 36.0, height / 2.0 - 36.0, 72.0, 72.0)
            .fill_nonzero();
        pdf.stream(stream, &content.finish());
    }
    pdf.finish()
}

#[test]
fn a_sound_pdf_is_left_as_it_is() {
    let document = open(squares(3, 612.0, 792.0), "application/pdf").unwrap();
    assert_eq!(document.pages(), 3);
    assert!(document.pdf().is_none());
    assert!(document.notes().is_empty());
}

#[test]
fn a_page_keeps_its_size_on_paper() {
    let document = open(squares(1, 612.0, 792.0), "application/pdf").unwrap();
    let fine = document.render(0, &RASTER).unwrap();
    assert_eq!(
        (fine.width, fine.height, fine.x_dpi, fine.y_dpi),
        (1728, 2156, 204, 196)
    );
    assert_eq!(fine.black, 204 * 196);
    let standard = document
        .render(
            0,
            &Raster {
                resolution: Resolution::Standard,
                ..RASTER
            },
        )
        .unwrap();
    assert_eq!((standard.height, standard.y_dpi), (1078, 98));
    assert_eq!(standard.black, 204 * 98);
    let a4 = document
        .render(
            0,
            &Raster {
                paper: Paper::A4,
                ..RASTER
            },
        )
        .unwrap();
    assert_eq!(a4.height, 2292);
    assert!(document.render(1, &RASTER).is_err());
}

#[test]
fn landscape_is_turned_and_large_pages_shrink() {
    let turned = open(squares(1, 792.0, 612.0), "")
        .unwrap()
        .render(0, &RASTER)
        .unwrap();
    assert!(turned.black.abs_diff(204 * 196) < 500, "{}", turned.black);
    let poster = open(squares(1, 1224.0, 1584.0), "")
        .unwrap()
        .render(0, &RASTER)
        .unwrap();
    assert!(poster.black.abs_diff(204 * 196 / 4) < 500, "{}", poster.black);
    let huge = open(squares(1, 200_000.0, 200_000.0), "")
        .unwrap()
        .render(0, &RASTER)
        .unwrap();
    assert_eq!((huge.width, huge.height), (1728, 2156));
}

#[test]
fn text_becomes_pages_with_ink() {
    let document = open("Hello, world\n", "text/plain").unwrap();
    assert_eq!(document.pages(), 1);
    let page = document.render(0, &RASTER).unwrap();
    assert!((300..10_000).contains(&page.black), "{}", page.black);
    assert!(document.pdf().unwrap().starts_with(b"%PDF-"));
    let wide = open("Привет, Łódź\n", "text/plain")
        .unwrap()
        .render(0, &RASTER)
        .unwrap();
    assert!((300..10_000).contains(&wide.black), "{}", wide.black);
    // A name or a claim never makes a document something else.
    assert_eq!(
        open("19 bytes of a text.", "application/octet-stream")
            .unwrap()
            .pages(),
        1
    );
}

#[test]
fn a_box_is_drawn_for_a_character_without_a_glyph() {
    let document = open("\u{4e16}", "text/plain").unwrap();
    assert_eq!(document.notes().len(), 1);
    assert!(document.render(0, &RASTER).unwrap().black > 50);
}

#[test]
fn every_text_page_has_ink() {
    let document = open("line\n".repeat(57 * 3), "text/plain").unwrap();
    assert_eq!(document.pages(), 3);
    for page in 0..3 {
        assert!(document.render(page, &RASTER).unwrap().black > 0);
    }
}

#[test]
fn refusals_have_their_kind() {
    assert_eq!(kind("", "text/plain"), FailureKind::Empty);
    assert_eq!(kind("  \n", "text/plain"), FailureKind::Empty);
    assert_eq!(kind("%PDF-1.4\ngarbage", "application/pdf"), FailureKind::Broken);
    assert_eq!(kind(squares(0, 1.0, 1.0), "application/pdf"), FailureKind::Empty);
    assert_eq!(
        kind(squares(201, 10.0, 10.0), "application/pdf"),
        FailureKind::TooManyPages
    );
    assert_eq!(
        kind(
            &b"\x7fELF\x02\x01\x01\0\0\0\0\0\0"[..],
            "application/octet-stream"
        ),
        FailureKind::Unsupported
    );
    assert_eq!(
        kind(&b"PK\x03\x04\x14\0\x06\0"[..], "application/zip"),
        FailureKind::Unsupported
    );
    assert_eq!(kind("{\\rtf1 Hello}", "text/plain"), FailureKind::Unsupported);
    let tight = Limits {
        max_bytes: 100,
        ..LIMITS
    };
    let refused = Document::open(
        part("text", "text/plain"),
        OpenOptions::for_tests(Paper::Letter, tight),
    )
    .err()
    .unwrap();
    assert_eq!(refused.kind, FailureKind::TooLarge);
}

#[test]
fn a_cut_pdf_is_broken() {
    let whole = squares(5, 612.0, 792.0);
    for share in [10, 30, 50, 70, 90] {
        let cut = whole[..whole.len() * share / 100].to_vec();
        assert_eq!(kind(cut, "application/pdf"), FailureKind::Broken, "{share} %");
    }
}

#[test]
fn lost_content_is_broken() {
    let whole = squares(2, 612.0, 792.0);
    let text = String::from_utf8_lossy(&whole).into_owned();
    let lost = text.replacen("/Contents 4 0 R", "/Contents 9 0 R", 1);
    assert_ne!(lost, text);
    assert_eq!(kind(lost, "application/pdf"), FailureKind::Broken);
    let lost = text.replacen("/Kids [3 0 R", "/Kids [9 0 R", 1);
    assert_ne!(lost, text);
    assert_eq!(kind(lost, "application/pdf"), FailureKind::Broken);
}

/// Nothing is encrypted here; the entry that says so decides.
#[test]
fn encryption_is_named() {
    let whole = squares(1, 612.0, 792.0);
    let text = String::from_utf8_lossy(&whole).into_owned();
    let locked = text.replacen(
        "trailer\n<<",
        "trailer\n<< /Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P -4 >> ",
        1,
    );
    assert_ne!(locked, text);
    assert_eq!(kind(locked, "application/pdf"), FailureKind::Encrypted);
}

#[test]
fn active_content_is_cleaned_or_refused() {
    let whole = String::from_utf8_lossy(&squares(1, 612.0, 792.0)).into_owned();
    let acting = whole.replacen(
        "/Type /Catalog",
        "/Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
        1,
    );
    assert_ne!(acting, whole);
    let cleaned = open(acting.clone(), "application/pdf").unwrap();
    assert_eq!(cleaned.notes().len(), 1);
    assert!(!cleaned.pdf().unwrap().windows(4).any(|word| word == b"/JS "));
    let strict = OpenOptions {
        refuse_active: true,
        ..OpenOptions::for_tests(Paper::Letter, LIMITS)
    };
    let refused = Document::open(part(acting, "application/pdf"), strict)
        .err()
        .unwrap();
    assert_eq!(refused.kind, FailureKind::Broken);
    assert!(Document::open(part(whole, "application/pdf"), strict).is_ok());
}

#[test]
fn a_page_whose_content_came_to_nothing_is_broken() {
    let whole = String::from_utf8_lossy(&squares(2, 612.0, 792.0)).into_owned();
    // Operators that nobody understands, with a painting one among them.
    let lost = whole.replacen("270 360 72 72 re", "270 360 72 zz re", 1);
    assert_ne!(lost, whole);
    assert_eq!(kind(lost, "application/pdf"), FailureKind::Broken);
    // White on white is not damaged, but nothing would be printed.
    let white = whole.replacen("270 360 72 72 re", "1 g 0 0 90 90 re", 1);
    assert_eq!(kind(white, "application/pdf"), FailureKind::Empty);
}

/// A page written in a Japanese font that is only named.
fn japanese(first: &str) -> Vec<u8> {
    let id = Ref::new;
    let mut pdf = one_page(|page| {
        page.resources().fonts().pair(pdf_writer::Name(b"F"), id(5));
    });
    // "Japan" in Shift JIS.
    let content = format!("{first} BT /F 40 Tf 72 600 Td <93fa967b> Tj ET");
    pdf.stream(id(4), content.as_bytes());
    pdf.type0_font(id(5))
        .base_font(pdf_writer::Name(b"HeiseiMin-W3-90ms-RKSJ-H"))
        .encoding_predefined(pdf_writer::Name(b"90ms-RKSJ-H"))
        .descendant_font(id(6));
    let mut font = pdf.cid_font(id(6));
    font.subtype(pdf_writer::types::CidFontType::Type0)
        .base_font(pdf_writer::Name(b"HeiseiMin-W3"))
        .system_info(pdf_writer::types::SystemInfo {
            registry: pdf_writer::Str(b"Adobe"),
            ordering: pdf_writer::Str(b"Japan1"),
            supplement: 2,
        });
    font.finish();
    pdf.finish()
}

#[test]
fn a_font_that_is_nowhere_is_not_lost_in_silence() {
    // Something else drawn first doesn't hide it.
    for first in ["", "72 72 72 72 re f"] {
        let refusal = open(japanese(first), "application/pdf").err().expect("a refusal");
        assert_eq!(refusal.kind, FailureKind::Broken);
        assert!(refusal.message.contains("not embedded"), "{}", refusal.message);
        let options = OpenOptions {
            checked: true,
            ..OpenOptions::for_tests(Paper::Letter, LIMITS)
        };
        let opened = Document::open(part(japanese(first), "application/pdf"), options).unwrap();
        let refusal = opened.render(0, &RASTER).expect_err("a refusal");
        assert!(refusal.message.contains("not embedded"), "{}", refusal.message);
    }
}

#[test]
fn a_font_that_is_only_listed_is_no_matter() {
    let listed = japanese("72 72 72 72 re f");
    let text = b"BT /F 40 Tf 72 600 Td <93fa967b> Tj ET";
    let at = listed
        .windows(text.len())
        .position(|bytes| bytes == text)
        .unwrap();
    let mut unused = listed;
    unused[at..at + text.len()].fill(b' ');
    assert_eq!(open(unused, "application/pdf").unwrap().pages(), 1);
}

/// A page with one grey picture, whose corners differ, drawn by this matrix after `before`; or with another one among its
/// resources that isn't drawn, and has holes.
fn pictured(before: &str, matrix: &str, crop: Rect, alone: bool) -> Vec<u8> {
    let (width, height) = (900, 1200);
    let grey = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let grey = grey.map(|(x, y)| match (x * 4 / width, y * 4 / height) {
        (0, 0) | (3, 1) => 0,
        (1, 2) => 90,
        (column, 3) if column > 1 => 30,
        _ => 255,
    });
    let grey: Vec<u8> = grey.collect();
    let id = Ref::new;
    let mut pdf = one_page(|page| {
        page.crop_box(crop);
        let other = (!alone).then_some((pdf_writer::Name(b"K"), id(6)));
        let mut resources = page.resources();
        let mut objects = resources.x_objects();
        objects.pair(pdf_writer::Name(b"I"), id(5)).pairs(other);
    });
    pdf.stream(id(4), format!("{before} {matrix} cm /I Do").as_bytes());
    for (number, holes) in [(5, false), (6, true)] {
        let mut image = pdf.image_xobject(id(number), &grey);
        image.width(width).height(height).bits_per_component(8);
        image.color_space().device_gray();
        if holes {
            image.color_mask([1, 2]);
        }
    }
    pdf.finish()
}

#[test]
fn a_picture_alone_looks_as_it_does_in_company() {
    let whole = Rect::new(0.0, 0.0, 612.0, 792.0);
    let cases = [
        ("", "600 0 0 780 6 6", whole),
        ("", "0 780 -600 0 606 6", whole),
        ("", "-600 0 0 -780 606 786", whole),
        ("", "0 -780 600 0 6 786", whole),
        ("", "-600 0 0 780 606 6", whole),
        ("", "600 0 0 -780 6 786", whole),
        ("", "900 0 0 1200 -100 -100", whole),
        ("", "70 0 0 90 300 300", whole),
        ("1 g 0 0 612 792 re f", "300 0 0 390 200 100", whole),
        ("0 0 612 792 re W n", "600 0 0 780 6 6", whole),
        ("100 100 300 300 re W n", "600 0 0 780 6 6", whole),
        ("0 0 500 700 re f", "300 0 0 390 200 100", whole),
        ("", "600 0 0 780 6 6", Rect::new(50.0, 50.0, 400.0, 300.0)),
        ("", "590 50 -50 770 20 6", whole),
    ];
    for (before, matrix, crop) in cases {
        let drawn = |alone| {
            let file = pictured(before, matrix, crop, alone);
            // Where the dots of a halftone come to lie is chance.
            let raster = Raster {
                halftone: Halftone::Threshold,
                ..RASTER
            };
            let page = open(file, "application/pdf").unwrap().render(0, &raster).unwrap();
            (
                page.black,
                crate::raster::decoded(&page.g4, page.width, page.height),
            )
        };
        // A page that names a picture with holes is drawn in the general way.
        let ((black, alone), (_, general)) = (drawn(true), drawn(false));
        assert!(black > 1000, "{before} {matrix}");
        let pairs = alone.rows().zip(general.rows());
        let differing: u64 = pairs
            .map(|(one, other)| {
                one.iter()
                    .zip(other)
                    .map(|(a, b)| u64::from((a ^ b).count_ones()))
                    .sum::<u64>()
            })
            .sum();
        assert!(
            differing < black / 50 + 2000,
            "{before} {matrix} {crop:?}: {differing} of {black}"
        );
    }
}

/// A page with a picture of this kind, many times, the last one of them spoilt at its beginning.
fn pictures(filter: pdf_writer::Filter, data: &[u8], spoilt: bool) -> Vec<u8> {
    let (id, pages) = (Ref::new, 20);
    let mut pdf = pdf_writer::Pdf::new();
    pdf.catalog(id(1)).pages(id(2));
    pdf.stream(id(4), b"600 0 0 780 6 6 cm /I Do");
    for page in 0..pages {
        let picture = id(100 + 2 * page);
        pdf.page(id(101 + 2 * page))
            .parent(id(2))
            .media_box(Rect::new(0.0, 0.0, 612.0, 792.0))
            .contents(id(4))
            .resources()
            .x_objects()
            .pair(pdf_writer::Name(b"I"), picture);
        let mut data = data.to_vec();
        if spoilt && page == pages - 1 {
            data.truncate(data.len() / 2);
            data.iter_mut().take(600).for_each(|byte| *byte = 0);
        }
        let mut image = pdf.image_xobject(picture, &data);
        image.filter(filter);
        if filter == pdf_writer::Filter::CcittFaxDecode {
            image.decode_parms().k(-1).columns(64).rows(64);
        }
        let bits = if filter == pdf_writer::Filter::CcittFaxDecode {
            1
        } else {
            8
        };
        image
            .width(64)
            .height(64)
            .bits_per_component(bits)
            .color_space()
            .device_gray();
    }
    pdf.pages(id(2))
        .kids((0..pages).map(|page| id(101 + 2 * page)))
        .count(pages);
    pdf.finish()
}

/// Pages beyond those that are drawn on arrival are looked at as well.
#[test]
fn a_late_page_whose_picture_can_not_be_decoded_is_refused() {
    let grey: Vec<u8> = (0..64 * 64).map(|at| (at % 64 * 3) as u8).collect();
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut jpeg)
        .encode(&grey, 64, 64, image::ExtendedColorType::L8)
        .unwrap();
    let mut bitmap = crate::raster::Bitmap::new(64, 64);
    bitmap.rows_mut().for_each(|row| row.fill(0x0f0f_0f0f_0f0f_0f0f));
    for (filter, data) in [
        (pdf_writer::Filter::DctDecode, jpeg),
        (pdf_writer::Filter::CcittFaxDecode, crate::raster::encode(&bitmap)),
    ] {
        let sound = open(pictures(filter, &data, false), "application/pdf").unwrap();
        assert_eq!(sound.pages(), 20, "{filter:?}");
        let failure = open(pictures(filter, &data, true), "application/pdf")
            .err()
            .unwrap();
        assert!(
            failure.message.contains("Page 20"),
            "{filter:?}: {}",
            failure.message
        );
    }
}
