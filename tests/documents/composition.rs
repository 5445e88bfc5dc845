//! Documents as clients send them: several in one fax, cover pages, paper and resolution, previews, every script.

use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::{Answer, Client, Fax};

const TO: &str = "+12125550142";

fn part(name: &str, bytes: impl Into<Vec<u8>>) -> Part {
    Part::bytes(bytes.into()).file_name(name.to_owned())
}

async fn post(client: &Client, form: Form) -> Answer {
    client
        .ask(
            client
                .request(Method::POST, "/fax")
                .multipart(form.text("to", TO)),
        )
        .await
}

async fn accepted(client: &Client, form: Form) -> Value {
    let answer = post(client, form).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()
}

fn id(job: &Value) -> String {
    job["id"].as_str().expect("id").to_owned()
}

async fn notes(client: &Client, id: &str) -> Vec<String> {
    let events = client.events(id).await;
    let notes = events.iter().filter(|event| event["event"] == "document_note");
    notes
        .map(|event| event["detail"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What `pdftotext` reads on a page; none when it is not installed.
async fn text(installation: &TestInstallation, id: &str, page: usize) -> Option<String> {
    let pdf = installation.admin.get(&format!("/fax/{id}/pdf")).await.body;
    let file = installation.folder().join(format!("{id}.pdf"));
    std::fs::write(&file, pdf).expect("file");
    let page = page.to_string();
    let output = std::process::Command::new("pdftotext")
        .args(["-layout", "-f", &page, "-l", &page, "-enc", "UTF-8"])
        .arg(&file)
        .arg("-")
        .output();
    match output {
        Ok(output) => Some(String::from_utf8(output.stdout).expect("UTF-8")),
        Err(_) => {
            eprintln!("skipped: pdftotext is not installed (package poppler-utils)");
            None
        }
    }
}

struct Picture {
    width: u32,
    height: u32,
    black: u64,
}

async fn preview(client: &Client, id: &str, page: u32) -> Picture {
    let answer = client.get(&format!("/fax/{id}/preview/{page}.png")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "image/png");
    let decoder = png::Decoder::new(std::io::Cursor::new(&answer.body));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut bits = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bits).expect("pixels");
    let black = bits.iter().map(|byte| u64::from(byte.count_zeros())).sum();
    Picture {
        width: info.width,
        height: info.height,
        black,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_become_one_fax_in_order() {
    let installation = TestInstallation::start().await;
    let form = Form::new()
        .part("file", part("b.pdf", documents::pdf(2, "Second letter")))
        .part("file", part("a.txt", "First alphabetically, sent later\n"))
        .part("file", part("c.pdf", documents::pdf(1, "At the end")));
    let job = accepted(&installation.admin, form).await;
    assert_eq!(
        (&job["pages"], &job["media_type"], &job["file_name"]),
        (&4.into(), &"multipart/mixed".into(), &"b.pdf".into())
    );
    for (page, words) in [(1, "page 1"), (2, "page 2"), (3, "sent later"), (4, "At the end")] {
        let Some(found) = text(&installation, &id(&job), page).await else {
            return;
        };
        assert!(found.contains(words), "page {page}: {found}");
    }
    installation.admin.reaches(&id(&job), "SUCCESS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_of_several_refuses_the_fax() {
    let installation = TestInstallation::start().await;
    let form = Form::new()
        .part("file", part("a.pdf", documents::pdf(1, "Good")))
        .part("file", part("b.pdf", documents::damaged_pdf()));
    post(&installation.admin, form).await.problem(422);
    let form = Form::new()
        .part("file", part("a.pdf", documents::pdf(150, "Many")))
        .part("file", part("b.pdf", documents::pdf(51, "More")));
    let detail = post(&installation.admin, form).await.problem(422);
    assert!(detail.contains("200 pages"), "{detail}");
    assert_eq!(installation.provider.faxes().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cover_page_goes_in_front() {
    let installation = TestInstallation::start().await;
    let form = Form::new()
        .text("cover[to]", "Dr. Łucja Gray")
        .text("cover[from]", "The clinic")
        .text("cover[subject]", "Referral")
        .text("cover[message]", "Please call back.\nThank you.")
        .part("file", part("a.pdf", documents::pdf(2, "The letter")));
    let job = accepted(&installation.admin, form).await;
    assert_eq!(job["pages"], 3);
    let (cover, letter) = (
        preview(&installation.admin, &id(&job), 1).await,
        preview(&installation.admin, &id(&job), 2).await,
    );
    assert!(cover.black > 2000 && letter.black > 500);
    if let Some(found) = text(&installation, &id(&job), 1).await {
        for words in [
            "FAX",
            "Dr. Łucja Gray",
            "The clinic",
            "Referral",
            "Please call back.",
            "Thank you.",
        ] {
            assert!(found.contains(words), "{words}: {found}");
        }
        let pages = found.lines().find(|line| line.starts_with("Pages:"));
        assert_eq!(
            pages.map(|line| line.trim_end().rsplit(' ').next()),
            Some(Some("3")),
            "{found}"
        );
        let second = text(&installation, &id(&job), 2).await.expect("text");
        assert!(second.contains("The letter"), "{second}");
    }
    // Fields that a form left empty make no page.
    let form = Form::new()
        .text("cover[to]", "")
        .part("file", part("a.pdf", documents::pdf(2, "The letter")));
    assert_eq!(accepted(&installation.admin, form).await["pages"], 2);
    let form = Form::new()
        .text("cover[to]", "x".repeat(201))
        .part("file", part("a.pdf", documents::pdf(2, "The letter")));
    let detail = post(&installation.admin, form).await.problem(422);
    assert!(detail.contains("cover[to]"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cover_page_is_part_of_what_an_idempotency_key_stands_for() {
    let installation = TestInstallation::start().await;
    let fax = Fax::text(TO, "The letter")
        .idempotent("once")
        .field("cover[to]", "A");
    assert_eq!(installation.admin.send(&fax).await.status, 202);
    assert_eq!(
        installation.admin.send(&fax).await.header("idempotency-replayed"),
        "true"
    );
    let other = Fax::text(TO, "The letter")
        .idempotent("once")
        .field("cover[to]", "B");
    installation.admin.send(&other).await.problem(409);
    let other = Fax::text(TO, "The letter")
        .idempotent("once")
        .field("cover[to]", "A")
        .field("paper", "a4");
    installation.admin.send(&other).await.problem(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn paper_resolution_and_halftone_stay_with_the_fax() {
    let installation = TestInstallation::start().await;
    let fax = Fax::text(TO, &"A line of a letter.\n".repeat(60))
        .field("page_size", "A4")
        .field("resolution", "standard")
        .field("halftone", "threshold");
    let id = installation.admin.accepted(&fax).await;
    let picture = preview(&installation.admin, &id, 1).await;
    // Every row twice: as high as at fine resolution.
    assert_eq!((picture.width, picture.height), (1728, 2 * 1146));
    assert!(picture.black > 10_000, "{}", picture.black);
    for (query, resolution, rows) in [
        ("", "204, 98", 1146),
        ("?resolution=fine", "204, 196", 2292),
        ("?resolution=standard", "204, 98", 1146),
    ] {
        let tiff = installation.admin.get(&format!("/fax/{id}/tiff{query}")).await;
        assert_eq!(tiff.status, 200, "{}", tiff.text());
        let file = installation.folder().join("fax.tiff");
        std::fs::write(&file, &tiff.body).expect("file");
        let Ok(seen) = std::process::Command::new("tiffinfo").arg(&file).output() else {
            eprintln!("skipped: tiffinfo is not installed (package libtiff-tools)");
            continue;
        };
        let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
        assert!(
            seen.contains(&format!("Resolution: {resolution}")),
            "{query}: {seen}"
        );
        assert!(seen.contains(&format!("Image Length: {rows}")), "{query}: {seen}");
    }
    installation
        .admin
        .get(&format!("/fax/{id}/tiff?resolution=superfine"))
        .await
        .problem(400);
    installation.admin.reaches(&id, "SUCCESS").await;
    let again = installation
        .admin
        .post(&format!("/fax/{id}/resend"), &serde_json::json!({}))
        .await;
    assert_eq!(again.status, 202, "{}", again.text());
    let again = again.json()["id"].as_str().expect("id").to_owned();
    assert_eq!(preview(&installation.admin, &again, 1).await.height, 2 * 1146);
    for (name, value) in [("paper", "a5"), ("resolution", "300"), ("halftone", "none")] {
        let detail = installation
            .admin
            .send(&Fax::text(TO, "x").field(name, value))
            .await
            .problem(422);
        assert!(detail.starts_with(&format!("{name} is one of ")), "{detail}");
    }
    let twice = Fax::text(TO, "x").field("paper", "a4").field("page_size", "a4");
    installation.admin.send(&twice).await.problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_count_from_one_to_the_last_page() {
    let installation = TestInstallation::start().await;
    let other = installation.sender("other").await;
    let id = installation
        .admin
        .accepted(&Fax::pdf(TO, documents::pdf(3, "Seen")))
        .await;
    for page in 1..=3 {
        let picture = preview(&installation.admin, &id, page).await;
        assert_eq!((picture.width, picture.height), (1728, 2156));
        assert!(picture.black > 500, "page {page}: {}", picture.black);
    }
    for name in [
        "0.png",
        "4.png",
        "-1.png",
        "1",
        "1.jpg",
        "x.png",
        ".png",
        "99999999999.png",
        "1.png.png",
        "%FF.png",
    ] {
        let detail = installation
            .admin
            .get(&format!("/fax/{id}/preview/{name}"))
            .await
            .problem(404);
        assert!(!detail.is_empty(), "{name}");
    }
    other.get(&format!("/fax/{id}/preview/1.png")).await.problem(404);
    installation
        .admin
        .without_key()
        .get(&format!("/fax/{id}/preview/1.png"))
        .await
        .problem(401);
    installation.admin.reaches(&id, "SUCCESS").await;
    assert_eq!(installation.admin.delete(&format!("/fax/{id}")).await.status, 204);
    installation
        .admin
        .get(&format!("/fax/{id}/preview/1.png"))
        .await
        .problem(410);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_is_printed_and_found_again() {
    let installation = TestInstallation::start().await;
    let words = [
        ("Latin, Greek, Cyrillic", "Zażółć gęślą jaźń κόσμε Привет"),
        ("Hebrew", "שלום עולם"),
        ("Arabic", "مرحبا بالعالم"),
        ("Chinese", "你好世界"),
        ("Japanese", "こんにちはカタカナ"),
        ("Korean", "안녕하세요"),
    ];
    let all: Vec<&str> = words.iter().map(|(_, text)| *text).collect();
    let sent = installation.admin.accepted(&Fax::text(TO, &all.join("\n"))).await;
    assert_eq!(notes(&installation.admin, &sent).await, Vec::<String>::new());
    assert!(preview(&installation.admin, &sent, 1).await.black > 3000);
    if let Some(found) = text(&installation, &sent, 1).await {
        // Marks that turn the direction are poppler's own.
        let found: String = found
            .chars()
            .filter(|c| !crate::documents::comparison::is_mark(*c))
            .collect();
        for (script, text) in words {
            for word in text.split(' ') {
                assert!(found.contains(word), "{script}: {word} in {found}");
            }
        }
    }
    // Nobody has a font for these: they are counted.
    let sent = installation
        .admin
        .accepted(&Fax::text(TO, "Egypt 𓀀𓀁 and 𓂀\n"))
        .await;
    let notes = notes(&installation.admin, &sent).await;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("3 characters"), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_are_read_and_office_documents_refused_with_advice() {
    let installation = TestInstallation::start().await;
    let page = "<!doctype html><html><head><title>t</title><style>p{color:red}</style></head><body>\
        <h1>Order</h1><p>Two boxes &amp; a lid<ul><li>one<li>two</ul><img src=x.png>\
        <script>document.write('hidden')</script></body></html>";
    let sent = installation.admin.accepted(&Fax::text(TO, page)).await;
    assert_eq!(installation.admin.job(&sent).await["media_type"], "text/html");
    let said = notes(&installation.admin, &sent).await;
    assert!(said.iter().any(|note| note.contains("One picture")), "{said:?}");
    if let Some(found) = text(&installation, &sent, 1).await {
        assert!(
            found.contains("Two boxes & a lid") && found.contains("* one"),
            "{found}"
        );
        assert!(!found.contains("hidden") && !found.contains("color"), "{found}");
    }
    let docx = b"PK\x03\x04\x14\0\x06\0\x08\0word/document.xml";
    for (what, bytes) in [
        ("DOCX", &docx[..]),
        ("old Word", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more"),
        ("RTF", b"{\\rtf1 Hello}"),
        ("PostScript", b"%!PS-Adobe-3.0\nshowpage\n"),
        ("program", b"\x7fELF\x02\x01\x01\0\0\0\0\0"),
    ] {
        let detail = installation
            .admin
            .send(&Fax::pdf(TO, bytes.to_vec()))
            .await
            .problem(415);
        assert!(detail.contains("PDF"), "{what}: {detail}");
    }
}
