//! What the stamp does to small documents, and what it does not take on.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

fn footer(code: Option<&str>) -> Footer {
    Footer {
        text: "Confidential (7) \\ x".to_owned(),
        code: code.map(str::to_owned),
    }
}

/// A PDF of two pages of this size; `extra` is in each page's dictionary.
fn document(width: u32, height: u32, extra: &str) -> Vec<u8> {
    let page =
        format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 5 0 R {extra} >>");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>".to_owned(),
        page.clone(),
        page,
        "<< /Length 15 >>\nstream\n10 10 50 50 re f\nendstream".to_owned(),
    ];
    let (mut pdf, mut table) = (String::from("%PDF-1.4\n"), String::from("0000000000 65535 f \n"));
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = pdf.len();
    pdf.push_str(&format!(
        "xref\n0 6\n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    pdf.into_bytes()
}

#[test]
fn every_page_keeps_its_size_and_carries_the_footer() {
    let pdf = open(document(612, 792, "")).unwrap();
    for code in [None, Some("DEPT-7")] {
        let stamped = open(footer(code).stamp(&pdf).unwrap()).unwrap();
        assert_eq!(stamped.pages().len(), 2);
        for page in stamped.pages().iter() {
            assert_eq!(page.render_dimensions(), (612.0, 792.0));
            let content = String::from_utf8_lossy(page.page_stream().unwrap()).into_owned();
            assert!(content.contains("(Confidential (7) "), "{content}");
            assert!(content.contains("/Page Do"), "{content}");
            assert_eq!(content.contains(" re"), code.is_some());
        }
    }
}

#[test]
fn what_would_be_lost_is_refused() {
    assert_eq!(
        open(b"%PDF-1.4 no".to_vec()).map(drop),
        Err(StampError::Unreadable)
    );
    assert_eq!(open(Vec::new()).map(drop), Err(StampError::Unreadable));
    let noted = document(612, 792, "/Annots [<< /Type /Annot /Subtype /Widget >>]");
    assert_eq!(open(noted).map(drop), Err(StampError::Annotated));
    let small = open(document(100, 100, "")).unwrap();
    assert_eq!(footer(None).stamp(&small), Err(StampError::TooSmall));
}

#[test]
fn settings_are_checked() {
    let read = |text: &str, code: &str| {
        Footer::read(|name| Some(if name == "text" { text } else { code }.to_owned()))
    };
    assert_eq!(Footer::read(|_| None).unwrap().text, "Confidential");
    assert_eq!(read("House", "dept-7").unwrap().code.as_deref(), Some("DEPT-7"));
    for (text, code, name) in [
        ("", "", "text"),
        ("ä", "", "text"),
        ("x", "a_b", "code"),
        ("x", "*", "code"),
    ] {
        assert!(read(text, code).unwrap_err().contains(name), "{text} {code}");
    }
}
