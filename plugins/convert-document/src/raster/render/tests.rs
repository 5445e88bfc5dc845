//! Both ways of drawing, side by side.

use super::*;
use crate::model::{Halftone, Resolution};
use hayro::hayro_syntax::Pdf as Parsed;
use pdf_writer::types::{FunctionShadingType, PaintType, TilingType};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};

const RASTER: Raster = Raster {
    width: 1728,
    resolution: Resolution::Fine,
    paper: Paper::Letter,
    halftone: Halftone::Automatic,
};

/// A page with this content, and with more in its resources than a page of ink may use.
fn page(content: Content) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let id = Ref::new;
    pdf.catalog(id(1)).pages(id(2));
    pdf.pages(id(2)).kids([id(3)]).count(1);
    let mut page = pdf.page(id(3));
    page.parent(id(2))
        .contents(id(4))
        .media_box(Rect::new(0.0, 0.0, 612.0, 792.0));
    let mut resources = page.resources();
    resources.fonts().pair(Name(b"F"), id(5)).pair(Name(b"T"), id(6));
    resources
        .ext_g_states()
        .pair(Name(b"Half"), id(7))
        .pair(Name(b"Multiply"), id(8));
    resources.patterns().pair(Name(b"P"), id(9));
    resources.shadings().pair(Name(b"S"), id(10));
    resources.x_objects().pair(Name(b"X"), id(11));
    resources.finish();
    page.finish();
    pdf.stream(id(4), &content.finish());
    pdf.type1_font(id(5)).base_font(Name(b"Helvetica"));
    let mut drawn = pdf.type3_font(id(6));
    drawn
        .bbox(Rect::new(0.0, 0.0, 100.0, 100.0))
        .matrix([0.01, 0.0, 0.0, 0.01, 0.0, 0.0])
        .first_char(b'a')
        .last_char(b'a')
        .widths([100.0])
        .encoding_custom()
        .differences()
        .consecutive(b'a', [Name(b"box")]);
    drawn.char_procs().pair(Name(b"box"), id(12));
    drawn.finish();
    pdf.ext_graphics(id(7)).non_stroking_alpha(0.5);
    pdf.ext_graphics(id(8))
        .blend_mode(pdf_writer::types::BlendMode::Multiply);
    let mut tile = Content::new();
    tile.rect(0.0, 0.0, 4.0, 4.0).fill_nonzero();
    let tile = tile.finish();
    let mut pattern = pdf.tiling_pattern(id(9), &tile);
    pattern
        .paint_type(PaintType::Colored)
        .tiling_type(TilingType::ConstantSpacing)
        .bbox(Rect::new(0.0, 0.0, 8.0, 8.0))
        .x_step(8.0)
        .y_step(8.0);
    pattern.resources();
    pattern.finish();
    let mut shading = pdf.function_shading(id(10));
    shading
        .shading_type(FunctionShadingType::Axial)
        .color_space()
        .device_gray();
    shading.coords([0.0, 0.0, 612.0, 0.0]).function(id(13));
    shading.finish();
    let mut form = Content::new();
    form.rect(100.0, 100.0, 50.0, 50.0).fill_nonzero();
    pdf.form_xobject(id(11), &form.finish())
        .bbox(Rect::new(0.0, 0.0, 612.0, 792.0));
    let mut letter = Content::new();
    letter
        .start_color_glyph(100.0)
        .rect(10.0, 10.0, 80.0, 80.0)
        .fill_nonzero();
    pdf.stream(id(12), &letter.finish());
    pdf.exponential_function(id(13))
        .domain([0.0, 1.0])
        .c0([0.0])
        .c1([1.0])
        .n(1.0);
    pdf.finish()
}

/// The page drawn with ink alone, where that can be, and the general way.
fn both_ways(pdf: Vec<u8>) -> (Option<Vec<u8>>, Vec<u8>) {
    let pdf = Parsed::new(pdf).unwrap();
    let page = pdf.pages().first().unwrap();
    let size = size(&RASTER, 4600).unwrap();
    let transform = fit(page, &RASTER, size.0, size.1).unwrap();
    let fonts = Fonts::new(&|_| None);
    let settings = fonts.settings(&Arc::default());
    let renderer = Renderer::new(fonts);
    let ink = renderer
        .pen
        .draw(page, &settings, transform, size, <[u8]>::to_vec);
    let mut canvas = Canvas::new(size);
    renderer.colour(page, &settings, transform, &mut canvas);
    let pixels = canvas.pixels.data_as_u8_slice().as_chunks::<4>().0;
    let luma = |&[r, g, b, _]: &[u8; 4]| halftone::luma(r, g, b);
    (ink, pixels.iter().map(luma).collect())
}

/// Draws both ways, and compares how much ink there is and where: in squares of 16 pixels, so that an edge may lie a
/// part of a pixel elsewhere.
fn assert_alike(name: &str, draw: impl FnOnce(&mut Content)) {
    let mut content = Content::new();
    draw(&mut content);
    let (ink, general) = both_ways(page(content));
    let ink = ink.unwrap_or_else(|| panic!("{name} needs more than ink"));
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
    let (ink, general) = (squares(&ink), squares(&general));
    let total: u32 = general.iter().sum();
    let other: u32 = ink.iter().zip(&general).map(|(a, b)| a.abs_diff(*b)).sum();
    assert!(total > 100_000, "{name} draws {total}");
    assert!(other < total / 50, "{name}: {other} of {total}");
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
    assert_alike("a star with a hole", |content| {
        content
            .move_to(300.0, 700.0)
            .line_to(150.0, 200.0)
            .line_to(550.0, 550.0);
        content
            .line_to(50.0, 550.0)
            .line_to(450.0, 200.0)
            .close_path()
            .fill_even_odd();
    });
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
    assert_alike("half the ink", |content| {
        content.set_parameters(Name(b"Half"));
        content.rect(100.0, 100.0, 200.0, 200.0).fill_nonzero();
        content.rect(200.0, 200.0, 200.0, 200.0).fill_nonzero();
    });
    assert_alike("a form", |content| {
        content.x_object(Name(b"X"));
    });
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
        content
            .move_to(100.0, 100.0)
            .line_to(500.0, 100.0)
            .line_to(300.0, 700.0)
            .close_path();
        content.clip_nonzero().end_path();
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
    assert_needs_more("pattern", |content| {
        content.set_fill_color_space(pdf_writer::types::ColorSpaceOperand::Pattern);
        content
            .set_fill_pattern([], Name(b"P"))
            .rect(100.0, 100.0, 200.0, 200.0)
            .fill_nonzero();
    });
    assert_needs_more("shading", |content| {
        content.shading(Name(b"S"));
    });
    assert_needs_more("blending", |content| {
        content
            .set_parameters(Name(b"Multiply"))
            .rect(100.0, 100.0, 200.0, 200.0)
            .fill_nonzero();
    });
}
