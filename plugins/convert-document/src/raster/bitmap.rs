//! A page of black and white pixels, 64 to a word.

/// Rows of 1-bit pixels, most significant bit first, 1 is black. Bits past the width are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bitmap {
    width: u32,
    words_per_row: usize,
    words: Vec<u64>,
}

impl Bitmap {
    /// An all-white bitmap of `width` by `height` pixels; a width of 0 has no rows.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let words_per_row = width.div_ceil(64) as usize;
        Self {
            width,
            words_per_row,
            words: vec![0; words_per_row * height as usize],
        }
    }

    /// Pixels per row.
    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    /// Number of rows.
    pub(crate) fn height(&self) -> u32 {
        u32::try_from(self.words.len().checked_div(self.words_per_row).unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// The rows from the top.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.words.chunks_exact(self.words_per_row.max(1))
    }

    /// The rows from the top, to be written. Whoever writes keeps the bits past the width at 0.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u64]> {
        self.words.chunks_exact_mut(self.words_per_row.max(1))
    }

    /// Turns black to white and white to black.
    pub(crate) fn invert(&mut self) {
        let past = self.width % 64;
        for row in self.rows_mut() {
            for word in row.iter_mut() {
                *word = !*word;
            }
            if let Some(last) = row.last_mut().filter(|_| past != 0) {
                *last &= !(u64::MAX >> past);
            }
        }
    }

    /// Number of black pixels.
    pub(crate) fn black(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }
}
