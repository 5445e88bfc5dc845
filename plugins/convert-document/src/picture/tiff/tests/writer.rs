//! Writes TIFF files of any layout.

use std::collections::BTreeMap;

/// A page that is being put together.
#[derive(Clone)]
pub(super) struct Tiff {
    pub(super) little: bool,
    pub(super) big: bool,
    width: usize,
    height: usize,
    tags: BTreeMap<u16, Value>,
}

#[derive(Clone)]
enum Value {
    Numbers(Vec<u64>),
    Bytes(Vec<u8>),
    /// Bytes elsewhere, whose length another tag has.
    Blob(u16, Vec<u8>),
}

impl Tiff {
    /// An uncompressed page of one strip.
    pub(super) fn new(width: usize, height: usize, samples: usize, bits: u64) -> Self {
        let mut page = Self {
            little: true,
            big: false,
            width,
            height,
            tags: BTreeMap::new(),
        };
        page.set(256, &[width as u64]).set(257, &[height as u64]);
        page.set(258, &vec![bits; samples]).set(259, &[1]);
        page.set(262, &[if samples >= 3 { 2 } else { 1 }]);
        page.set(277, &[samples as u64]).set(278, &[height as u64]);
        page
    }

    pub(super) fn set(&mut self, tag: u16, values: &[u64]) -> &mut Self {
        self.tags.insert(tag, Value::Numbers(values.to_vec()));
        self
    }

    pub(super) fn set_bytes(&mut self, tag: u16, bytes: &[u8]) {
        self.tags.insert(tag, Value::Bytes(bytes.to_vec()));
    }

    pub(super) fn with_blob(mut self, offset: u16, length: u16, bytes: Vec<u8>) -> Self {
        self.tags.insert(offset, Value::Blob(length, bytes));
        self
    }

    pub(super) fn remove(&mut self, tag: u16) -> &mut Self {
        self.tags.remove(&tag);
        self
    }

    fn bits(&self) -> u64 {
        match self.tags.get(&258) {
            Some(Value::Numbers(bits)) => bits[0],
            _ => 1,
        }
    }

    /// Rows of samples in the width of the page.
    pub(super) fn pack_rows(&self, samples: &[u64]) -> Vec<u8> {
        let bits = self.bits();
        let mut out = Vec::new();
        for row in samples.chunks(samples.len() / self.height) {
            if bits.is_multiple_of(8) {
                let bytes = bits as usize / 8;
                for value in row {
                    if self.little {
                        out.extend(&value.to_le_bytes()[..bytes]);
                    } else {
                        out.extend(&value.to_be_bytes()[8 - bytes..]);
                    }
                }
                continue;
            }
            let (mut held, mut have) = (0_u64, 0);
            for value in row {
                held = held << bits | value;
                have += bits;
                while have >= 8 {
                    have -= 8;
                    out.push((held >> have) as u8);
                }
            }
            if have > 0 {
                out.push((held << (8 - have)) as u8);
            }
        }
        out
    }

    /// The tiles of a page, whose pixels past its end repeat the last ones.
    pub(super) fn tiles(
        &self,
        across: usize,
        down: usize,
        pixel: impl Fn(usize, usize) -> Vec<u8>,
    ) -> Vec<Vec<u8>> {
        let mut tiles = Vec::new();
        for top in (0..self.height).step_by(down) {
            for left in (0..self.width).step_by(across) {
                let mut tile = Vec::new();
                for y in top..top + down {
                    for x in left..left + across {
                        tile.extend(pixel(x.min(self.width - 1), y.min(self.height - 1)));
                    }
                }
                tiles.push(tile);
            }
        }
        tiles
    }

    pub(super) fn strips(self, strips: Vec<Vec<u8>>) -> Vec<u8> {
        Self::pages(&[(self, strips)])
    }

    pub(super) fn tiled(mut self, across: u64, down: u64, tiles: Vec<Vec<u8>>) -> Vec<u8> {
        self.remove(278).set(322, &[across]).set(323, &[down]);
        Self::pages(&[(self, tiles)])
    }

    /// A file of several pages, each with its strips or tiles.
    pub(super) fn pages(pages: &[(Self, Vec<Vec<u8>>)]) -> Vec<u8> {
        let (little, big) = (pages[0].0.little, pages[0].0.big);
        let mut out = Out {
            bytes: if little { b"II".to_vec() } else { b"MM".to_vec() },
            little,
        };
        out.number(if big { 43 } else { 42 }, 2);
        if big {
            out.number(8, 2);
            out.number(0, 2);
        }
        let word = if big { 8 } else { 4 };
        let mut link = out.bytes.len();
        out.number(0, word);
        for (page, chunks) in pages {
            let here = page.write(chunks, word, &mut out);
            let mut target = Out {
                bytes: Vec::new(),
                little,
            };
            target.number(here as u64, word);
            out.bytes[link..link + word].copy_from_slice(&target.bytes);
            link = out.bytes.len() - word;
        }
        out.bytes
    }

    /// Writes strips, values and directory; gives the offset of the last.
    fn write(&self, chunks: &[Vec<u8>], word: usize, out: &mut Out) -> usize {
        let mut tags = self.tags.clone();
        let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
        for chunk in chunks {
            offsets.push(out.bytes.len() as u64);
            lengths.push(chunk.len() as u64);
            out.bytes.extend(chunk);
        }
        let (offset_tag, length_tag) = if tags.contains_key(&322) {
            (324, 325)
        } else {
            (273, 279)
        };
        tags.insert(offset_tag, Value::Numbers(offsets));
        tags.entry(length_tag).or_insert(Value::Numbers(lengths));
        for (tag, value) in tags.clone() {
            if let Value::Blob(length_tag, bytes) = value {
                tags.insert(tag, Value::Numbers(vec![out.bytes.len() as u64]));
                tags.insert(length_tag, Value::Numbers(vec![bytes.len() as u64]));
                out.bytes.extend(bytes);
            }
        }
        let mut fields = Vec::new();
        for (tag, value) in &tags {
            let mut field = Out {
                bytes: Vec::new(),
                little: out.little,
            };
            let (kind, count) = match value {
                Value::Numbers(values) => {
                    values.iter().for_each(|value| field.number(*value, 4));
                    (4, values.len())
                }
                Value::Bytes(bytes) | Value::Blob(_, bytes) => {
                    field.bytes.extend(bytes);
                    (7, bytes.len())
                }
            };
            if field.bytes.len() > word {
                let at = out.bytes.len() as u64;
                out.bytes.append(&mut field.bytes);
                field.number(at, word);
            }
            field.bytes.resize(word, 0);
            fields.push((*tag, kind, count, field.bytes));
        }
        let here = out.bytes.len();
        out.number(fields.len() as u64, if word == 8 { 8 } else { 2 });
        for (tag, kind, count, field) in fields {
            out.number(u64::from(tag), 2);
            out.number(kind, 2);
            out.number(count as u64, word);
            out.bytes.extend(field);
        }
        out.number(0, word);
        here
    }
}

/// Bytes in the order of the file.
struct Out {
    bytes: Vec<u8>,
    little: bool,
}

impl Out {
    fn number(&mut self, value: u64, width: usize) {
        if self.little {
            self.bytes.extend(&value.to_le_bytes()[..width]);
        } else {
            self.bytes.extend(&value.to_be_bytes()[8 - width..]);
        }
    }
}
