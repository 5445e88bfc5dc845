//! Whether a file is put together so that every reader finds its objects (ISO 32000-1, 7.5), without having to repair it.

/// Bytes at the end of a file in which readers look for its last section.
const END: usize = 1024;
/// Cross-reference sections that are followed; each change of a file adds one.
const MAX_SECTIONS: usize = 256;

/// Whether the file begins as a PDF, and each entry of its cross-reference tables points to its object.
pub(super) fn is_sound(data: &[u8]) -> bool {
    data.starts_with(b"%PDF-") && last_section(data).is_some_and(|at| sections_are_sound(data, at))
}

/// Where the last cross-reference section begins, as the end of the file says.
fn last_section(data: &[u8]) -> Option<usize> {
    let end = data.get(data.len().saturating_sub(END)..)?;
    let at = memchr::memmem::rfind(end, b"startxref")?;
    number(&mut end.get(at + 9..)?)
}

fn sections_are_sound(data: &[u8], mut at: usize) -> bool {
    let mut seen = Vec::new();
    while !seen.contains(&at) && seen.len() < MAX_SECTIONS {
        seen.push(at);
        let Some(section) = data.get(at..) else {
            return false;
        };
        let trailer = match section.trim_ascii_start().strip_prefix(b"xref") {
            Some(table) => match table_is_sound(data, table) {
                Some(trailer) => trailer,
                None => return false,
            },
            None if begins_object(section, None) => section,
            None => return false,
        };
        // The dictionary of a stream, or that of the trailer.
        let ends = [&b"stream"[..], b"startxref"].map(|end| memchr::memmem::find(trailer, end));
        let end = ends.into_iter().flatten().min().unwrap_or(trailer.len());
        let dict = trailer.get(..end).unwrap_or_default();
        // Older readers don't see what is in the stream of a hybrid file.
        if memchr::memmem::find(dict, b"/XRefStm").is_some() {
            return false;
        }
        let previous = memchr::memmem::find(dict, b"/Prev").and_then(|at| dict.get(at + 5..));
        match previous.and_then(|mut previous| number(&mut previous)) {
            Some(previous) => at = previous,
            None => return true,
        }
    }
    false
}

/// Reads a table, and gives back what follows the word `trailer`.
fn table_is_sound<'a>(data: &[u8], mut table: &'a [u8]) -> Option<&'a [u8]> {
    loop {
        table = table.trim_ascii_start();
        if let Some(trailer) = table.strip_prefix(b"trailer") {
            return Some(trailer);
        }
        let (first, count) = (number(&mut table)?, number(&mut table)?);
        for id in first..first.checked_add(count)? {
            let (offset, _generation) = (number(&mut table)?, number(&mut table)?);
            let (kind, rest) = table.trim_ascii_start().split_first()?;
            table = rest;
            let is_found = || {
                data.get(offset..)
                    .is_some_and(|object| begins_object(object, Some(id)))
            };
            if *kind == b'n' && !is_found() {
                return None;
            }
        }
    }
}

/// Whether an object begins here, which has this number.
fn begins_object(mut data: &[u8], id: Option<usize>) -> bool {
    let found = number(&mut data);
    let matches = found.is_some() && (id.is_none() || found == id);
    matches && number(&mut data).is_some() && data.trim_ascii_start().starts_with(b"obj")
}

/// Takes a number off the beginning, after white space.
fn number(data: &mut &[u8]) -> Option<usize> {
    let trimmed = data.trim_ascii_start();
    let length = trimmed.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = trimmed.split_at_checked(length)?;
    *data = rest;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_point_elsewhere_are_found() {
        let written = crate::one_page::one_page(|_| {}).finish();
        let sound: String = written.iter().copied().map(char::from).collect();
        let check = |text: &str| is_sound(&text.chars().map(|byte| byte as u8).collect::<Vec<_>>());
        assert!(check(&sound));
        let at = sound.find("xref").unwrap_or_default();
        let changed = [
            format!("garbage\n{sound}"),
            sound.replacen("2 0 obj", "22 0 obj", 1),
            sound.replacen("%PDF", "%PDX", 1),
            sound.replace("startxref", "startxerf"),
            sound.replacen("trailer\n<<", &format!("trailer\n<< /Prev {at}"), 1),
            sound.replacen("trailer\n<<", "trailer\n<< /XRefStm 9", 1),
            format!("{sound}{}", "\n".repeat(2000)),
        ];
        for changed in changed {
            assert_ne!(changed, sound);
            assert!(!check(&changed), "{changed}");
        }
    }
}
