//! PDF files object by object, every byte known.

/// A PDF under construction: object n stands at n - 1; the first is the catalog, the second the page tree.
#[derive(Clone)]
pub struct Pdf {
    objects: Vec<Vec<u8>>,
    kids: Vec<usize>,
    catalog: String,
}

impl Pdf {
    /// Without objects.
    #[allow(clippy::new_without_default, reason = "tests name what they make")]
    pub fn new() -> Self {
        Self {
            objects: vec![Vec::new(), Vec::new()],
            kids: Vec::new(),
            catalog: String::new(),
        }
    }

    /// Entries of the catalog.
    pub fn catalog(mut self, entries: &str) -> Self {
        self.catalog.push_str(entries);
        self
    }

    /// Adds an object; answers its number.
    pub fn add(&mut self, object: impl AsRef<[u8]>) -> usize {
        self.objects.push(object.as_ref().to_vec());
        self.objects.len()
    }

    /// Puts another object in the place of one.
    pub fn replace(&mut self, number: usize, object: impl AsRef<[u8]>) {
        self.objects[number - 1] = object.as_ref().to_vec();
    }

    /// Adds a stream; answers its number.
    pub fn stream(&mut self, entries: &str, data: &[u8]) -> usize {
        let mut object = format!("<< {entries} /Length {} >>\nstream\n", data.len()).into_bytes();
        object.extend_from_slice(data);
        object.extend_from_slice(b"\nendstream");
        self.add(object)
    }

    /// Adds a page with these entries and this content.
    pub fn page(&mut self, entries: &str, content: &str) -> usize {
        let content = self.stream("", content.as_bytes());
        let page = self.add(format!(
            "<< /Type /Page /Parent 2 0 R {entries} /Contents {content} 0 R >>"
        ));
        self.kids.push(page);
        page
    }

    /// The file, with `trailer` in its trailer.
    pub fn finish(mut self, trailer: &str) -> Vec<u8> {
        let kids: Vec<String> = self.kids.iter().map(|kid| format!("{kid} 0 R")).collect();
        self.objects[0] = format!("<< /Type /Catalog /Pages 2 0 R {} >>", self.catalog).into_bytes();
        self.objects[1] = format!(
            "<< /Type /Pages /Kids [{}] /Count {} >>",
            kids.join(" "),
            kids.len()
        )
        .into_bytes();
        let mut out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut offsets = Vec::new();
        for (n, object) in self.objects.iter().enumerate() {
            offsets.push(out.len());
            out.extend_from_slice(format!("{} 0 obj\n", n + 1).as_bytes());
            out.extend_from_slice(object);
            out.extend_from_slice(b"\nendobj\n");
        }
        let xref = out.len();
        let mut tail = format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1);
        for offset in &offsets {
            tail.push_str(&format!("{offset:010} 00000 n \n"));
        }
        tail.push_str(&format!(
            "trailer\n<< /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF\n",
            offsets.len() + 1
        ));
        out.extend_from_slice(tail.as_bytes());
        out
    }
}

/// Entries of a Letter page with Helvetica as `F`.
pub const LETTER: &str = "/MediaBox [0 0 612 792] \
    /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>";

/// One page with a line of text and a frame.
pub fn letter(text: &str) -> Vec<u8> {
    let mut pdf = Pdf::new();
    pdf.page(LETTER, &line(text));
    pdf.finish("")
}

/// Content: a line of text and a frame around the page.
pub fn line(text: &str) -> String {
    format!("BT /F 24 Tf 72 700 Td ({text}) Tj ET 3 w 60 60 492 672 re S")
}
