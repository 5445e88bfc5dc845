//! Huffman codes and the values after them (T.81, annex F.2.2).

/// Bits that are looked up at once.
const LOOKED_UP: u32 = 11;
/// Bits of the longest code.
const LONGEST: usize = 16;

/// What a code and the bits after it say: a value, and how many zeros come before it.
#[derive(Clone, Copy)]
pub(super) struct Coefficient {
    pub(super) value: i32,
    pub(super) skip: usize,
}

/// What so many bits begin with, packed: bits taken (8), zeros (8), value (16). No bits are taken where more have to be
/// looked at.
#[derive(Clone, Copy)]
struct Entry(u32);

impl Entry {
    const MORE: Self = Self(0);

    fn new(length: u32, skip: usize, value: i32) -> Self {
        Self((value as u32) << 16 | (skip as u32 & 0xff) << 8 | length)
    }
}

/// The codes of a table.
pub(super) struct Table {
    entries: [Entry; 1 << LOOKED_UP],
    /// Codes of each length from 1 on, and where their symbols end; codes filled up with ones to 16 bits.
    ends: [(u32, usize); LONGEST],
    symbols: Vec<u8>,
}

impl Table {
    /// What the end of a block skips: so much that no run of zeros comes near it.
    pub(super) const END: usize = 127;

    /// From the number of codes of each length and the symbols in their order (T.81, C.2). Nothing when these don't fit
    /// each other, or a symbol isn't usual.
    pub(super) fn new(counts: &[u8; LONGEST], symbols: &[u8], is_usual: fn(u8) -> bool) -> Option<Self> {
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        if total != symbols.len() || !symbols.iter().all(|symbol| is_usual(*symbol)) {
            return None;
        }
        let mut table = Self {
            entries: [Entry::MORE; 1 << LOOKED_UP],
            ends: [(0, 0); LONGEST],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0u32, 0);
        for (length, (count, end)) in (1u32..).zip(counts.iter().zip(&mut table.ends)) {
            for symbol in symbols.get(index..index + usize::from(*count))? {
                fill(&mut table.entries, code, length, *symbol);
                code += 1;
            }
            index += usize::from(*count);
            if code > 1 << length {
                return None;
            }
            *end = (code << (LONGEST as u32 - length), index);
            code <<= 1;
        }
        Some(table)
    }

    /// What bits begin with, the first one uppermost, if that is more than is looked up, and how many of them it takes.
    ///
    /// Not inlined, and given the bits instead of their source: that stays in registers then.
    #[inline(never)]
    fn long(&self, held: u64) -> Option<(Coefficient, u32)> {
        let bits = (held >> (64 - LONGEST)) as u32;
        let lengths = (1u32..).zip(&self.ends);
        let (length, (end, last)) = lengths.into_iter().find(|(_, (end, _))| bits < *end)?;
        let before_end = (end - 1 - bits) >> (LONGEST as u32 - length);
        let symbol = *self.symbols.get(last.checked_sub(1 + before_end as usize)?)?;
        let size = u32::from(symbol & 15);
        let bits = (held << length >> 32 >> (32 - size)) as u32;
        let coefficient = Coefficient {
            value: value(bits, size),
            skip: skip(symbol),
        };
        Some((coefficient, length + size))
    }
}

/// Zeros before the value that a symbol announces.
fn skip(symbol: u8) -> usize {
    match symbol {
        0 => Table::END,
        _ => usize::from(symbol >> 4),
    }
}

/// The value that `size` bits stand for (T.81, table F.1): those that begin with a zero are negative.
#[inline(always)]
fn value(bits: u32, size: u32) -> i32 {
    let is_negative = (bits >> size.saturating_sub(1)) == 0;
    bits as i32 - if is_negative { (1 << size) - 1 } else { 0 }
}

/// Fills in all that begins with a code.
fn fill(entries: &mut [Entry], code: u32, length: u32, symbol: u8) {
    let size = u32::from(symbol & 15);
    let Some(rest) = LOOKED_UP.checked_sub(length + size) else {
        return;
    };
    for bits in 0..1 << size {
        let entry = Entry::new(length + size, skip(symbol), value(bits, size));
        let first = ((code << size | bits) << rest) as usize;
        for slot in entries.iter_mut().skip(first).take(1 << rest) {
            *slot = entry;
        }
    }
}

/// Bytes that are read at once.
const WORD: usize = size_of::<u64>();

/// Codes as bits, the first one highest.
#[derive(Clone, Copy, Default)]
pub(super) struct Bits {
    /// Bytes that are in `held` whole.
    read: usize,
    /// Bits read, in the uppermost places; `count` of them count, those below are right too.
    held: u64,
    count: u32,
}

impl Bits {
    /// Bytes that are no longer needed.
    pub(super) fn read(&self) -> usize {
        self.read
    }

    /// Counts bytes from here on.
    pub(super) fn rewind(&mut self) {
        self.read = 0;
    }

    /// Bits of the data that were taken, but for those that were there before the last [`Self::rewind`].
    pub(super) fn taken(&self) -> usize {
        (self.read * 8).saturating_sub(self.count as usize)
    }

    /// Takes a code and its value. Nothing when there is no such code, or it begins within the last bytes of the data.
    #[inline(always)]
    pub(super) fn take(&mut self, data: &[u8], table: &Table) -> Option<Coefficient> {
        let word = data.get(self.read..)?.first_chunk::<WORD>()?;
        self.held |= u64::from_be_bytes(*word) >> self.count;
        self.read += (63 - self.count as usize) / 8;
        self.count |= 56;
        let entry = table.entries.get((self.held >> (64 - LOOKED_UP)) as usize)?.0;
        let (coefficient, taken) = if entry == Entry::MORE.0 {
            table.long(self.held)?
        } else {
            let coefficient = Coefficient {
                value: entry as i32 >> 16,
                skip: (entry >> 8 & 0xff) as usize,
            };
            (coefficient, entry & 0xff)
        };
        self.held <<= taken;
        self.count -= taken;
        Some(coefficient)
    }
}
