//! What it costs to make fax pages in the sandbox, beside Ghostscript in the same run.
//!
//! `cargo bench --bench convert`. Ghostscript is a process of its own and its start is part of its time, as it is part of
//! a gateway's that calls it; ours is a call into an instance made for it, opening included. Compare lines of one run.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a bench may fail loudly and prints"
)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use faxgate_config::plugins::PluginsConfig;
use faxgate_domain::document::{MAX_PAGES, MAX_ROWS, MediaType, RenderOptions};
use faxgate_policy::{ConvertLimits, ConvertOptions, Grants, Part, Plugins, image::tiff};
use faxgate_testkit::{corpus, documents as made};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, GrayImage, Luma, RgbImage};

/// Times each line is measured.
const ROUNDS: usize = 9;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        println!(
            "{:<34} {:>5} {:>12} {:>12} {:>7} {:>10}",
            "PDF to fax pages, 204 by 196", "pages", "gs", "sandbox", "ratio", "peak"
        );
        for (name, pdf, pages) in documents().await {
            draw(name, pdf, pages).await;
        }
        draw_corpus().await;
        println!(
            "\n{:<34} {:>12} {:>10} {:>10}",
            "upload to PDF", "median", "bytes", "peak"
        );
        for (name, bytes) in uploads() {
            convert(name, bytes).await;
        }
        start().await;
    });
}

/// Draws a document both ways.
async fn draw(name: &str, pdf: Vec<u8>, pages: u32) {
    let service = Service::load().await;
    let pdf = Bytes::from(pdf);
    let ours = service.draw(&pdf, pages, ROUNDS).await;
    let theirs = ghostscript(&pdf, ROUNDS);
    let ratio = theirs.map_or_else(String::new, |theirs| {
        format!("{:.2}", ours.as_secs_f64() / theirs.as_secs_f64())
    });
    let theirs = theirs.map_or_else(|| "not there".to_owned(), |theirs| format!("{theirs:.1?}"));
    println!(
        "{name:<34} {pages:>5} {theirs:>12} {:>12} {ratio:>7} {:>6} MiB",
        format!("{ours:.1?}"),
        service.peak() >> 20
    );
}

/// Draws the documents of the tests that are one page.
async fn draw_corpus() {
    let service = Service::load().await;
    let (mut ours, mut theirs, mut ratios) = (Duration::ZERO, Duration::ZERO, Vec::new());
    for case in corpus::single_pages() {
        let pdf = service.convert(&case.bytes).await;
        let Some(gs) = ghostscript(&pdf, 3) else {
            return;
        };
        let sandbox = service.draw(&pdf, 1, 3).await;
        ours += sandbox;
        theirs += gs;
        ratios.push((sandbox.as_secs_f64() / gs.as_secs_f64(), case.name));
    }
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |percent: usize| ratios[(ratios.len() - 1) * percent / 100].0;
    println!(
        "{} single pages of the corpus: {theirs:.1?} against {ours:.1?}, {:.2} in all; half below {:.2}, nine of ten below {:.2}",
        ratios.len(),
        ours.as_secs_f64() / theirs.as_secs_f64(),
        at(50),
        at(90),
    );
    for (ratio, name) in ratios.iter().rev().take_while(|(ratio, _)| *ratio > 0.5) {
        println!("  above 0.5: {name}, {ratio:.2}");
    }
}

async fn convert(name: &str, bytes: Vec<u8>) {
    let service = Service::load().await;
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..ROUNDS * 3 {
        let begin = Instant::now();
        size = service.convert(&bytes).await.len();
        times.push(begin.elapsed());
    }
    println!(
        "{name:<34} {:>12} {size:>10} {:>6} MiB",
        format!("{:.2?}", median(times)),
        service.peak() >> 20
    );
}

/// What the compile cache spares.
async fn start() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.cache_dir = folder.path().join("cache");
    println!("\n{:<34} {:>12}", "loading every plugin", "time");
    for name in ["compiling", "from the compile cache"] {
        let begin = Instant::now();
        Plugins::load(&config, Grants::default()).await.unwrap();
        println!("{name:<34} {:>12}", format!("{:.1?}", begin.elapsed()));
    }
}

struct Service {
    plugins: Plugins,
    _folder: tempfile::TempDir,
}

impl Service {
    async fn load() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plugins = Plugins::load(&config(folder.path()), Grants::default())
            .await
            .unwrap();
        Self {
            plugins,
            _folder: folder,
        }
    }

    /// Median time of drawing a document.
    async fn draw(&self, pdf: &Bytes, pages: u32, rounds: usize) -> Duration {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let begin = Instant::now();
            let drawn = self
                .plugins
                .render(pdf.clone(), 0..pages, RenderOptions::default())
                .await;
            std::hint::black_box(tiff::write(&drawn.unwrap()));
            times.push(begin.elapsed());
        }
        median(times)
    }

    async fn convert(&self, bytes: &[u8]) -> Bytes {
        let data = Bytes::copy_from_slice(bytes);
        let part = Part {
            media_type: MediaType::sniff(&data),
            data,
            file_name: None,
            attributes: Vec::new(),
        };
        let limits = ConvertLimits {
            max_pages: MAX_PAGES,
            max_bytes: 20 << 20,
            max_rows: MAX_ROWS,
        };
        let made = self
            .plugins
            .convert(vec![part], ConvertOptions::default(), limits)
            .await;
        made.unwrap().pdf
    }

    /// Linear memory of the largest call in bytes.
    fn peak(&self) -> u64 {
        self.plugins
            .list()
            .iter()
            .map(|plugin| plugin.memory_peak_bytes)
            .max()
            .unwrap_or(0)
    }
}

fn config(folder: &Path) -> PluginsConfig {
    let config = PluginsConfig {
        dir: folder.join("plugins"),
        cache_dir: faxgate_testkit::paths::scratch().join("plugin-cache"),
        font_dir: folder.join("fonts"),
        last_good_dir: folder.join("last-good"),
        order: Vec::new(),
        named: BTreeMap::new(),
        instances: 8,
    };
    std::fs::create_dir(&config.dir).unwrap();
    config
}

/// Median time of Ghostscript, where it is installed.
fn ghostscript(pdf: &[u8], rounds: usize) -> Option<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in.pdf"), folder.path().join("out.tiff"));
    std::fs::write(&from, pdf).unwrap();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        let status = Command::new("gs")
            .args([
                "-q",
                "-dSAFER",
                "-dBATCH",
                "-dNOPAUSE",
                "-sDEVICE=tiffg4",
                "-r204x196",
                "-g1728x2156",
                "-dPDFFitPage",
            ])
            .arg(format!("-sOutputFile={}", to.display()))
            .arg(&from)
            .stdout(Stdio::null())
            .status()
            .ok()?;
        assert!(status.success());
        times.push(begin.elapsed());
    }
    Some(median(times))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn documents() -> Vec<(&'static str, Vec<u8>, u32)> {
    let service = Service::load().await;
    let made = async |bytes: Vec<u8>| service.convert(&bytes).await.to_vec();
    let photo = photograph();
    vec![
        ("text", made(text(1).into_bytes()).await, 1),
        ("text, 10 pages", made(text(10).into_bytes()).await, 10),
        ("text in four scripts", made(scripts().into_bytes()).await, 1),
        ("photograph", made(photo).await, 1),
        ("scan at 300 dpi", scans(1), 1),
        ("scan at 300 dpi, 3 pages", scans(3), 3),
        ("lines and curves", lines(), 1),
    ]
}

fn uploads() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("text, one page", text(1).into_bytes()),
        ("text, 10 pages", text(10).into_bytes()),
        (
            "text, one page, Polish",
            format!("Zażółć gęślą jaźń\n{}", text(1)).into_bytes(),
        ),
        ("text in four scripts", scripts().into_bytes()),
        ("photograph, JPEG", photograph()),
        ("PDF, 10 pages", pdf(&vec![page_of_text(); 10])),
        ("PDF, 40 pages, 100 KB", made::plain_pdf(100_000)),
        ("PDF, 3 pages of 300 dpi", scans(3)),
    ]
}

fn text(pages: usize) -> String {
    "The quick brown fox jumps over the lazy dog while five wizards box quickly.\n".repeat(57 * pages)
}

fn scripts() -> String {
    "Zażółć gęślą jaźń. שלום עולם. مرحبا بالعالم. 你好世界。\n".repeat(40)
}

fn photograph() -> Vec<u8> {
    let image = RgbImage::from_fn(2000, 1500, |x, y| {
        let wave = (f64::from(x) / 90.0).sin() * (f64::from(y) / 70.0).cos();
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 24;
        let tone = (127.0 + 100.0 * wave) as u8;
        image::Rgb([tone.saturating_add((grain % 16) as u8), tone, 255 - tone])
    });
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut out), 85)
        .encode_image(&image)
        .unwrap();
    out
}

/// Pages as a scanner makes them: grey, a little dirty, a JPEG each.
fn scans(pages: usize) -> Vec<u8> {
    let image = GrayImage::from_fn(2550, 3300, |x, y| {
        let grain = ((x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 24) as u8 % 12;
        let letter = (y / 50) % 2 == 1 && (x / 12) % 3 != 2 && (x * y / 97) % 5 < 3;
        Luma([if letter { 20 + grain } else { 243 + grain }])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 80)
        .encode(&image, 2550, 3300, ExtendedColorType::L8)
        .unwrap();
    let image = [
        format!(
            "<< /Type /XObject /Subtype /Image /Width 2550 /Height 3300 /ColorSpace /DeviceGray /BitsPerComponent 8 \
             /Filter /DCTDecode /Length {} >>\nstream\n",
            jpeg.len()
        )
        .as_bytes(),
        &jpeg,
        b"\nendstream",
    ]
    .concat();
    pdf_with(&vec!["612 0 0 792 0 0 cm /I Do".to_owned(); pages], Some(image))
}

fn lines() -> Vec<u8> {
    let mut content = String::from("0.5 w ");
    for n in 0..3000 {
        let (x, y) = (n * 7 % 600, n * 13 % 780);
        content.push_str(&format!(
            "{x} {y} m {} {} {} {} {} {} c S ",
            x + 40,
            y,
            x,
            y + 60,
            x + 50,
            y + 50
        ));
    }
    pdf(&[content])
}

fn page_of_text() -> String {
    let mut content = String::from("BT /F 10 Tf 12 TL 54 730 Td ");
    for _ in 0..57 {
        content
            .push_str("(The quick brown fox jumps over the lazy dog while five wizards box quickly.) Tj T* ");
    }
    content + "ET"
}

fn pdf(pages: &[String]) -> Vec<u8> {
    pdf_with(pages, None)
}

/// A PDF of these pages, object 3 being a picture named `I` when there is one.
fn pdf_with(pages: &[String], image: Option<Vec<u8>>) -> Vec<u8> {
    let kids: String = (0..pages.len()).map(|n| format!("{} 0 R ", 4 + 2 * n)).collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()).into_bytes(),
        image.unwrap_or_else(|| b"null".to_vec()),
    ];
    for (n, content) in pages.iter().enumerate() {
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /XObject << /I 3 0 R >> \
                 /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
                5 + 2 * n
            )
            .into_bytes(),
        );
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()).into_bytes());
    }
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend_from_slice(format!("{} 0 obj\n", n + 1).as_bytes());
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    let xref = out.len();
    out.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    for offset in offsets {
        out.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n",
        objects.len() + 1
    );
    out.extend_from_slice(trailer.as_bytes());
    out
}
