//! A multi-page TIFF of Group 4 pages (TIFF 6.0; RFC 2306, profile F: what fax programs read).

use faxgate_domain::document::FaxPage;

const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
/// Fields of one directory below.
const FIELDS: u16 = 18;
/// Count, fields of 12 bytes, offset of the next directory.
const DIRECTORY_BYTES: usize = 2 + FIELDS as usize * 12 + 4;

/// Writes the pages in order. Little-endian; each page is one strip, as fax readers expect. A page without data
/// still gets its directory. Pages beyond 4 GiB of file are left out, which `u32` offsets could not name.
#[must_use]
pub fn write(pages: &[FaxPage]) -> Vec<u8> {
    let data: usize = pages.iter().map(|page| page.g4.len() + 1).sum();
    let mut out = Vec::with_capacity(8 + data + pages.len() * (DIRECTORY_BYTES + 16));
    out.extend_from_slice(b"II*\0");
    let mut link = out.len();
    out.extend_from_slice(&[0; 4]);
    let total = u16::try_from(pages.len()).unwrap_or(u16::MAX);
    for (number, page) in (0_u16..).zip(pages) {
        let Ok(strip) = u32::try_from(out.len()) else {
            break;
        };
        out.extend_from_slice(&page.g4);
        if out.len() % 2 == 1 {
            out.push(0);
        }
        let resolutions = out.len();
        for dpi in [page.x_dpi, page.y_dpi] {
            out.extend_from_slice(&u32::from(dpi).to_le_bytes());
            out.extend_from_slice(&1_u32.to_le_bytes());
        }
        let directory = out.len();
        let (Ok(resolutions), Ok(offset)) = (u32::try_from(resolutions), u32::try_from(directory)) else {
            break;
        };
        patch(&mut out, link, offset);
        let length = u32::try_from(page.g4.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&FIELDS.to_le_bytes());
        let page_number = u32::from(number) | u32::from(total) << 16;
        for (tag, kind, count, value) in [
            (254, LONG, 1, 2),                   // NewSubfileType: one page of many
            (256, LONG, 1, page.width),          // ImageWidth
            (257, LONG, 1, page.height),         // ImageLength
            (258, SHORT, 1, 1),                  // BitsPerSample
            (259, SHORT, 1, 4),                  // Compression: T.6
            (262, SHORT, 1, 0),                  // PhotometricInterpretation: 0 is white
            (266, SHORT, 1, 1),                  // FillOrder: most significant bit first
            (273, LONG, 1, strip),               // StripOffsets
            (274, SHORT, 1, 1),                  // Orientation: first row on top
            (277, SHORT, 1, 1),                  // SamplesPerPixel
            (278, LONG, 1, page.height),         // RowsPerStrip
            (279, LONG, 1, length),              // StripByteCounts
            (282, RATIONAL, 1, resolutions),     // XResolution
            (283, RATIONAL, 1, resolutions + 8), // YResolution
            (284, SHORT, 1, 1),                  // PlanarConfiguration
            (293, LONG, 1, 0),                   // T6Options: no uncompressed mode
            (296, SHORT, 1, 2),                  // ResolutionUnit: inch
            (297, SHORT, 2, page_number),        // PageNumber: this one of all
        ] as [(u16, u16, u32, u32); FIELDS as usize]
        {
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&kind.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
            out.extend_from_slice(&value.to_le_bytes());
        }
        link = out.len();
        out.extend_from_slice(&[0; 4]);
    }
    out
}

fn patch(out: &mut [u8], at: usize, value: u32) {
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::print_stderr, reason = "a skipped test says so")]

    use std::collections::BTreeMap;

    use super::*;

    /// Eight white rows: eight times V0 (`1`), then the end of block.
    fn white(y_dpi: u16) -> FaxPage {
        FaxPage {
            width: 1728,
            height: 8,
            x_dpi: 204,
            y_dpi,
            g4: vec![0xff, 0x00, 0x10, 0x01],
            black: 0,
        }
    }

    fn long(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    fn short(bytes: &[u8], at: usize) -> u16 {
        u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
    }

    /// Every directory as tag → value, following the links as a reader does.
    fn directories(bytes: &[u8]) -> Vec<BTreeMap<u16, u32>> {
        assert_eq!(&bytes[..4], b"II*\0");
        let mut found = Vec::new();
        let mut at = long(bytes, 4) as usize;
        while at != 0 {
            assert_eq!(at % 2, 0, "directories begin on a word boundary");
            let count = usize::from(short(bytes, at));
            let fields: Vec<(u16, u32)> = (0..count)
                .map(|i| (short(bytes, at + 2 + i * 12), long(bytes, at + 2 + i * 12 + 8)))
                .collect();
            assert!(fields.windows(2).all(|pair| pair[0].0 < pair[1].0), "tags ascend");
            found.push(fields.into_iter().collect());
            at = long(bytes, at + 2 + count * 12) as usize;
        }
        found
    }

    #[test]
    fn every_page_has_its_directory() {
        let mut odd = white(98);
        odd.g4.push(0);
        let pages = [white(196), odd, white(98)];
        let file = write(&pages);
        let directories = directories(&file);
        assert_eq!(directories.len(), 3);
        for (number, (fields, page)) in directories.iter().zip(&pages).enumerate() {
            for (tag, value) in [
                (254, 2),
                (256, 1728),
                (257, 8),
                (258, 1),
                (259, 4),
                (262, 0),
                (266, 1),
                (293, 0),
                (296, 2),
            ] {
                assert_eq!(fields[&tag], value, "tag {tag}");
            }
            assert_eq!(fields[&297], u32::try_from(number).unwrap() | 3 << 16);
            let strip = fields[&273] as usize;
            assert_eq!(&file[strip..strip + fields[&279] as usize], page.g4.as_slice());
            for (tag, dpi) in [(282, page.x_dpi), (283, page.y_dpi)] {
                let at = fields[&tag] as usize;
                assert_eq!((long(&file, at), long(&file, at + 4)), (u32::from(dpi), 1));
            }
        }
    }

    #[test]
    fn no_page_is_an_empty_file() {
        assert_eq!(write(&[]), b"II*\0\0\0\0\0");
    }

    #[test]
    fn libtiff_reads_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), write(&[white(196), white(196)])).unwrap();
        let Ok(told) = std::process::Command::new("tiffinfo")
            .arg("-D")
            .arg(file.path())
            .output()
        else {
            eprintln!("skipped: tiffinfo is not installed");
            return;
        };
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        let complaints = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.status.success() && complaints.is_empty(), "{complaints}");
        assert_eq!(text.matches("CCITT Group 4").count(), 2, "{text}");
        assert_eq!(
            text.matches("Resolution: 204, 196 pixels/inch").count(),
            2,
            "{text}"
        );
    }
}
