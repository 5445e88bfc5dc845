//! Pictures to PDF, one page each, with resolution and orientation honoured.
//!
//! Black and white is stored as Group 4, or deflated where that takes less, and stays exact; a sound JPEG and the sound
//! codes of a fax are stored as they are; everything else becomes grey, reduced to what a fax can show. Grey becomes black
//! dots when the page is drawn.

mod ccitt;
mod decode;
mod deflate;
mod jpeg;
mod place;
mod split;
#[cfg(test)]
mod tests;
mod tiff;

use crate::model::{Failure, FailureKind, Paper};
use crate::raster::{Bitmap, encode};
use crate::sniff::Picture;
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref};
use place::{Orientation, Placement, Resolution};

/// Most pixels of one picture: Letter at 600 dots per inch, or a large camera.
const MAX_PIXELS: u64 = 40_000_000;
/// Most bytes that decoded pixels may take.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// Pictures as a PDF.
#[derive(Debug)]
pub(crate) struct PicturePdf {
    /// The file.
    pub(crate) pdf: Vec<u8>,
    /// Its pages.
    pub(crate) pages: usize,
    /// What the sender should know, one sentence each.
    pub(crate) notes: Vec<String>,
}

/// One page before it is placed on paper.
#[derive(Debug)]
struct PageImage {
    pixels: Pixels,
    resolution: Option<Resolution>,
    orientation: Orientation,
}

#[derive(Debug)]
enum Pixels {
    /// Black and white.
    Bilevel(Bitmap),
    /// A strip of fax codes, most significant bit first.
    Fax {
        width: u32,
        height: u32,
        coding: ccitt::Coding,
        /// Whether what the codes call black is white.
        inverted: bool,
        /// Whether no pixel is black.
        blank: bool,
        data: Vec<u8>,
    },
    /// 8-bit grey, row by row, 255 is white.
    Grey { width: u32, height: u32, data: Vec<u8> },
    /// A JPEG file that every PDF reader understands.
    Jpeg {
        width: u32,
        height: u32,
        grey: bool,
        /// Whether every pixel is white.
        blank: bool,
        file: Vec<u8>,
    },
}

impl Pixels {
    fn size(&self) -> (u32, u32) {
        match self {
            Self::Bilevel(bitmap) => (bitmap.width(), bitmap.height()),
            Self::Fax { width, height, .. }
            | Self::Grey { width, height, .. }
            | Self::Jpeg { width, height, .. } => (*width, *height),
        }
    }

    /// Whether nothing of it is printed.
    fn is_blank(&self) -> bool {
        match self {
            Self::Bilevel(bitmap) => bitmap.black() == 0,
            Self::Grey { data, .. } => data.iter().all(|value| *value == u8::MAX),
            Self::Fax { blank, .. } | Self::Jpeg { blank, .. } => *blank,
        }
    }
}

/// Turns a picture with one page into a PDF.
pub(crate) fn to_pdf(
    data: Vec<u8>,
    format: Picture,
    paper: Paper,
    max_pages: u32,
) -> Result<PicturePdf, Failure> {
    let mut notes = Vec::new();
    let image = match format {
        Picture::Jpeg => jpeg::read(data)?,
        other => decode::read(&data, other, &mut notes)?,
    };
    made(vec![image], paper, max_pages, notes)
}

/// Turns a TIFF of any number of pages into a PDF.
pub(crate) fn tiff_to_pdf(data: &[u8], paper: Paper, max_pages: u32) -> Result<PicturePdf, Failure> {
    made(tiff::read(data, max_pages)?, paper, max_pages, Vec::new())
}

/// The PDF of pictures that all show something.
fn made(
    images: Vec<PageImage>,
    paper: Paper,
    max_pages: u32,
    mut notes: Vec<String>,
) -> Result<PicturePdf, Failure> {
    if let Some(at) = images.iter().position(|image| image.pixels.is_blank()) {
        return Err(Failure::new(
            FailureKind::Empty,
            match images.len() {
                1 => "The picture is blank: nothing of it would be printed; send one that shows something."
                    .to_owned(),
                _ => format!(
                    "Page {} of the picture is blank; leave it out and send the others.",
                    at + 1
                ),
            },
        ));
    }
    let count = images.len();
    let placed = images.into_iter().map(|image| {
        let placement = split::placement(&image, paper)?;
        Ok((image.pixels, placement))
    });
    let placed = placed.collect::<Result<Vec<_>, Failure>>()?;
    let pages = placed.iter().map(|(_, placement)| placement.parts.len()).sum();
    if pages > max_pages as usize {
        return Err(Failure::too_many_pages(max_pages));
    }
    if pages > count {
        notes.push(match count {
            1 => format!("The picture is much taller than a page and is split over {pages} pages."),
            _ => format!("Pictures that are much taller than a page are split: {pages} pages in all."),
        });
    }
    Ok(PicturePdf {
        pdf: write(placed, paper),
        pages,
        notes,
    })
}

fn broken(message: &str) -> Failure {
    Failure::new(FailureKind::Broken, message)
}

fn check_size(width: u32, height: u32) -> Result<(), Failure> {
    if width == 0 || height == 0 {
        return Err(Failure::new(
            FailureKind::Empty,
            "The picture has no pixels; send a document with content.",
        ));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Failure::new(
            FailureKind::TooLarge,
            "The picture has too many pixels; make it smaller.",
        ));
    }
    Ok(())
}

fn write(images: Vec<(Pixels, Placement)>, paper: Paper) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut next = Ref::new(1);
    let (catalog, tree) = (next.bump(), next.bump());
    pdf.catalog(catalog).pages(tree);
    let mut kids = Vec::with_capacity(images.len());
    let (paper_width, paper_height) = paper.points();
    for (pixels, placement) in images {
        let x_object = next.bump();
        for part in &placement.parts {
            let (page, stream) = (next.bump(), next.bump());
            kids.push(page);
            let mut writer = pdf.page(page);
            writer.parent(tree).contents(stream);
            writer.media_box(Rect::new(0.0, 0.0, paper_width as f32, paper_height as f32));
            writer.resources().x_objects().pair(Name(b"I"), x_object);
            writer.finish();
            let mut content = Content::new();
            if placement.parts.len() > 1 || part.shows != (0.0, 1.0) {
                let [left, bottom, width, height] = placement.clip;
                content
                    .rect(left, bottom, width, height)
                    .clip_nonzero()
                    .end_path();
            }
            content.transform(part.matrix).x_object(Name(b"I"));
            pdf.stream(stream, &content.finish());
        }
        write_image(&mut pdf, x_object, pixels);
    }
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(kids).count(count);
    pdf.finish()
}

fn write_image(pdf: &mut Pdf, id: Ref, pixels: Pixels) {
    let signed = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
    let (width, height) = pixels.size();
    let (width, height) = (signed(width), signed(height));
    match pixels {
        Pixels::Bilevel(bitmap) => {
            let data = encode(&bitmap);
            let deflated = deflate::deflated(&bitmap, data.len());
            let mut image = pdf.image_xobject(id, deflated.as_ref().unwrap_or(&data));
            if deflated.is_some() {
                image.decode([1.0, 0.0]).filter(Filter::FlateDecode);
            } else {
                image.filter(Filter::CcittFaxDecode);
                image.decode_parms().k(-1).columns(width).rows(height);
            }
            image
                .width(width)
                .height(height)
                .bits_per_component(1)
                .color_space()
                .device_gray();
        }
        Pixels::Fax {
            coding,
            inverted,
            data,
            ..
        } => {
            use ccitt::Compression::{Group3, Group4, ModifiedHuffman};
            let mut image = pdf.image_xobject(id, &data);
            image.filter(Filter::CcittFaxDecode);
            let k = match coding.compression {
                Group4 => -1,
                Group3 if coding.two_dimensional => 1,
                Group3 | ModifiedHuffman => 0,
            };
            // The rows were counted, so that a mark after the last one is not needed.
            image
                .decode_parms()
                .k(k)
                .columns(width)
                .rows(height)
                .end_of_block(false)
                .end_of_line(coding.compression == Group3)
                .encoded_byte_align(coding.compression == ModifiedHuffman)
                .black_is_1(inverted);
            image
                .width(width)
                .height(height)
                .bits_per_component(1)
                .color_space()
                .device_gray();
        }
        Pixels::Grey { data, .. } => {
            let packed = compress_to_vec_zlib(&data, 1);
            let mut image = pdf.image_xobject(id, &packed);
            image.filter(Filter::FlateDecode);
            image
                .width(width)
                .height(height)
                .bits_per_component(8)
                .color_space()
                .device_gray();
        }
        Pixels::Jpeg { file, grey, .. } => {
            let mut image = pdf.image_xobject(id, &file);
            image.filter(Filter::DctDecode);
            image.width(width).height(height).bits_per_component(8);
            if grey {
                image.color_space().device_gray();
            } else {
                image.color_space().device_rgb();
            }
        }
    }
}
