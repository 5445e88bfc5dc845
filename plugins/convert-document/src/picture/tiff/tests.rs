//! One picture in every layout: the same grey values have to come out, or a sentence that says what can't be read.

mod jpeg;
mod refusals;
mod writer;

use super::*;
use weezl::BitOrder;
use weezl::encode::Encoder;
use writer::Tiff;

const WIDTH: usize = 61;
const HEIGHT: usize = 37;

/// The picture: bands and a ramp, with black and white in it.
fn grey_at(x: usize, y: usize) -> u8 {
    match y % 9 {
        0 => 0,
        1 => 255,
        _ => ((x * 4 + y * 3) % 256) as u8,
    }
}

fn picture() -> Vec<u8> {
    let pixels = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| grey_at(x, y)));
    pixels.collect()
}

/// Reads the only page as grey.
fn grey(file: &[u8]) -> Vec<u8> {
    let pages = read(file, 9).unwrap_or_else(|failure| panic!("{failure:?}"));
    assert_eq!(pages.len(), 1);
    match &pages[0].pixels {
        Pixels::Grey { width, height, data } => {
            assert_eq!((*width as usize, *height as usize), (WIDTH, HEIGHT));
            data.clone()
        }
        other => panic!("not grey: {:?}", other.size()),
    }
}

fn assert_close(file: &[u8], by: u8, what: &str) {
    let got = grey(file);
    for (at, (got, want)) in got.iter().zip(picture()).enumerate() {
        let (x, y) = (at % WIDTH, at / WIDTH);
        assert!(got.abs_diff(want) <= by, "{what}: {got}, not {want}, at {x}, {y}");
    }
}

fn refused(file: &[u8]) -> Failure {
    read(file, 9).expect_err("refused")
}

fn interleaved(pixel: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
    picture().into_iter().flat_map(pixel).collect()
}

/// Every compression of samples with its packing.
fn compressions() -> [(u64, fn(&[u8]) -> Vec<u8>); 6] {
    [
        (1, |plain| plain.to_vec()),
        (5, |plain| {
            Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
                .encode(plain)
                .unwrap()
        }),
        // LZW from before TIFF 5.
        (5, |plain| Encoder::new(BitOrder::Lsb, 8).encode(plain).unwrap()),
        (8, |plain| miniz_oxide::deflate::compress_to_vec_zlib(plain, 6)),
        (32946, |plain| {
            miniz_oxide::deflate::compress_to_vec_zlib(plain, 6)
        }),
        (32773, |plain| {
            let literal = |bytes: &[u8]| [&[(bytes.len() - 1) as u8], bytes].concat();
            plain.chunks(128).flat_map(literal).collect()
        }),
    ]
}

#[test]
fn rows_per_strip_may_be_any_number() {
    for (compression, pack) in compressions() {
        for samples in [1, 3] {
            let plain = interleaved(|grey| vec![grey; samples]);
            let row = WIDTH * samples;
            for rows in [
                Some(1),
                Some(7),
                Some(37),
                Some(95_318),
                Some(0x7fff_ffff),
                Some(0xffff_ffff),
                None,
            ] {
                let in_strip = rows.map_or(HEIGHT, |rows: u64| (rows as usize).min(HEIGHT));
                let strips = plain.chunks(row * in_strip).map(pack).collect();
                let mut file = Tiff::new(WIDTH, HEIGHT, samples, 8);
                file.set(259, &[compression]);
                match rows {
                    Some(rows) => file.set(278, &[rows]),
                    None => file.remove(278),
                };
                let file = file.strips(strips);
                assert_close(&file, 1, &format!("{compression}, {samples} samples, {rows:?}"));
            }
        }
    }
}

#[test]
fn samples_of_any_width_are_read() {
    for bits in [2, 4, 6, 8, 10, 12, 14, 16, 24, 32] {
        for little in [true, false] {
            for white_is_zero in [false, true] {
                let mut file = Tiff::new(WIDTH, HEIGHT, 1, bits);
                file.little = little;
                file.set(262, &[u64::from(!white_is_zero)]);
                let value = |grey: u8| {
                    let grey = if white_is_zero { 255 - grey } else { grey };
                    let full = (1_u64 << bits) - 1;
                    (u64::from(grey) * full + 127) / 255
                };
                let strip = file.pack_rows(&picture().into_iter().map(value).collect::<Vec<_>>());
                let by = if bits >= 8 { 1 } else { 255 >> bits };
                assert_close(
                    &file.strips(vec![strip]),
                    by,
                    &format!("{bits} bits, little {little}"),
                );
            }
        }
    }
}

#[test]
fn signed_samples_are_read() {
    let mut file = Tiff::new(WIDTH, HEIGHT, 1, 8);
    file.set(339, &[2]);
    let strip = picture().into_iter().map(|grey| grey ^ 0x80).collect();
    assert_close(&file.strips(vec![strip]), 0, "signed");
}

#[test]
fn differences_are_summed_up() {
    for bits in [8, 16, 32] {
        for little in [true, false] {
            for samples in [1, 3] {
                let mut file = Tiff::new(WIDTH, HEIGHT, samples, bits);
                file.little = little;
                file.set(259, &[8]).set(317, &[2]);
                let full = ((1_u64 << bits) - 1) / 255;
                let mut values = Vec::new();
                for row in picture().chunks(WIDTH) {
                    let mut last = 0;
                    for grey in row {
                        let value = u64::from(*grey) * full;
                        let difference = value.wrapping_sub(last) & ((1 << bits) - 1);
                        values.extend(std::iter::repeat_n(difference, samples));
                        last = value;
                    }
                }
                let strip = miniz_oxide::deflate::compress_to_vec_zlib(&file.pack_rows(&values), 6);
                assert_close(
                    &file.strips(vec![strip]),
                    1,
                    &format!("{bits} {little} {samples}"),
                );
            }
        }
    }
}

#[test]
fn palettes_are_read() {
    for bits in [1, 2, 4, 8] {
        for deep in [true, false] {
            let count = 1_u64 << bits;
            let mut file = Tiff::new(WIDTH, HEIGHT, 1, bits);
            // The palette runs from white to black.
            let ramp = (0..count).map(|index| (count - 1 - index) * 255 / (count - 1));
            let ramp: Vec<u64> = ramp.map(|value| if deep { value * 257 } else { value }).collect();
            file.set(262, &[3]).set(320, &ramp.repeat(3));
            let index = |grey: u8| (count - 1) - (u64::from(grey) * (count - 1) + 127) / 255;
            let strip = file.pack_rows(&picture().into_iter().map(index).collect::<Vec<_>>());
            let file = file.strips(vec![strip]);
            if bits == 1 {
                assert!(matches!(read(&file, 9).unwrap()[0].pixels, Pixels::Bilevel(_)));
            } else {
                assert_close(
                    &file,
                    (255 / count) as u8 + 1,
                    &format!("{bits} bits, deep {deep}"),
                );
            }
        }
    }
}

#[test]
fn planes_are_put_together() {
    for (photometric, samples) in [(2, 3), (5, 4), (6, 3), (8, 3)] {
        for (compression, pack) in compressions() {
            let mut file = Tiff::new(WIDTH, HEIGHT, samples, 8);
            file.set(262, &[photometric])
                .set(284, &[2])
                .set(259, &[compression]);
            file.set(278, &[10]);
            let plane = |sample: usize| -> Vec<u8> {
                picture()
                    .into_iter()
                    .map(|grey| match (photometric, sample) {
                        (5, 3) => 255 - grey,
                        (5, _) => 0,
                        (6 | 8, 1..) => 128,
                        _ => grey,
                    })
                    .collect()
            };
            let strips = (0..samples).flat_map(|sample| {
                let plane = plane(sample);
                plane.chunks(WIDTH * 10).map(pack).collect::<Vec<_>>()
            });
            assert_close(
                &file.strips(strips.collect()),
                1,
                &format!("photometric {photometric}, compression {compression}"),
            );
        }
    }
}

#[test]
fn tiles_are_put_together() {
    for planar in [false, true] {
        for (compression, pack) in compressions() {
            let mut file = Tiff::new(WIDTH, HEIGHT, 3, 8);
            file.set(284, &[if planar { 2 } else { 1 }])
                .set(259, &[compression]);
            let together = if planar { 1 } else { 3 };
            let tiles = file.tiles(16, 16, |x, y| vec![grey_at(x, y); together]);
            let tiles: Vec<_> = tiles.iter().map(|tile| pack(tile)).collect();
            let tiles = if planar {
                [tiles.clone(), tiles.clone(), tiles].concat()
            } else {
                tiles
            };
            assert_close(
                &file.tiled(16, 16, tiles),
                1,
                &format!("planar {planar}, {compression}"),
            );
        }
    }
}

#[test]
fn what_is_transparent_is_paper() {
    for (samples, photometric) in [(2, 1), (2, 0), (4, 2)] {
        for kind in [1, 2] {
            // A black picture that is seen through: what remains is the picture on white.
            let mut file = Tiff::new(WIDTH, HEIGHT, samples, 8);
            file.set(262, &[photometric]).set(338, &[kind]);
            let black = if photometric == 0 { 255 } else { 0 };
            let strip = interleaved(|grey| {
                let mut pixel = vec![black; samples];
                pixel[samples - 1] = 255 - grey;
                pixel
            });
            assert_close(
                &file.strips(vec![strip]),
                1,
                &format!("{samples} {photometric} {kind}"),
            );
        }
    }
}

#[test]
fn extra_samples_that_hide_everything_or_mean_nothing_are_left_out() {
    for extra in [None, Some(0), Some(1), Some(2)] {
        let mut file = Tiff::new(WIDTH, HEIGHT, 4, 8);
        if let Some(extra) = extra {
            file.set(338, &[extra]);
        }
        let strip = interleaved(|grey| vec![grey, grey, grey, 0]);
        assert_close(&file.strips(vec![strip]), 1, &format!("{extra:?}"));
    }
}

#[test]
fn inks_are_read() {
    let mut file = Tiff::new(WIDTH, HEIGHT, 4, 8);
    file.set(262, &[5]);
    let strip = interleaved(|grey| vec![255 - grey, 255 - grey, 255 - grey, 0]);
    assert_close(&file.clone().strips(vec![strip.clone()]), 1, "CMYK");
    file.set(332, &[2]);
    let failure = refused(&file.strips(vec![strip]));
    assert!(failure.message.contains("inks that are not CMYK"), "{failure:?}");
}

#[test]
fn shared_chroma_is_skipped() {
    for (across, down) in [(1, 1), (2, 1), (2, 2), (4, 2), (4, 4)] {
        let mut file = Tiff::new(WIDTH, HEIGHT, 3, 8);
        file.set(262, &[6])
            .set(530, &[across as u64, down as u64])
            .set(278, &[16]);
        let mut strips = Vec::new();
        for top in (0..HEIGHT).step_by(16) {
            let mut strip = Vec::new();
            for y in (top..(top + 16).min(HEIGHT)).step_by(down) {
                for x in (0..WIDTH).step_by(across) {
                    for dy in 0..down {
                        strip.extend((0..across).map(|dx| grey_at((x + dx).min(WIDTH - 1), y + dy)));
                    }
                    strip.extend([90, 200]);
                }
            }
            strips.push(strip);
        }
        assert_close(&file.strips(strips), 0, &format!("{across} by {down}"));
    }
}

#[test]
fn big_tiff_is_read() {
    for little in [true, false] {
        let mut file = Tiff::new(WIDTH, HEIGHT, 1, 8);
        (file.little, file.big) = (little, true);
        file.set(278, &[10]);
        let strips = picture().chunks(WIDTH * 10).map(<[u8]>::to_vec).collect();
        assert_close(&file.strips(strips), 0, &format!("little {little}"));
    }
}

#[test]
fn lengths_of_strips_may_be_missing() {
    for (compression, pack) in compressions() {
        let mut file = Tiff::new(WIDTH, HEIGHT, 1, 8);
        file.set(259, &[compression]).set(279, &[0]);
        let with_zero = file.clone().strips(vec![pack(&picture())]);
        assert_close(&with_zero, 0, "length 0");
    }
}

#[test]
fn black_and_white_is_exact_in_every_order() {
    let black = |x: usize, y: usize| (x + y).is_multiple_of(3) || x == 60;
    let mut want = Bitmap::new(WIDTH as u32, HEIGHT as u32);
    for (y, row) in want.rows_mut().enumerate() {
        (0..WIDTH)
            .filter(|x| black(*x, y))
            .for_each(|x| row[0] |= 1 << (63 - x));
    }
    for photometric in [0, 1] {
        for fill_order in [1, 2] {
            for (compression, pack) in compressions() {
                let mut file = Tiff::new(WIDTH, HEIGHT, 1, 1);
                file.set(262, &[photometric])
                    .set(266, &[fill_order])
                    .set(259, &[compression]);
                let bit = |x: usize, y: usize| u64::from(black(x, y) == (photometric == 0));
                let bits = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| bit(x, y)));
                let mut strip = pack(&file.pack_rows(&bits.collect::<Vec<_>>()));
                if fill_order == 2 {
                    strip.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
                }
                let pages = read(&file.strips(vec![strip]), 9).unwrap();
                match &pages[0].pixels {
                    Pixels::Bilevel(got) => {
                        assert_eq!(*got, want, "{photometric} {fill_order} {compression}")
                    }
                    other => panic!("{:?}", other.size()),
                }
            }
        }
    }
    let mut file = Tiff::new(WIDTH, HEIGHT, 1, 1);
    file.set(262, &[0]).set(259, &[4]);
    let tiles = (0..3 * 4).map(|tile| {
        let (left, top) = (tile % 4 * 16, tile / 4 * 16);
        let mut bitmap = Bitmap::new(16, 16);
        for (y, row) in bitmap.rows_mut().enumerate() {
            (0..16)
                .filter(|x| black(left + x, top + y))
                .for_each(|x| row[0] |= 1 << (63 - x));
        }
        crate::raster::encode(&bitmap)
    });
    let pages = read(&file.tiled(16, 16, tiles.collect()), 9).unwrap();
    match &pages[0].pixels {
        Pixels::Bilevel(got) => assert_eq!(*got, want, "fax tiles"),
        other => panic!("{:?}", other.size()),
    }
}

#[test]
fn thumbnails_and_masks_are_no_pages() {
    for flags in [1, 4] {
        let mut extra = Tiff::new(WIDTH, HEIGHT, 1, 8);
        extra.set(254, &[flags]);
        let page = Tiff::new(WIDTH, HEIGHT, 1, 8);
        let file = Tiff::pages(&[(extra, vec![picture()]), (page, vec![picture()])]);
        assert_close(&file, 0, &format!("flags {flags}"));
    }
    let mut only = Tiff::new(WIDTH, HEIGHT, 1, 8);
    only.set(254, &[1]);
    assert_close(&only.strips(vec![picture()]), 0, "the only page");
}
