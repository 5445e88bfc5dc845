//! Both ways of drawing, side by side.

use super::*;
use crate::model::{Halftone, Resolution};
use hayro::hayro_syntax::Pdf as Parsed;
use pdf_writer::{Content, Name, Str};

mod resources;

use self::resources::page;

const RASTER: Raster = Raster {
    width: 1728,
    resolution: Resolution::Fine,
    paper: Paper::Letter,
    halftone: Halftone::Automatic,
};

/// The page rendered in grey, where that is supported, and by the general renderer.
fn both_ways(pdf: Vec<u8>) -> (Option<Vec<u8>>, Vec<u8>) {
    let pdf = Parsed::new(pdf).unwrap();
    let page = pdf.pages().first().unwrap();
    let size = size(&RASTER, 4600).unwrap();
    let transform = fit(page, &RASTER, size.0, size.1).unwrap();
    let fonts = Fonts::new(&|_| None);
    let settings = fonts.settings(&Arc::default());
    let renderer = Renderer::new(fonts);
    let grey = renderer
        .grey
        .draw(page, &settings, transform, size, <[u8]>::to_vec);
    let mut canvas = Canvas::new(size);
    renderer.colour(page, &settings, transform, &mut canvas);
    let pixels = canvas.pixels.data_as_u8_slice().as_chunks::<4>().0;
    let luma = |&[r, g, b, _]: &[u8; 4]| halftone::luma(r, g, b);
    (grey, pixels.iter().map(luma).collect())
}

/// Renders both ways, and compares how much is dark and where: in squares of 16 pixels, so that an edge may lie a
/// part of a pixel elsewhere.
fn assert_alike(name: &str, draw: impl FnOnce(&mut Content)) {
    assert_within(50, name, draw);
}

/// The same, but one `part` of the dark pixels may lie elsewhere.
fn assert_within(part: u32, name: &str, draw: impl FnOnce(&mut Content)) {
    let mut content = Content::new();
    draw(&mut content);
    let (grey, general) = both_ways(page(content));
    let grey = grey.unwrap_or_else(|| panic!("{name} needs the general renderer"));
    let squares = |grey: &[u8]| {
        let mut sums = vec![0_u32; 108 * 135];
        for (row, line) in grey.chunks(1728).enumerate() {
            for (column, sixteen) in line.chunks(16).enumerate() {
                let sum: u32 = sixteen.iter().map(|grey| u32::from(255 - grey)).sum();
                sums[row / 16 * 108 + column] += sum;
            }
        }
        sums
    };
    let (grey, general) = (squares(&grey), squares(&general));
    let total: u32 = general.iter().sum();
    let other: u32 = grey.iter().zip(&general).map(|(a, b)| a.abs_diff(*b)).sum();
    assert!(total > 100_000, "{name} draws {total}");
    assert!(other < total / part, "{name}: {other} of {total}");
}

fn assert_needs_more(name: &str, draw: impl FnOnce(&mut Content)) {
    let mut content = Content::new();
    draw(&mut content);
    content.rect(10.0, 10.0, 40.0, 40.0).fill_nonzero();
    assert!(both_ways(page(content)).0.is_none(), "{name}");
}

fn write(content: &mut Content, font: &[u8], size: f32, matrix: [f32; 4], text: &[u8]) {
    let [a, b, c, d] = matrix;
    content
        .begin_text()
        .set_font(Name(font), size)
        .set_text_matrix([a, b, c, d, 100.0, 500.0])
        .show(Str(text))
        .end_text();
}

/// A star with a hole.
fn star(content: &mut Content) {
    content
        .move_to(300.0, 700.0)
        .line_to(150.0, 200.0)
        .line_to(550.0, 550.0);
    content
        .line_to(50.0, 550.0)
        .line_to(450.0, 200.0)
        .close_path()
        .fill_even_odd();
}

fn clip_to_triangle(content: &mut Content) {
    content
        .move_to(100.0, 100.0)
        .line_to(500.0, 100.0)
        .line_to(300.0, 700.0);
    content.close_path().clip_nonzero().end_path();
}

const UPRIGHT: [f32; 4] = [1.0, 0.0, 0.0, 1.0];
const TEXT: &[u8] = b"The quick brown fox jumps over 1234567890 dogs";

#[test]
fn letters_look_the_same() {
    for size in [5.0, 9.5, 12.0, 24.0, 90.0, 300.0] {
        assert_alike(&format!("size {size}"), |content| {
            write(content, b"F", size, UPRIGHT, TEXT);
        });
    }
    assert_alike("turned", |content| {
        write(content, b"F", 20.0, [0.0, -1.0, 1.0, 0.0], TEXT)
    });
    assert_alike("slanted", |content| {
        write(content, b"F", 20.0, [0.7, 0.7, -0.7, 0.7], TEXT)
    });
    assert_alike("drawn by the font", |content| {
        write(content, b"T", 20.0, UPRIGHT, b"aaa aaa")
    });
    assert_alike("grey", |content| {
        content.set_fill_rgb(0.2, 0.5, 0.9);
        write(content, b"F", 30.0, UPRIGHT, TEXT);
    });
    assert_alike("outlined", |content| {
        content.set_text_rendering_mode(pdf_writer::types::TextRenderingMode::FillStroke);
        write(content, b"F", 40.0, UPRIGHT, TEXT);
    });
    assert_alike("on black", |content| {
        content.rect(50.0, 450.0, 500.0, 100.0).fill_nonzero();
        content.set_fill_gray(1.0);
        write(content, b"F", 30.0, UPRIGHT, TEXT);
    });
    assert_alike("at the edge", |content| {
        content.transform([1.0, 0.0, 0.0, 1.0, -110.0, 280.0]);
        write(content, b"F", 60.0, UPRIGHT, TEXT);
    });
}

#[test]
fn shapes_look_the_same() {
    assert_alike("rectangles", |content| {
        for n in 0..20 {
            let n = n as f32;
            content.set_fill_gray(n / 25.0);
            content
                .rect(50.3 + n * 20.0, 100.7, 10.5, 3.0 + n * 30.1)
                .fill_nonzero();
        }
    });
    assert_alike("a star with a hole", star);
    assert_alike("lines", |content| {
        for n in 1..30 {
            let n = n as f32;
            content.set_line_width(n / 8.0);
            content
                .move_to(50.0, 20.0 * n)
                .line_to(550.0, 20.0 * n + 30.0)
                .stroke();
        }
    });
    assert_alike("hairlines", |content| {
        content.set_line_width(0.0);
        for n in 1..60 {
            content
                .move_to(50.0, 10.0 * n as f32)
                .line_to(550.0, 10.0 * n as f32)
                .stroke();
        }
    });
    assert_alike("dashes and curves", |content| {
        content.set_line_width(6.0).set_dash_pattern([12.0, 9.0], 3.0);
        content.set_line_cap(pdf_writer::types::LineCapStyle::RoundCap);
        content
            .move_to(50.0, 50.0)
            .cubic_to(600.0, 100.0, 0.0, 700.0, 560.0, 740.0)
            .stroke();
    });
    assert_alike("half opaque", |content| {
        content.set_parameters(Name(b"Half"));
        content.rect(100.0, 100.0, 200.0, 200.0).fill_nonzero();
        content.rect(200.0, 200.0, 200.0, 200.0).fill_nonzero();
    });
    assert_alike("a form", |content| {
        content.x_object(Name(b"X"));
    });
}

fn tiled(content: &mut Content, pattern: &[u8], [x, y, width, height]: [f32; 4]) {
    content.set_fill_color_space(pdf_writer::types::ColorSpaceOperand::Pattern);
    content
        .set_fill_pattern([], Name(pattern))
        .rect(x, y, width, height)
        .fill_nonzero();
}

/// The general way repeats the pixels of one tile, which lie between those of the page and blur.
#[test]
fn patterns_look_the_same() {
    assert_within(25, "squares", |content| {
        tiled(content, b"P", [100.0, 100.0, 200.0, 200.0]);
    });
    assert_within(25, "slanted", |content| {
        tiled(content, b"L", [100.0, 100.0, 300.0, 500.0]);
    });
    assert_within(25, "in a star", |content| {
        content.set_fill_color_space(pdf_writer::types::ColorSpaceOperand::Pattern);
        content.set_fill_pattern([], Name(b"P"));
        star(content);
    });
}

#[test]
fn gradients_look_the_same() {
    assert_alike("over the page", |content| {
        content.shading(Name(b"S"));
    });
    assert_alike("slanted", |content| {
        content
            .transform([0.3, 0.2, -0.1, 0.4, 200.0, 100.0])
            .shading(Name(b"S"));
    });
    assert_alike("beyond its ends", |content| {
        content
            .transform([0.3, 0.0, 0.0, 0.3, 200.0, 100.0])
            .shading(Name(b"E"));
    });
    assert_alike("over black, and cut", |content| {
        content.rect(0.0, 0.0, 612.0, 400.0).fill_nonzero();
        clip_to_triangle(content);
        content.shading(Name(b"S"));
    });
}

/// Puts a picture upright, mirrored and on its side, in sizes from a logo to the page.
fn assert_picture_alike(name: &[u8]) {
    let named = |how: &str| format!("{} {how}", String::from_utf8_lossy(name));
    for (how, matrix) in [
        ("over the page", [612.0, 0.0, 0.0, 792.0, 0.0, 0.0]),
        ("small", [150.3, 0.0, 0.0, 120.7, 333.3, 222.2]),
        ("mirrored", [-300.0, 0.0, 0.0, 280.0, 400.5, 222.2]),
        ("upside down", [-300.0, 0.0, 0.0, -280.0, 400.5, 522.2]),
        ("on its side", [0.0, 300.0, -280.0, 0.0, 400.5, 222.2]),
        ("partly off the page", [500.0, 0.0, 0.0, 500.0, 300.0, -200.0]),
    ] {
        assert_alike(&named(how), |content| {
            content.transform(matrix).x_object(Name(name));
        });
    }
    assert_alike(&named("between other things, and cut"), |content| {
        content.rect(80.0, 80.0, 300.0, 300.0).fill_nonzero();
        content.save_state();
        clip_to_triangle(content);
        content
            .transform([400.0, 0.0, 0.0, 600.0, 100.5, 100.5])
            .x_object(Name(name));
        content.restore_state();
        write(content, b"F", 30.0, UPRIGHT, TEXT);
    });
}

#[test]
fn pictures_look_the_same() {
    for name in [b"G", b"C", b"B", b"N"] {
        assert_picture_alike(name);
    }
    assert_alike("a stencil in grey over black", |content| {
        content.rect(0.0, 0.0, 300.0, 792.0).fill_nonzero();
        content.set_fill_rgb(0.7, 0.6, 0.8);
        content
            .transform([500.0, 0.0, 0.0, 700.0, 50.0, 50.0])
            .x_object(Name(b"N"));
    });
}

/// Slices of a picture that touch leave no line between them, and end where they should.
#[test]
fn slices_of_a_picture_have_no_seams() {
    let mut content = Content::new();
    for n in 0..40 {
        content.save_state();
        content
            .transform([500.0, 0.0, 0.0, 12.3, 50.0, 100.0 + 12.3 * n as f32])
            .x_object(Name(b"D"));
        content.restore_state();
    }
    let (grey, _) = both_ways(page(content));
    let grey = grey.unwrap();
    let column: Vec<u8> = grey.chunks(1728).map(|row| row[864]).collect();
    let dark: Vec<usize> = (0..column.len()).filter(|row| column[*row] < 255).collect();
    // From 100 to 592 points above the lower edge, at 196 dots per inch.
    assert_eq!((dark[0], dark[dark.len() - 1]), (544, 1883));
    // A quarter of the page shows through at most, where two edges share a pixel half and half.
    assert!(dark[1..dark.len() - 1].iter().all(|row| column[*row] < 70));
}

#[test]
fn clips_cut_the_same() {
    assert_alike("letters by a rectangle", |content| {
        content.rect(120.5, 490.0, 300.2, 22.0).clip_nonzero().end_path();
        write(content, b"F", 40.0, UPRIGHT, TEXT);
    });
    assert_alike("letters by a triangle", |content| {
        content
            .move_to(100.0, 480.0)
            .line_to(500.0, 480.0)
            .line_to(300.0, 560.0)
            .close_path();
        content.clip_nonzero().end_path();
        write(content, b"F", 40.0, UPRIGHT, TEXT);
    });
    assert_alike("shapes by two", |content| {
        content.save_state();
        clip_to_triangle(content);
        content.rect(0.0, 200.0, 600.0, 250.0).clip_nonzero().end_path();
        content.rect(0.0, 0.0, 612.0, 792.0).fill_nonzero();
        content.restore_state();
        content
            .set_line_width(8.0)
            .move_to(0.0, 0.0)
            .line_to(600.0, 790.0)
            .stroke();
    });
}

#[test]
fn what_ink_can_not_show_is_drawn_the_general_way() {
    assert_needs_more("a pattern of many tiles", |content| {
        tiled(content, b"M", [0.0, 0.0, 612.0, 792.0]);
    });
    assert_needs_more("radial shading", |content| {
        content.shading(Name(b"R"));
    });
    assert_needs_more("a slanted picture", |content| {
        content
            .transform([200.0, 30.0, -30.0, 200.0, 100.0, 100.0])
            .x_object(Name(b"G"));
    });
    assert_needs_more("a picture with holes", |content| {
        content
            .transform([200.0, 0.0, 0.0, 200.0, 100.0, 100.0])
            .x_object(Name(b"K"));
    });
    assert_needs_more("an enlarged picture with soft transitions", |content| {
        content
            .transform([200.0, 0.0, 0.0, 200.0, 100.0, 100.0])
            .x_object(Name(b"I"));
    });
    assert_needs_more("blending", |content| {
        content
            .set_parameters(Name(b"Multiply"))
            .rect(100.0, 100.0, 200.0, 200.0)
            .fill_nonzero();
    });
}
