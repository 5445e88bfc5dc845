//! Policies that an operator drops into the folder of a running service, seen from outside.
//!
//! `tests/fixtures/plugins` holds the example plugins as they were built for version 1.0.0 of the WIT package: every
//! later gateway has to run these very files.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;
use faxgate_testkit::{components, documents};

pub(crate) const DIAL_PLAN: &[u8] = include_bytes!("../fixtures/plugins/dial-plan.wasm");
const FOOTER: &[u8] = include_bytes!("../fixtures/plugins/footer.wasm");
const COUNTRY_FENCE: &[u8] = include_bytes!("../fixtures/plugins/country-fence.wasm");
const ROTATE_TOKEN: &[u8] = include_bytes!("../fixtures/plugins/rotate-token.wasm");

/// Puts a file into the plugin folder in one step, as the guide says.
pub(crate) fn drop_in(installation: &TestInstallation, name: &str, bytes: &[u8]) {
    let temporary = installation.folder().join("new.wasm");
    fs::write(&temporary, bytes).expect("a file");
    let folder = installation.data().join("plugins");
    fs::rename(temporary, folder.join(format!("{name}.wasm"))).expect("the plugin folder");
}

/// What `GET /admin/plugins` says of one plugin, once it says something that fits.
pub(crate) async fn listed(
    installation: &TestInstallation,
    list: &str,
    name: &str,
    fits: impl Fn(&Value) -> bool,
) -> Value {
    let key = if list == "items" { "name" } else { "plugin" };
    wait::until(&format!("{name} among the {list}"), || async {
        let all = installation.admin.get("/admin/plugins").await.json();
        let list = all[list].as_array().expect("a list").clone();
        list.into_iter().find(|entry| entry[key] == name && fits(entry))
    })
    .await
}

pub(crate) async fn serves(installation: &TestInstallation, name: &str) -> Value {
    listed(installation, "items", name, |_| true).await
}

pub(crate) fn letter(to: &str) -> Fax {
    Fax::pdf(to, documents::pdf(1, "policies"))
}

pub(crate) async fn refused(installation: &TestInstallation, to: &str, status: u16) -> String {
    installation.admin.send(&letter(to)).await.problem(status)
}

pub(crate) fn dial_plan(setup: &mut Setup) {
    setup
        .set("plugins.dial-plan.settings.extension-digits", "4")
        .set("plugins.dial-plan.settings.extension-prefix", "+1 212 555")
        .set("plugins.dial-plan.settings.country", "1")
        .set("plugins.dial-plan.settings.blocked", "+1900");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dial_plan_is_taken_up_and_its_last_good_version_stays() {
    let mut setup = Setup::new();
    dial_plan(&mut setup);
    let installation = setup.start().await;
    // Its rule is configured and not there yet: nothing is sent without it.
    refused(&installation, "0142", 503).await;

    drop_in(&installation, "dial-plan", DIAL_PLAN);
    let entry = serves(&installation, "dial-plan").await;
    assert_eq!(
        (&entry["slot"], &entry["version"]),
        (&"number-normalizer".into(), &"1.0.0".into())
    );
    assert_eq!(entry["sha256"].as_str().map(str::len), Some(64), "{entry}");
    assert!(
        entry["imports"].is_array() && entry["limits"].is_object(),
        "{entry}"
    );
    let id = installation.admin.accepted(&letter("0142")).await;
    assert_eq!(installation.admin.job(&id).await["to"], "+12125550142");
    installation.admin.reaches(&id, "SUCCESS").await;
    let blocked = refused(&installation, "(900) 555-0100", 400).await;
    assert!(blocked.contains("may not be faxed"), "{blocked}");
    let entry = listed(&installation, "items", "dial-plan", |entry| entry["calls"] == 2).await;
    assert_eq!(entry["errors"], 0, "a refusal is an answer: {entry}");
    assert!(entry["p50_us"].is_u64() && entry["p99_us"].is_u64(), "{entry}");
    let metrics = installation.admin.get("/metrics").await.text();
    let counted = |line: &str| line.starts_with("faxgate_plugin_calls_total") && line.contains("dial-plan");
    assert!(metrics.lines().any(counted), "{metrics}");

    // Half a file: told, named, and nothing changes for senders.
    drop_in(&installation, "dial-plan", &DIAL_PLAN[..DIAL_PLAN.len() / 2]);
    let problem = listed(&installation, "problems", "dial-plan", |problem| {
        problem["last_good_serves"] == true
    })
    .await;
    assert!(
        problem["reason"].as_str().is_some_and(|reason| reason.len() > 20),
        "{problem}"
    );
    let reload = installation.admin.post("/admin/plugins/reload", &json!({})).await;
    let detail = reload.problem(422);
    assert!(detail.contains("dial-plan"), "{detail}");
    wait::until("readiness to name the file", || async {
        let ready = installation.admin.without_key().get("/health/ready").await;
        (ready.status == 503 && ready.text().contains("dial-plan")).then_some(())
    })
    .await;
    let id = installation.admin.accepted(&letter("0143")).await;
    assert_eq!(installation.admin.job(&id).await["to"], "+12125550143");
    installation.server.says("dial-plan").await;

    drop_in(&installation, "dial-plan", DIAL_PLAN);
    wait::until("the whole file to be taken up", || async {
        let all = installation.admin.get("/admin/plugins").await.json();
        (all["problems"] == json!([])).then_some(())
    })
    .await;
    let reload = installation.admin.post("/admin/plugins/reload", &json!({})).await;
    assert_eq!(reload.status, 200, "{}", reload.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_in_c_serves_like_any_other() {
    let mut setup = Setup::new();
    setup
        .set("plugins.country-fence.settings.allow", "+1 212, +44")
        .set("plugins.country-fence.required", false);
    let installation = setup.start().await;
    let id = installation.admin.accepted(&letter("+1 646 555 0142")).await;
    installation.admin.reaches(&id, "SUCCESS").await;
    drop_in(&installation, "country-fence", COUNTRY_FENCE);
    serves(&installation, "country-fence").await;
    let fenced = refused(&installation, "+1 646 555 0142", 400).await;
    assert!(fenced.contains("may not be faxed from here"), "{fenced}");
    let national = refused(&installation, "212 555 0142", 400).await;
    assert!(national.contains("in full"), "{national}");
    let id = installation.admin.accepted(&letter("011 44 20 7946 0018")).await;
    assert_eq!(installation.admin.job(&id).await["to"], "+442079460018");
    installation.admin.reaches(&id, "SUCCESS").await;
    installation
        .server
        .says("refused a number outside the fence")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_signed_with_the_token_of_before_are_believed_while_the_plugin_lies_there() {
    const BEFORE: &str = "the-token-of-before-canary";
    let mut setup = Setup::new();
    setup.provider.completion = std::time::Duration::from_secs(36_000);
    setup.provider.callback_token = Some(BEFORE.to_owned());
    setup
        .set("dispatch.poll_after_seconds", 3600.0)
        .set("plugins.rotate-token.secrets.old-callback-token", BEFORE)
        .set("plugins.rotate-token.required", false);
    let installation = setup.start().await;
    let id = installation.admin.accepted(&letter("+12125550142")).await;
    let fax = installation.provider.fax_of(&id).await;
    wait::until_equal("the job to know its fax", true, || async {
        installation.admin.job(&id).await["provider_sid"].is_string()
    })
    .await;
    let order =
        |scheme: &str| json!({ "fax": fax["id"], "scheme": scheme, "version": "v2.1", "status": "success" });
    assert_eq!(
        installation.provider.call_back(order("sha1")).await["status"],
        401
    );

    drop_in(&installation, "rotate-token", ROTATE_TOKEN);
    serves(&installation, "rotate-token").await;
    for scheme in ["none", "wrong"] {
        let answer = installation.provider.call_back(order(scheme)).await;
        assert_eq!(answer["status"], 401, "{scheme}");
    }
    assert_eq!(
        installation.provider.call_back(order("sha1")).await["status"],
        200
    );
    installation.admin.reaches(&id, "SUCCESS").await;

    fs::remove_file(installation.data().join("plugins/rotate-token.wasm")).expect("the file");
    wait::until("the plugin to be gone", || async {
        let all = installation.admin.get("/admin/plugins").await.json();
        let items = all["items"].as_array().expect("a list");
        items
            .iter()
            .all(|item| item["name"] != "rotate-token")
            .then_some(())
    })
    .await;
    assert_eq!(
        installation.provider.call_back(order("sha1")).await["status"],
        401
    );
    assert!(!installation.server.log().contains(BEFORE));
    assert!(
        !installation
            .admin
            .get("/admin/plugins")
            .await
            .text()
            .contains(BEFORE)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_the_pinned_one_is_refused() {
    let mut setup = Setup::new();
    dial_plan(&mut setup);
    setup.set("plugins.dial-plan.sha256", "00".repeat(32));
    let mut installation = setup.start().await;
    drop_in(&installation, "dial-plan", DIAL_PLAN);
    let of_the_pin = |problem: &Value| {
        problem["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("sha256"))
    };
    let problem = listed(&installation, "problems", "dial-plan", of_the_pin).await;
    assert_eq!(problem["last_good_serves"], false);
    refused(&installation, "0142", 503).await;

    installation.set(
        "plugins.dial-plan.sha256",
        faxgate_policy::tools::manifest::sha256(DIAL_PLAN),
    );
    installation.server.signal(Signal::HUP);
    serves(&installation, "dial-plan").await;
    installation.admin.accepted(&letter("0142")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_plugin_is_told_of_and_the_operator_says_who_is_asked_then() {
    let mut setup = Setup::new();
    setup.set("plugins.naughty.cpu_ms", 100);
    let mut installation = setup.start().await;
    drop_in(
        &installation,
        "naughty",
        &components::normalizer(components::NORMALIZER),
    );
    serves(&installation, "naughty").await;
    // `t` traps, `l` loops, `g` wants all memory: the fax is refused, the service goes on.
    for bad in ["t", "l", "g"] {
        let detail = refused(&installation, bad, 500).await;
        assert!(
            !detail.contains("unreachable"),
            "nothing of the inside is shown: {detail}"
        );
        installation.admin.accepted(&letter("+12125550142")).await;
    }
    for told in [
        "\"plugin\":\"naughty\"",
        "\"cause\":",
        "\"remedy\":",
        "a plugin failed",
    ] {
        installation.server.says(told).await;
    }
    let metrics = installation.admin.get("/metrics").await.text();
    for outcome in ["trap", "cpu_deadline", "out_of_memory"] {
        let counted = |line: &str| {
            line.starts_with("faxgate_plugin_calls_total")
                && line.contains("naughty")
                && line.contains(outcome)
        };
        assert!(metrics.lines().any(counted), "{outcome}: {metrics}");
    }
    for measured in [
        "faxgate_plugin_call_seconds_count",
        "faxgate_plugin_denied_growth_total",
    ] {
        let counted = |line: &str| line.starts_with(measured) && line.contains("naughty");
        assert!(metrics.lines().any(counted), "{measured}: {metrics}");
    }
    let entry = serves(&installation, "naughty").await;
    assert_eq!(entry["errors"], 3, "{entry}");
    assert!(entry["last_error"].is_string(), "{entry}");

    installation.set("plugins.naughty.on_error", "next");
    installation.server.signal(Signal::HUP);
    listed(&installation, "items", "naughty", |entry| {
        entry["on_error"] == "next"
    })
    .await;
    // Now the built-in one judges, and says what is wrong with the number.
    refused(&installation, "t", 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_fetches_the_document_with_its_footer() {
    let mut setup = Setup::new();
    setup
        .set("plugins.footer.settings.text", "InProcessService of Canary")
        .set("plugins.footer.settings.code", "DEPT-7");
    let installation = setup.start().await;
    drop_in(&installation, "footer", FOOTER);
    serves(&installation, "footer").await;
    let id = installation.admin.accepted(&letter("+12125550142")).await;
    let fax = installation.provider.fax_of(&id).await;
    installation.admin.reaches(&id, "SUCCESS").await;
    let number = fax["id"].to_string();
    let fetched = installation.provider.content(number.trim_matches('"')).await;
    let holds = |text: &[u8]| fetched.windows(text.len()).any(|bytes| bytes == text);
    assert!(
        holds(b"(InProcessService of Canary)"),
        "the footer is in the document"
    );
    // What the footer does not read is left to the built-in converter.
    let id = installation
        .admin
        .accepted(&Fax::text("+12125550143", "plain text"))
        .await;
    installation.admin.reaches(&id, "SUCCESS").await;
}

#[test]
fn components_built_for_the_released_interfaces_are_kept() {
    let folder = faxgate_testkit::paths::repository().join("tests/fixtures/plugins");
    for entry in fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let bytes = fs::read(&path).expect("a component");
        let doors = faxgate_policy::tools::encode::component_interface(&bytes).expect("a component");
        let released = |name: &String| name.starts_with("faxgate:policy/") && name.ends_with("@1.0.0");
        assert!(
            doors.exports.iter().all(released),
            "{}: {:?}",
            path.display(),
            doors.exports
        );
        assert!(
            doors.imports.iter().all(released),
            "{}: {:?}",
            path.display(),
            doors.imports
        );
    }
}
