//! The plugin folder of a running service, treated as folders are: taken away and brought back, filled through links,
//! with files half written, badly named, or no files at all.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::plugins::operator_plugins::{DIAL_PLAN, dial_plan, drop_in, letter, listed, refused, serves};
use faxgate_testkit::TestInstallation;
use faxgate_testkit::components::{NORMALIZER, normalizer};
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// Waits until nothing is wrong with the folder.
async fn all_well(installation: &TestInstallation) {
    wait::until("no problem to be left", || async {
        let all = installation.admin.get("/admin/plugins").await.json();
        (all["problems"] == json!([])).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_takes_no_rule_with_it() {
    let mut setup = Setup::new();
    dial_plan(&mut setup);
    let installation = setup.start().await;
    drop_in(&installation, "dial-plan", DIAL_PLAN);
    serves(&installation, "dial-plan").await;

    let (folder, away) = (
        installation.data().join("plugins"),
        installation.folder().join("away"),
    );
    fs::rename(&folder, &away).expect("the folder");
    let problem = listed(&installation, "problems", "plugin folder", |_| true).await;
    assert_eq!(problem["last_good_serves"], true, "{problem}");
    let ready = installation.admin.without_key().get("/health/ready").await;
    assert!(
        ready.status == 503 && ready.text().contains("plugin folder"),
        "{}",
        ready.text()
    );
    let detail = installation
        .admin
        .post("/admin/plugins/reload", &json!({}))
        .await
        .problem(422);
    assert!(detail.contains("is gone"), "{detail}");
    // Extensions are written out and prefixes blocked as before.
    let id = installation.admin.accepted(&letter("0142")).await;
    assert_eq!(installation.admin.job(&id).await["to"], "+12125550142");
    refused(&installation, "+1 900 555 0100", 400).await;

    fs::rename(&away, &folder).expect("the folder");
    all_well(&installation).await;
    // A folder that is another one by now is noticed too. The rule is required: its last good version serves.
    fs::rename(&folder, &away).expect("the folder");
    fs::create_dir(&folder).expect("an empty folder");
    listed(&installation, "problems", "dial-plan", |problem| {
        problem["last_good_serves"] == true
    })
    .await;
    let id = installation.admin.accepted(&letter("0142")).await;
    assert_eq!(installation.admin.job(&id).await["to"], "+12125550142");
    refused(&installation, "+1 900 555 0100", 400).await;
    drop_in(&installation, "dial-plan", DIAL_PLAN);
    all_well(&installation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_behind_links_are_taken_up_when_the_link_leads_elsewhere() {
    let installation = TestInstallation::start().await;
    let folder = installation.data().join("plugins");
    for version in ["1.0.0", "2.0.0"] {
        let text = NORMALIZER.replace("\"1.0.0\"", &format!("{version:?}"));
        let place = installation.folder().join(version);
        fs::create_dir(&place).expect("a folder");
        fs::write(place.join("plan.wasm"), normalizer(&text)).expect("a component");
    }
    // As orchestrators fill a volume: one rename moves every file.
    let lead_to = |version: &str| {
        symlink(installation.folder().join(version), folder.join("..data_tmp")).expect("a link");
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("a swap");
    };
    lead_to("1.0.0");
    symlink(Path::new("..data/plan.wasm"), folder.join("plan.wasm")).expect("a link");
    listed(&installation, "items", "plan", |entry| {
        entry["version"] == "1.0.0"
    })
    .await;
    lead_to("2.0.0");
    listed(&installation, "items", "plan", |entry| {
        entry["version"] == "2.0.0"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plugin_is_named_and_harms_nothing() {
    let installation = TestInstallation::start().await;
    let folder = installation.data().join("plugins");
    let good = normalizer(NORMALIZER);
    fs::create_dir(folder.join("folder.wasm")).expect("a folder");
    symlink("nowhere.wasm", folder.join("dangling.wasm")).expect("a link");
    let pipe = std::process::Command::new("mkfifo")
        .arg(folder.join("pipe.wasm"))
        .status();
    assert!(pipe.expect("mkfifo").success());
    for name in [
        "späce bar.wasm",
        "new\nline.wasm",
        "{\"json\"}.wasm",
        ".hidden.wasm",
    ] {
        fs::write(folder.join(name), &good).expect("a file");
    }
    fs::write(folder.join(OsStr::from_bytes(b"\xff\xfe.wasm")), &good).expect("a file");
    let long = format!("{}.wasm", "x".repeat(200));
    fs::write(folder.join(&long), &good).expect("a file");
    drop_in(&installation, "plan", &good);
    serves(&installation, "plan").await;

    let all = installation.admin.get("/admin/plugins").await.json();
    let problems = all["problems"].as_array().expect("a list");
    let reasons: Vec<&Value> = problems.iter().map(|problem| &problem["reason"]).collect();
    assert_eq!(problems.len(), 8, "{all}");
    for (name, says) in [
        ("folder", "not a regular file"),
        ("pipe", "not a regular file"),
        ("dangling", "can't be read"),
    ] {
        let problem = problems.iter().find(|problem| problem["plugin"] == name);
        let reason = problem.unwrap_or_else(|| panic!("{name}: {all}"))["reason"].as_str();
        assert!(
            reason.is_some_and(|reason| reason.contains(says)),
            "{name}: {all}"
        );
    }
    let named = reasons.iter().filter(|reason| {
        reason
            .as_str()
            .is_some_and(|reason| reason.contains("letters, digits"))
    });
    assert_eq!(named.count(), 5, "{all}");
    assert!(!all.to_string().contains("hidden"), "{all}");
    // Numbers go on being read, and the log has stayed a log.
    let id = installation.admin.accepted(&letter("+12125550142")).await;
    assert_eq!(installation.admin.job(&id).await["to"], "+12125550142");
    for line in installation.server.log().lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_in_place_is_taken_up_when_it_is_whole() {
    let mut setup = Setup::new();
    dial_plan(&mut setup);
    let installation = setup.start().await;
    let path = installation.data().join("plugins/dial-plan.wasm");
    let (head, tail) = DIAL_PLAN.split_at(DIAL_PLAN.len() / 3);
    let mut file = fs::File::create(&path).expect("a file");
    file.write_all(head).expect("a third");
    file.sync_all().expect("written");
    // The copy hangs for longer than anybody waits.
    let problem = listed(&installation, "problems", "dial-plan", |_| true).await;
    assert_eq!(problem["last_good_serves"], false, "{problem}");
    file.write_all(tail).expect("the rest");
    drop(file);
    serves(&installation, "dial-plan").await;
    all_well(&installation).await;
    let id = installation.admin.accepted(&letter("0142")).await;
    assert_eq!(installation.admin.job(&id).await["to"], "+12125550142");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_by_the_plugin_before_it_serves() {
    let mut setup = Setup::new();
    dial_plan(&mut setup);
    setup.set("plugins.dial-plan.settings.blocked", "900");
    let mut installation = setup.start().await;
    drop_in(&installation, "dial-plan", DIAL_PLAN);
    let of_the_setting = |problem: &Value| {
        let reason = problem["reason"].as_str();
        reason.is_some_and(|reason| reason.contains("every prefix in `blocked` has to start with +"))
    };
    listed(&installation, "problems", "dial-plan", of_the_setting).await;
    refused(&installation, "0142", 503).await;
    installation.set("plugins.dial-plan.settings.blocked", "+1900");
    installation.server.signal(rustix::process::Signal::HUP);
    serves(&installation, "dial-plan").await;
    all_well(&installation).await;
    // A bad change later on leaves the plugin with the settings of before.
    installation.set("plugins.dial-plan.settings.blocked", "1976");
    installation.server.signal(rustix::process::Signal::HUP);
    let problem = listed(&installation, "problems", "dial-plan", |_| true).await;
    assert_eq!(problem["last_good_serves"], true, "{problem}");
    refused(&installation, "+1 900 555 0100", 400).await;
}
