//! The segments of a JPEG file (T.81, annex B): what the codes of its one scan need.

use super::huffman::Table;

/// Index of a coefficient in its block, by its place in the file (T.81, figure A.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Markers (T.81, table B.1).
pub(super) mod marker {
    pub(in super::super) const SOF0: u8 = 0xc0;
    pub(in super::super) const SOF1: u8 = 0xc1;
    pub(in super::super) const DHT: u8 = 0xc4;
    pub(in super::super) const RST0: u8 = 0xd0;
    pub(in super::super) const SOI: u8 = 0xd8;
    pub(in super::super) const SOS: u8 = 0xda;
    pub(in super::super) const DQT: u8 = 0xdb;
    pub(in super::super) const DRI: u8 = 0xdd;
    pub(in super::super) const APP0: u8 = 0xe0;
    pub(in super::super) const APP15: u8 = 0xef;
    pub(in super::super) const COM: u8 = 0xfe;
}

/// Where a coefficient belongs, and what it is multiplied by.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Its index; past the end of a block what is coded past its end.
    pub(super) at: u8,
    pub(super) step: u8,
}

/// One component, and how it is coded.
pub(super) struct Component {
    /// Its blocks in a unit.
    pub(super) across: usize,
    pub(super) down: usize,
    pub(super) dc: Table,
    pub(super) ac: Table,
    pub(super) dc_step: i32,
    pub(super) places: [Place; 256],
}

/// A picture with a single scan.
pub(super) struct Frame<'a> {
    /// Width and height.
    pub(super) size: (usize, usize),
    /// Units between two restarts, if there are some.
    pub(super) restart_interval: Option<usize>,
    pub(super) components: Vec<Component>,
    /// From the first code on.
    pub(super) codes: &'a [u8],
}

/// How many codes of each length there are, and their symbols.
type Listed<'a> = (&'a [u8; 16], &'a [u8]);

/// What was found so far.
#[derive(Default)]
struct Found<'a> {
    steps: [Option<&'a [u8; 64]>; 4],
    /// Of DC and then of AC.
    tables: [[Option<Listed<'a>>; 4]; 2],
    restart_interval: usize,
    frame: Option<&'a [u8]>,
}

impl<'a> Frame<'a> {
    /// Reads all that comes before the codes.
    pub(super) fn read(file: &'a [u8]) -> Option<Self> {
        let mut found = Found::default();
        let mut rest = file.strip_prefix(&[0xff, marker::SOI])?;
        loop {
            let (kind, segment, after) = segment(rest)?;
            rest = after;
            match kind {
                marker::SOS => return found.frame(segment, rest),
                marker::SOF0 | marker::SOF1 if found.frame.is_none() => found.frame = Some(segment),
                marker::DQT => found.read_steps(segment)?,
                marker::DHT => found.read_tables(segment)?,
                marker::DRI => found.restart_interval = number(segment.first_chunk()?),
                marker::APP0..=marker::APP15 | marker::COM => {}
                _ => return None,
            }
        }
    }
}

/// A marker with its segment, and what comes after it.
fn segment(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([0xff, kind, length @ ..], _) = data.split_first_chunk::<4>()? else {
        return None;
    };
    let (segment, rest) = data.get(2..)?.split_at_checked(number(length))?;
    Some((*kind, segment.get(2..)?, rest))
}

fn number(bytes: &[u8; 2]) -> usize {
    u16::from_be_bytes(*bytes).into()
}

impl<'a> Found<'a> {
    fn read_steps(&mut self, mut segment: &'a [u8]) -> Option<()> {
        while let Some((&which, rest)) = segment.split_first() {
            // More than 8 bits, for which the upper half stands, aren't usual; a slot past the last is not found.
            let (steps, rest) = rest.split_first_chunk()?;
            *self.steps.get_mut(usize::from(which))? = Some(steps);
            segment = rest;
        }
        Some(())
    }

    fn read_tables(&mut self, mut segment: &'a [u8]) -> Option<()> {
        while let Some((&which, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let tables = self.tables.get_mut(usize::from(which >> 4))?;
            *tables.get_mut(usize::from(which & 15))? = Some((counts, symbols));
            segment = rest;
        }
        Some(())
    }

    /// Brings together what the frame and the scan say (T.81, B.2.2 and B.2.3).
    fn frame(&self, scan: &[u8], codes: &'a [u8]) -> Option<Frame<'a>> {
        let (&[8, h1, h2, w1, w2, count], frame) = self.frame?.split_first_chunk()? else {
            return None;
        };
        let (width, height) = (number(&[w1, w2]), number(&[h1, h2]));
        let (scan_count, scan) = scan.split_first()?;
        let (in_frame, []) = frame.as_chunks::<3>() else {
            return None;
        };
        // All coefficients in full, as sequential files have them.
        let (scan, [0, 63, 0]) = scan.split_last_chunk()? else {
            return None;
        };
        let (in_scan, []) = scan.as_chunks::<2>() else {
            return None;
        };
        let as_said = in_frame.len() == usize::from(count) && in_scan.len() == usize::from(*scan_count);
        if width == 0 || height == 0 || !as_said || in_frame.len() != in_scan.len() {
            return None;
        }
        let components = in_frame
            .iter()
            .zip(in_scan)
            .map(|(frame, scan)| self.component(*frame, *scan))
            .collect::<Option<Vec<_>>>()?;
        // The brightness is as fine as the picture, the others are as fine or coarser.
        let first = components.first()?;
        let is_finest = |other: &Component| other.across <= first.across && other.down <= first.down;
        (matches!(components.len(), 1 | 3) && components.iter().all(is_finest)).then_some(Frame {
            size: (width, height),
            restart_interval: Some(self.restart_interval).filter(|units| *units > 0),
            components,
            codes,
        })
    }

    fn component(&self, [id, sampling, steps]: [u8; 3], [same, tables]: [u8; 2]) -> Option<Component> {
        let steps = (*self.steps.get(usize::from(steps))?)?;
        let table = |kind: usize, which: u8, is_usual: fn(u8) -> bool| {
            let (counts, symbols) = (*self.tables.get(kind)?.get(usize::from(which))?)?;
            Table::new(counts, symbols, is_usual)
        };
        let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
        let mut places = [Place { at: 64, step: 0 }; 256];
        for (place, (at, step)) in places.iter_mut().zip(ZIGZAG.iter().zip(steps)) {
            *place = Place { at: *at, step: *step };
        }
        (id == same && (1..=4).contains(&across) && (1..=4).contains(&down)).then_some(Component {
            across,
            down,
            // Values of 8-bit pixels have no more bits (T.81, tables F.1 and F.2).
            dc: table(0, tables >> 4, |symbol| symbol <= 11)?,
            ac: table(1, tables & 15, |symbol| match symbol & 15 {
                0 => matches!(symbol, 0 | 0xf0),
                bits => bits <= 10,
            })?,
            dc_step: steps.first().copied()?.into(),
            places,
        })
    }
}
