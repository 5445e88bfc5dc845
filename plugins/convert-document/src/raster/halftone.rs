//! Colour to black and white.
//!
//! Works in tiles of 64 by 32 pixels (8 by 4 mm at fine resolution). The usual tile is plain white and costs one
//! comparison. A tile with smooth mid-tones is a piece of a picture and is diffused; every other tile is text or line
//! art and gets one threshold, halfway between its paper and its ink.
//!
//! A page goes through in bands one tile high, of which two are held: what is read is in the processor's cache when it
//! is used. The loops over the pixels of a word have no branches, so that the compiler makes vector instructions of them.

use super::bitmap::Bitmap;
use super::diffusion::Diffusion;
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

/// Pixels as they were drawn, row by row.
#[derive(Clone, Copy)]
pub(crate) enum Pixels<'a> {
    /// Opaque RGBA.
    Rgba(&'a [u8]),
    /// A byte of grey each.
    Grey(&'a [u8]),
}

/// Turns pixels into black and white.
pub(crate) fn to_bitmap(pixels: Pixels<'_>, width: u32, height: u32, halftone: Halftone) -> Bitmap {
    let mut bitmap = Bitmap::new(width, height);
    let width = width as usize;
    if width == 0 {
        return bitmap;
    }
    let columns = width.div_ceil(64);
    let (data, bytes) = match pixels {
        Pixels::Rgba(data) => (data, 4 * width),
        Pixels::Grey(data) => (data, width),
    };
    let read = |band: &mut Band, part: &[u8]| match pixels {
        Pixels::Rgba(_) => band.read(part, bytes, 4, grey_of_rgba),
        Pixels::Grey(_) => band.read(part, bytes, 1, grey_of_grey),
    };
    let mut bands = data.chunks(TILE_ROWS * bytes);
    let (mut here, mut below) = (Band::new(columns), Band::new(columns));
    let mut above = vec![false; columns];
    let mut diffusion = Diffusion::new(columns);
    read(&mut here, bands.next().unwrap_or_default());
    let mut rows = bitmap.rows_mut();
    for _ in 0..(height as usize).div_ceil(TILE_ROWS) {
        read(&mut below, bands.next().unwrap_or_default());
        let plans = here.plan(&above, &below, halftone);
        for (words, row) in here.rows().zip(rows.by_ref()) {
            draw(row, words, &plans, &mut diffusion);
        }
        above.clear();
        above.extend(here.tiles.iter().map(Tile::is_smooth));
        std::mem::swap(&mut here, &mut below);
    }
    drop(rows);
    bitmap
}

/// Draws one row. Pixels past the width count as white and stay 0.
fn draw(row: &mut [u64], words: &[Word], plans: &[Plan], diffusion: &mut Diffusion) {
    if plans.contains(&Plan::Diffuse) {
        let mut words = words.iter().peekable();
        let row = row.iter_mut().zip(plans).enumerate();
        diffusion.row(row.map(|(column, (bits, plan))| {
            let greys = words.next_if(|word| word.column == column);
            let greys = greys.map_or(&WHITE, |word| &word.greys);
            if *plan == Plan::Diffuse {
                return (bits, Some(greys));
            }
            *bits = plan.threshold(greys);
            (bits, None)
        }));
        return;
    }
    diffusion.reset();
    for word in words {
        if let (Some(bits), Some(plan)) = (row.get_mut(word.column), plans.get(word.column)) {
            *bits = plan.threshold(&word.greys);
        }
    }
}

/// 64 grey values, 0 is black; past the width of the page they are white.
pub(super) type Greys = [u8; 64];

const WHITE: Greys = [u8::MAX; 64];

fn is_white(pixels: &[u8]) -> bool {
    let (words, rest) = pixels.as_chunks::<8>();
    words
        .iter()
        .fold(u64::MAX, |all, word| all & u64::from_ne_bytes(*word))
        == u64::MAX
        && rest.iter().all(|byte| *byte == u8::MAX)
}

/// Luma of a colour (ITU-R BT.601 weights in 256ths).
#[inline(always)]
pub(crate) fn luma(r: u8, g: u8, b: u8) -> u8 {
    let sum = u16::from(r) * 77 + u16::from(g) * 150 + u16::from(b) * 29;
    (sum >> 8) as u8
}

/// Luma of up to 64 pixels.
fn grey_of_rgba(pixels: &[u8]) -> Greys {
    let mut greys = WHITE;
    let (pixels, _) = pixels.as_chunks::<4>();
    if let Ok(pixels) = <&[[u8; 4]; 64]>::try_from(pixels) {
        for (grey, [r, g, b, _]) in greys.iter_mut().zip(pixels) {
            *grey = luma(*r, *g, *b);
        }
    } else {
        for (grey, [r, g, b, _]) in greys.iter_mut().zip(pixels) {
            *grey = luma(*r, *g, *b);
        }
    }
    greys
}

fn grey_of_grey(pixels: &[u8]) -> Greys {
    let mut greys = WHITE;
    for (grey, pixel) in greys.iter_mut().zip(pixels) {
        *grey = *pixel;
    }
    greys
}

/// Bits of the pixels darker than `limit`, the first in the most significant place.
fn threshold(greys: &Greys, limit: u8) -> u64 {
    let mut marks = [0; 64];
    for (mark, grey) in marks.iter_mut().zip(greys) {
        *mark = u8::from(*grey < limit);
    }
    let mut word = 0;
    for eight in marks.as_chunks::<8>().0 {
        // The factor moves bit 0 of each byte to a place of its own in the uppermost byte, the first one to its top.
        word = word << 8 | u64::from_le_bytes(*eight).wrapping_mul(0x8040_2010_0804_0201) >> 56;
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

    fn is_smooth(&self) -> bool {
        self.smooth >= Self::MANY
    }

    fn add(&mut self, greys: &Greys) {
        let mut left = WHITE;
        for (left, grey) in left.iter_mut().skip(1).zip(greys) {
            *left = *grey;
        }
        let (mut darkest, mut lightest) = (u8::MAX, 0);
        // At most 64 of each.
        let (mut smooth, mut toned) = (0, 0);
        for (&grey, &left) in greys.iter().zip(&left) {
            darkest = grey.min(darkest);
            lightest = grey.max(lightest);
            let even = grey.abs_diff(left) <= 20;
            smooth += u8::from(even & (grey.wrapping_sub(48) <= 208 - 48));
            toned += u8::from(even & (grey.wrapping_sub(12) <= 220 - 12));
        }
        self.darkest = self.darkest.min(darkest);
        self.lightest = self.lightest.max(lightest);
        self.smooth += u16::from(smooth);
        self.toned += u16::from(toned);
    }
}

/// 64 pixels of a row that aren't all white.
struct Word {
    column: usize,
    greys: Greys,
}

/// One row of tiles.
struct Band {
    /// What isn't white, row by row.
    words: Vec<Word>,
    /// Where each row ends in `words`.
    ends: Vec<usize>,
    /// Also the words in a row.
    tiles: Vec<Tile>,
}

impl Band {
    fn new(columns: usize) -> Self {
        Self {
            words: Vec::new(),
            ends: Vec::with_capacity(TILE_ROWS),
            tiles: vec![Tile::NOTHING; columns],
        }
    }

    /// Reads rows of `bytes` bytes with pixels of `size` bytes.
    fn read(&mut self, data: &[u8], bytes: usize, size: usize, grey: impl Fn(&[u8]) -> Greys) {
        self.words.clear();
        self.ends.clear();
        self.tiles.fill(Tile::NOTHING);
        for row in data.chunks_exact(bytes) {
            let words = row.chunks(64 * size).zip(&mut self.tiles).enumerate();
            for (column, (pixels, tile)) in words {
                if is_white(pixels) {
                    tile.lightest = u8::MAX;
                } else {
                    let greys = grey(pixels);
                    tile.add(&greys);
                    self.words.push(Word { column, greys });
                }
            }
            self.ends.push(self.words.len());
        }
    }

    /// What isn't white of each row.
    fn rows(&self) -> impl Iterator<Item = &[Word]> {
        let mut begin = 0;
        self.ends.iter().map(move |end| {
            let row = self.words.get(begin..*end).unwrap_or_default();
            begin = *end;
            row
        })
    }

    /// What happens to each tile. `above` says which tiles over these are smooth.
    fn plan(&self, above: &[bool], below: &Self, halftone: Halftone) -> Vec<Plan> {
        let near_picture = |column: usize| {
            let from = column.saturating_sub(1);
            let near = |tiles: &[Tile]| tiles.iter().take(column + 2).skip(from).any(Tile::is_smooth);
            near(&self.tiles)
                || near(&below.tiles)
                || above.iter().take(column + 2).skip(from).any(|smooth| *smooth)
        };
        let plan = |(column, tile): (usize, &Tile)| {
            if tile.darkest == u8::MAX {
                Plan::White
            } else if halftone == Halftone::Threshold {
                Plan::Threshold(MIDDLE)
            } else if halftone == Halftone::Diffuse || tile.is_smooth() {
                Plan::Diffuse
            } else if tile.toned >= Tile::MANY && near_picture(column) {
                // The dark coat of a photograph goes with it.
                Plan::Diffuse
            } else if tile.lightest.saturating_sub(tile.darkest) >= CONTRAST {
                Plan::Threshold((tile.darkest.midpoint(tile.lightest)).clamp(LOWEST, HIGHEST))
            } else {
                Plan::Threshold(MIDDLE)
            }
        };
        self.tiles.iter().enumerate().map(plan).collect()
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
            assert_eq!(to_bitmap(Pixels::Rgba(&white), 1000, 70, mode).black(), 0);
        }
    }

    #[test]
    fn black_is_black_in_every_mode_and_stays_within_the_width() {
        let black = page(1001, 70, |_, _| 0);
        for mode in [Halftone::Automatic, Halftone::Threshold, Halftone::Diffuse] {
            assert_eq!(to_bitmap(Pixels::Rgba(&black), 1001, 70, mode).black(), 1001 * 70);
        }
    }

    #[test]
    fn tones_survive_diffusion() {
        for tone in [64, 128, 192] {
            let grey = page(640, 320, |_, _| tone);
            for mode in [Halftone::Automatic, Halftone::Diffuse] {
                let got = share(&to_bitmap(Pixels::Rgba(&grey), 640, 320, mode));
                let want = 1.0 - f64::from(tone) / 255.0;
                assert!((got - want).abs() < 0.03, "{mode:?} {tone}: {got} for {want}");
            }
        }
    }

    #[test]
    fn a_wide_gradient_keeps_its_tones_automatically() {
        let ramp = page(1728, 320, |x, _| (x * 255 / 1727) as u8);
        let got = share(&to_bitmap(Pixels::Rgba(&ramp), 1728, 320, Halftone::Automatic));
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
        let got = to_bitmap(Pixels::Rgba(&text), 640, 320, Halftone::Automatic);
        assert_eq!(share(&got), 0.25);
        assert_eq!(
            to_bitmap(Pixels::Rgba(&text), 640, 320, Halftone::Threshold).black(),
            0
        );
    }

    #[test]
    fn dirt_of_a_scanner_goes_away() {
        let paper = page(640, 320, |x, y| 228 + ((x * 7 + y * 13) % 27) as u8);
        assert_eq!(
            to_bitmap(Pixels::Rgba(&paper), 640, 320, Halftone::Automatic).black(),
            0
        );
    }
}
