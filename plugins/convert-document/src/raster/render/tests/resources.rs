//! A page on which everything can be drawn.

use crate::one_page::one_page;
use pdf_writer::types::{FunctionShadingType, PaintType, TilingType};
use pdf_writer::{Chunk, Content, Filter, Finish, Name, Rect, Ref};

/// Pictures by name: grey, in colour, black and white, dark, with soft transitions, with holes, and a stencil.
const PICTURES: [&[u8]; 7] = [b"G", b"C", b"B", b"D", b"I", b"K", b"N"];
const FIRST_PICTURE: i32 = 20;
const SAME: [f32; 6] = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

fn id(number: i32) -> Ref {
    Ref::new(number)
}

/// A page with this content, and with more in its resources than the grey renderer supports.
pub(super) fn page(content: Content) -> Vec<u8> {
    let content = content.finish();
    let mut pdf = one_page(|page| {
        let mut resources = page.resources();
        resources.fonts().pair(Name(b"F"), id(5)).pair(Name(b"T"), id(6));
        resources
            .ext_g_states()
            .pair(Name(b"Half"), id(7))
            .pair(Name(b"Multiply"), id(8));
        let patterns = [(b"P", 9), (b"L", 16), (b"M", 17)];
        resources
            .patterns()
            .pairs(patterns.map(|(name, number)| (Name(name), id(number))));
        let shadings = [(b"S", 10), (b"E", 14), (b"R", 15)];
        resources
            .shadings()
            .pairs(shadings.map(|(name, number)| (Name(name), id(number))));
        // A picture with holes ends the attempt if only it is among the resources.
        let holes = content.windows(2).any(|two| two == b"/K");
        let pictures = PICTURES.iter().copied().zip(FIRST_PICTURE..);
        let pictures = pictures.filter(|(name, _)| *name != b"K" || holes);
        resources
            .x_objects()
            .pair(Name(b"X"), id(11))
            .pairs(pictures.map(|(name, number)| (Name(name), id(number))));
    });
    pdf.stream(id(4), &content);
    fonts(&mut pdf);
    pdf.ext_graphics(id(7)).non_stroking_alpha(0.5);
    pdf.ext_graphics(id(8))
        .blend_mode(pdf_writer::types::BlendMode::Multiply);
    paints(&mut pdf);
    let mut form = Content::new();
    form.rect(100.0, 100.0, 50.0, 50.0).fill_nonzero();
    pdf.form_xobject(id(11), &form.finish())
        .bbox(Rect::new(0.0, 0.0, 612.0, 792.0));
    pictures_of(&mut pdf);
    pdf.finish()
}

fn fonts(pdf: &mut Chunk) {
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
    let mut letter = Content::new();
    letter
        .start_color_glyph(100.0)
        .rect(10.0, 10.0, 80.0, 80.0)
        .fill_nonzero();
    pdf.stream(id(12), &letter.finish());
}

/// Patterns, and gradients that end, go on beyond their ends, and are round.
fn paints(pdf: &mut Chunk) {
    let mut tile = Content::new();
    tile.rect(0.0, 0.0, 4.0, 4.0).fill_nonzero();
    let tile = tile.finish();
    let slanted = [1.2, 0.4, -0.4, 1.2, 3.0, 5.0];
    for (number, matrix, step) in [(9, SAME, 8.0), (16, slanted, 12.0), (17, SAME, 5.0)] {
        let mut pattern = pdf.tiling_pattern(id(number), &tile);
        pattern
            .paint_type(PaintType::Colored)
            .tiling_type(TilingType::ConstantSpacing)
            .bbox(Rect::new(0.0, 0.0, 8.0, 8.0))
            .matrix(matrix)
            .x_step(step)
            .y_step(step);
        pattern.resources();
    }
    for (number, extend) in [(10, false), (14, true)] {
        let mut shading = pdf.function_shading(id(number));
        shading
            .shading_type(FunctionShadingType::Axial)
            .color_space()
            .device_gray();
        shading.coords([0.0, 0.0, 612.0, 0.0]).function(id(13));
        shading.extend([extend; 2]);
    }
    let mut shading = pdf.function_shading(id(15));
    shading
        .shading_type(FunctionShadingType::Radial)
        .color_space()
        .device_gray();
    shading
        .coords([300.0, 300.0, 0.0, 300.0, 300.0, 200.0])
        .function(id(13));
    shading.finish();
    pdf.exponential_function(id(13))
        .domain([0.0, 1.0])
        .c0([0.0])
        .c1([1.0])
        .n(1.0);
}

fn pictures_of(pdf: &mut Chunk) {
    const WIDTH: usize = 300;
    let wave = |at: usize| ((at % WIDTH) / 3 + at / WIDTH / 2) as u8;
    let grey: Vec<u8> = (0..WIDTH * 200).map(wave).collect();
    let colour: Vec<u8> = grey.iter().flat_map(|grey| [*grey, 255 - *grey, 90]).collect();
    let bits: Vec<u8> = (0..38 * 200).map(|at| (at * 37 % 251) as u8).collect();
    let dark = vec![0; WIDTH * 200];
    let pixels = [&grey, &colour, &bits, &dark, &grey, &grey, &bits];
    for ((name, number), pixels) in PICTURES.iter().zip(FIRST_PICTURE..).zip(pixels) {
        let data = miniz_oxide::deflate::compress_to_vec_zlib(pixels, 1);
        let mut image = pdf.image_xobject(id(number), &data);
        image.filter(Filter::FlateDecode);
        image
            .width(WIDTH as i32)
            .height(200)
            .bits_per_component(if pixels.len() == bits.len() { 1 } else { 8 });
        match *name {
            b"C" => image.color_space().device_rgb(),
            b"N" => drop(image.image_mask(true)),
            _ => image.color_space().device_gray(),
        }
        match *name {
            b"I" => drop(image.interpolate(true)),
            b"K" => drop(image.color_mask([10, 20])),
            _ => {}
        }
    }
}
