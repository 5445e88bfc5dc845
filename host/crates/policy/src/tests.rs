//! The set as its users see it, on components made of text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod builtin;
mod documents;
mod required;
mod sets;
mod stress;

use std::path::Path;
use std::time::Duration;

use super::*;
use faxgate_base::size::MIB;
use faxgate_config::plugins::{OnError, PluginConfig};
use faxgate_domain::number::{Number, NumberError, NumberErrorKind};
use faxgate_testkit::components::{NORMALIZER, normalizer};

pub(super) type Answer = Result<Number, PolicyError<NumberError>>;

/// A folder of plugins and what is configured about them.
pub(super) struct Folder {
    pub(super) dir: tempfile::TempDir,
    pub(super) config: PluginsConfig,
}

impl Folder {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = PluginsConfig {
            dir: dir.path().join("plugins"),
            cache_dir: shared_cache(),
            font_dir: dir.path().join("fonts"),
            last_good_dir: dir.path().join("last-good"),
            order: Vec::new(),
            named: std::collections::BTreeMap::new(),
            instances: 4,
        };
        std::fs::create_dir(&config.dir).unwrap();
        Self { dir, config }
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let temporary = self.dir.path().join("new");
        std::fs::write(&temporary, bytes).unwrap();
        std::fs::rename(&temporary, self.config.dir.join(format!("{name}.wasm"))).unwrap();
    }

    pub(super) fn limit(&mut self, name: &str, change: impl FnOnce(&mut PluginConfig)) {
        let mut config = PluginConfig {
            memory: 4 * MIB,
            cpu: Duration::from_millis(50),
            required: false,
            ..PluginConfig::default()
        };
        change(&mut config);
        self.config.named.insert(name.to_owned(), config);
    }

    pub(super) async fn load(&self) -> Plugins {
        Plugins::load(&self.config, Grants::default()).await.unwrap()
    }
}

/// Compiled built-in components, kept between test runs: they are megabytes.
fn shared_cache() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/test-plugin-cache")
}

pub(super) async fn dial(plugins: &Plugins, raw: &str) -> Answer {
    plugins.normalize(raw, "US", false).await
}

pub(super) async fn assert_works(plugins: &Plugins) {
    assert_eq!(
        dial(plugins, "+12125550142").await.unwrap().e164.as_str(),
        "+12125550142"
    );
}

fn failure(answer: Answer) -> PluginFailure {
    match answer {
        Err(PolicyError::Failed(failure)) => failure,
        other => panic!("a failure was expected: {other:?}"),
    }
}

/// One naughty plugin, alone in its slot (it decides everything it is asked).
pub(super) async fn naughty() -> (Folder, Plugins) {
    let mut folder = Folder::new();
    folder.put("naughty", &normalizer(NORMALIZER));
    folder.limit("naughty", |_| {});
    let plugins = folder.load().await;
    assert_eq!(plugins.problems(), Vec::new());
    (folder, plugins)
}

#[tokio::test]
async fn every_failure_is_told_and_hurts_nobody_else() {
    let (_folder, plugins) = naughty().await;
    let cases = [
        ("l", FailureKind::CpuDeadline),
        ("g", FailureKind::OutOfMemory),
        ("s", FailureKind::StackOverflow),
        ("t", FailureKind::Trap),
        ("h", FailureKind::CpuDeadline),
        ("b", FailureKind::OutOfMemory),
        ("u", FailureKind::BadAnswer),
        ("o", FailureKind::BadAnswer),
        ("d", FailureKind::BadAnswer),
        ("e", FailureKind::BadAnswer),
    ];
    for (asked, kind) in cases {
        let failure = failure(dial(&plugins, asked).await);
        assert_eq!(failure.kind, kind, "{asked}: {failure}");
        assert_eq!(failure.plugin, "naughty");
        assert!(failure.to_string().len() > 40, "says what to do: {failure}");
        assert_works(&plugins).await;
    }
    let info = plugins.list().into_iter().find(|p| p.name == "naughty").unwrap();
    assert_eq!(info.errors, cases.len() as u64);
    assert_eq!(info.calls, 2 * info.errors);
    assert!(info.last_error.unwrap().contains("bad_answer"));
    assert!(info.memory_peak_bytes <= 4 * MIB);
    assert_eq!(
        (info.version.as_str(), info.title.as_str(), info.order),
        ("1.0.0", "wat", 1)
    );
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_stopped_at_the_border() {
    let (mut folder, plugins) = naughty().await;
    folder.limit("naughty", |config| config.memory = 64 * MIB);
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(failure(dial(&plugins, "b").await).kind, FailureKind::TooMuchData);
    assert_works(&plugins).await;
}

#[tokio::test]
async fn wall_time_ends_a_call_as_well() {
    let (mut folder, plugins) = naughty().await;
    folder.limit("naughty", |config| {
        config.cpu = Duration::from_secs(3600);
        config.wall = Duration::from_millis(60);
    });
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(failure(dial(&plugins, "l").await).kind, FailureKind::WallDeadline);
    assert_works(&plugins).await;
}

#[tokio::test]
async fn instances_remember_nothing() {
    let (_folder, plugins) = naughty().await;
    for _ in 0..20 {
        assert!(dial(&plugins, "c").await.is_ok());
    }
}

#[tokio::test]
async fn a_looping_guest_lets_its_thread_serve_others() {
    // One thread only: the neighbour gets its turn while the loop runs, or never.
    let (mut folder, plugins) = naughty().await;
    folder.limit("naughty", |config| config.cpu = Duration::from_secs(3600));
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    let looping = tokio::spawn({
        let plugins = plugins.clone();
        async move { dial(&plugins, "l").await }
    });
    for _ in 0..10 {
        assert_works(&plugins).await;
    }
    assert!(!looping.is_finished());
    looping.abort();
    let _ = looping.await;
    // Its place comes free again: as many calls as there are places go on.
    let calls = (0..8).map(|_| dial(&plugins, "+12125550142"));
    assert!(
        futures_util::future::join_all(calls)
            .await
            .iter()
            .all(Result::is_ok)
    );
}

#[tokio::test]
async fn files_are_asked_by_name() {
    let folder = Folder::new();
    folder.put("20-second", &normalizer(NORMALIZER));
    folder.put("10-first", &normalizer(NORMALIZER));
    let plugins = folder.load().await;
    let order: Vec<_> = plugins
        .list()
        .into_iter()
        .filter(|p| !p.builtin)
        .map(|p| p.name)
        .collect();
    assert_eq!(order, ["10-first", "20-second"]);
    // The first rewrites, the second dials what came out.
    assert_eq!(dial(&plugins, "w").await.unwrap().e164.as_str(), "+12125550100");
    match dial(&plugins, "r").await {
        Err(PolicyError::Refused(refusal)) => {
            assert_eq!(refusal.kind, NumberErrorKind::Refused);
            assert_eq!(refusal.message, "Not allowed here.");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        dial(&plugins, &"9".repeat(129)).await,
        Err(PolicyError::Refused(_))
    ));
}

#[tokio::test]
async fn a_failure_asks_the_next_only_where_the_operator_says_so() {
    let mut folder = Folder::new();
    let trap = NORMALIZER.replace(
        "(global.set $calls (i32.add",
        "(unreachable) (global.set $calls (i32.add",
    );
    folder.put("10-broken", &normalizer(&trap));
    folder.put("20-good", &normalizer(NORMALIZER));
    let plugins = folder.load().await;
    assert_eq!(failure(dial(&plugins, "+12125550142").await).plugin, "10-broken");
    folder.limit("10-broken", |config| config.on_error = OnError::Next);
    let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
    assert_eq!(report.changed, ["10-broken"]);
    assert_works(&plugins).await;
}

#[tokio::test]
async fn what_cannot_be_loaded_says_why_and_what_to_do() {
    let mut folder = Folder::new();
    let good = normalizer(NORMALIZER);
    folder.put("good", &good);
    folder.put("core", &wat::parse_str("(module)").unwrap());
    folder.put("empty", b"");
    folder.put("text", b"(component)");
    folder.put("cut", &good[..good.len() / 2]);
    folder.put("noise", b"MZ this is no component");
    folder.put("nothing", &wat::parse_str("(component)").unwrap());
    folder.put(
        "wasi",
        &wat::parse_str(r#"(component (import "wasi:cli/exit@0.2.0" (instance (export "exit" (func)))))"#)
            .unwrap(),
    );
    folder.put(
        "future",
        &wat::parse_str(
            r#"(component (instance $i) (export "faxgate:policy/converter@2.0.0" (instance $i)))"#,
        )
        .unwrap(),
    );
    folder.put("shape", &wat::parse_str(
        r#"(component (instance $i) (export "faxgate:policy/converter@1.0.0" (instance $i)) (export "faxgate:policy/plugin@1.0.0" (instance $i)))"#,
    ).unwrap());
    folder.put("pinned", &good);
    folder.put(
        "big",
        &normalizer(&NORMALIZER.replace(
            "(memory (export \"memory\") 2)",
            "(memory (export \"memory\") 200)",
        )),
    );
    folder.put("bad name!", &good);
    folder.limit("pinned", |config| config.sha256 = Some([7; 32]));
    folder.limit("big", |_| {});
    folder.limit("mispelt", |_| {});
    let plugins = folder.load().await;
    let problems = plugins.problems();
    let expect = [
        ("core", "faxgate plugin build"),
        ("empty", "it is empty"),
        ("text", "text format"),
        ("cut", "not a valid component"),
        ("noise", "faxgate plugin build"),
        ("nothing", "worlds.wit"),
        ("wasi", "wasm32-unknown-unknown"),
        ("future", "faxgate:policy@1"),
        ("shape", "wit/"),
        ("pinned", "sha256"),
        ("big", "memory_mb"),
        ("bad name!", "letters, digits"),
        ("mispelt", "no such file"),
    ];
    for (name, says) in expect {
        let problem = problems
            .iter()
            .find(|p| p.plugin == name)
            .unwrap_or_else(|| panic!("{name}"));
        assert!(problem.reason.contains(says), "{name}: {}", problem.reason);
        assert!(!problem.last_good_serves);
    }
    assert_eq!(problems.len(), expect.len(), "{problems:#?}");
    assert_works(&plugins).await;
}

#[tokio::test]
async fn a_cached_component_is_believed_only_when_it_is_ours() {
    let mut folder = Folder::new();
    folder.config.cache_dir = folder.dir.path().join("cache");
    folder.put("plan", &normalizer(NORMALIZER));
    assert_works(&folder.load().await).await;
    // Its entry is the smallest by far.
    let entry = || {
        let entries = std::fs::read_dir(&folder.config.cache_dir)
            .unwrap()
            .map(|e| e.unwrap().path());
        let compiled = entries.filter(|path| path.extension().is_some());
        compiled
            .min_by_key(|path| path.metadata().unwrap().len())
            .unwrap()
    };
    let honest = std::fs::read(entry()).unwrap();

    // As kept: used. Changed anywhere: noticed, compiled again and written anew.
    assert_works(&folder.load().await).await;
    for at in [0, 32, honest.len() / 2, honest.len() - 1] {
        let mut tampered = honest.clone();
        tampered[at] ^= 1;
        std::fs::write(entry(), &tampered).unwrap();
        assert_works(&folder.load().await).await;
        assert_ne!(std::fs::read(entry()).unwrap(), tampered);
    }
    // Cut, empty, of another component, or of another key: the same.
    let largest = std::fs::read_dir(&folder.config.cache_dir)
        .unwrap()
        .map(|e| e.unwrap().path());
    let foreign = largest.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let foreign = std::fs::read(foreign).unwrap();
    for forged in [&honest[..honest.len() / 2], &honest[..31], &[], &foreign[..]] {
        let path = entry();
        std::fs::write(&path, forged).unwrap();
        assert_works(&folder.load().await).await;
        let again = std::fs::read(&path).unwrap();
        assert_eq!(again.len(), honest.len(), "it was compiled again");
    }
    std::fs::write(folder.config.cache_dir.join("key"), [0; 32]).unwrap();
    assert_works(&folder.load().await).await;
    assert_ne!(std::fs::read(entry()).unwrap(), honest);
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.config.cache_dir), 0o700);
    assert_eq!(mode(&folder.config.cache_dir.join("key")), 0o600);
    assert_eq!(mode(&entry()), 0o600);
}

#[tokio::test]
async fn the_workbench_tells_cost_and_flaws() {
    let config = PluginConfig {
        memory: 4 * MIB,
        cpu: Duration::from_millis(50),
        ..PluginConfig::default()
    };
    let grants = Grants::default();
    let open = |wasm: Vec<u8>| Inspector::open("mine", wasm, &config, &grants, true);
    let bench = open(normalizer(NORMALIZER)).await.unwrap();
    assert_eq!(bench.slot(), Slot::NumberNormalizer);
    assert_eq!(bench.inspection().initial_memory_bytes, 2 * 64 * 1024);
    assert_eq!(bench.inspection().info.imports, ["faxgate:policy/host@1.0.0"]);
    let run = bench.normalize("+12125550142", "US", false).await;
    assert!(matches!(run.outcome, Ok(Ok(NormalizedNumber::Dial(_)))));
    assert!(run.fuel.unwrap() > 10 && run.memory_bytes == 2 * 64 * 1024);
    // The same work costs the same.
    assert_eq!(bench.normalize("+12125550142", "US", false).await.fuel, run.fuel);
    let run = bench.normalize("g", "US", false).await;
    assert_eq!(run.outcome.unwrap_err().kind, FailureKind::OutOfMemory);
    assert!(run.denied_growth > 0);
    let error = open(wat::parse_str("(module)").unwrap()).await.err().unwrap();
    assert!(error.to_string().contains("faxgate plugin build"), "{error}");
}
