//! Colour to black and white.
//!
//! Works in tiles of 64 by 32 pixels (8 by 4 mm at fine resolution). The usual tile is plain white and costs one
//! comparison. A tile with smooth mid-tones is a piece of a picture and is diffused (Floyd and Steinberg, 1976);
//! every other tile is text or line art and gets one threshold, halfway between its paper and its ink.

use super::bitmap::Bitmap;
use crate::model::Halftone;

/// Rows of a tile; its width is one word of the bitmap.
const TILE_ROWS: usize = 32;
/// Threshold of the plain modes.
const MIDDLE: u8 = 128;
/// Bounds of the threshold that a tile chooses. Ink that fills 40 % of a pixel counts: thin strokes stay whole.
const LOWEST: u8 = 150;
const HIGHEST: u8 = 200;
/// Less difference than this between the darkest and the lightest pixel is noise of a scanner.
const CONTRAST: u8 = 40;

/// Turns opaque RGBA pixels, row by row, into black and white.
pub(crate) fn to_bitmap(rgba: &[u8], width: u32, height: u32, halftone: Halftone) -> Bitmap {
    let mut bitmap = Bitmap::new(width, height);
    let stride = width as usize * 4;
    if stride == 0 {
        return bitmap;
    }
    if halftone == Halftone::Threshold {
        for (row, pixels) in bitmap.rows_mut().zip(rgba.chunks_exact(stride)) {
            for (word, pixels) in row.iter_mut().zip(pixels.chunks(256)) {
                if !is_white(pixels) {
                    let grey = grey_word(pixels);
                    *word = threshold(&grey, MIDDLE);
                }
            }
        }
        return bitmap;
    }
    let plane = Plane::new(rgba, width as usize, height as usize);
    let plans = plane.plan(halftone);
    let mut diffusion = Diffusion::new(width as usize);
    for (y, (row, greys)) in bitmap
        .rows_mut()
        .zip(plane.greys.chunks_exact(plane.columns))
        .enumerate()
    {
        let start = y / TILE_ROWS * plane.columns;
        let plans = plans.get(start..start + plane.columns).unwrap_or_default();
        if plans.contains(&Plan::Diffuse) {
            diffusion.row(row, greys, plans);
        } else {
            diffusion.forget();
            for ((word, grey), plan) in row.iter_mut().zip(greys).zip(plans) {
                *word = plan.threshold(grey);
            }
        }
        // Pixels past the width were filled with white and stay 0.
    }
    bitmap
}

/// 64 grey values, 0 is black; past the width of the page they are white.
type Greys = [u8; 64];

fn is_white(pixels: &[u8]) -> bool {
    let (words, rest) = pixels.as_chunks::<8>();
    words
        .iter()
        .fold(u64::MAX, |all, word| all & u64::from_ne_bytes(*word))
        == u64::MAX
        && rest.iter().all(|byte| *byte == u8::MAX)
}

/// Luma of up to 64 pixels (ITU-R BT.601 weights in 256ths).
fn grey_word(pixels: &[u8]) -> Greys {
    let mut greys = [u8::MAX; 64];
    for (grey, [r, g, b, _]) in greys.iter_mut().zip(pixels.as_chunks::<4>().0) {
        let sum = u16::from(*r) * 77 + u16::from(*g) * 150 + u16::from(*b) * 29;
        *grey = (sum >> 8) as u8;
    }
    greys
}

/// Bits of the pixels darker than `limit`, the first in the most significant place.
fn threshold(greys: &Greys, limit: u8) -> u64 {
    let mut word = 0;
    for eight in greys.as_chunks::<8>().0 {
        let mut byte = 0u8;
        for grey in eight {
            byte = byte << 1 | u8::from(*grey < limit);
        }
        word = word << 8 | u64::from(byte);
    }
    word
}

/// What happens to a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    White,
    Threshold(u8),
    Diffuse,
}

impl Plan {
    fn threshold(self, greys: &Greys) -> u64 {
        match self {
            Self::White => 0,
            Self::Threshold(limit) => threshold(greys, limit),
            Self::Diffuse => threshold(greys, MIDDLE),
        }
    }
}

/// What is in a tile.
#[derive(Clone, Copy, Debug)]
struct Tile {
    darkest: u8,
    lightest: u8,
    /// Mid-tone pixels that differ little from their left neighbour: pictures, not edges of letters.
    smooth: u16,
    /// The same for dark tones as well; lighter ones are more often paper than sky.
    toned: u16,
}

impl Tile {
    const NOTHING: Self = Self {
        darkest: u8::MAX,
        lightest: 0,
        smooth: 0,
        toned: 0,
    };
    /// A quarter of a tile.
    const MANY: u16 = 64 * TILE_ROWS as u16 / 4;

    fn add(&mut self, greys: &Greys) {
        let mut left = u8::MAX;
        for &grey in greys {
            self.darkest = self.darkest.min(grey);
            self.lightest = self.lightest.max(grey);
            let even = grey.abs_diff(left) <= 20;
            self.smooth += u16::from(even && (48..=208).contains(&grey));
            self.toned += u16::from(even && (12..=220).contains(&grey));
            left = grey;
        }
    }
}

/// Grey values of a page with the statistics of its tiles.
struct Plane {
    greys: Vec<Greys>,
    /// Words in a row, which is tiles in a row.
    columns: usize,
    tiles: Vec<Tile>,
}

impl Plane {
    fn new(rgba: &[u8], width: usize, height: usize) -> Self {
        let columns = width.div_ceil(64);
        let mut greys = vec![[u8::MAX; 64]; columns * height];
        let mut tiles = vec![Tile::NOTHING; columns * height.div_ceil(TILE_ROWS)];
        let rows = greys.chunks_exact_mut(columns).zip(rgba.chunks_exact(width * 4));
        for (y, (greys, pixels)) in rows.enumerate() {
            let tiles = tiles.iter_mut().skip(y / TILE_ROWS * columns);
            for ((grey, pixels), tile) in greys.iter_mut().zip(pixels.chunks(256)).zip(tiles) {
                if !is_white(pixels) {
                    *grey = grey_word(pixels);
                    tile.add(grey);
                } else {
                    tile.lightest = u8::MAX;
                }
            }
        }
        Self {
            greys,
            columns,
            tiles,
        }
    }

    fn plan(&self, halftone: Halftone) -> Vec<Plan> {
        let rows: Vec<&[Tile]> = self.tiles.chunks_exact(self.columns).collect();
        let mut plans = Vec::with_capacity(self.tiles.len());
        for (y, row) in rows.iter().enumerate() {
            for (x, tile) in row.iter().enumerate() {
                plans.push(if tile.darkest == u8::MAX {
                    Plan::White
                } else if halftone == Halftone::Diffuse || tile.smooth >= Tile::MANY {
                    Plan::Diffuse
                } else if tile.toned >= Tile::MANY && touches_picture(&rows, x, y) {
                    // The dark coat of a photograph goes with it.
                    Plan::Diffuse
                } else if tile.lightest.saturating_sub(tile.darkest) >= CONTRAST {
                    Plan::Threshold((tile.darkest.midpoint(tile.lightest)).clamp(LOWEST, HIGHEST))
                } else {
                    Plan::Threshold(MIDDLE)
                });
            }
        }
        plans
    }
}

fn touches_picture(rows: &[&[Tile]], x: usize, y: usize) -> bool {
    rows.iter().take(y + 2).skip(y.saturating_sub(1)).any(|row| {
        row.iter()
            .take(x + 2)
            .skip(x.saturating_sub(1))
            .any(|tile| tile.smooth >= Tile::MANY)
    })
}

/// Floyd-Steinberg error diffusion, left to right, in sixteenths.
struct Diffusion {
    /// Error that the row above left for pixel `x`, at `x + 1`.
    here: Vec<i32>,
    /// The same for the row below.
    below: Vec<i32>,
    clean: bool,
}

impl Diffusion {
    fn new(width: usize) -> Self {
        let length = width.div_ceil(64) * 64 + 1;
        Self {
            here: vec![0; length],
            below: vec![0; length],
            clean: true,
        }
    }

    /// Drops the errors: the next row has nothing to do with the last.
    fn forget(&mut self) {
        if !self.clean {
            self.here.fill(0);
            self.clean = true;
        }
    }

    fn row(&mut self, row: &mut [u64], greys: &[Greys], plans: &[Plan]) {
        self.clean = false;
        let here = self.here.iter().skip(1).copied();
        let mut here = here;
        let mut below = self.below.iter_mut();
        let (mut right, mut behind, mut under) = (0, 0, 0);
        for ((word, greys), plan) in row.iter_mut().zip(greys).zip(plans) {
            if *plan != Plan::Diffuse {
                *word = plan.threshold(greys);
                for slot in below.by_ref().take(64) {
                    *slot = std::mem::take(&mut behind);
                }
                let _ = here.by_ref().take(64).count();
                (right, under) = (0, 0);
                continue;
            }
            let mut bits = 0u64;
            for &grey in greys {
                let wanted = i32::from(grey) * 16 + right + here.next().unwrap_or(0);
                let black = wanted < 128 * 16;
                bits = bits << 1 | u64::from(black);
                let error = if black { wanted } else { wanted - 255 * 16 } / 16;
                right = error * 7;
                if let Some(slot) = below.next() {
                    *slot = behind + error * 3;
                }
                behind = under + error * 5;
                under = error;
            }
            *word = bits;
        }
        if let Some(slot) = below.next() {
            *slot = behind;
        }
        std::mem::swap(&mut self.here, &mut self.below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> Vec<u8> {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        pixels
            .flat_map(|(x, y)| {
                let g = grey(x, y);
                [g, g, g, 255]
            })
            .collect()
    }

    fn share(bitmap: &Bitmap) -> f64 {
        bitmap.black() as f64 / (f64::from(bitmap.width()) * f64::from(bitmap.height()))
    }

    #[test]
    fn white_is_white_in_every_mode() {
        let white = page(1000, 70, |_, _| 255);
        for mode in [Halftone::Automatic, Halftone::Threshold, Halftone::Diffuse] {
            assert_eq!(to_bitmap(&white, 1000, 70, mode).black(), 0);
        }
    }

    #[test]
    fn black_is_black_in_every_mode_and_stays_within_the_width() {
        let black = page(1001, 70, |_, _| 0);
        for mode in [Halftone::Automatic, Halftone::Threshold, Halftone::Diffuse] {
            assert_eq!(to_bitmap(&black, 1001, 70, mode).black(), 1001 * 70);
        }
    }

    #[test]
    fn tones_survive_diffusion() {
        for tone in [64, 128, 192] {
            let grey = page(640, 320, |_, _| tone);
            for mode in [Halftone::Automatic, Halftone::Diffuse] {
                let got = share(&to_bitmap(&grey, 640, 320, mode));
                let want = 1.0 - f64::from(tone) / 255.0;
                assert!((got - want).abs() < 0.03, "{mode:?} {tone}: {got} for {want}");
            }
        }
    }

    #[test]
    fn a_wide_gradient_keeps_its_tones_automatically() {
        let ramp = page(1728, 320, |x, _| (x * 255 / 1727) as u8);
        let got = share(&to_bitmap(&ramp, 1728, 320, Halftone::Automatic));
        assert!((got - 0.5).abs() < 0.04, "{got}");
    }

    #[test]
    fn light_letters_on_paper_stay() {
        // Strokes of 4 pixels every 16, in light grey, on slightly dirty paper.
        let text = page(
            640,
            320,
            |x, y| if x % 16 < 4 { 185 } else { 244 + (y % 7) as u8 },
        );
        let got = to_bitmap(&text, 640, 320, Halftone::Automatic);
        assert_eq!(share(&got), 0.25);
        assert_eq!(to_bitmap(&text, 640, 320, Halftone::Threshold).black(), 0);
    }

    #[test]
    fn dirt_of_a_scanner_goes_away() {
        let paper = page(640, 320, |x, y| 228 + ((x * 7 + y * 13) % 27) as u8);
        assert_eq!(to_bitmap(&paper, 640, 320, Halftone::Automatic).black(), 0);
    }
}
