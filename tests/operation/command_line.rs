//! The command line, as an operator and a script use it: what it does, says and exits with.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use serde_json::Value;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::installation::{BOOTSTRAP, Setup};

/// The end of a command.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Done {
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }

    fn failed(self, word: &str) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        assert!(self.err.contains(word), "{}", self.err);
    }
}

async fn run(mut program: Command) -> Done {
    tokio::task::spawn_blocking(move || program.output().expect("faxgate").into())
        .await
        .expect("task")
}

/// The program in a clean environment, without configuration.
fn bare(arguments: &[&str]) -> Command {
    let mut program = Command::new(faxgate_testkit::paths::program());
    program.args(arguments).env_clear();
    program
}

/// A command that uses the API of a running service.
fn client(installation: &TestInstallation, key: &str, arguments: &[&str]) -> Command {
    let mut program = bare(arguments);
    program
        .env("FAXGATE_URL", installation.public_url())
        .env("FAXGATE_API_KEY", key)
        .env("FAXGATE_CA_FILE", installation.folder().join("cert.pem"));
    program
}

/// Every promise about keys, whether the service runs or not.
async fn keys_come_and_go(installation: &TestInstallation) -> String {
    let ask = |arguments: &[&str]| run(installation.server.command(&[&["keys"], arguments].concat()));
    let made = ask(&[
        "create",
        "--name",
        "ward",
        "--owner",
        "clinic",
        "--expires-at",
        "2099-01-01T02:00:00+02:00",
    ])
    .await
    .ok();
    let token = made.out.trim().to_owned();
    assert!(
        token.starts_with("fbk_live_"),
        "the token alone on standard output: {}",
        made.out
    );
    assert!(!made.err.contains(&token), "and nowhere else: {}", made.err);
    let id = token.split('_').nth(2).expect("id").to_owned();
    let listed = ask(&["list", "--json"]).await.ok();
    assert!(!listed.out.contains(token.rsplit('_').next().expect("secret")));
    let listed: Value = serde_json::from_str(&listed.out).expect("json");
    let ours = listed
        .as_array()
        .expect("keys")
        .iter()
        .find(|key| key["key_id"] == id.as_str());
    let ours = ours.expect("listed");
    assert_eq!(ours["owner"], "clinic");
    assert_eq!(ours["expires_at"], "2099-01-01T00:00:00Z");
    assert_eq!(ours["scopes"], serde_json::json!(["fax:send", "fax:read"]));
    assert!(ask(&["list"]).await.ok().out.contains(&id));

    ask(&["create", "--name", "x", "--scopes", "fax:everything"])
        .await
        .failed("fax:read_all");
    ask(&["create", "--name", "x", "--expires-at", "tomorrow"])
        .await
        .failed("offset");
    ask(&["rotate", "ffffffffffff"]).await.failed("no key");
    ask(&["revoke", "ffffffffffff"]).await.failed("no key");
    let rotated = ask(&["rotate", &id, "--overlap-minutes", "5"]).await.ok();
    assert_ne!(rotated.out.trim(), token);
    let gone = ask(&["create", "--name", "gone"]).await.ok();
    let gone = gone.out.trim().split('_').nth(2).expect("id").to_owned();
    ask(&["revoke", &gone]).await.ok();
    ask(&["revoke", &gone]).await.ok();
    ask(&["rotate", &gone]).await.failed("revoked");
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_managed_through_the_socket_and_in_a_stopped_folder() {
    let mut installation = TestInstallation::start().await;
    let socket = installation.data().join("control.sock");
    let mode = std::fs::metadata(&socket).expect("socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let running = keys_come_and_go(&installation).await;
    assert_eq!(
        installation.admin.with_key(&running).get("/fax").await.status,
        200,
        "the overlap"
    );
    assert!(installation.server.terminate().await.success());
    let stopped = keys_come_and_go(&installation).await;
    let verified = run(installation.server.command(&["audit", "verify"])).await.ok();
    assert!(verified.out.starts_with("intact:"), "{}", verified.out);
    installation.revive().await;
    for token in [&running, &stopped] {
        assert_eq!(installation.admin.with_key(token).get("/fax").await.status, 200);
    }
    let verified = run(installation.server.command(&["audit", "verify"])).await.ok();
    assert!(verified.out.contains("head:"), "{}", verified.out);
    let exported = run(installation.server.command(&["audit", "export"])).await.ok();
    for what in ["key.created", "key.rotated", "key.revoked"] {
        assert!(exported.out.contains(what), "{what}");
    }
    // A second service on the same folder is told who holds it.
    let second = run(installation.server.command(&["serve"])).await;
    assert_eq!(second.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn last_uses_are_known_at_once_and_survive_the_end() {
    let mut installation = TestInstallation::start().await;
    let token = installation.admin.make_key("clinic", &["fax:read"]).await;
    let id = token.split('_').nth(2).expect("id").to_owned();
    let last_use = |list: Value| {
        let keys = list["items"].as_array().expect("items").clone();
        let key = keys.into_iter().find(|key| key["key_id"] == id.as_str());
        key.expect("the key")["last_used_at"].clone()
    };
    assert!(last_use(installation.admin.get("/admin/api-keys").await.json()).is_null());
    assert_eq!(installation.admin.with_key(&token).get("/fax").await.status, 200);
    let used = last_use(installation.admin.get("/admin/api-keys").await.json());
    assert!(used.is_string());
    assert!(installation.server.terminate().await.success());
    let listed = run(installation.server.command(&["keys", "list", "--json"]))
        .await
        .ok();
    let items: Value = serde_json::from_str(&listed.out).expect("json");
    assert_eq!(last_use(serde_json::json!({ "items": items })), used);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fax_is_sent_and_looked_at_from_the_command_line() {
    let installation = TestInstallation::start().await;
    let letter = installation.folder().join("letter.pdf");
    std::fs::write(&letter, documents::pdf(1, "x")).expect("file");
    let letter = letter.to_string_lossy().into_owned();
    let key = installation
        .admin
        .make_key("clinic", &["fax:send", "fax:read"])
        .await;
    let to = ["--to", "+1 212 555 0142"];
    let sent = run(client(
        &installation,
        &key,
        &["send", to[0], to[1], "--wait", "--json", &letter],
    ))
    .await
    .ok();
    let fax: Value = serde_json::from_str(&sent.out).expect("json");
    assert_eq!(fax["status"], "SUCCESS");
    let id = fax["id"].as_str().expect("id");
    let status = run(client(&installation, &key, &["status", id, "--events"]))
        .await
        .ok();
    assert!(
        status.out.contains("SUCCESS") && status.out.contains("accepted"),
        "{}",
        status.out
    );
    run(client(
        &installation,
        &key,
        &["status", "01jdz0000000000000000000zz"],
    ))
    .await
    .failed("no fax");
    run(client(&installation, "wrong", &["status", id]))
        .await
        .failed("FAXGATE_API_KEY");
    run(client(&installation, &key, &["send", "--to", "911", &letter]))
        .await
        .failed("400");
    run(client(
        &installation,
        &key,
        &["send", to[0], to[1], "/nowhere.pdf"],
    ))
    .await
    .failed("/nowhere.pdf");
    let nobody = run({
        let mut program = bare(&["status", id]);
        program.env("FAXGATE_URL", "http://127.0.0.1:9");
        program
    });
    nobody.await.failed("does not answer");
    let health = run(installation.server.command(&["health"])).await.ok();
    assert!(health.out.contains("ok"), "{}", health.out);
    run(installation.server.command(&["health", "--ready"]))
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_says_how_it_is_used() {
    let commands: &[&[&str]] = &[
        &[],
        &["demo"],
        &["serve"],
        &["check"],
        &["keys"],
        &["keys", "create"],
        &["keys", "list"],
        &["keys", "revoke"],
        &["keys", "rotate"],
        &["plugin", "new"],
        &["plugin", "build"],
        &["plugin", "check"],
        &["plugin", "run"],
        &["plugin", "list"],
        &["simulator"],
        &["send"],
        &["status"],
        &["verify-callback"],
        &["audit", "verify"],
        &["audit", "export"],
        &["health"],
        &["man"],
        &["completions"],
    ];
    for command in commands {
        let help = run(bare(&[command, &["--help"][..]].concat())).await.ok();
        assert!(help.out.contains("Usage: faxgate"), "{command:?}: {}", help.out);
        let nonsense = run(bare(&[command, &["--no-such-option"][..]].concat())).await;
        assert_eq!(nonsense.code, Some(2), "{command:?}");
    }
    let version = run(bare(&["--version"])).await.ok();
    assert!(version.out.contains(env!("CARGO_PKG_VERSION")));
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_pages_and_completions_come_from_the_command_line() {
    let folder = tempfile::tempdir().expect("folder");
    let main = run(bare(&["man"])).await.ok();
    assert!(
        main.out.contains(".TH") && main.out.contains("verify\\-callback"),
        "{}",
        main.out
    );
    let target = folder.path().join("man1");
    run(bare(&["man", &target.to_string_lossy()])).await.ok();
    for page in ["faxgate.1", "faxgate-serve.1", "faxgate-keys-create.1"] {
        assert!(target.join(page).is_file(), "{page}");
    }
    let mut lint = Command::new("mandoc");
    lint.args(["-Tlint", "-Werror"])
        .arg(target.join("faxgate-serve.1"));
    match tokio::task::spawn_blocking(move || lint.output())
        .await
        .expect("task")
    {
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout)),
        Err(error) => eprintln!("skipped: mandoc is not installed here ({error})"),
    }
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef faxgate"),
        ("fish", "complete -c faxgate"),
    ] {
        let script = run(bare(&["completions", shell])).await.ok();
        assert!(script.out.contains(word), "{shell}");
        assert!(script.out.contains("verify-callback"), "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_shown_with_secrets_masked_and_checked() {
    let folder = tempfile::tempdir().expect("folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret-from-a-file-0123456789\n").expect("file");
    let with = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut program = bare(arguments);
        program
            .current_dir(folder.path())
            .env("PHAXIO_API_SECRET_FILE", &secret)
            .env("API_KEY", BOOTSTRAP)
            .envs(variables.iter().copied());
        run(program)
    };
    let shown = with(&["serve", "--print-config"], &[("MAX_FILE_SIZE_MB", "7")])
        .await
        .ok();
    let shown: toml::Table = shown.out.parse().expect("toml");
    assert_eq!(shown["limits"]["max_file_size_mb"].as_integer(), Some(7));
    assert_eq!(shown["auth"]["bootstrap_key"].as_str(), Some("***"));
    assert_eq!(shown["phaxio"]["api_secret"].as_str(), Some("***"));
    assert_eq!(shown["phaxio"]["api_key"].as_str(), Some(""));
    with(&["serve"], &[("FAX_BACKEND", "sip")]).await.failed("phaxio");
    with(&["serve"], &[("MAX_FILE_SIZE_MB", "many")])
        .await
        .failed("MAX_FILE_SIZE_MB");
    let file = folder.path().join("faxgate.toml");
    std::fs::write(&file, "public_ulr = \"x\"\n[limts]\nx = 1\n").expect("file");
    let checked = with(&["check", "--config", &file.to_string_lossy()], &[]).await;
    assert_eq!(checked.code, Some(1));
    for word in ["public_url", "limits", "2 problems"] {
        assert!(checked.out.contains(word), "{word}: {}", checked.out);
    }
    let good = Setup::new();
    drop(good);
    let fine = with(&["check"], &[]).await;
    assert_eq!(fine.code, Some(0), "{}{}", fine.out, fine.err);
}
