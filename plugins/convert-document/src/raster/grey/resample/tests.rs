//! Where the pixels of a picture come to lie.

use super::*;
use hayro::kurbo::Point;
use std::collections::BTreeSet;

#[test]
fn rows_become_columns() {
    for (width, height) in [(1, 1), (3, 200), (200, 3), (64, 64), (65, 130)] {
        let grey: Vec<u8> = (0..width * height).map(|at| (at * 7 % 251) as u8).collect();
        let out = turned(&grey, width);
        for (at, pixel) in out.iter().enumerate() {
            let (column, row) = (at / height, at % height);
            assert_eq!(*pixel, grey[row * width + column], "{width}x{height} {at}");
        }
        assert_eq!(turned(&out, height), grey);
    }
    assert!(turned(&[], 0).is_empty());
}

/// Pixels in black and white as bytes, and as bits of which black ones are 0 or 1.
fn picture(width: usize, height: usize) -> [Plane; 3] {
    let pixel = |at: usize| if at * 37 % 101 < 40 { 0 } else { 255 };
    let grey: Vec<u8> = (0..width * height).map(pixel).collect();
    let byte = |eight: &[u8]| {
        (0..)
            .zip(eight)
            .fold(0, |byte, (at, grey)| byte | grey & 128 >> at)
    };
    let bits: Vec<u8> = grey
        .chunks(width)
        .flat_map(|row| row.chunks(8).map(byte))
        .collect();
    let inverted = bits.iter().map(|byte| !byte).collect();
    [
        Pixels::Grey(grey),
        Pixels::Bits { bits, black: false },
        Pixels::Bits {
            bits: inverted,
            black: true,
        },
    ]
    .map(|pixels| Plane {
        width,
        height,
        pixels,
    })
}

fn grey(plane: &Plane) -> &[u8] {
    match &plane.pixels {
        Pixels::Grey(grey) => grey,
        Pixels::Bits { .. } => panic!("these are bits"),
    }
}

/// The eight ways in which a picture with these scales can lie.
fn lies(x: f64, y: f64) -> impl Iterator<Item = [f64; 4]> {
    let turns = [[x, 0.0, 0.0, y], [0.0, x, y, 0.0]];
    let mirrors = [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)];
    turns
        .into_iter()
        .flat_map(move |[a, b, c, d]| mirrors.map(|(u, v)| [a * u, b * u, c * v, d * v]))
}

/// However it lies, and wherever, each place of the page has the pixel that lies there.
#[test]
fn pictures_lie_as_they_are_put() {
    let (width, height) = (31, 20);
    let area = Size::new(100.0, 80.0);
    for (x, y) in [(1.0, 1.0), (1.0, 2.0), (1.7, 1.2), (9.3, 4.4)] {
        for [a, b, c, d] in lies(x, y) {
            let put = Affine::new([a, b, c, d, 48.25, 39.75]);
            let [source, bits, inverted] = picture(width, height);
            let out = source.scaled(put, area, Scaling::Exact).unwrap();
            assert_eq!(bits.scaled(put, area, Scaling::Exact).unwrap(), out);
            assert_eq!(inverted.scaled(put, area, Scaling::Exact).unwrap(), out);
            let source = grey(&source);
            let mut seen = BTreeSet::new();
            for (at, got) in out.iter().enumerate() {
                let from = put.inverse() * Point::new((at % 100) as f64 + 0.5, (at / 100) as f64 + 0.5);
                if (0.0..width as f64).contains(&from.x) && (0.0..height as f64).contains(&from.y) {
                    let pixel = from.y as usize * width + from.x as usize;
                    assert_eq!(*got, source[pixel], "{put:?} {at}");
                    seen.insert(pixel);
                }
            }
            let corner = put * Point::new(width as f64, height as f64);
            let whole = (0.0..=area.width).contains(&corner.x) && (0.0..=area.height).contains(&corner.y);
            assert!(!whole || seen.len() == source.len(), "{put:?}: one is missing");
        }
    }
}

/// The mean of the pixels on each place of a page, each weighed by how much of it lies there; nothing where none does.
fn means(source: &[u8], width: usize, put: Affine, area: Size) -> Vec<Option<f64>> {
    let overlap = |x: usize, y: usize, at: usize| {
        let (x, y) = (x as f64, y as f64);
        let corner = |right: usize, down: usize| {
            put * Point::new((at % width + right) as f64, (at / width + down) as f64)
        };
        let pixel = hayro::kurbo::Rect::from_points(corner(0, 0), corner(1, 1));
        pixel
            .intersect(hayro::kurbo::Rect::new(x, y, x + 1.0, y + 1.0))
            .area()
    };
    let mean = |x: usize, y: usize| {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (at, grey) in source.iter().enumerate() {
            let part = overlap(x, y, at);
            (sum, weight) = (sum + part * f64::from(*grey), weight + part);
        }
        (weight > 1e-3).then(|| sum / weight)
    };
    let (across, down) = (area.width as usize, area.height as usize);
    (0..down)
        .flat_map(|y| (0..across).map(move |x| mean(x, y)))
        .collect()
}

/// At every scale each place has the mean of the pixels on it, to a rounding: whether the columns are near each other or
/// out of reach, and at the last pixels of a row as well.
#[test]
fn places_have_the_mean_of_their_pixels() {
    let area = Size::new(40.0, 12.0);
    for scale in [1.6, 1.0, 0.68, 0.5, 0.34, 0.25, 0.2, 0.13] {
        for (lie, offset) in lies(scale, scale * 0.9).zip([0.0, 1.3, -2.6, 0.0, 1.3, -2.6, 0.0, 0.5]) {
            let [source, bits, inverted] = picture(83, 30);
            let [a, b, c, d] = lie;
            let beyond = |scale: f64| if scale < 0.0 { 40.0 } else { 0.0 };
            let put = Affine::new([a, b, c, d, beyond(a + c) + offset, beyond(b + d) + offset / 2.0]);
            let out = source.scaled(put, area, Scaling::Mean).unwrap();
            let wanted = means(grey(&source), 83, put, area);
            for (at, (got, wanted)) in out.iter().zip(&wanted).enumerate() {
                if let Some(wanted) = wanted {
                    let off = (f64::from(*got) - wanted).abs();
                    assert!(off < 6.0, "{put:?} {at}: {got} for {wanted}");
                }
            }
            assert_eq!(bits.scaled(put, area, Scaling::Mean).unwrap(), out);
            assert_eq!(inverted.scaled(put, area, Scaling::Mean).unwrap(), out);
        }
    }
}

/// A picture that hardly shows takes no more memory than its pixels, and is their mean.
#[test]
fn a_picture_may_be_as_small_as_a_number_can_be() {
    let [source, bits, _] = picture(83, 30);
    for scale in [1e-3, 1e-30, f64::MIN_POSITIVE] {
        let put = Affine::new([scale, 0.0, 0.0, scale, 0.25, 0.25]);
        let one = source.scaled(put, Size::new(1.0, 1.0), Scaling::Mean).unwrap();
        let mean = grey(&source).iter().map(|grey| f64::from(*grey)).sum::<f64>() / (83.0 * 30.0);
        assert!(
            (f64::from(one[0]) - mean).abs() < 20.0,
            "{scale}: {one:?} for {mean}"
        );
        assert_eq!(
            bits.scaled(put, Size::new(1.0, 1.0), Scaling::Exact).unwrap(),
            one
        );
    }
}
