//! Small real documents, made here so that every byte is known.

/// A PDF 1.4 file of `pages` US letter pages, each with a line of text and its number.
pub fn pdf(pages: usize, text: &str) -> Vec<u8> {
    Pdf::new(pages, text).write("")
}

/// The same with about `bytes` of unused data in it, that no compression makes small.
pub fn pdf_of_size(pages: usize, text: &str, bytes: usize) -> Vec<u8> {
    let mut pdf = Pdf::new(pages, text);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Printable: the file stays readable for people who look into it.
        char::from(33 + (state % 90) as u8)
    });
    let noise: String = noise.take(bytes).filter(|c| !"()\\<>".contains(*c)).collect();
    pdf.objects.push(format!(
        "<< /Length {} >>\nstream\n{noise}\nendstream",
        noise.len()
    ));
    pdf.write("")
}

/// A PDF that needs a password nobody has.
pub fn encrypted_pdf() -> Vec<u8> {
    let mut pdf = Pdf::new(1, "nobody reads this");
    let (owner, user) = ("ab".repeat(32), "cd".repeat(32));
    pdf.objects.push(format!(
        "<< /Filter /Standard /V 1 /R 2 /O <{owner}> /U <{user}> /P -4 >>"
    ));
    let encrypt = format!(
        "/Encrypt {} 0 R /ID [<{}> <{}>]",
        pdf.objects.len(),
        "12".repeat(16),
        "12".repeat(16)
    );
    pdf.write(&encrypt)
}

/// Begins as a PDF and is none.
pub fn damaged_pdf() -> Vec<u8> {
    b"%PDF-1.4\nthis is not what the first line promises\n".to_vec()
}

struct Pdf {
    /// Object n is at n - 1.
    objects: Vec<String>,
}

impl Pdf {
    fn new(pages: usize, text: &str) -> Self {
        let kids: Vec<String> = (0..pages).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" ")),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        ];
        for n in 0..pages {
            let escaped = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
            let content = format!(
                "BT /F1 18 Tf 72 700 Td ({escaped}) Tj 0 -40 Td (page {}) Tj ET",
                n + 1
            );
            let contents = 5 + 2 * n;
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] \
                 /Resources << /Font << /F1 3 0 R >> >> /Contents {contents} 0 R >>"
            ));
            objects.push(format!(
                "<< /Length {} >>\nstream\n{content}\nendstream",
                content.len()
            ));
        }
        Self { objects }
    }

    fn write(&self, trailer: &str) -> Vec<u8> {
        let mut out = String::from("%PDF-1.4\n");
        let mut offsets = Vec::new();
        for (n, object) in self.objects.iter().enumerate() {
            offsets.push(out.len());
            out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", n + 1));
        }
        let (xref, size) = (out.len(), offsets.len() + 1);
        out.push_str(&format!("xref\n0 {size}\n0000000000 65535 f \n"));
        offsets
            .iter()
            .for_each(|offset| out.push_str(&format!("{offset:010} 00000 n \n")));
        out.push_str(&format!(
            "trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF\n"
        ));
        out.into_bytes()
    }
}

#[test]
fn offsets_point_at_objects() {
    let pdf = String::from_utf8(pdf(3, "Hello (fax) world")).unwrap();
    let xref: usize = pdf
        .rsplit("startxref\n")
        .next()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(pdf[xref..].starts_with("xref\n0 10\n"));
    for (n, line) in pdf[xref..].lines().skip(3).take(9).enumerate() {
        let offset: usize = line[..10].parse().unwrap();
        assert!(pdf[offset..].starts_with(&format!("{} 0 obj\n", n + 1)));
    }
}

/// Lines of text.
#[must_use]
pub fn lines_of_text(lines: usize) -> Vec<u8> {
    "The quick brown fox jumps over the lazy dog, and the dog does not mind.\n"
        .repeat(lines)
        .into_bytes()
}

/// A PDF of about `size` bytes: pages of text, uncompressed.
#[must_use]
pub fn plain_pdf(size: usize) -> Vec<u8> {
    let line = "(The quick brown fox jumps over the lazy dog) Tj T*\n";
    let content = format!("BT /F1 11 Tf 14 TL 60 740 Td\n{}ET", line.repeat(48));
    let pages = size / content.len();
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" ")),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for page in 0..pages {
        let resources = "<< /Font << /F1 3 0 R >> >>";
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources {resources} /Contents {} 0 R >>",
            5 + 2 * page
        ));
        objects.push(format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let start = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for offset in offsets {
        file.push_str(&format!("{offset:010} 00000 n \n"));
    }
    let size = objects.len() + 1;
    file.push_str(&format!(
        "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    file.into_bytes()
}
