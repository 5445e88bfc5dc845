//! What Ghostscript and poppler make of the same file.

use std::path::Path;
use std::process::{Command, Stdio};

/// The programs that are installed.
#[derive(Clone, Copy)]
pub(crate) struct Tools {
    pub(crate) ghostscript: bool,
    pub(crate) pdftotext: bool,
}

impl Tools {
    pub(crate) fn find() -> Self {
        let tools = Self {
            ghostscript: runs("gs", "--version"),
            pdftotext: runs("pdftotext", "-v") && runs("pdftoppm", "-v"),
        };
        if !tools.ghostscript {
            eprintln!("skipped: ink against Ghostscript, which is not installed (package ghostscript)");
        }
        if !tools.pdftotext {
            eprintln!("skipped: words found by pdftotext, which is not installed (package poppler-utils)");
        }
        tools
    }
}

fn runs(program: &str, argument: &str) -> bool {
    let quiet = Command::new(program)
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

fn keep(pdf: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("in.pdf");
    std::fs::write(&file, pdf).expect("file");
    (folder, file)
}

/// The words that are not found again, in order.
pub(crate) fn words(pdf: &[u8], words: &[String]) -> Vec<String> {
    let (_folder, file) = keep(pdf);
    let output = Command::new("pdftotext")
        .args(["-layout", "-enc", "UTF-8"])
        .arg(&file)
        .arg("-")
        .output();
    let text = String::from_utf8_lossy(&output.expect("pdftotext").stdout).into_owned();
    // Marks that turn the direction of reading are poppler's own.
    let text: String = text.chars().filter(|c| !is_mark(*c)).collect();
    let mut rest = text.as_str();
    let mut wrong = Vec::new();
    for word in words {
        match rest.find(word.as_str()) {
            Some(at) => rest = &rest[at + word.len()..],
            None => wrong.push(format!(
                "{word:?} is not found in {:?}",
                &text[..text.floor_char_boundary(300)]
            )),
        }
    }
    wrong
}

/// Marks that turn the direction of reading.
pub(crate) fn is_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Pages whose ink differs from Ghostscript's by more than `times`, and pages that are white only here.
pub(crate) fn ink(pdf: &[u8], ours: &[u64], times: f64) -> Vec<String> {
    let (folder, file) = keep(pdf);
    let theirs = match ghostscript(folder.path(), &file) {
        Ok(theirs) => theirs,
        Err(why) => return vec![why],
    };
    if theirs.len() != ours.len() {
        return vec![format!(
            "{} pages and Ghostscript sees {}",
            ours.len(),
            theirs.len()
        )];
    }
    let mut wrong = Vec::new();
    for (page, (ours, theirs)) in (1..).zip(ours.iter().zip(&theirs)) {
        let (a, b) = (*ours as f64 + 200.0, *theirs as f64 + 200.0);
        if a / b > times || b / a > times {
            wrong.push(format!(
                "page {page} has {ours} black dots and Ghostscript {theirs}"
            ));
        }
    }
    wrong
}

/// Black dots of each page as Ghostscript draws it for a fax.
pub(crate) fn ghostscript(folder: &Path, file: &Path) -> Result<Vec<u64>, String> {
    let out = folder.join("gs-%03d.pbm");
    let status = Command::new("gs")
        .args([
            "-q",
            "-dSAFER",
            "-dBATCH",
            "-dNOPAUSE",
            "-sDEVICE=pbmraw",
            "-r204x196",
            "-g1728x2156",
        ])
        .args(["-dPDFFitPage", "-dUseCropBox", "-dShowAnnots=true"])
        .arg(format!("-sOutputFile={}", out.display()))
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("gs");
    if !status.success() {
        return Err(format!("Ghostscript ends with {status}"));
    }
    let mut found = Vec::new();
    for number in 1.. {
        let Ok(bytes) = std::fs::read(folder.join(format!("gs-{number:03}.pbm"))) else {
            break;
        };
        // P4, a comment, width and height; then packed rows, 1 is black.
        let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
        let size = lines.by_ref().nth(2).unwrap_or_default();
        assert_eq!(size, b"1728 2156", "{}", String::from_utf8_lossy(size));
        let bits = lines.next().unwrap_or_default();
        found.push(bits.iter().map(|byte| u64::from(byte.count_ones())).sum());
    }
    Ok(found)
}
