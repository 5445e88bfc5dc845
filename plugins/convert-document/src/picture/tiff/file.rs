//! The structure of a TIFF file: byte order, directories and their values. TIFF 6.0 and BigTIFF.

use super::damaged;
use crate::model::Failure;

/// Directories followed at most, thumbnails included.
const MAX_DIRECTORIES: usize = 4096;

/// The bytes of a file in their order.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    data: &'a [u8],
    pub(super) little: bool,
    /// Whether offsets and counts have 64 bits.
    big: bool,
}

impl<'a> File<'a> {
    pub(super) fn new(data: &'a [u8]) -> Option<Self> {
        let mut file = Self {
            data,
            little: data.starts_with(b"II"),
            big: false,
        };
        match file.short(data.get(2..)?)? {
            42 => {}
            // BigTIFF names the size of its offsets, which is 8.
            43 if file.short(data.get(4..)?)? == 8 => file.big = true,
            _ => return None,
        }
        Some(file)
    }

    pub(super) fn slice(&self, offset: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        self.data
            .get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }

    /// Everything from an offset on.
    pub(super) fn rest(&self, offset: u64) -> Option<&'a [u8]> {
        self.data.get(usize::try_from(offset).ok()?..)
    }

    fn short(&self, bytes: &[u8]) -> Option<u16> {
        let bytes = *bytes.first_chunk::<2>()?;
        Some(if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn long(&self, bytes: &[u8]) -> Option<u32> {
        let bytes = *bytes.first_chunk::<4>()?;
        Some(if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    fn long8(&self, bytes: &[u8]) -> Option<u64> {
        let bytes = *bytes.first_chunk::<8>()?;
        Some(if self.little {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    }

    /// An offset, which has 32 or 64 bits.
    fn offset(&self, bytes: &[u8]) -> Option<u64> {
        if self.big {
            self.long8(bytes)
        } else {
            self.long(bytes).map(u64::from)
        }
    }

    /// Offset of the entries of a directory, and their number.
    fn entries(&self, offset: u64) -> Option<(u64, u64)> {
        Some(if self.big {
            (offset.checked_add(8)?, self.long8(self.slice(offset, 8)?)?)
        } else {
            (
                offset.checked_add(2)?,
                u64::from(self.short(self.slice(offset, 2)?)?),
            )
        })
    }

    /// Bytes of one entry.
    fn entry_size(&self) -> u64 {
        if self.big { 20 } else { 12 }
    }

    /// Offsets of the directories in the order of the chain, which may not be a cycle.
    pub(super) fn directories(&self) -> Result<Vec<u64>, Failure> {
        let (at, size) = if self.big { (8, 8) } else { (4, 4) };
        let first = self.slice(at, size).and_then(|bytes| self.offset(bytes));
        let mut next = first.ok_or_else(damaged)?;
        let mut found = Vec::new();
        while next != 0 {
            if found.contains(&next) || found.len() >= MAX_DIRECTORIES {
                return Err(damaged());
            }
            found.push(next);
            let after = self
                .entries(next)
                .and_then(|(start, count)| start.checked_add(count.checked_mul(self.entry_size())?))
                .ok_or_else(damaged)?;
            // Some writers leave out the last link.
            next = self
                .slice(after, size)
                .and_then(|bytes| self.offset(bytes))
                .unwrap_or(0);
        }
        Ok(found)
    }

    pub(super) fn directory(&self, offset: u64) -> Option<Directory<'a>> {
        let (start, count) = self.entries(offset)?;
        Some(Directory {
            file: *self,
            entries: self.slice(start, count.checked_mul(self.entry_size())?)?,
        })
    }
}

/// One page's tags.
pub(super) struct Directory<'a> {
    pub(super) file: File<'a>,
    entries: &'a [u8],
}

impl<'a> Directory<'a> {
    /// Type and bytes of a tag's values.
    fn value(&self, tag: u16) -> Option<(u16, &'a [u8])> {
        let file = &self.file;
        let size = usize::try_from(file.entry_size()).ok()?;
        let entry = self
            .entries
            .chunks_exact(size)
            .find(|entry| file.short(entry) == Some(tag))?;
        let kind = file.short(entry.get(2..)?)?;
        let count = file.offset(entry.get(4..)?)?;
        let width = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 13 => 4,
            5 | 10 | 16 | 18 => 8,
            _ => return None,
        };
        let length = count.checked_mul(width)?;
        let field = entry.get(if file.big { 12 } else { 8 }..)?;
        let bytes = if length <= field.len() as u64 {
            field.get(..usize::try_from(length).ok()?)?
        } else {
            file.slice(file.offset(field)?, length)?
        };
        Some((kind, bytes))
    }

    /// The bytes of a tag's values.
    pub(super) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        self.value(tag).map(|(_, bytes)| bytes)
    }

    /// The values of a tag whose type is an unsigned integer.
    pub(super) fn numbers(&self, tag: u16) -> Option<Vec<u64>> {
        let (kind, bytes) = self.value(tag)?;
        let file = &self.file;
        match kind {
            1 | 7 => Some(bytes.iter().map(|byte| u64::from(*byte)).collect()),
            3 => bytes
                .chunks(2)
                .map(|bytes| file.short(bytes).map(u64::from))
                .collect(),
            4 | 13 => bytes
                .chunks(4)
                .map(|bytes| file.long(bytes).map(u64::from))
                .collect(),
            16 | 18 => bytes.chunks(8).map(|bytes| file.long8(bytes)).collect(),
            _ => None,
        }
    }

    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag)?.first().copied()
    }

    /// The values of a tag of ratios.
    pub(super) fn ratios(&self, tag: u16) -> Option<Vec<f64>> {
        let (5, bytes) = self.value(tag)? else {
            return None;
        };
        let ratio = |bytes: &[u8]| {
            let (over, under) = (self.file.long(bytes)?, self.file.long(bytes.get(4..)?)?);
            (under != 0).then(|| f64::from(over) / f64::from(under))
        };
        bytes.chunks(8).map(ratio).collect()
    }
}
