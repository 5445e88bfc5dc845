//! The guide in `docs/plugins.md`, followed as a newcomer would: a crate from every template, its own tests, a
//! component, a check, a run, and the policy in a running service.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::plugins::developer_kit::{Kit, said};
use crate::plugins::operator_plugins::{drop_in, letter, refused, serves};
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

const SLOTS: [(&str, &str); 3] = [
    ("house-rules", "number-normalizer"),
    ("known-jobs", "callback-policy"),
    ("blank-pages", "converter"),
];

/// Makes, tests and builds a crate; none where nothing can build for the plugins' target.
fn build(kit: &Kit, name: &str, slot: &str) -> Option<Vec<u8>> {
    // Always in the same place: the standard library is built anew for every other one.
    let shared = faxgate_testkit::paths::scratch();
    let (made, place) = (shared.join(name), shared.join("guide"));
    for old in [&made, &place] {
        let _ = fs::remove_dir_all(old);
    }
    let parent = shared.to_str().expect("a path of text");
    kit.plugin(&["new", name, "--slot", slot, "--dir", parent])
        .fine(&["is a plugin that works", "faxgate plugin build"]);
    fs::rename(made, &place).expect("the crate");
    let component = format!("{name}.wasm");
    let built = kit.plugin(&["build", place.to_str().expect("a path of text")]);
    if built.err.contains("no Rust compiler here can build for") {
        eprintln!("skipped: {}", built.err.trim());
        return None;
    }
    built.fine(&[&format!(
        "exports  faxgate:policy/{slot}@1.0.0, faxgate:policy/plugin@1.0.0"
    )]);
    let mut test = Command::new("cargo");
    test.args(["test", "--quiet", "--manifest-path"])
        .arg(place.join("Cargo.toml"));
    said(kit.at_home(&mut test)).fine(&["test result: ok"]);
    kit.plugin(&["check", &component])
        .fine(&[&format!("slot     {slot}"), &format!("name     {name} 0.1.0")]);
    Some(fs::read(kit.path(&component)).expect("the component"))
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_running_policies() {
    let kit = Kit::new();
    let built = tokio::task::spawn_blocking(move || {
        let mut components = Vec::new();
        for (name, slot) in SLOTS {
            components.push((name, build(&kit, name, slot)?));
        }
        Some((kit, components))
    });
    let Some((kit, components)) = built.await.expect("no panic") else {
        return;
    };
    kit.configure("[plugins.house-rules]\nsettings = { prefix = \"+1 212 555\" }\n");
    kit.put("number.txt", "0142\n");
    kit.plugin(&["run", "house-rules.wasm", "number.txt"]).fine(&[
        "answer  rewrite to \"+1 212 5550142\"",
        "number  +12125550142",
        "fuel    ",
    ]);
    kit.put("letter.txt", "%BLANK\n");
    kit.plugin(&[
        "run",
        "blank-pages.wasm",
        "letter.txt",
        "--pdf",
        "out.pdf",
        "--tiff",
        "out.tiff",
    ])
    .fine(&[
        "by      blank-pages",
        "pages   1",
        "wrote   out.pdf",
        "wrote   out.tiff",
    ]);
    kit.configure("[plugins.house-rules]\nsettings = { prefix = \"212\" }\n");
    kit.plugin(&["check", "house-rules.wasm"])
        .refused(&["`prefix` has to start with +"]);

    let mut setup = Setup::new();
    setup.provider.completion = std::time::Duration::from_secs(36_000);
    setup
        .set("dispatch.poll_after_seconds", 3600.0)
        .set("plugins.house-rules.settings.prefix", "+1 212 555")
        .set("plugins.known-jobs.settings.jobs", "somebody-else")
        .set("plugins.house-rules.required", false)
        .set("plugins.known-jobs.required", false);
    let installation = setup.start().await;
    refused(&installation, "0142", 400).await;
    let plain = installation.admin.accepted(&letter("+12125550142")).await;
    let fax = installation.provider.fax_of(&plain).await;
    wait::until_equal("the job to know its fax", true, || async {
        installation.admin.job(&plain).await["provider_sid"].is_string()
    })
    .await;
    for (name, component) in &components {
        drop_in(&installation, name, component);
        serves(&installation, name).await;
    }
    // The number policy writes the extension out, the converter makes its own page of the letter.
    let id = installation.admin.accepted(&Fax::text("0142", "%BLANK")).await;
    let job = installation.admin.job(&id).await;
    assert_eq!((&job["to"], &job["pages"]), (&json!("+12125550142"), &json!(1)));
    let fetched = installation.admin.get(&format!("/fax/{id}/pdf")).await.text();
    assert!(
        fetched.starts_with("%PDF-1.4\n1 0 obj\n<< /Type /Catalog"),
        "the template's own PDF"
    );
    // The callback policy refuses news of jobs that are not on its list, however well they are signed.
    let news = json!({"fax": fax["id"], "scheme": "sha1", "version": "v2.1", "status": "success"});
    assert_eq!(installation.provider.call_back(news.clone()).await["status"], 401);
    fs::remove_file(installation.data().join("plugins/known-jobs.wasm")).expect("the file");
    wait::until("the callback to be believed", || async {
        (installation.provider.call_back(news.clone()).await["status"] == 200).then_some(())
    })
    .await;
    installation.admin.reaches(&plain, "SUCCESS").await;
}
