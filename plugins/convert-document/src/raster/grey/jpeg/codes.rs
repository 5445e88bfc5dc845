//! The codes of a scan as they were before zeros were stuffed into them (T.81, B.1.1.5), some at a time.

use super::huffman::Bits;
use super::segments::marker;
use memchr::memchr;

/// Bytes that are made ready at once.
const CHUNK: usize = 32 * 1024;
/// More than a unit takes: four by four blocks of each of three components, and 64 codes with their values to each.
const UNIT: usize = 3 * 16 * 64 * 4;
/// Bytes after the last code: as many as may be looked at for it, whatever they are.
const AFTER: [u8; 16] = [0; 16];

/// The codes of a scan.
pub(super) struct Codes<'a> {
    rest: &'a [u8],
    /// What is ready, and then, at a marker, [`AFTER`].
    plain: Vec<u8>,
    is_at_marker: bool,
    restarts: u8,
    bits: Bits,
}

impl<'a> Codes<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            plain: Vec::with_capacity(CHUNK + AFTER.len()),
            is_at_marker: false,
            restarts: 0,
            bits: Bits::default(),
        }
    }

    /// The bits, and what they are read from.
    pub(super) fn bits(&self) -> (&[u8], Bits) {
        (&self.plain, self.bits)
    }

    /// Where reading went on to.
    pub(super) fn set_bits(&mut self, bits: Bits) {
        self.bits = bits;
    }

    /// Makes the codes of a unit ready. Nothing when codes were taken that weren't there, or no marker follows the last ones.
    #[inline(always)]
    pub(super) fn make_ready(&mut self) -> Option<()> {
        if self.bits.read() + UNIT <= self.plain.len() {
            return Some(());
        }
        self.read_more()
    }

    #[inline(never)]
    fn read_more(&mut self) -> Option<()> {
        if self.is_at_marker {
            return self.is_within().then_some(());
        }
        self.plain.drain(..self.bits.read());
        self.bits.rewind();
        while self.plain.len() < CHUNK {
            let window = self.rest.get(..CHUNK.min(self.rest.len()))?;
            let Some(at) = memchr(0xff, window) else {
                (!window.is_empty()).then_some(())?;
                self.plain.extend_from_slice(window);
                self.rest = self.rest.get(window.len()..)?;
                continue;
            };
            let (before, found) = self.rest.split_at_checked(at)?;
            self.plain.extend_from_slice(before);
            self.rest = found;
            if found.get(1) != Some(&0) {
                self.is_at_marker = true;
                self.plain.extend_from_slice(&AFTER);
                break;
            }
            self.plain.push(0xff);
            self.rest = found.get(2..)?;
        }
        Some(())
    }

    /// Whether all codes that were taken were there.
    pub(super) fn is_within(&self) -> bool {
        let length = self.plain.len() - if self.is_at_marker { AFTER.len() } else { 0 };
        self.bits.taken() <= length * 8
    }

    /// Begins with the codes after a restart; nothing when the next one doesn't come here (T.81, E.1.4).
    pub(super) fn restart(&mut self) -> Option<()> {
        let next = [0xff, marker::RST0 + self.restarts % 8];
        let is_here = self.is_at_marker && self.is_within();
        self.rest = self.rest.strip_prefix(&next).filter(|_| is_here)?;
        self.plain.clear();
        self.is_at_marker = false;
        self.restarts = self.restarts.wrapping_add(1);
        self.bits = Bits::default();
        Some(())
    }
}
