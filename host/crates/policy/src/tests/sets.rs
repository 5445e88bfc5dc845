//! How a set takes the place of another one, and what stays.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use super::*;
use crate::tests::{Folder, assert_works, dial, naughty};
use faxgate_testkit::components::{NORMALIZER, normalizer};

#[tokio::test]
async fn a_missing_folder_is_an_empty_one_until_something_lay_there() {
    let folder = Folder::new();
    std::fs::remove_dir(&folder.config.dir).unwrap();
    let plugins = folder.load().await;
    assert_eq!(plugins.problems(), Vec::new());
    assert!(plugins.list().iter().all(|plugin| plugin.builtin));

    std::fs::create_dir(&folder.config.dir).unwrap();
    folder.put("plan", &normalizer(NORMALIZER));
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    std::fs::remove_dir_all(&folder.config.dir).unwrap();
    let error = plugins
        .reload(&folder.config, Grants::default())
        .await
        .unwrap_err();
    assert!(matches!(error, LoadError::Gone { .. }), "{error}");
    assert!(plugins.problems()[0].last_good_serves);
    assert!(plugins.list().iter().any(|plugin| plugin.name == "plan"));
    std::fs::create_dir(&folder.config.dir).unwrap();
    let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(
        (report.removed, plugins.problems()),
        (vec!["plan".to_owned()], Vec::new())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_under_way_ends_on_the_set_it_began_on() {
    // `l` takes its time, then dials +12125550100.
    let slow = NORMALIZER.replace(
        "(loop $l (br $l))",
        "(local.set $strict (i32.const 200000000)) (loop $l (br_if $l (local.tee $strict
            (i32.sub (local.get $strict) (i32.const 1))))) (call $dial (i32.const 48) (i32.const 12))",
    );
    let mut folder = Folder::new();
    folder.put("slow", &normalizer(&slow));
    folder.limit("slow", |config| {
        config.cpu = Duration::from_secs(3600);
        config.wall = Duration::from_secs(3600);
    });
    let plugins = folder.load().await;
    let under_way = tokio::spawn({
        let plugins = plugins.clone();
        async move { dial(&plugins, "l").await }
    });
    while plugins.instances() == Some(0) && !under_way.is_finished() {
        tokio::task::yield_now().await;
    }
    std::fs::remove_file(folder.config.dir.join("slow.wasm")).unwrap();
    folder.config.named.clear();
    let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(report.removed, ["slow"]);
    // New calls meet the new set, in which no plugin reads an `l`.
    assert!(matches!(dial(&plugins, "l").await, Err(PolicyError::Refused(_))));
    assert_eq!(under_way.await.unwrap().unwrap().e164.as_str(), "+12125550100");
}

#[tokio::test]
async fn many_files_are_asked_in_order() {
    let folder = Folder::new();
    let pass = normalizer(NORMALIZER);
    for number in 0..40 {
        folder.put(&format!("{number:02}-rule"), &pass);
    }
    let plugins = folder.load().await;
    assert_eq!(plugins.problems(), Vec::new());
    let names: Vec<_> = plugins
        .list()
        .into_iter()
        .filter(|p| !p.builtin)
        .map(|p| p.name)
        .collect();
    let expected: Vec<_> = (0..40).map(|number| format!("{number:02}-rule")).collect();
    assert_eq!(names, expected);
    // Everybody passes; the built-in one finds no number in it.
    assert!(matches!(dial(&plugins, "p").await, Err(PolicyError::Refused(_))));
    assert!(plugins.list().iter().filter(|p| !p.builtin).all(|p| p.calls == 1));
}

#[tokio::test]
async fn secrets_are_granted_where_they_can_be_used() {
    let secret = || Some(faxgate_base::secret::Secret::new("canary".to_owned()));
    let mut folder = Folder::new();
    folder.put("plan", &normalizer(NORMALIZER));
    folder.limit("plan", |config| {
        config.secrets.insert("partner".to_owned(), secret().unwrap());
    });
    let grants = Grants {
        callback_token: secret(),
        api_secret: secret(),
    };
    let plugins = Plugins::load(&folder.config, grants).await.unwrap();
    for plugin in plugins.list() {
        let expected: &[&str] = match plugin.name.as_str() {
            "callback-phaxio" => &["api-secret", "callback-token"],
            _ => &[],
        };
        assert_eq!(plugin.secrets, expected, "{}", plugin.name);
    }
    assert!(!serde_json::to_string(&plugins.list()).unwrap().contains("canary"));
    // Other secrets are no change for those that never had them.
    let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(report.changed, ["callback-phaxio"]);
}

#[tokio::test]
async fn the_last_good_version_of_a_bad_file_stays() {
    let folder = Folder::new();
    let good = normalizer(NORMALIZER);
    folder.put("plan", &good);
    let plugins = folder.load().await;
    assert_works(&plugins).await;
    let before = plugins.list();

    folder.put("plan", &good[..good.len() - 40]);
    let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert!(!report.changed_anything());
    assert_eq!(report.problems.len(), 1);
    assert!(report.problems[0].last_good_serves);
    assert_works(&plugins).await;
    assert_eq!(plugins.list().len(), before.len());

    std::fs::remove_file(folder.config.dir.join("plan.wasm")).unwrap();
    let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(report.removed, ["plan"]);
    assert_eq!(report.problems, Vec::new());
    assert_eq!(plugins.list().len(), before.len() - 1);
}

#[tokio::test]
async fn what_did_not_change_keeps_its_counters() {
    let (folder, plugins) = naughty().await;
    assert_works(&plugins).await;
    let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert!(report.unchanged.contains(&"naughty".to_owned()));
    assert!(!report.changed_anything());
    assert_eq!(
        plugins
            .list()
            .into_iter()
            .find(|p| p.name == "naughty")
            .unwrap()
            .calls,
        1
    );
}
