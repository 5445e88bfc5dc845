//! Documents made to exhaust whoever opens them. Each ends in a page or in a refusal of its own within the limits of one
//! call, and the next document is served as if nothing had been.

use std::time::Duration;

use faxgate_config::plugins::PluginConfig;
use faxgate_policy::PolicyError;

use crate::documents::corpus::Sandbox;
use faxgate_testkit::corpus::writer::{LETTER, Pdf};
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;

/// Processor time of one step here; the service allows more.
const CPU: Duration = Duration::from_millis(600);

struct Bomb {
    name: &'static str,
    bytes: Vec<u8>,
}

fn bombs() -> Vec<Bomb> {
    let mut all = pdfs();
    all.extend(texts());
    all.extend(pictures());
    all
}

fn drawn(name: &'static str, entries: &str, content: &str) -> Bomb {
    let mut pdf = Pdf::new();
    pdf.page(entries, content);
    Bomb {
        name,
        bytes: pdf.finish(""),
    }
}

fn pdfs() -> Vec<Bomb> {
    let with = |resources: &str| format!("/MediaBox [0 0 612 792] /Resources << {resources} >>");
    let mut all = vec![
        drawn("endless dashes", LETTER, "[0.00001] 0 d 5 w 0 0 m 600 700 l S"),
        drawn("deep arrays", LETTER, &"[".repeat(1_000_000)),
        drawn("deep states", LETTER, &"q ".repeat(1_000_000)),
        drawn("a million rectangles", LETTER, &"0 0 9 9 re f\n".repeat(700_000)),
        drawn(
            "a long path",
            LETTER,
            &("0 0 m ".to_owned() + &"9 9 l 1 1 l ".repeat(700_000) + "S"),
        ),
        drawn(
            "numbers beyond numbers",
            LETTER,
            "1e38 1e38 m -1e38 1e38 l 1e30 w S 9e99 0 0 9e99 0 0 cm 0 0 1 1 re f",
        ),
        drawn(
            "a page of a million points",
            "/MediaBox [0 0 1000000 1000000] /Resources << >>",
            "0 0 9 9 re f",
        ),
        drawn(
            "a page of nothing",
            "/MediaBox [0 0 0 0] /Resources << >>",
            "0 0 9 9 re f",
        ),
    ];
    let work = "dup mul 0.5 add dup sin exch cos add ".repeat(800);
    let mut shade = Pdf::new();
    let function = shade.stream(
        "/FunctionType 4 /Domain [0 1 0 1] /Range [0 1]",
        format!("{{ add {work} }}").as_bytes(),
    );
    shade.page(
        &with(&format!("/Shading << /S << /ShadingType 1 /ColorSpace /DeviceGray /Matrix [600 0 0 700 0 0] /Function {function} 0 R >> >>")),
        "/S sh",
    );
    all.push(Bomb {
        name: "a slow function",
        bytes: shade.finish(""),
    });
    // Streams that contain themselves; the number of the next object is known.
    let mut form = Pdf::new();
    form.stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 3 0 R >> >>",
        b"/X Do /X Do",
    );
    form.page(&with("/XObject << /X 3 0 R >>"), "/X Do");
    all.push(Bomb {
        name: "a form within itself",
        bytes: form.finish(""),
    });
    let mut tile = Pdf::new();
    tile.stream(
        "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.001 /YStep 0.001 /Resources << /Pattern << /P 3 0 R >> >>",
        b"/Pattern cs /P scn 0 0 1 1 re f",
    );
    tile.page(
        &with("/Pattern << /P 3 0 R >>"),
        "/Pattern cs /P scn 0 0 600 700 re f",
    );
    all.push(Bomb {
        name: "a pattern within itself",
        bytes: tile.finish(""),
    });
    all.extend(inflating());
    all.extend(looping());
    all
}

/// Streams that grow.
fn inflating() -> Vec<Bomb> {
    let mut all = Vec::new();
    let mut grown = Pdf::new();
    let page = grown.page(LETTER, "");
    // Each pair of bytes becomes 128: 300 MB from under 5.
    let content = grown.stream("/Filter /RunLengthDecode", &[129, b' '].repeat(2_300_000));
    grown.replace(
        page,
        format!("<< /Type /Page /Parent 2 0 R {LETTER} /Contents {content} 0 R >>"),
    );
    all.push(Bomb {
        name: "content of 300 MB",
        bytes: grown.finish(""),
    });
    for (name, entries) in [
        (
            "a picture of 3.6 billion dots",
            "/Width 60000 /Height 60000 /ColorSpace /DeviceGray /BitsPerComponent 8",
        ),
        (
            "a fax of 3.6 billion dots",
            "/Width 60000 /Height 60000 /ImageMask true /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 60000 /Rows 60000 >>",
        ),
        (
            "a JBIG2 of nothing",
            "/Width 60000 /Height 60000 /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /JBIG2Decode",
        ),
        (
            "a JPEG 2000 of nothing",
            "/Width 60000 /Height 60000 /Filter /JPXDecode",
        ),
        (
            "a predictor of a billion columns",
            "/Width 9 /Height 9 /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /LZWDecode /DecodeParms << /Predictor 15 /Columns 1000000000 >>",
        ),
    ] {
        let mut pdf = Pdf::new();
        let image = pdf.stream(
            &format!("/Type /XObject /Subtype /Image {entries}"),
            &[0x80, 0, 0, 0, 0, 0, 0x1a, 7, 9],
        );
        pdf.page(
            &format!("/MediaBox [0 0 612 792] /Resources << /XObject << /I {image} 0 R >> >>"),
            "600 0 0 700 0 0 cm /I Do",
        );
        all.push(Bomb {
            name,
            bytes: pdf.finish(""),
        });
    }
    all
}

/// Files whose parts point at each other.
fn looping() -> Vec<Bomb> {
    let whole = String::from_utf8_lossy(&faxgate_testkit::corpus::writer::letter("x")).into_owned();
    let change = |from: &str, to: &str| whole.replace(from, to).into_bytes();
    let mut all = vec![
        Bomb {
            name: "a page tree within itself",
            bytes: change("/Kids [4 0 R]", "/Kids [2 0 R 2 0 R 4 0 R]"),
        },
        Bomb {
            name: "a trailer before itself",
            bytes: change("/Root 1 0 R", "/Root 1 0 R /Prev 9"),
        },
        Bomb {
            name: "a length that is its own stream",
            bytes: change("/Length ", "/Length 3 0 R /X "),
        },
        Bomb {
            name: "two billion pages",
            bytes: change("/Count 1", "/Count 2147483647"),
        },
    ];
    let mut deep = Pdf::new();
    deep.page(LETTER, "0 0 9 9 re f");
    let deep = deep.catalog(&("/X ".to_owned() + &"[".repeat(500_000)));
    all.push(Bomb {
        name: "a catalog of half a million levels",
        bytes: deep.finish(""),
    });
    all
}

fn texts() -> Vec<Bomb> {
    let text = |name, text: String| Bomb {
        name,
        bytes: text.into_bytes(),
    };
    let page = |body: &str| format!("<!doctype html><html><body>{body}");
    vec![
        text("a line of nine million letters", "x".repeat(9_000_000)),
        text(
            "a letter under two million accents",
            "a".to_owned() + &"\u{301}".repeat(2_000_000),
        ),
        text("directions in turn", "aא".repeat(300_000)),
        text("nested directions", "א\u{202b}".repeat(300_000)),
        text("joiners", "ب\u{200d}".repeat(300_000)),
        text(
            "every plane",
            (0x0e00..0x2_0000).filter_map(char::from_u32).collect(),
        ),
        text("tabs", "\t".repeat(3_000_000) + "x"),
        text("form feeds", "\u{c}".repeat(3_000_000) + "x"),
        text("deep markup", page(&"<div>".repeat(300_000)) + "x"),
        text("deep tables", page(&"<table><tr><td>".repeat(50_000)) + "x"),
        text("open formatting", page(&"<b><i><a href=x>".repeat(50_000)) + "x"),
        text("deep lists", page(&"<ul><li>".repeat(100_000)) + "x"),
        text(
            "wide tables",
            page(&("<table><tr>".to_owned() + &"<td>x".repeat(100_000))),
        ),
    ]
}

fn pictures() -> Vec<Bomb> {
    let tiff = |entries: &[(u16, u16, u32, u32)]| -> Vec<u8> {
        let mut out = b"II*\0\x08\0\0\0".to_vec();
        out.extend_from_slice(&u16::try_from(entries.len()).expect("few").to_le_bytes());
        for (tag, kind, count, value) in entries {
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&kind.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
            out.extend_from_slice(&value.to_le_bytes());
        }
        // The next directory is this one.
        out.extend_from_slice(&8_u32.to_le_bytes());
        out
    };
    let fax = |width, strips| {
        tiff(&[
            (256, 4, 1, width),
            (257, 4, 1, 5000),
            (258, 3, 1, 1),
            (259, 3, 1, 4),
            (262, 3, 1, 0),
            (273, 4, strips, 8),
            (278, 4, 1, 1),
            (279, 4, strips, 9),
        ])
    };
    let mut gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    gif.extend_from_slice(b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0\x3b");
    vec![
        Bomb {
            name: "a TIFF whose pages go round",
            bytes: fax(1728, 1),
        },
        Bomb {
            name: "a TIFF of four billion strips",
            bytes: fax(1728, u32::MAX),
        },
        Bomb {
            name: "a TIFF as wide as numbers go",
            bytes: fax(u32::MAX, 1),
        },
        Bomb {
            name: "a GIF of four billion dots",
            bytes: gif,
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bomb_is_answered_within_its_limits() {
    let config = PluginConfig {
        cpu: CPU,
        // Only processor time ends a call here: the machine may be busy with anything.
        wall: Duration::from_secs(3600),
        ..PluginConfig::default()
    };
    let memory = config.memory;
    let sandbox = Sandbox::with("convert-document", config).await;
    for bomb in bombs() {
        let answer = match sandbox.convert(bomb.bytes).await {
            Ok(made) => sandbox.draw(made.pdf, 1).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let word = match &answer {
            Ok(()) => "a page".to_owned(),
            Err(PolicyError::Refused(refusal)) => format!("refused: {}", refusal.message),
            Err(PolicyError::Failed(failure)) => failure.kind.as_str().to_owned(),
            Err(PolicyError::Busy) => "busy".to_owned(),
        };
        eprintln!("{}: {word}", bomb.name);
        let known = [
            "trap",
            "cpu_deadline",
            "out_of_memory",
            "stack_overflow",
            "too_much_data",
        ];
        assert!(
            word == "a page" || word.starts_with("refused") || known.contains(&word.as_str()),
            "{}: {word}",
            bomb.name
        );
        let next = sandbox.convert(b"the next one\n".to_vec()).await;
        assert_eq!(next.expect("a page").pages, 1, "after {}", bomb.name);
    }
    assert!(sandbox.memory_peak() <= memory);
}

/// From outside each of them is the sender's error, with a sentence of its own.
#[tokio::test(flavor = "multi_thread")]
async fn limits_have_a_status_and_a_sentence_each() {
    let mut setup = Setup::new();
    setup.set("limits.max_file_size_mb", 6);
    setup.set("plugins.convert-document.cpu_ms", 700);
    setup.set("plugins.convert-document.timeout_ms", 600_000);
    let installation = setup.start().await;
    let of = |name: &str| {
        bombs()
            .into_iter()
            .find(|bomb| bomb.name == name)
            .expect(name)
            .bytes
    };
    let pages = "page\u{c}".repeat(200) + "end";
    let pixels = faxgate_testkit::corpus::refusals::large_png();
    for (name, bytes, status, says) in [
        ("bytes", vec![b'x'; 7 << 20], 413, "larger than 6 MiB"),
        ("pages", pages.into_bytes(), 422, "more than 200 pages"),
        ("pixels", pixels, 413, "make it smaller"),
        ("memory", of("content of 300 MB"), 413, "memory"),
        ("time", of("deep markup"), 422, "longer"),
        ("nesting", of("a form within itself"), 422, "came out white"),
    ] {
        let answer = installation.admin.send(&Fax::pdf("+12125550142", bytes)).await;
        let detail = answer.problem(status);
        assert!(detail.contains(says), "{name}: {detail}");
    }
    assert_eq!(
        installation
            .admin
            .send(&Fax::text("+12125550142", "next"))
            .await
            .status,
        202
    );
}
