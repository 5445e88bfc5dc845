//! Plugins that the configuration requires: their last good version serves, or their slot does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::*;
use crate::tests::{Folder, assert_works, dial};
use faxgate_testkit::components::{NORMALIZER, normalizer};

const LIMITS: ConvertLimits = ConvertLimits {
    max_pages: 10,
    max_bytes: 1 << 20,
    max_rows: 4600,
};

/// The name of the plugin without which the slot is not served.
fn missing(answer: Answer) -> String {
    match answer {
        Err(PolicyError::Failed(failure)) if failure.kind == FailureKind::Missing => failure.plugin,
        other => panic!("the slot must not be served: {other:?}"),
    }
}

#[tokio::test]
async fn a_slot_is_not_served_without_a_plugin_that_never_loaded() {
    let mut folder = Folder::new();
    folder.limit("rule", |config| config.required = true);
    let plugins = folder.load().await;
    assert_eq!(missing(dial(&plugins, "+12125550142").await), "rule");
    // Nobody knows which slot the file would fill: no slot is served.
    let converted = plugins.convert(vec![text()], options(), LIMITS).await;
    assert!(matches!(converted, Err(PolicyError::Failed(failure)) if failure.kind == FailureKind::Missing));
    assert!(!plugins.problems()[0].last_good_serves);

    folder.limit("rule", |config| config.required = false);
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_works(&plugins).await;
    assert_eq!(plugins.problems().len(), 1, "still reported");

    folder.limit("rule", |config| config.required = true);
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    missing(dial(&plugins, "+12125550142").await);
    folder.put("rule", &normalizer(NORMALIZER));
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_works(&plugins).await;
    assert_eq!(plugins.problems(), Vec::new());
}

#[tokio::test]
async fn a_broken_file_of_a_known_slot_blocks_that_slot_alone() {
    let mut folder = Folder::new();
    folder.put("rule", &normalizer(NORMALIZER));
    // It needs 128 KiB, so that it never serves; its slot can be read from it all the same.
    folder.limit("rule", |config| {
        config.required = true;
        config.memory = 64 * 1024;
    });
    let plugins = folder.load().await;
    assert_eq!(missing(dial(&plugins, "+12125550142").await), "rule");
    let converted = plugins.convert(vec![text()], options(), LIMITS).await;
    assert!(!matches!(converted, Err(PolicyError::Failed(failure)) if failure.kind == FailureKind::Missing));
}

#[tokio::test]
async fn the_last_good_version_serves_after_a_restart() {
    for broken in [None, Some(&b"\0asm, cut off"[..])] {
        let mut folder = Folder::new();
        folder.put("rule", &normalizer(NORMALIZER));
        folder.limit("rule", |config| config.required = true);
        let plugins = folder.load().await;
        assert!(rewrites(&plugins).await);
        drop(plugins);

        match broken {
            None => std::fs::remove_file(folder.config.dir.join("rule.wasm")).unwrap(),
            Some(bytes) => folder.put("rule", bytes),
        }
        let plugins = folder.load().await;
        assert!(rewrites(&plugins).await, "the rule holds");
        let problems = plugins.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].last_good_serves);

        // Without its section the rule ends with its file, and the version that was kept goes.
        folder.config.named.clear();
        plugins.reload(&folder.config, Grants::default()).await.unwrap();
        assert_eq!(rewrites(&plugins).await, broken.is_some());
        assert_eq!(
            std::fs::read_dir(&folder.config.last_good_dir).unwrap().count(),
            0
        );
    }
}

#[tokio::test]
async fn the_configured_order_comes_before_the_order_of_names() {
    let mut folder = Folder::new();
    // Each dials its own number for `x`, so that the answer tells which was asked first.
    for (name, number) in [("a", "+12125550101"), ("b", "+12125550102")] {
        let other = NORMALIZER.replace("+12125550100", number);
        assert_ne!(other, NORMALIZER);
        folder.put(name, &normalizer(&other));
    }
    let first = |plugins: &Plugins| {
        let plugins = plugins.clone();
        async move { dial(&plugins, "c").await.unwrap().e164.as_str().to_owned() }
    };
    let plugins = folder.load().await;
    assert_eq!(first(&plugins).await, "+12125550101");
    folder.config.order = vec!["b".to_owned()];
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(first(&plugins).await, "+12125550102");
    let order: Vec<_> = plugins
        .list()
        .into_iter()
        .filter(|p| p.slot == Slot::NumberNormalizer)
        .map(|p| p.name)
        .collect();
    assert_eq!(order, ["b", "a", "number-e164"]);
}

fn text() -> Part {
    Part {
        data: bytes::Bytes::from_static(b"text"),
        media_type: faxgate_domain::document::MediaType::Text,
        file_name: None,
        attributes: Vec::new(),
    }
}

fn options() -> ConvertOptions {
    ConvertOptions {
        paper: faxgate_domain::document::Paper::Letter,
        cover: None,
    }
}

/// Whether the rule of the test's normalizer is in force: it rewrites what begins with `w`.
async fn rewrites(plugins: &Plugins) -> bool {
    dial(plugins, "w")
        .await
        .is_ok_and(|number| number.e164.as_str() == "+12125550100")
}
