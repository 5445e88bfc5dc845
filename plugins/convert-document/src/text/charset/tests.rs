//! Texts with a declared encoding.

use super::*;

fn read(data: &[u8], declared: Option<&str>) -> Decoded<'static> {
    let decoded = decode(data, declared, true).unwrap().unwrap();
    Decoded {
        text: Cow::Owned(decoded.text.into_owned()),
        note: decoded.note,
    }
}

/// Every row: a text and the labels of encodings that have its characters.
const TEXTS: &[(&str, &[&str])] = &[
    (
        "Пациент Иванов: результаты анализа",
        &[
            "windows-1251",
            "koi8-r",
            "KOI8-U",
            "iso-8859-5",
            "ibm866",
            "x-mac-cyrillic",
            "cp1251",
        ],
    ),
    (
        "患者の検査結果です。",
        &[
            "shift_jis",
            "Shift-JIS",
            "sjis",
            "windows-31j",
            "euc-jp",
            "iso-2022-jp",
        ],
    ),
    ("患者检查结果正常。", &["gb18030", "gbk", "gb2312", "gb_2312-80"]),
    ("病患檢查結果正常。", &["big5", "big5-hkscs"]),
    ("환자 검사 결과", &["euc-kr", "ks_c_5601-1987", "korean"]),
    (
        "Zażółć gęślą jaźń",
        &["iso-8859-2", "latin2", "windows-1250", "cp1250"],
    ),
    ("Hasta İğüşöç", &["iso-8859-9", "windows-1254", "latin5"]),
    ("Ασθενής: αποτελέσματα", &["iso-8859-7", "windows-1253", "greek"]),
    (
        "חולה: תוצאות",
        &["iso-8859-8", "iso-8859-8-i", "windows-1255", "hebrew"],
    ),
    ("نتيجة الفحص", &["iso-8859-6", "windows-1256", "arabic"]),
    ("ผู้ป่วย ผลการตรวจ", &["tis-620", "windows-874", "iso-8859-11"]),
    ("Bệnh", &["utf-8"]),
    (
        "Café à la crème",
        &[
            "iso-8859-1",
            "latin1",
            "l1",
            "windows-1252",
            "iso-8859-15",
            "macintosh",
        ],
    ),
];

#[test]
fn a_declared_encoding_decides() {
    for (text, labels) in TEXTS {
        for label in *labels {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let (bytes, _, lost) = encoding.encode(text);
            assert!(!lost, "{label} lacks characters of {text}");
            for written in [
                (*label).to_owned(),
                label.to_uppercase(),
                format!(" \"{label}\" "),
            ] {
                let decoded = read(&bytes, Some(&written));
                assert_eq!(decoded.text, *text, "{written}");
                assert!(decoded.note.is_none(), "{written}: {:?}", decoded.note);
            }
        }
    }
}

#[test]
fn utf_16_needs_no_mark_when_it_is_declared() {
    let text = "Größe и 患者";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&little, Some("utf-16le")).text, text);
    assert_eq!(read(&little, Some("utf-16")).text, text);
    assert_eq!(read(&big, Some("utf-16be")).text, text);
    let western: Vec<u8> = "Plain words.".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&western, Some("utf-16")).text, "Plain words.");
}

#[test]
fn a_byte_order_mark_wins() {
    let marked = "\u{feff}Größe";
    assert_eq!(read(marked.as_bytes(), Some("koi8-r")).text, "Größe");
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&wide, Some("utf-8")).text, "Größe");
    let utf32: Vec<u8> = marked.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    assert_eq!(read(&utf32, Some("utf-32")).text, "Größe");
}

#[test]
fn an_unknown_label_is_refused() {
    for label in [
        "no-such-charset",
        "utf-7",
        "cp437",
        "utf-32",
        "iso-2022-kr",
        "hz-gb-2312",
    ] {
        let refused = decode(b"Hello", Some(label), true).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Unsupported, "{label}");
        assert!(refused.message.contains("charset"), "{}", refused.message);
    }
    for label in ["", " ", "\"\"", "binary"] {
        assert_eq!(read("Größe".as_bytes(), Some(label)).text, "Größe", "{label:?}");
    }
}

#[test]
fn a_label_that_the_bytes_disprove_is_not_believed() {
    let decoded = read(b"Gr\xf6\xdfe", Some("utf-8"));
    assert_eq!(decoded.text, "Größe");
    assert!(decoded.note.unwrap().contains("not in the charset"));
    let decoded = read("Größe".as_bytes(), Some("us-ascii"));
    assert_eq!((decoded.text.as_ref(), decoded.note), ("Größe", None));
    assert_eq!(read(b"plain", Some("us-ascii")).text, "plain");
}

#[test]
fn bytes_that_an_encoding_lacks_are_noted() {
    let decoded = read(b"\x82\xa0 \xfd", Some("shift_jis"));
    assert!(decoded.text.starts_with('あ'));
    assert!(decoded.note.unwrap().contains("Shift_JIS"));
    // Bytes that are no text stay none, whatever is declared.
    assert!(
        decode(b"\x01\x02\0\x04", Some("windows-1251"), false)
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_web_page_declares_its_own_encoding() {
    let text = "Пациент Иванов";
    for page in [
        "<meta charset=\"windows-1251\"><p>{}</p>",
        "<!doctype html><html><head><META CHARSET=windows-1251></head><p>{}",
        "<html><head><title>t</title><meta name=x content=y><meta charset='windows-1251'/></head>{}",
        "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=windows-1251\"><p>{}",
        "<html><meta content='text/html;charset=\"windows-1251\"' http-equiv=content-type>{}",
        "<?xml version=\"1.0\" encoding=\"windows-1251\"?><html><body>{}</body></html>",
        "<html><!-- <meta charset=koi8-r> --><meta charset=windows-1251>{}",
    ] {
        let page = page.replace("{}", text);
        let (bytes, ..) = Encoding::for_label(b"windows-1251").unwrap().encode(&page);
        assert_eq!(read(&bytes, None).text, page);
    }
}

#[test]
fn what_the_sender_declares_wins_over_the_page() {
    let page = "<meta charset=koi8-r><p>Иванов";
    let (bytes, ..) = Encoding::for_label(b"windows-1251").unwrap().encode(page);
    assert_eq!(read(&bytes, Some("windows-1251")).text, page);
    // UTF-8 can be told from the bytes.
    assert_eq!(read(page.as_bytes(), None).text, page);
    // A text that is no page declares nothing.
    let words = b"see <meta charset=koi8-r> and \xe4";
    assert!(read(words, None).text.ends_with('ä'));
    let unknown = b"<meta charset=klingon><p>\xe4";
    assert_eq!(
        decode(unknown, None, true).unwrap_err().kind,
        FailureKind::Unsupported
    );
    assert!(
        read(b"<meta charset=klingon><p>plain", None)
            .text
            .ends_with("plain")
    );
    let wide = b"<meta charset=utf-16><p>\xe4";
    assert!(read(wide, None).text.ends_with('ä'));
}
