//! Pictures decoded straight from their streams are those that the interpreter makes of them.

use super::*;
use crate::model::{Halftone, Paper, Raster, Resolution};
use crate::one_page::one_page;
use crate::pdf::Fonts;
use crate::raster::{Bitmap, Renderer, decoded, encode};
use hayro::hayro_syntax::Pdf as Parsed;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Content, Finish, Name as Key, Ref};

const WIDTH: u32 = 330;
const HEIGHT: u32 = 210;
/// Pixels of the page that it is put on.
const AREA: f64 = (500.0 / 72.0 * 204.0) * (700.0 / 72.0 * 196.0);

/// What a graphics state of the page says.
#[derive(Clone, Copy, PartialEq)]
enum State {
    None,
    /// Nothing of consequence.
    Idle,
    /// Black is white.
    Inverting,
}

/// A page with a picture that has this data, and these entries in its dictionary.
fn page(data: &[u8], entries: &[u8], state: State) -> Vec<u8> {
    page_with(data, entries, state, &[[500.0, 0.0, 0.0, 700.0, 50.0, 50.0]])
}

/// The same with the picture at each of these places.
fn page_with(data: &[u8], entries: &[u8], state: State, places: &[[f32; 6]]) -> Vec<u8> {
    let id = Ref::new;
    let mut pdf = one_page(|page| {
        let mut resources = page.resources();
        resources.x_objects().pair(Key(b"I"), id(5));
        if state != State::None {
            resources.ext_g_states().pair(Key(b"S"), id(6));
        }
    });
    let mut content = Content::new();
    if state != State::None {
        content.set_parameters(Key(b"S"));
    }
    for place in places {
        content
            .save_state()
            .transform(*place)
            .x_object(Key(b"I"))
            .restore_state();
    }
    pdf.stream(id(4), &content.finish());
    let mut graphics = pdf.ext_graphics(id(6));
    match state {
        State::Inverting => graphics.insert(Key(b"TR")).primitive(id(7)),
        _ => drop(graphics.flatness(1.0)),
    }
    graphics.finish();
    pdf.exponential_function(id(7))
        .domain([0.0, 1.0])
        .c0([1.0])
        .c1([0.0])
        .n(1.0);
    let head = format!(
        "/Subtype/Image/Width {WIDTH}/Height {HEIGHT}/Length {}",
        data.len()
    );
    let object = [
        b"<<",
        head.as_bytes(),
        entries,
        b">>stream\n",
        data,
        b"\nendstream",
    ]
    .concat();
    // Written by hand, for the entries are what matters here; without a table, which readers then make themselves.
    let mut file = pdf.finish();
    let table = file.windows(5).position(|five| five == b"xref\n").unwrap();
    file.truncate(table);
    file.extend(b"5 0 obj\n");
    file.extend(object);
    file.extend(b"\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF");
    file
}

/// The page as black and white pixels.
fn drawn(file: Vec<u8>, halftone: Halftone) -> Bitmap {
    let pdf = Parsed::new(file).unwrap();
    let raster = Raster {
        width: 1728,
        resolution: Resolution::Fine,
        paper: Paper::Letter,
        halftone,
    };
    let renderer = Renderer::new(Fonts::new(&|_| None));
    let page = renderer.draw(&pdf.pages()[0], &raster, 4600, 1).unwrap();
    decoded(&page.g4, page.width, page.height)
}

fn plane(file: &[u8]) -> Option<Plane> {
    let pdf = Parsed::new(file.to_vec()).unwrap();
    let page = &pdf.pages()[0];
    let stream = page.resources().x_objects.get::<Stream<'_>>("I").unwrap();
    is_plain(page).then(|| Plane::of_stream(&stream)).flatten()
}

fn bitmap() -> Bitmap {
    let mut bitmap = Bitmap::new(WIDTH, HEIGHT);
    for (y, row) in bitmap.rows_mut().enumerate() {
        for x in (0..WIDTH as usize).filter(|x| (x / 7 + y / 5) % 3 == 0) {
            row[x / 64] |= 1 << (63 - x % 64);
        }
    }
    bitmap
}

/// The bits of a bitmap, black being 1.
fn packed(bitmap: &Bitmap) -> Vec<u8> {
    let bytes = WIDTH.div_ceil(8) as usize;
    let rows = bitmap.rows();
    rows.flat_map(|row| row.iter().flat_map(|word| word.to_be_bytes()).take(bytes))
        .collect()
}

fn jpeg(colour: bool) -> Vec<u8> {
    let wave = |at: u32| (at % WIDTH / 2 + at / WIDTH / 3) as u8;
    let grey: Vec<u8> = (0..WIDTH * HEIGHT).map(wave).collect();
    let pixels = match colour {
        true => grey.iter().flat_map(|grey| [*grey, 140, 255 - *grey]).collect(),
        false => grey,
    };
    let kind = if colour {
        ExtendedColorType::Rgb8
    } else {
        ExtendedColorType::L8
    };
    let mut out = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut out, 90);
    encoder.write_image(&pixels, WIDTH, HEIGHT, kind).unwrap();
    out
}

#[test]
fn kinds_that_scanners_write_look_as_the_interpreter_has_them() {
    let bits = packed(&bitmap());
    let inverted: Vec<u8> = bits.iter().map(|byte| !byte).collect();
    let grey = "/ColorSpace/DeviceGray/BitsPerComponent 1";
    let fax = format!("{grey}/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns {WIDTH}/Rows {HEIGHT}>>");
    let jpeg_of = |space: &str| format!("/ColorSpace/{space}/BitsPerComponent 8/Filter/DCTDecode");
    for (name, data, entries) in [
        ("raw", inverted.clone(), grey.to_owned()),
        ("raw, black is 1", bits.clone(), format!("{grey}/Decode[1 0]")),
        (
            "deflated",
            compress_to_vec_zlib(&inverted, 6),
            format!("{grey}/Filter/FlateDecode"),
        ),
        ("fax", encode(&bitmap()), fax.clone()),
        ("fax, black is 1", encode(&bitmap()), format!("{fax}/Decode[1 0]")),
        ("grey JPEG", jpeg(false), jpeg_of("DeviceGray")),
        ("JPEG in colour", jpeg(true), jpeg_of("DeviceRGB")),
    ] {
        let file = |state| page(&data, entries.as_bytes(), state);
        let plane = plane(&file(State::None));
        assert!(plane.is_some(), "{name} isn't decoded straight");
        let both = |halftone| [State::None, State::Idle].map(|state| drawn(file(state), halftone));
        if name == "JPEG in colour" {
            // Brightness is rounded otherwise on its way through red, green and blue: by less than a grey value of 255.
            let [straight, through] = both(Halftone::Diffuse).map(|page| page.black());
            let off = straight.abs_diff(through);
            assert!((off * 255) as f64 <= AREA, "{name}: {straight} and {through}");
            continue;
        }
        let [straight, through] = both(Halftone::Threshold);
        assert!(straight == through, "{name} looks different");
        assert!(
            straight.black() > 100_000,
            "{name} has {} black pixels",
            straight.black()
        );
    }
}

#[test]
fn what_changes_the_meaning_of_values_is_left_to_the_interpreter() {
    let bits = packed(&bitmap());
    let grey = "/ColorSpace/DeviceGray/BitsPerComponent 1";
    let black =
        |entries: &str, state| drawn(page(&bits, entries.as_bytes(), state), Halftone::Threshold).black();
    let upright = black(grey, State::None);
    let turned = black(grey, State::Inverting);
    let all = (upright + turned) as f64 / AREA;
    assert!(
        (all - 1.0).abs() < 0.02 && upright != turned,
        "{upright} and {turned}"
    );
    for entries in [
        "/ColorSpace[/Indexed/DeviceGray 1<00FF>]/BitsPerComponent 1",
        "/ColorSpace/DeviceCMYK/BitsPerComponent 1",
        "/ColorSpace/DeviceGray/BitsPerComponent 1/Decode[0 0.5]",
        "/ColorSpace/DeviceGray/BitsPerComponent 8",
    ] {
        assert!(
            plane(&page(&bits, entries.as_bytes(), State::None)).is_none(),
            "{entries}"
        );
    }
    let colour = b"/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode";
    assert!(
        plane(&page(&jpeg(true), colour, State::None)).is_none(),
        "a JPEG of another kind"
    );
}

/// Less data than the size says is nothing to rely on.
#[test]
fn cut_pictures_are_left_to_the_interpreter() {
    let bits = packed(&bitmap());
    let grey = b"/ColorSpace/DeviceGray/BitsPerComponent 1";
    assert!(plane(&page(&bits, grey, State::None)).is_some());
    assert!(plane(&page(&bits[1..], grey, State::None)).is_none());
    let file = jpeg(false);
    let entries = b"/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode";
    assert!(plane(&page(&file[..300], entries, State::None)).is_none());
}

/// What is decoded while it is put on the page looks as what is decoded as a whole.
#[test]
fn a_jpeg_that_comes_again_looks_the_same() {
    // So far apart that the rows of the page fall on the same places.
    let places = [36.0, 396.0].map(|y| [500.0, 0.0, 0.0, 300.0, 50.0, y]);
    let apart = (396 - 36) * 196 / 72;
    let entries = b"/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode";
    let drawn = drawn(
        page_with(&jpeg(false), entries, State::None, &places),
        Halftone::Threshold,
    );
    let rows: Vec<_> = drawn.rows().collect();
    let differences = |(upper, lower): (&[u64], &[u64])| {
        let words = upper.iter().zip(lower);
        words.map(|(a, b)| u64::from((a ^ b).count_ones())).sum::<u64>()
    };
    let different: u64 = (262..1078).map(|y| differences((rows[y], rows[y + apart]))).sum();
    // Both round, and a pixel at the threshold may be black in one and white in the other.
    assert!(
        different * 500 < drawn.black(),
        "{different} of {}",
        drawn.black()
    );
    assert!(drawn.black() > 300_000, "{}", drawn.black());
}
