//! The encoder against two decoders, and its short cuts against the long way.

use super::*;
use proptest::prelude::*;

/// What the `fax` crate makes of the data.
fn decode_again(data: &[u8], width: u32, height: u32) -> Bitmap {
    let mut bitmap = Bitmap::new(width, height);
    let mut rows = bitmap.rows_mut();
    let mut count = 0;
    fax::decoder::decode_g4(data.iter().copied(), width, Some(height), |transitions| {
        count += 1;
        if let Some(row) = rows.next() {
            for (x, color) in fax::decoder::pels(transitions, width).enumerate() {
                if color == fax::Color::Black {
                    row[x / 64] |= 1 << (63 - x % 64);
                }
            }
        }
    })
    .unwrap();
    drop(rows);
    assert_eq!(count, height);
    bitmap
}

/// Runs of pixels, biased towards short distances between rows so that every mode occurs.
fn bitmaps() -> impl Strategy<Value = Bitmap> {
    (1u32..3000, 1u32..12).prop_flat_map(|(width, height)| {
        let row = prop::collection::vec((0..width, 1..width.min(90) + 1), 0..24);
        let shift = -5i64..=5;
        prop::collection::vec((row, shift, any::<bool>()), height as usize).prop_map(move |rows| {
            let mut bitmap = Bitmap::new(width, height);
            let mut runs: Vec<(u32, u32)> = Vec::new();
            for (row, (fresh, shift, keep)) in bitmap.rows_mut().zip(rows) {
                if keep {
                    for run in &mut runs {
                        run.0 = (i64::from(run.0) + shift).clamp(0, i64::from(width) - 1) as u32;
                    }
                } else {
                    runs = fresh;
                }
                for &(start, len) in &runs {
                    for x in start..(start + len).min(width) {
                        row[x as usize / 64] |= 1 << (63 - x % 64);
                    }
                }
            }
            bitmap
        })
    })
}

fn noise(width: u32, height: u32, words: &[u64]) -> Bitmap {
    let mut bitmap = Bitmap::new(width, height);
    let mut source = words.iter().cycle();
    let tail = width % 64;
    for row in bitmap.rows_mut() {
        for word in row.iter_mut() {
            *word = *source.next().unwrap();
        }
        if tail != 0 {
            *row.last_mut().unwrap() &= !0 << (64 - tail);
        }
    }
    bitmap
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_decoders_give_back_every_bit(bitmap in bitmaps()) {
        let data = encode(&bitmap);
        prop_assert_eq!(&decoded(&data, bitmap.width(), bitmap.height()), &bitmap);
        prop_assert_eq!(&decode_again(&data, bitmap.width(), bitmap.height()), &bitmap);
    }

    #[test]
    fn noise_survives(width in 1u32..400, height in 1u32..6, words in prop::collection::vec(any::<u64>(), 1..40)) {
        let bitmap = noise(width, height, &words);
        let data = encode(&bitmap);
        prop_assert_eq!(&decoded(&data, width, height), &bitmap);
    }
}

#[test]
fn a_white_page_is_one_bit_a_row() {
    let data = encode(&Bitmap::new(1728, 64));
    assert_eq!(data.len(), 8 + 3);
    assert!(data[..8].iter().all(|byte| *byte == 0xff));
    assert_eq!(&data[8..], &[0x00, 0x10, 0x01]);
}

#[test]
fn every_run_length_of_both_colours_survives() {
    for run in (0..64).chain((64..8000).step_by(61)) {
        let width = 8100;
        let mut bitmap = Bitmap::new(width, 2);
        for (y, row) in bitmap.rows_mut().enumerate() {
            let (from, to) = if y == 0 { (run, width) } else { (0, run) };
            for x in from..to {
                row[x as usize / 64] |= 1 << (63 - x % 64);
            }
        }
        let data = encode(&bitmap);
        assert_eq!(decoded(&data, width, 2), bitmap, "run {run}");
    }
}

/// The 14 pixels of a step followed by others, and all of them past the beginning of two rows.
fn rows_of(step: u64, after: (u64, u64)) -> (Row, Row) {
    let row = |pixels: u64, after: u64| {
        let mut row = Row::white(192);
        let pixels = (pixels & ((1 << WINDOW_PIXELS) - 1)) << (64 - WINDOW_PIXELS);
        row.read(&[0x5555_5555_5555_5555, pixels | after >> WINDOW_PIXELS, after]);
        row
    };
    (row(step >> WINDOW_PIXELS, after.0), row(step, after.1))
}

#[test]
fn a_step_is_what_its_modes_are_one_by_one() {
    let mut taken = 0;
    for pixels in 0..1 << (2 * WINDOW_PIXELS) {
        for after in [(0, 0), (u64::MAX, 0), (0, u64::MAX), (u64::MAX, u64::MAX)] {
            let (coded, above) = rows_of(pixels, after);
            let Some(step) = ModeRun::of(coded.window(64), above.window(64)) else {
                continue;
            };
            taken += 1;
            let (mut a0, mut out) = (64, BitWriter::default());
            while a0 < 64 + step.pixels() {
                a0 = push_mode(&coded, &above, a0, &mut out);
            }
            let mut looked_up = BitWriter::default();
            looked_up.push(step.code());
            assert_eq!(
                (a0, out.finish()),
                (64 + step.pixels(), looked_up.finish()),
                "{pixels:#x} {after:?}"
            );
        }
    }
    // Of the pixels that can be, most decide something.
    assert!(taken > 3 << (2 * WINDOW_PIXELS), "{taken}");
}
