//! The documents that the demo sends.

/// A text with what makes text hard: a tab, typographic marks and letters outside of Latin-1.
pub(super) const TEXT: &str = "faxgate sample text\n\
    \n\
    item\tquantity\n\
    bolts\t12\n\
    \n\
    Quotes: \u{201c}so\u{201d}, dash \u{2013}, euro \u{20ac}, \u{0141}\u{00f3}d\u{017a}, \u{0391}\u{03b8}\u{03ae}\u{03bd}\u{03b1}\n";

/// A PDF of one US letter page: a frame, a heading and a few lines, in a font every reader has.
pub(super) fn pdf() -> Vec<u8> {
    let lines = [
        (24, 700, "faxgate"),
        (14, 660, "This page was made by faxgate demo."),
        (
            14,
            640,
            "It went over HTTPS, through the converter plugin, into the database,",
        ),
        (
            14,
            620,
            "and was fetched by the provider from a link that expires.",
        ),
    ];
    let mut content = String::from("2 w 54 54 504 684 re S\n");
    for (size, y, text) in lines {
        content.push_str(&format!("BT /F1 {size} Tf 72 {y} Td ({text}) Tj ET\n"));
    }
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}endstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    assemble(&objects)
}

/// Numbers the objects from 1, the first being the catalogue, and adds what says where each begins.
fn assemble(objects: &[String]) -> Vec<u8> {
    let mut file = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (at, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let start = file.len();
    file.push_str(&table);
    file.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    ));
    file.into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    #[test]
    fn every_object_is_where_the_table_says() {
        let file = String::from_utf8(super::pdf()).unwrap();
        let start: usize = file.lines().rev().nth(1).unwrap().parse().unwrap();
        assert!(file[start..].starts_with("xref\n0 6\n"));
        let offsets = file[start..].lines().skip(3).take(5);
        for (at, line) in offsets.enumerate() {
            let offset: usize = line[..10].parse().unwrap();
            assert!(file[offset..].starts_with(&format!("{} 0 obj\n", at + 1)));
        }
        let length: usize = file
            .split("/Length ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let stream = file.split("stream\n").nth(1).unwrap();
        assert_eq!(&stream[length..length + 3], "end");
    }
}
