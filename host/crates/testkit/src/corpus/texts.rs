//! Texts: encodings, page boundaries, line breaks, scripts; and web pages.

use super::{Case, Ink};

/// All cases of this file.
pub fn cases() -> Vec<Case> {
    let mut all = encodings();
    all.extend(boundaries());
    all.extend(lines());
    all.extend(scripts());
    all.extend(web_pages());
    all
}

fn encodings() -> Vec<Case> {
    let text = "Größe über Straße – 5 € “ok”";
    let words = ["Größe", "Straße", "5 €", "“ok”"];
    let utf16 = |little: bool, mark: bool| -> Vec<u8> {
        let mark = mark.then_some(0xfeff_u16);
        let units = mark.into_iter().chain(text.encode_utf16());
        let bytes = if little {
            u16::to_le_bytes
        } else {
            u16::to_be_bytes
        };
        units.flat_map(bytes).collect()
    };
    let utf32 = |little: bool| -> Vec<u8> {
        let bytes = if little {
            u32::to_le_bytes
        } else {
            u32::to_be_bytes
        };
        ['\u{feff}']
            .into_iter()
            .chain(text.chars())
            .map(u32::from)
            .flat_map(bytes)
            .collect()
    };
    let windows = b"Gr\xf6\xdfe \xfcber Stra\xdfe \x96 5 \x80 \x93ok\x94";
    vec![
        Case::fax("text utf-8", text, 1, &words),
        Case::fax("text utf-8 with mark", format!("\u{feff}{text}"), 1, &words),
        Case::fax("text utf-16le with mark", utf16(true, true), 1, &words),
        Case::fax("text utf-16be with mark", utf16(false, true), 1, &words),
        Case::fax("text utf-32le with mark", utf32(true), 1, &words),
        Case::fax("text utf-32be with mark", utf32(false), 1, &words),
        Case::fax("text windows-1252", windows, 1, &words),
        Case::fax(
            "text latin-1",
            b"Caf\xe9 \xe0 la cr\xe8me".as_slice(),
            1,
            &["Café à la crème"],
        ),
        Case::fax("text ascii", "plain old text", 1, &["plain old text"]),
    ]
}

fn boundaries() -> Vec<Case> {
    let mut all = Vec::new();
    // 57 lines fit on a page of Letter.
    for (lines, pages) in [
        (1, 1),
        (56, 1),
        (57, 1),
        (58, 2),
        (113, 2),
        (114, 2),
        (115, 3),
        (570, 10),
        (571, 11),
    ] {
        for (name, end) in [("lf", "\n"), ("crlf", "\r\n"), ("cr", "\r")] {
            if end != "\n" && lines > 115 {
                continue;
            }
            let text: String = (1..=lines).map(|n| format!("line {n}{end}")).collect();
            let last = format!("line {lines}");
            let both = ["line 1", last.as_str()];
            all.push(Case::fax(
                format!("text of {lines} lines, {name}"),
                text,
                pages,
                if lines == 1 { &["line 1"] } else { &both },
            ));
        }
    }
    for (name, text, pages, words) in [
        ("form feed between", "one\u{c}two", 2, ["one", "two"]),
        ("form feed first", "\u{c}one two", 1, ["one", "two"]),
        ("form feed last", "one two\u{c}", 1, ["one", "two"]),
        ("form feed after a full page", "f\n\u{c}two", 2, ["f", "two"]),
        ("trailing blank lines", "one\ntwo\n\n\n\n   \n", 1, ["one", "two"]),
    ] {
        all.push(Case::fax(format!("text with {name}"), text, pages, &words));
    }
    let full = "x\n".repeat(57);
    all.push(Case::fax(
        "text of a full page and a form feed",
        format!("{full}\u{c}next"),
        2,
        &["x", "next"],
    ));
    all.push(Case::fax(
        "text of 200 pages",
        "page\u{c}".repeat(199) + "end",
        200,
        &["page", "end"],
    ));
    all
}

fn lines() -> Vec<Case> {
    let words = (1..=100)
        .map(|n| format!("word{n}"))
        .collect::<Vec<_>>()
        .join(" ");
    vec![
        Case::fax("text with a long line", words, 1, &["word1", "word50", "word100"]),
        Case::fax(
            "text with a word of 500 letters",
            "a".repeat(500),
            1,
            &["aaaaaaaaaa"],
        ),
        Case::fax("text of 84 columns", "b".repeat(84), 1, &[&"b".repeat(84)]),
        Case::fax("text of 85 columns", "b".repeat(84) + "Z", 1, &["Z"]),
        Case::fax(
            "text with tabs",
            "a\tb\tc\n1\t22\t333\n",
            1,
            &["a", "b", "c", "333"],
        ),
        Case::fax(
            "text with an indent",
            "        deep\n  shallow\n",
            1,
            &["deep", "shallow"],
        ),
        Case::fax(
            "text with control characters",
            "a\u{1b}[1mbold\u{1b}[0m b\u{8}c",
            1,
            &["bold"],
        ),
        Case::fax(
            "text with odd spaces",
            "a\u{a0}b\u{2003}c\u{200b}d\u{ad}e",
            1,
            &["a"],
        ),
        Case::fax(
            "text with bad utf-8",
            [&"żółć ".repeat(30).into_bytes()[..], b"\xff\xfe end"].concat(),
            1,
            &["żółć", "end"],
        ),
    ]
}

fn scripts() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, text, words) in [
        ("Polish", "Zażółć gęślą jaźń", vec!["Zażółć gęślą jaźń"]),
        ("Czech", "Příliš žluťoučký kůň", vec!["Příliš žluťoučký kůň"]),
        ("Vietnamese", "Tiếng Việt đẹp", vec!["Tiếng Việt đẹp"]),
        (
            "Greek",
            "Ξεσκεπάζω τὴν ψυχοφθόρα",
            vec!["Ξεσκεπάζω τὴν ψυχοφθόρα"],
        ),
        (
            "Russian",
            "Съешь ещё этих мягких булок",
            vec!["Съешь ещё этих мягких булок"],
        ),
        ("Ukrainian", "Їжак ґречно їсть", vec!["Їжак ґречно їсть"]),
        ("Armenian", "Բարեւ աշխարհ", vec!["Բարեւ աշխարհ"]),
        ("Georgian", "გამარჯობა", vec!["გამარჯობა"]),
        ("Hebrew", "שלום עולם", vec!["שלום", "עולם"]),
        ("Hebrew with points", "בְּרֵאשִׁית", vec![]),
        ("Arabic", "مرحبا بالعالم", vec!["مرحبا", "بالعالم"]),
        ("Arabic with a ligature", "لا سلام", vec![]),
        ("Persian with a joiner", "می\u{200c}خواهم کتاب", vec!["کتاب"]),
        ("Urdu", "آپ کا شکریہ", vec![]),
        ("simplified Chinese", "你好，世界。", vec!["你好", "世界"]),
        ("traditional Chinese", "歡迎光臨", vec!["歡迎光臨"]),
        (
            "Japanese",
            "こんにちは、カタカナ漢字。",
            vec!["こんにちは", "カタカナ漢字"],
        ),
        ("Korean", "안녕하세요 세계", vec!["안녕하세요", "세계"]),
        ("full width", "ＡＢＣ１２３", vec!["ＡＢＣ１２３"]),
        ("Hebrew with numbers", "מחיר 120 ₪ (כולל)", vec!["120"]),
        (
            "English with Hebrew",
            "The word שלום means peace",
            vec!["The word", "שלום", "means peace"],
        ),
        (
            "every script at once",
            "Aé Ж Ω ש ع 漢 か 한",
            vec!["Aé", "Ω", "漢", "한"],
        ),
        ("box drawing", "┌──┐\n│x │\n└──┘", vec!["┌──┐"]),
        ("mathematics", "∀x ∈ ℝ: √x² ≥ 0 ∑∫ ≠ ±∞", vec!["∀x"]),
        ("currencies", "€ £ ¥ ₽ ₹ ₪ ₿", vec!["€ £ ¥"]),
        ("combining marks", "e\u{301}a\u{30a} n\u{303}", vec![]),
        ("emoji, shown as boxes", "Well done 😀👍", vec!["Well done"]),
        ("hieroglyphs, shown as boxes", "𓀀𓀁", vec![]),
    ] {
        all.push(Case::fax(format!("text in {name}"), text, 1, &words));
    }
    let long = "日本語の長い文章は空白なしで続きます。".repeat(12);
    all.push(Case::fax("text of long Japanese lines", long, 1, &["日本語"]));
    let long = "هذا نص طويل يجب أن ينكسر عند نهاية السطر ".repeat(10);
    all.push(Case::fax("text of long Arabic lines", long, 1, &["طويل"]));
    all
}

fn web_pages() -> Vec<Case> {
    let page = |body: &str| {
        format!("<!DOCTYPE html><html><head><style>p{{}}</style></head><body>{body}</body></html>")
    };
    vec![
        Case::fax(
            "web page of paragraphs",
            page("<h1>Title</h1><p>One</p><p>Two"),
            1,
            &["Title", "One", "Two"],
        ),
        Case::fax(
            "web page with a list",
            page("<ol><li>first<li>second</ol>"),
            1,
            &["1. first", "2. second"],
        ),
        Case::fax(
            "web page with a table",
            page("<table><tr><td>a1<td>b1<tr><td>a2<td>b2</table>"),
            1,
            &["a1", "b1", "a2", "b2"],
        ),
        Case::fax(
            "web page with entities",
            page("<p>Fish &amp; chips &euro;5 &#9733;"),
            1,
            &["Fish & chips €5"],
        ),
        Case::fax("web page in Hebrew", page("<p>שלום עולם"), 1, &["שלום"]),
        Case::fax(
            "web page with a script",
            page("<p>seen<script>document.write('unseen')</script>"),
            1,
            &["seen"],
        )
        .without(&["unseen"]),
        Case::fax(
            "web page with broken markup",
            page("<p><b>x<i>y</b>z</p></div><td>w"),
            1,
            &["w"],
        ),
        Case::fax(
            "web page of many lines",
            page(&"<p>paragraph</p>".repeat(100)),
            4,
            &["paragraph"],
        )
        .ink(Ink::Some),
    ]
}
