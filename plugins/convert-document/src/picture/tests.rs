//! Converts pictures, draws the pages and checks the pixels.

mod pages;

use super::*;
use crate::model::{Halftone, Limits, OpenOptions, Part, Raster, Resolution as Lines};
use crate::{Document, FaxPage};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgba, RgbaImage};
use std::io::Cursor;

const LIMITS: Limits = Limits {
    max_pages: 200,
    max_bytes: 50_000_000,
    max_rows: 4000,
};
const RASTER: Raster = Raster {
    width: 1728,
    resolution: Lines::Fine,
    paper: Paper::Letter,
    halftone: Halftone::Automatic,
};

fn open(data: Vec<u8>) -> Result<Document, Failure> {
    let part = Part {
        data,
        media_type: "application/octet-stream".to_owned(),
        attributes: Vec::new(),
    };
    Document::open(vec![part], OpenOptions::for_tests(Paper::Letter, LIMITS))
}

fn draw(data: Vec<u8>) -> FaxPage {
    let document = open(data).unwrap();
    assert_eq!(document.pages(), 1);
    document.render(0, &RASTER).unwrap()
}

fn save(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A ramp from black to white, as wide as a page at 200 dots per inch.
fn ramp() -> DynamicImage {
    DynamicImage::ImageLuma8(GrayImage::from_fn(1700, 2200, |x, _| {
        Luma([(x * 255 / 1699) as u8])
    }))
}

fn share(page: &FaxPage) -> f64 {
    page.black as f64 / (f64::from(page.width) * f64::from(page.height))
}

#[test]
fn tones_survive_in_every_format() {
    let grey = ramp();
    let colour = DynamicImage::ImageRgb8(grey.to_rgb8());
    for (image, format) in [
        (&grey, ImageFormat::Png),
        (&colour, ImageFormat::Png),
        (&grey, ImageFormat::Jpeg),
        (&colour, ImageFormat::Jpeg),
        (&colour, ImageFormat::Bmp),
        (&colour, ImageFormat::Gif),
        (&colour, ImageFormat::WebP),
    ] {
        let share = share(&draw(save(image, format)));
        assert!((0.40..0.56).contains(&share), "{format:?}: {share}");
    }
}

#[test]
fn what_is_transparent_is_paper() {
    let image = RgbaImage::from_fn(300, 300, |x, _| Rgba([0, 0, 0, if x < 150 { 255 } else { 0 }]));
    let page = draw(save(&DynamicImage::ImageRgba8(image), ImageFormat::Png));
    // Half of 300 x 300 pixels at 96 to the inch.
    let want = (150.0 / 96.0 * 204.0) * (300.0 / 96.0 * 196.0);
    assert!((page.black as f64 / want - 1.0).abs() < 0.02, "{}", page.black);
}

#[test]
fn a_jpeg_keeps_its_bytes_and_loses_nothing_silently() {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 80)
        .encode_image(&ramp())
        .unwrap();
    let document = open(jpeg.clone()).unwrap();
    let pdf = document.pdf().unwrap();
    assert!(pdf.windows(jpeg.len()).any(|window| window == jpeg));
    let cut = jpeg[..jpeg.len() / 2].to_vec();
    assert_eq!(open(cut).err().unwrap().kind, FailureKind::Broken);
}

#[test]
fn exif_turns_the_picture() {
    let mut jpeg = Vec::new();
    // Black on the left; turned a quarter clockwise it is on top.
    let image = GrayImage::from_fn(400, 400, |x, _| Luma([if x < 200 { 0 } else { 255 }]));
    JpegEncoder::new(&mut jpeg).encode_image(&image).unwrap();
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut turned = jpeg[..2].to_vec();
    turned.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
    turned.extend(exif);
    turned.extend(&jpeg[2..]);
    let rows = |data: Vec<u8>| {
        let page = draw(data);
        let bitmap = super::super::raster::decoded(&page.g4, page.width, page.height);
        let dark = |rows: std::ops::Range<usize>| -> u64 {
            bitmap
                .rows()
                .skip(rows.start)
                .take(rows.len())
                .flatten()
                .map(|w| u64::from(w.count_ones()))
                .sum()
        };
        (dark(0..1078), dark(1078..2156))
    };
    let (top, bottom) = rows(jpeg);
    assert!(top.abs_diff(bottom) < top / 20, "{top} {bottom}");
    let (top, bottom) = rows(turned);
    assert!(top > 100_000 && bottom < top / 20, "{top} {bottom}");
}

#[test]
fn a_bomb_is_too_large() {
    // 60000 x 60000 pixels in a few bytes: only the header is ever read.
    let mut png = save(&DynamicImage::ImageLuma8(GrayImage::new(1, 1)), ImageFormat::Png);
    png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(open(png).err().unwrap().kind, FailureKind::TooLarge);
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    })
}

/// A picture for fax pages: stripes and a frame.
fn fax_page(width: u32, height: u32, seed: u32) -> Bitmap {
    let mut bitmap = Bitmap::new(width, height);
    for (y, row) in bitmap.rows_mut().enumerate() {
        for x in 0..width {
            let frame = x < 3 || x + 3 >= width || y < 3;
            let stripe = (x / (7 + seed) + y as u32 / 5).is_multiple_of(6) && x.is_multiple_of(3);
            if frame || stripe {
                row[x as usize / 64] |= 1 << (63 - x % 64);
            }
        }
    }
    bitmap
}

/// Writes a TIFF of fax pages, one strip each.
struct TiffPage {
    compression: u32,
    photometric: u32,
    fill_order: u32,
    width: u32,
    height: u32,
    strip: Vec<u8>,
}

fn tiff(pages: &[TiffPage], little: bool) -> Vec<u8> {
    let short = |value: u32| {
        if little {
            (value as u16).to_le_bytes()
        } else {
            (value as u16).to_be_bytes()
        }
    };
    let long = |value: u32| {
        if little {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let mut out = if little {
        b"II*\0".to_vec()
    } else {
        b"MM\0*".to_vec()
    };
    let mut link = out.len();
    out.extend([0; 4]);
    for page in pages {
        let strip = out.len() as u32;
        out.extend(&page.strip);
        let ratios = out.len() as u32;
        for dots in [204, 1, 196, 1] {
            out.extend(long(dots));
        }
        if out.len() % 2 == 1 {
            out.push(0);
        }
        let here = long(out.len() as u32);
        out[link..link + 4].copy_from_slice(&here);
        let tags = [
            (256, 4, page.width),
            (257, 4, page.height),
            (258, 3, 1),
            (259, 3, page.compression),
            (262, 3, page.photometric),
            (266, 3, page.fill_order),
            (273, 4, strip),
            (277, 3, 1),
            (278, 4, page.height),
            (279, 4, page.strip.len() as u32),
            (282, 5, ratios),
            (283, 5, ratios + 8),
        ];
        out.extend(short(tags.len() as u32));
        for (tag, kind, value) in tags {
            out.extend(short(tag));
            out.extend(short(kind));
            out.extend(long(1));
            if kind == 3 {
                out.extend(short(value));
                out.extend([0, 0]);
            } else {
                out.extend(long(value));
            }
        }
        link = out.len();
        out.extend([0; 4]);
    }
    out
}

fn bilevel(scan: &PageImage) -> Bitmap {
    match &scan.pixels {
        Pixels::Bilevel(bitmap) => bitmap.clone(),
        Pixels::Fax {
            width,
            height,
            coding,
            inverted,
            data,
            ..
        } => {
            let coding = ccitt::Coding {
                reversed: false,
                ..*coding
            };
            let mut bitmap = Bitmap::new(*width, *height);
            assert!(ccitt::read(data, coding, *width, *height, &mut bitmap.rows_mut()));
            if *inverted {
                bitmap.invert();
            }
            bitmap
        }
        other => panic!("not black and white: {:?}", other.size()),
    }
}

fn packed(bitmap: &Bitmap) -> Vec<u8> {
    let bytes = bitmap.width().div_ceil(8) as usize;
    bitmap
        .rows()
        .flat_map(|row| row.iter().flat_map(|word| word.to_be_bytes()).take(bytes))
        .collect()
}

#[test]
fn fax_tiffs_come_through_bit_for_bit() {
    for little in [true, false] {
        for photometric in [0, 1] {
            for fill_order in [1, 2] {
                let page = fax_page(1728, 100, 0);
                let mut strip = encode(&page);
                if fill_order == 2 {
                    strip.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
                }
                let page_of = |strip| TiffPage {
                    compression: 4,
                    photometric,
                    fill_order,
                    width: 1728,
                    height: 100,
                    strip,
                };
                let file = tiff(&[page_of(strip.clone()), page_of(strip)], little);
                let scans = tiff::read(&file, 9).unwrap();
                assert_eq!(scans.len(), 2);
                let mut want = page;
                if photometric == 1 {
                    want.invert();
                }
                for scan in &scans {
                    assert_eq!(bilevel(scan), want);
                    assert_eq!(scan.resolution, Resolution::new(204.0, 196.0));
                }
            }
        }
    }
}

#[test]
fn one_dimensional_fax_codes_come_through_bit_for_bit() {
    for (compression, end_of_line) in [(2, false), (3, true)] {
        let page = fax_page(1728, 60, 2);
        let strip = crate::raster::encode_group3(&page, end_of_line);
        let file = tiff(
            &[TiffPage {
                compression,
                photometric: 0,
                fill_order: 1,
                width: 1728,
                height: 60,
                strip,
            }],
            false,
        );
        assert_eq!(bilevel(&tiff::read(&file, 9).unwrap()[0]), page);
    }
}

#[test]
fn sound_fax_codes_keep_their_bytes_and_look_the_same() {
    let page = fax_page(1728, 500, 3);
    let strips = [
        (4, encode(&page)),
        (2, crate::raster::encode_group3(&page, false)),
        (3, crate::raster::encode_group3(&page, true)),
    ];
    for (compression, strip) in strips {
        for (photometric, fill_order) in [(0, 1), (1, 1), (0, 2)] {
            let mut stored = strip.clone();
            if fill_order == 2 {
                stored.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
            }
            let file = tiff(
                &[TiffPage {
                    compression,
                    photometric,
                    fill_order,
                    width: 1728,
                    height: 500,
                    strip: stored,
                }],
                true,
            );
            let document = open(file.clone()).unwrap();
            let pdf = document.pdf().unwrap();
            assert!(
                pdf.windows(strip.len()).any(|bytes| bytes == strip),
                "{compression}"
            );
            let mut scans = tiff::read(&file, 9).unwrap();
            scans[0].pixels = Pixels::Bilevel(bilevel(&scans[0]));
            let anew = draw(made(scans, Paper::Letter, 9, Vec::new()).unwrap().pdf);
            let kept = document.render(0, &RASTER).unwrap();
            assert!(kept.black > 0);
            assert_eq!(kept.g4, anew.g4, "{compression} {photometric} {fill_order}");
        }
    }
}

#[test]
fn damaged_fax_codes_are_mended() {
    let page = fax_page(1728, 500, 3);
    let mut strip = crate::raster::encode_group3(&page, true);
    let middle = strip.len() / 2;
    strip[middle..middle + 8].fill(0xff);
    let file = tiff(
        &[TiffPage {
            compression: 3,
            photometric: 0,
            fill_order: 1,
            width: 1728,
            height: 490,
            strip: strip.clone(),
        }],
        true,
    );
    let document = open(file).unwrap();
    let pdf = document.pdf().unwrap();
    assert!(!pdf.windows(strip.len()).any(|bytes| bytes == strip));
    assert!(document.render(0, &RASTER).unwrap().black > 0);
}

#[test]
fn a_large_photograph_is_reduced() {
    let mut jpeg = Vec::new();
    let image = GrayImage::from_fn(4000, 3600, |x, _| Luma([(x / 16) as u8]));
    JpegEncoder::new(&mut jpeg).encode_image(&image).unwrap();
    match jpeg::read(jpeg).unwrap().pixels {
        Pixels::Grey { width, height, .. } => assert_eq!((width, height), (2000, 1800)),
        other => panic!("kept at {:?}", other.size()),
    }
}

#[test]
fn uncompressed_black_and_white_is_exact() {
    for photometric in [0, 1] {
        let page = fax_page(1001, 40, 3);
        let strip = packed(&page);
        let file = tiff(
            &[TiffPage {
                compression: 1,
                photometric,
                fill_order: 1,
                width: 1001,
                height: 40,
                strip,
            }],
            true,
        );
        let mut want = page;
        if photometric == 1 {
            want.invert();
        }
        assert_eq!(bilevel(&tiff::read(&file, 9).unwrap()[0]), want);
    }
}

#[test]
fn damaged_and_endless_tiffs_are_refused() {
    let page = fax_page(1728, 100, 1);
    let strip = encode(&page);
    let make = |strip: Vec<u8>| TiffPage {
        compression: 4,
        photometric: 0,
        fill_order: 1,
        width: 1728,
        height: 100,
        strip,
    };
    let kind = |file: Vec<u8>| tiff_to_pdf(&file, Paper::Letter, 3).unwrap_err().kind;
    assert_eq!(
        kind(tiff(&[make(strip[..strip.len() / 2].to_vec())], true)),
        FailureKind::Broken
    );
    let four = || (0..4).map(|_| make(strip.clone())).collect::<Vec<_>>();
    assert_eq!(kind(tiff(&four(), true)), FailureKind::TooManyPages);
    let mut looped = tiff(&[make(strip.clone())], true);
    let (end, first) = (looped.len() - 4, looped[4..8].to_vec());
    looped[end..].copy_from_slice(&first);
    assert_eq!(kind(looped), FailureKind::Broken);
}

#[test]
fn spoilt_pictures_never_panic() {
    let page = fax_page(320, 40, 1);
    let strip = encode(&page);
    let sources = [
        tiff(
            &[TiffPage {
                compression: 4,
                photometric: 0,
                fill_order: 1,
                width: 320,
                height: 40,
                strip,
            }],
            true,
        ),
        save(
            &DynamicImage::ImageLuma8(GrayImage::from_fn(40, 30, |x, y| Luma([(x * y) as u8]))),
            ImageFormat::Png,
        ),
        save(
            &DynamicImage::ImageLuma8(GrayImage::from_fn(40, 30, |x, y| Luma([(x * y) as u8]))),
            ImageFormat::Jpeg,
        ),
        save(
            &DynamicImage::ImageRgb8(ramp().thumbnail(40, 40).to_rgb8()),
            ImageFormat::Bmp,
        ),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut refused = 0;
    for round in 0..800 {
        let mut data = sources[round % sources.len()].clone();
        for _ in 0..1 + random() % 6 {
            let at = random() % data.len();
            data[at] = random() as u8;
        }
        if random() % 4 == 0 {
            data.truncate(random() % data.len());
        }
        refused += usize::from(open(data).is_err());
    }
    assert!(refused > 80, "{refused}");
}
