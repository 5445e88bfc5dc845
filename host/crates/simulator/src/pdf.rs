//! Just enough PDF: blank documents to hand out, and a look at those that come in.
//!
//! Pages are counted from plain page objects; a document that hides them in object streams counts as one page. The
//! vendor counts after converting, which nobody needs here.

/// A document of blank letter pages.
pub(super) fn blank(pages: u32) -> Vec<u8> {
    let pages = pages.clamp(1, 200);
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", page + 3)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" ")),
    ];
    for _ in 0..pages {
        objects.push("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << >> >>".to_owned());
    }
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", number + 1).as_bytes());
    }
    let start = pdf.len();
    let size = objects.len() + 1;
    pdf.extend_from_slice(
        format!(
            "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
        )
        .as_bytes(),
    );
    pdf
}

/// The pages of a document; none when it is no PDF.
pub(super) fn pages(pdf: &[u8]) -> Option<u32> {
    let head = pdf.get(..pdf.len().min(1024))?;
    find(head, b"%PDF-")?;
    let tail = pdf.get(pdf.len().saturating_sub(2048)..)?;
    find(tail, b"%%EOF")?;
    let mut count = 0_u32;
    let mut rest = pdf;
    while let Some(at) = find(rest, b"/Type") {
        rest = rest.get(at + 5..).unwrap_or_default();
        let value = rest.trim_ascii_start();
        let is_page = value
            .strip_prefix(b"/Page")
            .is_some_and(|after| after.first().is_none_or(|b| !b.is_ascii_alphanumeric()));
        count += u32::from(is_page);
    }
    Some(count.max(1))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_documents_have_the_pages_asked_for() {
        for count in [1, 3, 200] {
            assert_eq!(pages(&blank(count)), Some(count));
        }
    }

    #[test]
    fn what_is_no_document_is_none() {
        for bad in [&b""[..], b"<html>", b"%PDF-1.4 without an end", b"%%EOF"] {
            assert_eq!(pages(bad), None);
        }
    }
}
