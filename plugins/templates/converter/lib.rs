//! How a document becomes fax pages.
//!
//! As it stands, documents that begin with `%BLANK` become one white page, as an example; all others are
//! left to the next converter.
//!
//! The rules are plain Rust with plain tests (`cargo test`); `guest.rs` is the only file that knows the component model.

#[cfg(target_family = "wasm")]
mod guest;

/// Whether this converter reads a document. The media type that comes with it says what the gateway knows of the
/// first bytes; a format of your own comes as `text/plain` or `application/octet-stream`, so look at the data.
pub fn reads(data: &[u8]) -> bool {
    data.starts_with(b"%BLANK")
}

/// A PDF of one white page of US letter size (ISO 32000-1).
pub fn blank_pdf() -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = pdf.len();
    let count = objects.len() + 1;
    pdf.push_str(&format!("xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
    pdf.into_bytes()
}

/// A white page as Group 4 data (ITU-T T.6): every row is like the white one above it, which takes the single bit
/// `1`, then the end-of-block code `000000000001` twice.
pub fn blank_page(rows: u32) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true; rows as usize];
    for _ in 0..2 {
        bits.extend([false; 11]);
        bits.push(true);
    }
    bits.chunks(8)
        .map(|bits| {
            bits.iter()
                .enumerate()
                .fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pdf_points_to_its_table() {
        let pdf = String::from_utf8(blank_pdf()).expect("text");
        let start = pdf
            .rsplit_once("startxref\n")
            .and_then(|(_, rest)| rest.lines().next())
            .expect("an offset");
        assert!(pdf[start.parse::<usize>().expect("a number")..].starts_with("xref"));
    }

    #[test]
    fn a_white_page_is_one_bit_per_row() {
        assert_eq!(blank_page(8), [0xff, 0x00, 0x10, 0x01]);
    }
}
