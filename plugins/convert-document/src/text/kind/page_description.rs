//! PDF, PostScript and RTF as text.

use super::lines;

/// Whether a text is the source of a PDF: it has the header on a line of its own, or objects and the end of a file.
pub(super) fn is_pdf(text: &str) -> bool {
    let (mut objects, mut ends, mut table, mut end) = (0, 0, false, false);
    for line in lines(text) {
        let line = line.trim();
        if is_header(line) {
            return true;
        }
        objects += usize::from(begins_object(line));
        ends += usize::from(line.starts_with("endobj") || line.ends_with("endobj"));
        table |= line == "startxref";
        end |= line.starts_with("%%EOF");
    }
    // A file that was cut off has no end.
    (objects > 0 && ends > 0 && table && end) || (objects >= 5 && ends >= 4)
}

/// Whether a line is `%PDF-1.4` or the header of form data, with nothing but a comment after it; a sentence has more words.
fn is_header(line: &str) -> bool {
    ["%pdf-", "%fdf-"].iter().any(|mark| {
        super::after(line, mark).is_some_and(|rest| {
            let tail = rest.get(3..).unwrap_or_default().trim_start();
            is_version(rest.as_bytes()) && (tail.is_empty() || tail.starts_with('%'))
        })
    })
}

fn is_version(rest: &[u8]) -> bool {
    matches!(rest, [major, b'.', minor, ..] if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// Whether a line begins with `12 0 obj`.
fn begins_object(line: &str) -> bool {
    let mut words = line.splitn(3, ' ');
    let number = |word: Option<&str>| {
        word.is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    number(words.next())
        && number(words.next())
        && words.next().is_some_and(|word| {
            word.strip_prefix("obj")
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
        })
}

/// Whether a text is a PostScript program: by its header, by the comments of its structure (Adobe Technical Note 5001), or
/// because most lines draw.
pub(super) fn is_postscript(text: &str) -> bool {
    const COMMENTS: [&str; 9] = [
        "%%BoundingBox:",
        "%%Pages:",
        "%%EndComments",
        "%%BeginProlog",
        "%%EndProlog",
        "%%Page:",
        "%%Trailer",
        "%%BeginSetup",
        "%%Creator:",
    ];
    const OPERATORS: [&str; 15] = [
        "moveto",
        "lineto",
        "rmoveto",
        "rlineto",
        "curveto",
        "show",
        "def",
        "setfont",
        "showpage",
        "stroke",
        "fill",
        "newpath",
        "closepath",
        "translate",
        "setgray",
    ];
    if text.starts_with("%!") {
        return true;
    }
    let (mut comments, mut drawing, mut written, mut shows) = (0, 0, 0, false);
    for line in lines(text).map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("%!PS-Adobe-") {
            return true;
        }
        written += 1;
        comments += usize::from(COMMENTS.iter().any(|comment| line.starts_with(comment)));
        let last = line.rsplit(char::is_whitespace).next().unwrap_or_default();
        drawing += usize::from(OPERATORS.contains(&last));
        shows |= last == "showpage";
    }
    comments >= 3 || (shows && drawing >= 3 && drawing * 2 >= written)
}

/// Whether a text is the source of an RTF document.
pub(super) fn is_rtf(text: &str) -> bool {
    lines(text).any(|line| {
        line.strip_prefix("{\\rtf")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '\\'))
    })
}
