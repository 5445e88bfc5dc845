//! Markup: web pages, told by their beginning (WHATWG MIME Sniffing Standard, 7.1), and everything else with tags.

use super::after;

/// Elements that a web page begins with, whatever follows them: those of the standard, and `meta`.
const BEGINNINGS: [&str; 17] = [
    "html", "head", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title", "b", "body",
    "br", "p", "meta", "center",
];

/// Elements that stand for themselves.
const VOID: [&str; 5] = ["img", "hr", "input", "link", "base"];

/// Elements that a fragment of a page may begin with; their end has to follow.
const ELEMENTS: [&str; 44] = [
    "abbr",
    "address",
    "article",
    "aside",
    "big",
    "blockquote",
    "button",
    "caption",
    "cite",
    "code",
    "dl",
    "em",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "i",
    "label",
    "li",
    "main",
    "mark",
    "nav",
    "noscript",
    "ol",
    "pre",
    "q",
    "s",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "tbody",
    "td",
    "tr",
    "u",
    "ul",
];

/// Whether a text is the source of a web page.
pub(in super::super) fn is_html(text: &str) -> bool {
    let start = start(text);
    if after(start.rest, "<!doctype").is_some_and(|rest| {
        after(rest.trim_start(), "html").is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    }) {
        return true;
    }
    let Some(tag) = Tag::read(start.rest) else {
        return start.has_comment && !start.has_xml && !start.rest.starts_with('<');
    };
    let one_of = |names: &[&str]| names.iter().any(|name| tag.name.eq_ignore_ascii_case(name));
    // XML has other elements of the same names.
    if start.has_xml {
        return tag.name.eq_ignore_ascii_case("html");
    }
    one_of(&BEGINNINGS) || one_of(&VOID) || (one_of(&ELEMENTS) && tag.is_closed_in(start.rest))
}

/// Whether a text is a vector picture.
pub(super) fn is_svg(text: &str) -> bool {
    let start = start(text).rest;
    after(start, "<!doctype").is_some_and(|rest| after(rest.trim_start(), "svg").is_some())
        || Tag::read(start)
            .is_some_and(|tag| local(tag.name).eq_ignore_ascii_case("svg") && !tag.rest.is_empty())
}

/// Whether a text is an XML document: by its declaration, or because one element is all of it.
pub(super) fn is_xml(text: &str) -> bool {
    let start = start(text);
    if start.has_xml || after(start.rest, "<!doctype").is_some() {
        return true;
    }
    Tag::read(start.rest).is_some_and(|tag| {
        let ended = text.trim_end();
        ended
            .strip_suffix('>')
            .map(str::trim_end)
            .and_then(|ended| ended.strip_suffix(tag.name))
            .is_some_and(|ended| ended.ends_with("</"))
            || (ended.ends_with("/>") && tag.rest.split('>').count() == 2)
    })
}

/// What a text begins with after white space, comments and an XML declaration.
struct Start<'t> {
    rest: &'t str,
    has_comment: bool,
    has_xml: bool,
}

fn start(text: &str) -> Start<'_> {
    let mut start = Start {
        rest: text,
        has_comment: false,
        has_xml: false,
    };
    loop {
        start.rest = start
            .rest
            .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if let Some(rest) = start.rest.strip_prefix("<!--") {
            start.has_comment = true;
            start.rest = rest.split_once("-->").map_or("", |(_, rest)| rest);
        } else if let Some(rest) = after(start.rest, "<?xml") {
            start.has_xml = true;
            start.rest = rest.split_once("?>").map_or("", |(_, rest)| rest);
        } else {
            return start;
        }
    }
}

/// A start tag.
struct Tag<'t> {
    name: &'t str,
    /// What follows the name.
    rest: &'t str,
}

impl<'t> Tag<'t> {
    /// The tag that a text begins with. A name ends with white space, `>` or `/>`, so that `<j.doe@example.com>` is none.
    fn read(text: &'t str) -> Option<Self> {
        let inner = text.strip_prefix('<')?;
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')))?;
        let (name, rest) = inner.split_at(end);
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let ends = rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '>') || rest.starts_with("/>");
        (begins && ends && rest.contains('>')).then_some(Self { name, rest })
    }

    /// Whether the end of the element follows.
    fn is_closed_in(&self, text: &str) -> bool {
        text.match_indices("</").any(|(at, _)| {
            text.get(at + 2..)
                .and_then(|rest| after(rest, self.name))
                .is_some_and(|rest| rest.trim_start().starts_with('>'))
        })
    }
}

/// A name without the prefix of its namespace.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
