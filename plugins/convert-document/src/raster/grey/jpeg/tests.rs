//! What is decoded here against what the library makes of it, and what is left to it.

use super::*;
use image::codecs::jpeg::{JpegEncoder, PixelDensity};
use image::{ExtendedColorType, GrayImage, Luma, RgbImage};
use proptest::prelude::*;
use std::collections::BTreeMap;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The whole picture, row by row; nothing when something of the file isn't usual or sound.
fn brightness(file: &[u8], (width, height): (usize, usize)) -> Option<Vec<u8>> {
    let mut scan = Scan::new(file, (width, height))?;
    let stride = scan.width;
    let mut grey = Vec::new();
    for row in 0..height {
        scan.rows(row, 1)?;
        grey.extend(&scan.held[(row - scan.top) * stride..][..width]);
    }
    Some(grey)
}

/// The brightness as the library has it.
fn of_library(file: &[u8]) -> Vec<u8> {
    let options = DecoderOptions::default()
        .set_use_unsafe(false)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    JpegDecoder::new_with_options(ZCursor::new(file), options)
        .decode()
        .unwrap()
}

/// Letters, slopes and dirt.
fn tone(x: u32, y: u32, dirt: u8) -> u8 {
    let grain = ((x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 24) as u8 % dirt;
    match (x / 24 + y / 24) % 3 {
        0 if (x * y / 7) % 5 < 2 => grain,
        0 => 255 - grain,
        1 => ((x * 5 + y * 3) % 256) as u8,
        _ => 128 ^ grain,
    }
}

fn grey_file(width: u32, height: u32, quality: u8, dirt: u8) -> Vec<u8> {
    let image = GrayImage::from_fn(width, height, |x, y| Luma([tone(x, y, dirt)]));
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder.set_pixel_density(PixelDensity::dpi(300));
    encoder
        .encode(&image, width, height, ExtendedColorType::L8)
        .unwrap();
    file
}

fn coloured_file(width: u32, height: u32, quality: u8, dirt: u8) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([tone(x, y, dirt), tone(y, x, dirt), tone(x + 9, y, dirt)])
    });
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality)
        .encode(&image, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    file
}

fn assert_alike(file: &[u8], size: (usize, usize)) {
    let ours = brightness(file, size).unwrap();
    let theirs = of_library(file);
    assert_eq!(ours.len(), theirs.len());
    let off = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(off <= Some(1), "{size:?}: {off:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn pixels_are_those_of_the_library(
        (width, height) in (1u32..90, 1u32..60),
        quality in 1u8..=100,
        dirt in 1u8..120,
    ) {
        let size = (width as usize, height as usize);
        assert_alike(&grey_file(width, height, quality, dirt), size);
        assert_alike(&coloured_file(width, height, quality, dirt), size);
    }

    #[test]
    fn damage_is_no_harm(at in 0usize..20_000, value: u8, more: Vec<u8>) {
        let mut file = coloured_file(80, 60, 90, 60);
        let at = at % file.len();
        file[at] = value;
        let _ = brightness(&file, (80, 60));
        file.splice(at.., more);
        let _ = brightness(&file, (80, 60));
    }
}

/// A kind of segment, and what is in it.
type Segment = (u8, Vec<u8>);

/// The segments of a file up to its codes, and those.
fn segments_of(file: &[u8]) -> (Vec<Segment>, Vec<u8>) {
    let (mut at, mut all) = (2, Vec::new());
    loop {
        let kind = file[at + 1];
        let end = at + 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
        all.push((kind, file[at + 4..end].to_vec()));
        at = end;
        if kind == 0xda {
            return (all, file[at..].to_vec());
        }
    }
}

fn file_of(segments: &[Segment], codes: &[u8]) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    for (kind, segment) in segments {
        file.extend([0xff, *kind]);
        file.extend((segment.len() as u16 + 2).to_be_bytes());
        file.extend(segment);
    }
    file.extend(codes);
    file
}

/// Writes codes, with zeros stuffed in.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    held: Vec<bool>,
}

impl Writer {
    fn put(&mut self, bits: u32, count: u32) {
        self.held.extend((0..count).rev().map(|at| bits >> at & 1 == 1));
        while self.held.len() >= 8 {
            let byte = self
                .held
                .drain(..8)
                .fold(0, |byte, bit| byte << 1 | u8::from(bit));
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    /// A value after a run of zeros.
    fn value(&mut self, codes: &BTreeMap<u8, (u32, u32)>, run: u8, value: i32) {
        let size = i32::BITS - value.unsigned_abs().leading_zeros();
        let (code, length) = codes[&(run << 4 | size as u8)];
        self.put(code, length);
        self.put((value - i32::from(value < 0)) as u32 & ((1 << size) - 1), size);
    }

    fn marker(&mut self, kind: u8) {
        self.put(0x7f, (8 - self.held.len() as u32) % 8);
        self.bytes.extend([0xff, kind]);
    }
}

/// The code and its length of each symbol of a table (T.81, C.2).
fn codes_of(segment: &[u8]) -> BTreeMap<u8, (u32, u32)> {
    let (mut code, mut symbols) = (0, segment[17..].iter());
    let mut codes = BTreeMap::new();
    for (length, count) in (1..).zip(&segment[1..17]) {
        for symbol in symbols.by_ref().take(usize::from(*count)) {
            codes.insert(*symbol, (code, length));
            code += 1;
        }
        code <<= 1;
    }
    codes
}

/// A coloured file whose brightness has so many blocks across and down in a unit, with any coefficients.
fn sampled(
    (width, height): (u16, u16),
    (across, down): (u8, u8),
    interval: u16,
    mut coefficient: impl FnMut(usize) -> i32,
) -> Vec<u8> {
    let (mut segments, _) = segments_of(&coloured_file(8, 8, 50, 9));
    let table = |which: u8| {
        let is_table = |(kind, segment): &&Segment| *kind == 0xc4 && segment[0] == which;
        codes_of(&segments.iter().find(is_table).unwrap().1)
    };
    let tables = [(table(0), table(0x10)), (table(1), table(0x11))];
    let frame = segments.iter_mut().find(|(kind, _)| *kind == 0xc0).unwrap();
    frame.1[1..3].copy_from_slice(&height.to_be_bytes());
    frame.1[3..5].copy_from_slice(&width.to_be_bytes());
    frame.1[7] = across << 4 | down;
    segments.insert(0, (0xdd, interval.to_be_bytes().to_vec()));

    let mut out = Writer::default();
    let units = width.div_ceil(8 * u16::from(across)) * height.div_ceil(8 * u16::from(down));
    for unit in 0..units {
        if interval > 0 && unit > 0 && unit % interval == 0 {
            out.marker(0xd0 + (unit / interval - 1) as u8 % 8);
        }
        let brightness = std::iter::repeat_n(&tables[0], usize::from(across * down));
        for (dc, ac) in brightness.chain([&tables[1]; 2]) {
            out.value(dc, 0, coefficient(0));
            let mut run = 0;
            for index in 1..64 {
                match coefficient(index) {
                    0 => run += 1,
                    other => {
                        (0..run / 16).for_each(|_| out.value(ac, 15, 0));
                        out.value(ac, run % 16, other);
                        run = 0;
                    }
                }
            }
            if run > 0 {
                out.value(ac, 0, 0);
            }
        }
    }
    out.marker(0xd9);
    file_of(&segments, &out.bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_sampling_restart_and_run_is_read(
        size in (1u16..70, 1u16..50),
        sampling in prop::sample::select(vec![(1, 1), (2, 1), (1, 2), (2, 2), (4, 1)]),
        interval in 0u16..5,
        seed: u32,
    ) {
        let mut state = seed | 1;
        let file = sampled(size, sampling, interval, |index| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let most = if index == 0 { 40 } else { 900 / (index as i32 * 3 + 1) + 2 };
            match state >> 28 {
                // Few of the later ones, so that there are long runs.
                dice if index > 9 && dice > 0 => 0,
                _ => (state >> 8 & 0xffff) as i32 % (2 * most) - most,
            }
        });
        assert_alike(&file, (size.0.into(), size.1.into()));
    }
}

#[test]
fn a_lost_part_is_noticed() {
    let file = sampled((64, 8), (1, 1), 1, |index| i32::from(index < 4));
    assert_alike(&file, (64, 8));
    let at = file.windows(2).position(|two| two == [0xff, 0xd2]).unwrap();
    let next = file.windows(2).position(|two| two == [0xff, 0xd3]).unwrap();
    let without = [&file[..at], &file[next..]].concat();
    assert!(brightness(&without, (64, 8)).is_none());
}

#[test]
fn what_is_not_usual_or_not_sound_is_left_to_the_library() {
    let file = coloured_file(40, 40, 80, 20);
    let size = (40, 40);
    assert!(brightness(&file, size).is_some());
    assert!(brightness(&file, (41, 40)).is_none(), "another size");
    assert!(brightness(&file[..file.len() - 2], size).is_none(), "no end");
    assert!(brightness(&file[..file.len() * 2 / 3], size).is_none(), "cut off");
    let (segments, codes) = segments_of(&file);
    let with_frame = |change: &dyn Fn(&mut Segment)| {
        let mut segments = segments.clone();
        let frames = segments.iter_mut().filter(|(kind, _)| *kind == 0xc0);
        frames.for_each(change);
        file_of(&segments, &codes)
    };
    let progressive = with_frame(&|(kind, _)| *kind = 0xc2);
    assert!(brightness(&progressive, size).is_none(), "progressive");
    let twelve_bits = with_frame(&|(_, frame)| frame[0] = 12);
    assert!(brightness(&twelve_bits, size).is_none(), "12 bits");
    let coarse = with_frame(&|(_, frame)| frame[10] = 0x22);
    assert!(
        brightness(&coarse, size).is_none(),
        "a brightness coarser than a colour"
    );
    let shorter = [&codes[..codes.len() / 2], &[0xff, 0xd9]].concat();
    assert!(
        brightness(&file_of(&segments, &shorter), size).is_none(),
        "codes are missing"
    );
}

#[test]
fn a_block_with_nothing_but_its_mean_is_flat() {
    dispatch!(Level::new(), simd => for dc in -3000..3000 {
        let mut block = [0; SIDE * SIDE];
        block[0] = dc;
        assert_eq!(dct::inverse(simd, &block), [[dct::flat(dc); SIDE]; SIDE], "{dc}");
    });
}

/// Cosines, as T.81, A.3.3 writes them.
#[test]
fn the_transform_is_that_of_the_standard() {
    let cosine = |place: usize, frequency: usize| {
        let scale = if frequency == 0 { 0.5f64.sqrt() } else { 1.0 };
        scale * ((2 * place + 1) as f64 * frequency as f64 * std::f64::consts::PI / 16.0).cos() / 2.0
    };
    for seed in 1..200i32 {
        let mut block = [0; SIDE * SIDE];
        for (at, value) in (0..).zip(&mut block) {
            *value = (seed.wrapping_mul(7919).wrapping_add(at * 104_729) >> 3) % (900 / (at + 1) + 2);
        }
        let ours = dispatch!(Level::new(), simd => dct::inverse(simd, &block));
        for (y, row) in ours.iter().enumerate() {
            for (x, pixel) in row.iter().enumerate() {
                let part =
                    |(at, value): (usize, &i32)| f64::from(*value) * cosine(x, at % 8) * cosine(y, at / 8);
                let sum: f64 = block.iter().enumerate().map(part).sum();
                let off = f64::from(*pixel) - (sum + 128.0).clamp(0.0, 255.0);
                assert!(off.abs() <= 0.6, "{seed} {x} {y}: {off}");
            }
        }
    }
}
