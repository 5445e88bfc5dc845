//! Pictures to PDF, one page each, with resolution and orientation honoured.
//!
//! Black and white is stored as Group 4, or deflated where that takes less, and stays exact; a sound JPEG and the sound
//! codes of a fax are stored as they are; everything else becomes grey, reduced to what a fax can show. How grey becomes
//! black dots is left to whoever draws the page.

mod bits;
mod ccitt;
mod decode;
mod jpeg;
mod place;
#[cfg(test)]
mod tests;
mod tiff;

use crate::model::{Failure, FailureKind, Paper};
use crate::raster::{Bitmap, encode};
use crate::sniff::Picture;
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref};
use place::{Orientation, Resolution, place};

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
struct Scan {
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
        data: Vec<u8>,
    },
    /// 8-bit grey, row by row, 255 is white.
    Grey { width: u32, height: u32, data: Vec<u8> },
    /// A JPEG file that every PDF reader understands.
    Jpeg {
        width: u32,
        height: u32,
        grey: bool,
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
}

/// Turns a picture with one page into a PDF.
pub(crate) fn to_pdf(data: Vec<u8>, format: Picture, paper: Paper) -> Result<PicturePdf, Failure> {
    let mut notes = Vec::new();
    let scan = match format {
        Picture::Jpeg => jpeg::read(data)?,
        other => decode::read(&data, other, &mut notes)?,
    };
    Ok(PicturePdf {
        pdf: write(vec![scan], paper),
        pages: 1,
        notes,
    })
}

/// Turns a TIFF of any number of pages into a PDF.
pub(crate) fn tiff_to_pdf(data: &[u8], paper: Paper, max_pages: u32) -> Result<PicturePdf, Failure> {
    let scans = tiff::read(data, max_pages)?;
    let pages = scans.len();
    Ok(PicturePdf {
        pdf: write(scans, paper),
        pages,
        notes: Vec::new(),
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

fn write(scans: Vec<Scan>, paper: Paper) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut next = Ref::new(1);
    let (catalog, tree) = (next.bump(), next.bump());
    pdf.catalog(catalog).pages(tree);
    let mut kids = Vec::with_capacity(scans.len());
    let (paper_width, paper_height) = paper.points();
    for scan in scans {
        let (page, stream, image) = (next.bump(), next.bump(), next.bump());
        kids.push(page);
        let mut writer = pdf.page(page);
        writer.parent(tree).contents(stream);
        writer.media_box(Rect::new(0.0, 0.0, paper_width as f32, paper_height as f32));
        writer.resources().x_objects().pair(Name(b"I"), image);
        writer.finish();
        let (width, height) = scan.pixels.size();
        let matrix = place(width, height, scan.resolution, scan.orientation, paper);
        let mut content = Content::new();
        content.transform(matrix).x_object(Name(b"I"));
        pdf.stream(stream, &content.finish());
        write_image(&mut pdf, image, scan.pixels);
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
            let deflated = bits::deflated(&bitmap, data.len());
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
            // The rows were counted: whether a mark follows the last one is no matter.
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
