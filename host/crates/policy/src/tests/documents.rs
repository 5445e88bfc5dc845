//! The converter chain and side-by-side drawing, on a converter made of text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::tests::Folder;
use faxgate_config::plugins::OnError;
use faxgate_domain::document::{
    DocumentError, DocumentErrorKind, FaxPage, MediaType, RenderOptions, Resolution,
};
use faxgate_testkit::components::{CONVERTER, converter};

const LIMITS: ConvertLimits = ConvertLimits {
    max_pages: 200,
    max_bytes: 1024,
    max_rows: 4600,
};

fn part(text: &'static str) -> Part {
    Part {
        data: Bytes::from_static(text.as_bytes()),
        media_type: MediaType::sniff(text.as_bytes()),
        file_name: None,
        attributes: Vec::new(),
    }
}

async fn convert(plugins: &Plugins, parts: &[&'static str]) -> Result<Converted, PolicyError<DocumentError>> {
    let parts = parts.iter().copied().map(part).collect();
    plugins.convert(parts, ConvertOptions::default(), LIMITS).await
}

async fn render(plugins: &Plugins, pdf: &'static str) -> Result<Vec<FaxPage>, PolicyError<DocumentError>> {
    plugins
        .render(Bytes::from_static(pdf.as_bytes()), 1..9, RenderOptions::default())
        .await
}

async fn one() -> (Folder, Plugins) {
    let mut folder = Folder::new();
    folder.put("paint", &converter(CONVERTER));
    folder.limit("paint", |config| config.cpu = Duration::from_millis(200));
    let plugins = folder.load().await;
    assert_eq!(plugins.problems(), Vec::new());
    (folder, plugins)
}

#[tokio::test]
async fn a_document_becomes_a_pdf() {
    let (_folder, plugins) = one().await;
    let made = convert(&plugins, &["Please"]).await.unwrap();
    assert_eq!(
        (made.pdf.as_ref(), made.pages),
        (b"%PDF-1.4 made here".as_slice(), 10)
    );
    assert_eq!(
        (made.notes, made.plugin),
        (vec!["Not this one.".to_owned()], "paint".to_owned())
    );
    // The sender's own bytes when they are fit as they stand.
    assert_eq!(
        convert(&plugins, &["%PDF-1.7 as it is"]).await.unwrap().pdf,
        "%PDF-1.7 as it is"
    );
    // Each part on its own, then their PDFs together; none for several PDFs is no answer.
    let joined = convert(&plugins, &["Please", "Pages"]).await;
    assert!(matches!(joined, Err(PolicyError::Failed(failure)) if failure.cause.contains("no PDF")));
}

#[tokio::test]
async fn wrong_answers_are_failures_and_refusals_reach_the_sender() {
    let (_folder, plugins) = one().await;
    for (asked, says) in [("Nothing", "no PDF"), ("Bad", "not a PDF"), ("Zero", "0 pages")] {
        match convert(&plugins, &[asked]).await {
            Err(PolicyError::Failed(failure)) => {
                assert_eq!(failure.kind, FailureKind::BadAnswer);
                assert!(failure.cause.contains(says), "{failure}");
            }
            other => panic!("{asked}: {other:?}"),
        }
    }
    match convert(&plugins, &["Encrypted"]).await {
        Err(PolicyError::Refused(refusal)) => {
            assert_eq!(refusal.kind, DocumentErrorKind::Encrypted);
            assert_eq!(refusal.message, "Not this one.");
        }
        other => panic!("{other:?}"),
    }
    let small = ConvertLimits {
        max_bytes: 5,
        ..LIMITS
    };
    match plugins
        .convert(vec![part("Please")], ConvertOptions::default(), small)
        .await
    {
        Err(PolicyError::Refused(refusal)) => assert_eq!(refusal.kind, DocumentErrorKind::TooLarge),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        convert(&plugins, &[]).await,
        Err(PolicyError::Refused(_))
    ));
}

#[tokio::test]
async fn unsupported_asks_the_next_converter() {
    let mut folder = Folder::new();
    let only_u = CONVERTER.replace("(i32.const 0x55)", "(i32.const 0x50)");
    folder.put("10-picky", &converter(&only_u));
    folder.put("20-paint", &converter(CONVERTER));
    let plugins = folder.load().await;
    assert_eq!(convert(&plugins, &["Please"]).await.unwrap().plugin, "20-paint");
    // A failure does so only where the operator says it.
    assert!(
        matches!(convert(&plugins, &["Bad"]).await, Err(PolicyError::Failed(f)) if f.plugin == "10-picky")
    );
    folder.limit("10-picky", |config| config.on_error = OnError::Next);
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert!(
        matches!(convert(&plugins, &["Bad"]).await, Err(PolicyError::Failed(f)) if f.plugin == "20-paint")
    );
}

#[tokio::test]
async fn pages_come_in_order_however_many_instances_draw_them() {
    let (_folder, plugins) = one().await;
    let pages = render(&plugins, "%PDF-1.4").await.unwrap();
    assert_eq!(
        pages.iter().map(|page| page.black).collect::<Vec<_>>(),
        (1..9).collect::<Vec<_>>()
    );
    assert!(
        pages
            .iter()
            .all(|page| (page.width, page.height, page.y_dpi) == (1728, 8, 196))
    );
    let coarse = RenderOptions {
        resolution: Resolution::Standard,
        ..RenderOptions::default()
    };
    let pages = plugins
        .render(Bytes::from_static(b"%PDF-1.4"), 0..10, coarse)
        .await
        .unwrap();
    assert!(pages.len() == 10 && pages.iter().all(|page| page.y_dpi == 98));
    // More pages than there are is no guess but an error.
    let more = plugins
        .render(Bytes::from_static(b"%PDF-1.4"), 5..11, coarse)
        .await;
    assert!(matches!(more, Err(PolicyError::Failed(failure)) if failure.kind == FailureKind::BadAnswer));
    assert_eq!(
        plugins.render(Bytes::new(), 3..3, coarse).await.unwrap(),
        Vec::new()
    );
}

#[tokio::test]
async fn one_bad_page_fails_the_drawing_and_nothing_else() {
    let (_folder, plugins) = one().await;
    for (asked, kind) in [
        ("T", FailureKind::Trap),
        ("W", FailureKind::BadAnswer),
        ("G", FailureKind::BadAnswer),
        ("L", FailureKind::CpuDeadline),
    ] {
        match render(&plugins, asked).await {
            Err(PolicyError::Failed(failure)) => assert_eq!(failure.kind, kind, "{asked}: {failure}"),
            other => panic!("{asked}: {other:?}"),
        }
        assert_eq!(render(&plugins, "%PDF-1.4").await.unwrap().len(), 8);
    }
}
