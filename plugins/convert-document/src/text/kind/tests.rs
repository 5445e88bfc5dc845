//! Both sides: data that nobody reads, and letters that look a little like it.

use super::*;

fn assert_data(texts: &[(&str, &str)], sentence: &'static str) {
    for (name, text) in texts {
        assert_eq!(classify(text), TextKind::Data(sentence), "{name}");
        for before in ["\u{feff}", "\n\n  ", "\r\n"] {
            assert_eq!(
                classify(&format!("{before}{text}")),
                TextKind::Data(sentence),
                "{name}"
            );
        }
    }
}

fn assert_prose(texts: &[(&str, &str)]) {
    for (name, text) in texts {
        assert_eq!(classify(text), TextKind::Prose, "{name}");
        assert_eq!(classify(&text.replace('\n', "\r\n")), TextKind::Prose, "{name}");
    }
}

const OBJECTS: &str = "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
    3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>\nendobj\n4 0 obj\n<</Length 43>>\nstream\n\
    BT /F 24 Tf 72 700 Td (Jane Sample) Tj ET \nendstream\nendobj\nxref\n0 5\n0000000000 65535 f \ntrailer\n<</Size 5>>\n\
    startxref\n375\n%%EOF\n";

#[test]
fn the_source_of_a_pdf_is_no_letter() {
    let warned = "Warning: include failed\n".repeat(3000) + "%PDF-1.4\n" + OBJECTS;
    let lone = format!("{}%PDF-1.4\n{OBJECTS}", "x".repeat(1500));
    let mangled = format!("%pdf-1.4\n%\u{e2}\u{e3}\u{cf}\u{d3}\n{OBJECTS}");
    let old = OBJECTS.replace('\n', "\r");
    let one_line = OBJECTS
        .replace("obj\n<<", "obj <<")
        .replace(">>\nendobj", ">> endobj");
    let cut = format!(
        "{}\n5 0 obj\n<<>>\nendobj\n",
        OBJECTS.split_once("xref").unwrap().0
    );
    assert_data(
        &[
            ("without its first line", OBJECTS),
            ("lines that end with CR", &old),
            ("objects on one line", &one_line),
            ("a mangled header", &mangled),
            ("after warnings", &warned),
            ("after a long line", &lone),
            ("cut off", &cut),
            ("a header alone", "Content follows\n%PDF-1.7\n\u{c7}\u{ec}\u{8f}"),
            (
                "form data",
                "%FDF-1.2\n1 0 obj\n<</FDF<</Fields[]>>>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n",
            ),
        ],
        PDF,
    );
    assert_prose(&[
        (
            "a sentence",
            "Dear Sir,\nevery PDF begins with %PDF-1.4 and ends with %%EOF.\nRegards",
        ),
        (
            "a sentence that wraps",
            "The file has to begin with\n%PDF-1.4 or %PDF-1.7, says the standard.\n",
        ),
        (
            "words of it",
            "An object is written as 1 0 obj, then its content, then endobj.\nThe word startxref follows.\n",
        ),
        (
            "an object as an example",
            "For example:\n\n1 0 obj\n<< /Type /Catalog >>\nendobj\n\nThat is an object.\n",
        ),
        (
            "the end of a file",
            "The last line is\n%%EOF\nand nothing after it.\n",
        ),
        ("numbers", "12 0 objections were raised\n13 0 objects found\n"),
    ]);
}

#[test]
fn page_descriptions_are_no_letters() {
    let lacking = "/Helvetica findfont 12 scalefont setfont\n72 700 moveto\n(Hello) show\nnewpath\n10 10 moveto\n20 20 lineto\nstroke\nshowpage\n";
    let structured = "%%BoundingBox: 0 0 612 792\n%%Pages: 1\n%%EndComments\n/a { b } def\nshowpage\n";
    assert_data(
        &[
            ("a header", "%!PS-Adobe-3.0\n(x) show showpage\n"),
            ("a short header", "%!\n72 72 moveto\n"),
            ("after Control-D", "\u{4}%!PS-Adobe-3.0\n(x) show\n"),
            ("EPS", "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n"),
            ("after a warning", "Warning: x\n%!PS-Adobe-3.0\nshowpage\n"),
            ("without a header", lacking),
            ("by its structure", structured),
        ],
        POSTSCRIPT,
    );
    assert_data(
        &[
            ("RTF", "{\\rtf1\\ansi Hello}"),
            ("RTF after a line", "Content-Type text\n{\\rtf1\\ansi Hello}"),
        ],
        RTF,
    );
    assert_prose(&[
        (
            "about PostScript",
            "A file begins with %!PS-Adobe-3.0; the last word is showpage.\nPlease show me how.\n",
        ),
        (
            "the word show",
            "We saw the show.\nWhat a show\nThe end of the show\nI liked the fill\n",
        ),
        ("comments", "%%Page: 1\nis how a page begins.\n"),
        (
            "about RTF",
            "The file begins with {\\rtf1 and is not read here.\n",
        ),
        ("percent", "100%! That is all.\n"),
    ]);
}

#[test]
fn data_for_printers_is_no_letter() {
    assert_data(
        &[
            (
                "PJL",
                "\u{1b}%-12345X@PJL SET RESOLUTION=600\r\n@PJL ENTER LANGUAGE=PCL\r\n\u{1b}E",
            ),
            (
                "PJL without the escape",
                "%-12345X@PJL JOB\n@PJL ENTER LANGUAGE=POSTSCRIPT\n",
            ),
            ("PJL alone", "@PJL\n@PJL SET COPIES=2\n@PJL ENTER LANGUAGE=PCL\n"),
            ("PCL with a reset", "\u{1b}EHello\u{1b}E"),
            ("PCL", "\u{1b}&l1O\u{1b}(s0p10h12vsb3TDear Sir,\n"),
            (
                "PCL within a text",
                "Dear Sir,\n\u{1b}&dDunderlined\u{1b}&d@\n\u{1b}&l0H",
            ),
            ("ESC/P", "\u{1b}@Dear \u{1b}EJane\u{1b}F,\n"),
            (
                "ESC/P without a reset",
                "Dear \u{1b}EJane\u{1b}F,\nthis is \u{1b}-1underlined\u{1b}-0.\n",
            ),
            ("ZPL", "^XA\n^FO50,50^ADN,36,20^FDJane^FS\n^XZ\n"),
            ("HP-GL", "IN;SP1;PU100,100;PD200,100;PD200,200;PU;SP0;"),
        ],
        PRINTER,
    );
    assert_prose(&[
        (
            "terminal colours",
            "a\u{1b}[1mbold\u{1b}[0m b\n\u{1b}[31mred\u{1b}[0m",
        ),
        ("a stray escape", "Dear\u{1b} Jane,\nall is well.\n"),
        (
            "about printers",
            "Send @PJL ENTER LANGUAGE=PCL first, then ESC E.\n",
        ),
        ("instructions", "PUT IT IN; SPELL IT; PAD IT.\nIN;\nOUT;\n"),
        ("about labels", "A label begins with ^XA and ends with ^XZ.\n"),
        ("an end-of-file mark", "Dear Jane,\n\u{1a}"),
    ]);
}

#[test]
fn the_source_of_a_message_is_no_letter() {
    assert_data(
        &[
            (
                "a mail",
                "From: a@example.com\nTo: b@example.com\nMIME-Version: 1.0\nContent-Type: text/plain\n\nHello\n",
            ),
            (
                "a folded header",
                "Received: from x by y;\n\tFri, 27 Nov 2026\nSubject: x\n\nHello\n",
            ),
            (
                "a mailbox",
                "From a@example.com Fri Nov 27\nReturn-Path: <a@example.com>\nSubject: x\n\nHello\n",
            ),
            (
                "HTTP",
                "HTTP/1.1 200 OK\nServer: x\nContent-Type: text/plain\n\nHello\n",
            ),
            (
                "a request",
                "POST /fax HTTP/1.1\nHost: x\nContent-Type: text/plain\n\nHello\n",
            ),
            ("parts", "--xyz\nContent-Type: text/plain\n\nHello\n--xyz--\n"),
            (
                "a form",
                "------WebKitFormBoundary7MA\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+1212\r\n",
            ),
            (
                "parts after words",
                "This is a message in parts.\n\n--b1\nContent-Transfer-Encoding: 8bit\n\nHello\n",
            ),
        ],
        MAIL,
    );
    assert_prose(&[
        (
            "a memo",
            "From: Jane\nTo: Joe\nDate: 27 November\nSubject: Lunch\n\nAt noon?\n",
        ),
        (
            "a printed mail",
            "From: Jane\nSent: Friday\nTo: Joe\nCc: Jim\nSubject: Lunch\nAttachments: menu.pdf\n\nAt noon?\n",
        ),
        (
            "a list",
            "Patient: Jane Sample\nDiagnosis: none\nContent: see below\n\nAll is well.\n",
        ),
        (
            "about mail",
            "Set the header Content-Type: text/plain and send it.\nMIME-Version: 1.0 is needed too.\n",
        ),
        ("a signature", "See you.\n-- \nContent Manager\n"),
        ("a rule", "Chapter 1\n--------\nContent of the chapter\n"),
        ("forwarded", "---- Forwarded message ----\nFrom: Jane\n\nHello\n"),
    ]);
}

#[test]
fn encoded_files_are_no_letters() {
    let line = "JVBERi0xLjQKJcfsj6IKNSAwIG9iago8PC9MZW5ndGggNiAwIFIvRmlsdGVyIC9GbGF0\n";
    let other = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\n";
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n",
        other.repeat(15)
    );
    let introduced = format!("Here is the file:\n\n{}", other.repeat(20));
    let url_safe = "eyJhbGciOi-_JIUzI1NiIsInR5cCI6IkpXVCJ9eyJzdWIiOiIxMjM0NTY3ODkwIiwi\n".repeat(3);
    assert_data(
        &[
            ("a PDF", &line.repeat(30)),
            ("a short PDF", "JVBERi0xLjQKJcfsj6IK"),
            ("a PNG", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"),
            (
                "a JPEG",
                "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQE",
            ),
            ("anything", &other.repeat(3)),
            ("one long line", &other.repeat(30).replace('\n', "")),
            ("the other alphabet", &url_safe),
            (
                "a shorter last line",
                &format!("{}QUJDREVGRw==\n", other.repeat(5)),
            ),
            ("after words", &introduced),
            ("a certificate", &pem),
            ("a URI", "data:application/pdf;base64,JVBERi0xLjQKJcfsj6IK"),
            (
                "uuencode",
                &format!("begin 644 a.pdf\nM{}\n`\nend\n", ")5!$".repeat(15)),
            ),
            ("yEnc", "=ybegin line=128 size=3 name=a\nabc\n=yend size=3\n"),
            (
                "hexadecimal digits",
                &"255044462d312e340a25c3a4c3bcc3b60a31203020".repeat(3),
            ),
        ],
        BASE64,
    );
    assert_prose(&[
        (
            "a long word",
            "Donaudampfschifffahrtsgesellschaftskapitaenswitwenrentenauszahlungsstelle2\n",
        ),
        (
            "capital letters",
            &"ACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGT\n".repeat(5),
        ),
        (
            "checksums",
            &"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n".repeat(4),
        ),
        ("codes", &"AB12-cd34-EF56\n".repeat(30)),
        (
            "rules",
            &format!(
                "{}\nTitle\n{}\n{}\n",
                "=".repeat(70),
                "_".repeat(70),
                "-".repeat(70)
            ),
        ),
        (
            "a token in a letter",
            "Your key is\nQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\nKeep it. It is valid for a year \
            from today and must not be given to anybody else; if it is lost, call us.\nRegards, the office\n",
        ),
        ("one word", "Hello"),
        ("begin", "begin 644 things today.\nWe began.\n"),
        (
            "numbers",
            &"123456789012345678901234567890123456789012345678901234567890\n".repeat(4),
        ),
    ]);
}

#[test]
fn quoted_printable_is_no_letter() {
    assert_data(
        &[
            ("letters of UTF-8", "Gr=C3=BC=C3=9Fe aus M=C3=BCnchen\n"),
            ("letters of Latin-1", "Viele Gr=FC=DFe aus M=FCnchen und K=F6ln\n"),
            (
                "soft breaks",
                "This is a long line of a mail that goes on and on until it is cut off he=\nre=2C and goes on \
                 again until it is cut off once more=2E It does not end he=\nre either=2E\n",
            ),
        ],
        QUOTED_PRINTABLE,
    );
    assert_prose(&[
        ("equations", "a=10, b=20, c=AB and x=3D\nTotal=\n"),
        ("an address", "https://example.com/?a=20&b=C3&c=BC\n"),
        ("a form", "Name=\nStreet=\nTown=\n"),
    ]);
}

#[test]
fn web_pages_are_told_by_their_beginning() {
    for page in [
        "<p>Hello <b>x</b></p>",
        "<div>Hello</div>",
        "<table><tr><td>Hello</td></tr></table>",
        "<head><title>t</title></head><body>Hello</body>",
        "<body>Hello</body>",
        "<br>Hello",
        "<br/>Hello",
        "<title>t</title>Hello",
        "<meta charset=\"utf-8\"><p>Hello</p>",
        "<!-- c --><p>Hello</p>",
        "<!-- c --><html><body>Hello</body></html>",
        "<!-- c -->Hello",
        "<?xml version=\"1.0\"?><html><body>Hello</body></html>",
        "<?xml version=\"1.0\"?>\n<!-- c -->\n<!DOCTYPE html PUBLIC \"x\"><html>Hello</html>",
        "<style>p{}</style><p>Hello</p>",
        "<h1>Hello</h1>",
        "<a href=\"x\">Hello</a>",
        "<font size=2>Hello</font>",
        "<html><body>Hello</body></html>",
        "<HTML\n>Hello",
        "<!DOCTYPE HTML>Hello",
        "<!doctype  html>Hello",
        "  \r\n\t<P>Hello",
        "<B>Hello</B>",
        "<script>x</script>Hello",
        "<iframe></iframe>",
        "<h2>Hello</h2>",
        "<ul><li>Hello</li></ul>",
        "<span style='x'>Hello</span> you",
        "<pre>Hello</pre>",
        "<section>\n<p>Hello</section >",
        "<img src=x.png> Hello",
        "<center>Hello</center>",
        "<strong>Hello</strong>, how are you?",
    ] {
        assert_eq!(classify(page), TextKind::Html, "{page}");
    }
    assert_prose(&[
        ("an address", "<j.doe@example.com> wrote:\n> Hello\n"),
        ("a placeholder", "<Name>\n<Street>\n\nDear <Name>,\n"),
        ("a placeholder that is an element", "<Address>\n\nDear Sir,\n"),
        ("less than", "< 5 is small\n<5 too\n"),
        ("tags later", "Use <b>bold</b> and <p>.\n"),
        ("a quotation", "> <html>\n> <p>\n"),
        ("an unknown word", "<Pause> and then go on.\n"),
        ("a word that begins as an element", "<pardon> me\n"),
        ("no end", "<p is how a paragraph begins\n"),
    ]);
}

#[test]
fn other_markup_is_no_letter() {
    assert_data(
        &[
            (
                "SVG",
                "<svg xmlns=\"http://www.w3.org/2000/svg\"><text>Hello</text></svg>",
            ),
            (
                "SVG with a declaration",
                "<?xml version=\"1.0\"?>\n<!-- c -->\n<svg width='1'/>",
            ),
            ("SVG with a type", "<!DOCTYPE svg PUBLIC \"x\" \"y\"><svg/>"),
            ("SVG with a prefix", "<svg:svg xmlns:svg='x'><svg:g/></svg:svg>"),
            (
                "SVG after a comment",
                "<!-- Generator -->\n<svg version='1.1'></svg>",
            ),
        ],
        SVG,
    );
    assert_data(
        &[
            (
                "a declaration",
                "<?xml version=\"1.0\"?><note><to>Jane</to></note>",
            ),
            ("an element", "<note>\n<to>Jane</to>\n</note>\n"),
            ("a prefix", "<w:document xmlns:w='x'><w:p/></w:document>"),
            ("an empty element", "<order id='7'/>"),
            ("a type", "<!DOCTYPE note SYSTEM 'x'><note>x</note>"),
            ("XML that has an element of HTML", "<?xml version='1.0'?><p>x</p>"),
            (
                "a clinical document",
                "<?xml version='1.0' encoding='UTF-8'?>\n<ClinicalDocument xmlns='urn:hl7-org:v3'></ClinicalDocument>",
            ),
        ],
        XML,
    );
}

#[test]
fn what_people_write_is_printed() {
    assert_prose(&[
        (
            "a letter",
            "Dear Dr. Gray,\n\nplease find the results below: a = 5, b < 7, 100 %.\n\nYours\n",
        ),
        ("nothing", ""),
        ("a table", "Name;Number\nJane;+1 212 555 0142\nJoe;7\n"),
        ("JSON", "{\n  \"name\": \"Jane\",\n  \"items\": [1, 2]\n}\n"),
        ("a program", "int main(void) {\n  return 0; /* end */\n}\n"),
        ("Markdown", "# Title\n\n- one\n- <b>two</b>\n\n```\ncode\n```\n"),
        ("Russian", "Пациент Иванов: результаты\n"),
        ("Japanese", "患者の検査結果です。\n"),
        ("a drawing of characters", "+-----+\n| box |\n+-----+\n"),
        ("a log", "2026-11-27 10:00:00 INFO started=1 ended=2\n"),
        ("a wide number", "1234567890\n"),
    ]);
}
