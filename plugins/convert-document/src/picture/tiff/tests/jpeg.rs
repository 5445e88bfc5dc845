//! Strips and tiles that are JPEG images.

use super::*;
use image::GrayImage;
use image::codecs::jpeg::JpegEncoder;

fn jpeg(image: &GrayImage, colour: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 98);
    if colour {
        let image = image::DynamicImage::ImageLuma8(image.clone()).into_rgb8();
        encoder.encode_image(&image).unwrap();
    } else {
        encoder.encode_image(image).unwrap();
    }
    file
}

fn soft(x: u32, y: u32) -> image::Luma<u8> {
    image::Luma([(x * 2 + y * 3) as u8])
}

fn assert_soft(file: &[u8], what: &str) {
    let got = grey(file);
    for (at, got) in got.iter().enumerate() {
        let want = soft((at % WIDTH) as u32, (at / WIDTH) as u32).0[0];
        assert!(got.abs_diff(want) <= 6, "{what}: {got}, not {want}, at {at}");
    }
}

/// The tables of a JPEG file as a stream of their own, and the file without them.
fn without_tables(file: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut tables, mut rest) = (vec![0xff, 0xd8], vec![0xff, 0xd8]);
    let mut at = 2;
    loop {
        let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]])) + 2;
        let segment = &file[at..at + length];
        match segment[1] {
            0xc4 | 0xdb => tables.extend(segment),
            0xda => break,
            _ => rest.extend(segment),
        }
        at += length;
    }
    tables.extend([0xff, 0xd9]);
    rest.extend(&file[at..]);
    (tables, rest)
}

#[test]
fn jpeg_strips_and_tiles_are_read() {
    for (photometric, samples) in [(1, 1), (6, 3)] {
        for shared in [false, true] {
            let (width, height) = (WIDTH as u32, HEIGHT as u32);
            let mut tables = Vec::new();
            let mut pack = |image: &GrayImage| {
                let file = jpeg(image, samples == 3);
                if !shared {
                    return file;
                }
                let (common, rest) = without_tables(&file);
                tables = common;
                rest
            };
            let strips: Vec<_> = (0..height)
                .step_by(16)
                .map(|top| {
                    let rows = 16.min(height - top);
                    pack(&GrayImage::from_fn(width, rows, |x, y| soft(x, top + y)))
                })
                .collect();
            let mut tiles = Vec::new();
            for top in (0..height).step_by(32) {
                for left in (0..width).step_by(32) {
                    tiles.push(pack(&GrayImage::from_fn(32, 32, |x, y| soft(left + x, top + y))));
                }
            }
            let mut file = Tiff::new(WIDTH, HEIGHT, samples, 8);
            file.set(262, &[photometric]).set(259, &[7]).set(278, &[16]);
            if shared {
                file.set_bytes(347, &tables);
            }
            assert_soft(
                &file.clone().strips(strips),
                &format!("strips {samples} {shared}"),
            );
            assert_soft(&file.tiled(32, 32, tiles), &format!("tiles {samples} {shared}"));
        }
    }
}

#[test]
fn jpeg_that_is_cut_off_is_damaged() {
    let image = GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, soft);
    let mut whole = jpeg(&image, false);
    whole.truncate(whole.len() * 2 / 3);
    let mut file = Tiff::new(WIDTH, HEIGHT, 1, 8);
    file.set(259, &[7]);
    assert_eq!(refused(&file.strips(vec![whole])).kind, FailureKind::Broken);
}

#[test]
fn old_jpeg_is_read_where_it_is_a_file() {
    let image = GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, soft);
    let whole = jpeg(&image, true);
    let mut file = Tiff::new(WIDTH, HEIGHT, 3, 8);
    file.set(262, &[6]).set(259, &[6]);
    assert_soft(&file.clone().strips(vec![whole.clone()]), "strip");
    let stream = file.clone().with_blob(513, 514, whole.clone());
    assert_soft(&stream.strips(vec![vec![1, 2, 3]]), "interchange stream");
    let failure = refused(&file.strips(vec![vec![0x12; 200]]));
    assert_eq!(failure.kind, FailureKind::Unsupported);
}
