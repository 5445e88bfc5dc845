//! Characters to lines to pages.

use unicode_bidi::{Direction, get_base_direction};
use unicode_width::UnicodeWidthChar;

/// How much fits on a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    /// Characters on a line.
    pub(crate) columns: usize,
    /// Lines on a page.
    pub(crate) lines: usize,
}

/// One line as it will be printed, its characters in the order in which they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// The characters.
    pub(crate) text: String,
    /// Whether it is read from right to left.
    pub(crate) rtl: bool,
}

/// The lines of each page.
pub(crate) type Pages = Vec<Vec<Line>>;

/// The document has more pages than allowed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyPages;

/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// Breaks a text into lines (CR, LF, CRLF and the Unicode separators), long lines at spaces, words longer than a
/// line anywhere, and lines into pages; a form feed starts a page. Nothing blank is left at the end, so a text
/// that fills its last page exactly has no blank one after it. No page at all means an empty text.
pub(crate) fn lay_out(text: &str, grid: Grid, max_pages: usize) -> Result<Pages, TooManyPages> {
    let mut pages = Paginator {
        grid,
        max_pages,
        // Format characters matter only where letters join or are read from right to left.
        shaped: text.chars().any(needs_shaping),
        done: Vec::new(),
        open: Vec::new(),
    };
    // Whatever follows the last visible character would only feed paper.
    let text = text.trim_end_matches(|c: char| is_blank(c) || c == '\u{1a}');
    // A form feed is often sent to a printer first; it would make an empty page.
    let text = text.trim_start_matches('\u{c}');
    if text.chars().all(is_blank) {
        return Ok(Vec::new());
    }
    for (index, sheet) in text.split('\u{c}').enumerate() {
        if index > 0 {
            pages.end_page()?;
        }
        // A line end right before the form feed belongs to the line above it.
        let mut lines = split_lines(sheet).peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_none() && line.is_empty() {
                break;
            }
            pages.line(line)?;
        }
    }
    pages.end_page()?;
    Ok(pages.done)
}

/// Format and variation characters, which are not drawn.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}

/// Characters that leave no mark on paper: white space, format characters, and the letters that stand for an absent one.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || is_invisible(c)
        || matches!(
            c,
            '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180e}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{ffa0}'
        )
}

/// Format characters that join letters or set the direction of reading.
pub(crate) fn is_format_control(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters of scripts whose letters join, change their order or are read from right to left.
fn needs_shaping(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{1cff}' | '\u{a800}'..='\u{abff}' | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{11fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Columns that a character takes: two for those of East Asia, none for what is drawn over the one before.
pub(crate) fn columns(c: char) -> usize {
    if c.is_ascii() || ('\u{a0}'..'\u{300}').contains(&c) {
        return 1;
    }
    // What has no width of its own is shown as a box.
    c.width().unwrap_or(1)
}

/// Punctuation that never begins a line (JIS X 4051, simplified).
fn may_not_begin_a_line(c: char) -> bool {
    "、。，．：；？！）」』】〕》〉’”ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々ゝゞヽヾ".contains(c)
}

fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{85}' | '\u{2028}' | '\u{2029}');
        match text.find(end) {
            None => {
                rest = None;
                Some(text)
            }
            Some(at) => {
                let (line, tail) = text.split_at(at);
                let tail = tail.strip_prefix("\r\n").unwrap_or_else(|| {
                    let mut chars = tail.chars();
                    chars.next();
                    chars.as_str()
                });
                rest = Some(tail);
                Some(line)
            }
        }
    })
}

struct Paginator {
    grid: Grid,
    max_pages: usize,
    shaped: bool,
    done: Pages,
    open: Vec<Line>,
}

impl Paginator {
    /// Ends the page, even an empty one.
    fn end_page(&mut self) -> Result<(), TooManyPages> {
        if self.done.len() >= self.max_pages {
            return Err(TooManyPages);
        }
        self.done.push(std::mem::take(&mut self.open));
        Ok(())
    }

    /// Adds a finished line; a full page is ended only when something follows it.
    fn push(&mut self, mut text: String, rtl: bool) -> Result<(), TooManyPages> {
        if self.open.len() >= self.grid.lines {
            self.end_page()?;
        }
        text.truncate(text.trim_end_matches(' ').len());
        self.open.push(Line { text, rtl });
        Ok(())
    }

    /// Adds one line of the text, wrapped.
    fn line(&mut self, text: &str) -> Result<(), TooManyPages> {
        let width_of_line = self.grid.columns;
        let shaped = self.shaped;
        let rtl = shaped && get_base_direction(text) == Direction::Rtl;
        let mut line = String::new();
        let mut used = 0;
        // Where the last word of the line starts: byte and column after the last space, 0 when none.
        let mut word: Option<(usize, usize)> = None;
        let shown = |c: &char| !is_invisible(*c) || (shaped && is_format_control(*c));
        for c in text.chars().filter(shown) {
            let width = columns(c);
            if (width == 0 && used > 0) || is_format_control(c) {
                line.push(c);
                continue;
            }
            if c == ' ' || c == '\t' {
                let width = if c == '\t' { TAB - used % TAB } else { 1 };
                // Spaces beyond the end of a line are dropped: they only separate words.
                for _ in 0..width.min(width_of_line.saturating_sub(used)) {
                    line.push(' ');
                    used += 1;
                }
                // An indent is not a place to break: the line would be left blank.
                if !line.trim_start_matches(' ').is_empty() {
                    word = Some((line.len(), used));
                }
                continue;
            }
            let width = width.max(1);
            // Scripts that put no spaces between words break between any two characters.
            if width == 2 && used > 0 && !may_not_begin_a_line(c) {
                word = Some((line.len(), used));
            }
            if used + width > width_of_line {
                let (at, column) = word.take().unwrap_or((line.len(), used));
                let carried = line.split_off(at);
                self.push(std::mem::replace(&mut line, carried), rtl)?;
                used -= column;
            }
            line.push(c);
            used += width;
        }
        self.push(line, rtl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRID: Grid = Grid {
        columns: 10,
        lines: 3,
    };

    fn pages(text: &str) -> Vec<Vec<String>> {
        let texts = |page: Vec<Line>| page.into_iter().map(|line| line.text).collect();
        lay_out(text, GRID, 100).unwrap().into_iter().map(texts).collect()
    }

    fn lines(text: &str) -> Vec<String> {
        pages(text).concat()
    }

    #[test]
    fn every_line_end_is_one_line_end() {
        assert_eq!(lines("a\nb\r\nc\rd\u{2028}e"), ["a", "b", "c", "d", "e"]);
        assert_eq!(lines("a\n\nb"), ["a", "", "b"]);
        assert_eq!(lines("a\r\n\r\nb"), ["a", "", "b"]);
    }

    #[test]
    fn long_lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(lines("one two three four"), ["one two", "three four"]);
        assert_eq!(lines("0123456789 abc"), ["0123456789", "abc"]);
        assert_eq!(lines("0123456789abc"), ["0123456789", "abc"]);
        assert_eq!(lines("    0123456789"), ["    012345", "6789"]);
        assert_eq!(lines("ab 0123456789abc x"), ["ab", "0123456789", "abc x"]);
    }

    #[test]
    fn tabs_go_to_the_next_eighth_column() {
        assert_eq!(lines("a\tb"), ["a       b"]);
        assert_eq!(lines("12345678\tb"), ["12345678", "b"]);
    }

    #[test]
    fn a_full_page_is_not_followed_by_a_blank_one() {
        assert_eq!(pages("1\n2\n3").len(), 1);
        assert_eq!(pages("1\n2\n3\n").len(), 1);
        assert_eq!(pages("1\n2\n3\n\n\n \n\u{c}").len(), 1);
        assert_eq!(pages("1\n2\n3\n4").len(), 2);
        assert_eq!(pages("1\n2\n3\n\u{c}4"), [vec!["1", "2", "3"], vec!["4"]]);
    }

    #[test]
    fn a_form_feed_starts_a_page() {
        assert_eq!(pages("a\u{c}b"), [["a"], ["b"]]);
        assert_eq!(pages("a\n\u{c}\nb"), [vec!["a"], vec!["", "b"]]);
        assert_eq!(pages("\u{c}a"), [["a"]]);
        assert_eq!(pages("a\u{c}\u{c}b").len(), 3);
    }

    #[test]
    fn marks_are_not_printed_and_accents_take_no_column() {
        assert_eq!(lines("\u{feff}a\u{200b}b"), ["ab"]);
        assert_eq!(lines("012345678e\u{301}"), ["012345678e\u{301}"]);
    }

    #[test]
    fn wide_characters_take_two_columns_and_break_anywhere_but_before_a_full_stop() {
        assert_eq!(lines("日本語日本語"), ["日本語日本", "語"]);
        assert_eq!(lines("日本語日本。"), ["日本語日", "本。"]);
        assert_eq!(lines("abc日本語日本語"), ["abc日本語", "日本語"]);
    }

    #[test]
    fn the_direction_of_a_line_is_that_of_its_first_letter() {
        let rtl = |text| {
            lay_out(text, GRID, 9)
                .unwrap()
                .concat()
                .iter()
                .map(|line| line.rtl)
                .collect::<Vec<_>>()
        };
        assert_eq!(rtl("abc שלום\n12 שלום abc שלום"), [false, true, true]);
        assert_eq!(lines("می\u{200c}خواهم"), ["می\u{200c}خواهم"]);
    }

    #[test]
    fn nothing_visible_is_no_page() {
        for text in [
            "",
            " ",
            "\n\n",
            "\u{c}\u{c}",
            "\u{feff}",
            "\t \r\n\u{a0}",
            "\u{2800}\n\u{3164}",
        ] {
            assert!(pages(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn too_many_pages_stop_early() {
        assert_eq!(lay_out(&"x\n".repeat(10), GRID, 3), Err(TooManyPages));
        assert_eq!(lay_out(&"x\n".repeat(9), GRID, 3).unwrap().len(), 3);
        assert_eq!(lay_out(&"x\u{c}".repeat(4), GRID, 3), Err(TooManyPages));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_character_is_lost_and_no_line_too_long(text in "[a-zé \t\n\r\u{c}]{0,200}") {
            let pages = pages(&text);
            for page in &pages {
                prop_assert!(page.len() <= GRID.lines);
                for line in page {
                    prop_assert!(line.chars().count() <= GRID.columns);
                }
            }
            let shown = pages.concat().concat().replace(' ', "");
            let given: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            prop_assert_eq!(shown, given);
        }
    }
}
