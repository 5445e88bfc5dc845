//! Pictures: every format and kind of pixel, orientation, resolution, and the TIFFs of fax programs.

use std::io::Cursor;
use std::process::{Command, Stdio};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::{Case, Ink};

/// All cases of this file.
pub fn cases() -> Vec<Case> {
    let mut all = formats();
    all.extend(orientations());
    all.extend(sizes());
    all.extend(fax_tiffs());
    all
}

/// Strokes, a filled square and a soft ramp: something for the threshold and something for the diffusion.
fn tone(x: u32, y: u32) -> u8 {
    match (x, y) {
        (40..=200, 40..=200) => 0,
        (_, 260..=340) => u8::try_from(x * 255 / 599).unwrap_or(255),
        _ if x % 60 < 3 || y % 70 < 3 => 30,
        _ => 255,
    }
}

fn grey() -> GrayImage {
    GrayImage::from_fn(600, 400, |x, y| Luma([tone(x, y)]))
}

fn colour() -> RgbImage {
    RgbImage::from_fn(600, 400, |x, y| {
        let tone = tone(x, y);
        Rgb([tone, tone.saturating_add(40), tone])
    })
}

fn clear() -> RgbaImage {
    RgbaImage::from_fn(600, 400, |x, y| Rgba([0, 0, 0, 255 - tone(x, y)]))
}

fn save(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).expect("a picture");
    out.into_inner()
}

/// A small PNG file.
pub fn png_bytes() -> Vec<u8> {
    save(&grey().into(), ImageFormat::Png)
}

/// A small JPEG file.
pub fn jpeg_bytes() -> Vec<u8> {
    save(&colour().into(), ImageFormat::Jpeg)
}

/// The check sum of PNG chunks.
pub fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

fn formats() -> Vec<Case> {
    let pixels: [(&str, DynamicImage); 6] = [
        ("grey", grey().into()),
        ("colour", colour().into()),
        ("clear", clear().into()),
        ("16-bit grey", DynamicImage::from(grey()).into_luma16().into()),
        ("16-bit colour", DynamicImage::from(colour()).into_rgb16().into()),
        (
            "grey and clear",
            DynamicImage::from(clear()).into_luma_alpha8().into(),
        ),
    ];
    let mut all = Vec::new();
    for (name, image) in &pixels {
        all.push(Case::fax(
            format!("png, {name}"),
            save(image, ImageFormat::Png),
            1,
            &[],
        ));
    }
    for (name, image) in &pixels[..2] {
        for (format, kind) in [
            ("jpeg", ImageFormat::Jpeg),
            ("bmp", ImageFormat::Bmp),
            ("tiff", ImageFormat::Tiff),
        ] {
            all.push(Case::fax(format!("{format}, {name}"), save(image, kind), 1, &[]));
        }
    }
    let rgb = DynamicImage::from(colour());
    all.push(Case::fax(
        "gif",
        save(&rgb.to_rgba8().into(), ImageFormat::Gif),
        1,
        &[],
    ));
    all.push(Case::fax("webp", save(&rgb, ImageFormat::WebP), 1, &[]));
    all.push(Case::fax(
        "webp, clear",
        save(&pixels[2].1, ImageFormat::WebP),
        1,
        &[],
    ));
    all.push(Case::fax(
        "tiff, 16-bit",
        save(&pixels[3].1, ImageFormat::Tiff),
        1,
        &[],
    ));
    all.push(Case::fax("png, black and white", black_and_white(), 1, &[]));
    let photo = RgbImage::from_fn(1200, 900, |x, y| {
        let wave = f64::from(x) / 90.0 + (f64::from(y) / 70.0).sin() * 3.0;
        let tone = (127.0 + 90.0 * wave.sin()) as u8;
        Rgb([tone, tone / 2 + 60, 255 - tone])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 60)
        .encode_image(&photo)
        .expect("a JPEG");
    all.push(Case::fax("jpeg, a photograph", jpeg, 1, &[]));
    all
}

fn black_and_white() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 600, 400);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let rows: Vec<u8> = (0..400_u32)
        .flat_map(|y| {
            (0..75_u32)
                .map(move |x| (0..8).fold(0, |byte, bit| byte << 1 | u8::from(tone(x * 8 + bit, y) > 127)))
        })
        .collect();
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&rows).expect("pixels");
    writer.finish().expect("an end");
    out
}

/// A JPEG that says how it is to be turned (EXIF 2.32, tag 0x0112).
fn orientations() -> Vec<Case> {
    let turned = |orientation: u8| {
        let jpeg = jpeg_bytes();
        let exif = [
            b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(),
            &[orientation],
            b"\0\0\0\0\0\0",
        ]
        .concat();
        let length = u16::try_from(exif.len() + 2).expect("short");
        [&jpeg[..2], b"\xff\xe1", &length.to_be_bytes(), &exif, &jpeg[2..]].concat()
    };
    (1..=8)
        .map(|n| Case::fax(format!("jpeg, orientation {n}"), turned(n), 1, &[]))
        .collect()
}

fn sizes() -> Vec<Case> {
    let ruled = |width, height| {
        let image = GrayImage::from_fn(width, height, |x, y| {
            Luma([if (x + y) % 9 < 3 { 0 } else { 255 }])
        });
        save(&image.into(), ImageFormat::Png)
    };
    let mut all = Vec::new();
    for (width, height) in [
        (1, 1),
        (8, 2000),
        (3000, 60),
        (1728, 2156),
        (2550, 3300),
        (3300, 2550),
        (5000, 4000),
    ] {
        let ink = if width == 1 { Ink::Some } else { Ink::Near(1.5) };
        all.push(
            Case::fax(
                format!("png of {width} by {height}"),
                ruled(width, height),
                1,
                &[],
            )
            .ink(ink),
        );
    }
    for (x, y) in [(204, 98), (204, 196), (300, 300), (600, 600)] {
        let png = ruled(x * 8, y * 10);
        // Dots per metre behind the header.
        let metre = |dots: u32| (f64::from(dots) / 0.0254).round() as u32;
        let body = [
            b"pHYs".as_slice(),
            &metre(x).to_be_bytes(),
            &metre(y).to_be_bytes(),
            &[1],
        ]
        .concat();
        let chunk = [&9_u32.to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat();
        let bytes = [&png[..33], &chunk, &png[33..]].concat();
        all.push(Case::fax(
            format!("png of {x} by {y} dots per inch"),
            bytes,
            1,
            &[],
        ));
    }
    let grey = RgbImage::from_pixel(400, 400, Rgb([128, 128, 128]));
    let mut out = Vec::new();
    JpegEncoder::new(&mut out)
        .encode(&grey, 400, 400, ExtendedColorType::Rgb8)
        .expect("a JPEG");
    all.push(Case::fax("jpeg, all of one grey", out, 1, &[]));
    all
}

/// A picture with nothing on it.
pub(crate) fn white_png() -> Vec<u8> {
    let white = GrayImage::from_pixel(300, 300, Luma([255]));
    save(&white.into(), ImageFormat::Png)
}

/// What fax programs write, made by Ghostscript from two pages of text.
fn fax_tiffs() -> Vec<Case> {
    let folder = tempfile::tempdir().expect("folder");
    let source = folder.path().join("in.pdf");
    std::fs::write(&source, crate::documents::pdf(2, "Faxed")).expect("file");
    let mut all = Vec::new();
    for device in [
        "tiffg3",
        "tiffg32d",
        "tiffg4",
        "tiffcrle",
        "tifflzw",
        "tiffpack",
        "tiffgray",
        "tiff24nc",
        "tiffscaled",
    ] {
        for options in [
            &[][..],
            &["-dFillOrder=2"],
            &["-dMaxStripSize=0"],
            &["-dMinFeatureSize=1"],
        ] {
            let bilevel = device.starts_with("tiffg3") || device == "tiffg4";
            if !options.is_empty() && !bilevel {
                continue;
            }
            let out = folder.path().join(format!("{device}.tiff"));
            let made = Command::new("gs")
                .args(["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-r204x196"])
                .arg(format!("-sDEVICE={device}"))
                .args(options)
                .arg(format!("-sOutputFile={}", out.display()))
                .arg(&source)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            match made {
                Ok(status) if status.success() => {
                    let bytes = std::fs::read(&out).expect("a TIFF");
                    all.push(Case::fax(format!("{device} {options:?}"), bytes, 2, &[]));
                }
                Ok(_) => {}
                Err(_) => eprintln!("skipped: {device}, without Ghostscript to make one"),
            }
        }
    }
    all
}
