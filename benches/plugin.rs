//! What a policy costs: a native call, an empty plugin, the built-in normalizer, one that runs into its deadline,
//! what all three slots add to a one-page text, and the service beside plugins that misbehave; then memory over hot
//! swaps.
//!
//! `cargo bench --bench plugin [calls|slots|neighbours|swaps]`. All figures of one run come from the same machine in
//! the same minute; compare lines, not runs.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench may fail loudly and prints"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use faxgate_config::plugins::{PluginConfig, PluginsConfig};
use faxgate_domain::document::MediaType;
use faxgate_domain::number::{E164, Number};
use faxgate_policy::{ConvertLimits, ConvertOptions, Delivery, DeliveryKind, Grants, Part, Plugins, RawBody};
use faxgate_testkit::components;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
        let wants = |part: &str| wanted.as_ref().is_none_or(|word| word == part);
        if wants("calls") {
            calls().await;
        }
        if wants("slots") {
            slots().await;
        }
        if wants("neighbours") {
            neighbours().await;
        }
        if wants("swaps") {
            swaps().await;
        }
    });
}

async fn calls() {
    println!("{:<44} {:>10} {:>10}", "one call", "p50", "p99");
    let mut times = Vec::new();
    for _ in 0..100_000 {
        let begin = Instant::now();
        black_box(native(black_box("+12125550100")));
        times.push(begin.elapsed());
    }
    print("native function", times);

    let folder = Folder::new();
    folder.put("noop", &components::normalizer(&components::noop_normalizer()));
    print(
        "empty plugin, fresh instance",
        measure(&folder.load().await, "+12125550100", 20_000).await,
    );

    let folder = Folder::new();
    let plugins = folder.load().await;
    print(
        "built-in normalizer, E.164",
        measure(&plugins, "+12125550142", 5_000).await,
    );
    print(
        "built-in normalizer, national",
        measure(&plugins, "(212) 555-0142", 5_000).await,
    );

    let mut folder = Folder::new();
    folder.put("naughty", &components::normalizer(components::NORMALIZER));
    folder.limit("naughty", |config| config.cpu = Duration::from_millis(20));
    let plugins = folder.load().await;
    print(
        "loop with 20 ms of processor time",
        measure(&plugins, "l", 50).await,
    );
    print("trap", measure(&plugins, "t", 2_000).await);
    print("memory bomb (64 MiB)", measure(&plugins, "g", 200).await);
}

/// What the built-in policies take of a fax of one page of text: its number, its conversion, and its callback.
async fn slots() {
    let plugins = Folder::new().load().await;
    let text: String = (1..=50)
        .map(|line| format!("Line {line} of a letter of one page, as long as lines are.\n"))
        .collect();
    let limits = ConvertLimits {
        max_pages: 200,
        max_bytes: 64 << 20,
        max_rows: 4000,
    };
    let (mut number, mut document, mut callback, mut all) = (vec![], vec![], vec![], vec![]);
    for _ in 0..600 {
        let part = Part {
            data: text.clone().into(),
            media_type: MediaType::Text,
            file_name: None,
            attributes: Vec::new(),
        };
        let begin = Instant::now();
        plugins.normalize("(212) 555-0142", "US", false).await.unwrap();
        let numbered = Instant::now();
        let converted = plugins
            .convert(vec![part], ConvertOptions::default(), limits)
            .await;
        assert_eq!(converted.unwrap().pages, 1);
        let converted = Instant::now();
        let _ = black_box(plugins.evaluate(delivery()).await);
        let judged = Instant::now();
        number.push(numbered - begin);
        document.push(converted - numbered);
        callback.push(judged - converted);
        all.push(judged - begin);
    }
    println!(
        "\n{:<44} {:>10} {:>10}",
        "a fax of one page of text", "p50", "p99"
    );
    print("its number", number);
    print("its conversion", document);
    print("its callback", callback);
    print("all three", all);
}

/// A callback without proof: it is read in full, and rejected.
fn delivery() -> Delivery {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Delivery {
        kind: DeliveryKind::Status,
        public_url: "https://fax.example.com/phaxio-callback".to_owned(),
        headers: vec![
            pair("content-type", "application/x-www-form-urlencoded"),
            pair("x-phaxio-signature", &"00".repeat(32)),
        ],
        query: Vec::new(),
        fields: vec![pair("fax[id]", "123"), pair("fax[status]", "success")],
        files: Vec::new(),
        body: RawBody::Memory("fax%5Bid%5D=123&fax%5Bstatus%5D=success".into()),
        proof_required: true,
    }
}

/// An innocent caller while others call what misbehaves.
async fn neighbours() {
    let mut folder = Folder::new();
    folder.put("naughty", &components::normalizer(components::NORMALIZER));
    folder.limit("naughty", |config| config.cpu = Duration::from_millis(20));
    let plugins = folder.load().await;
    let alone = served(2000).await;
    let bad = ["l", "g", "s", "t", "h", "b", "u", "o", "d", "e"];
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let plugins = plugins.clone();
            tokio::spawn(async move {
                for round in 0.. {
                    let _ = plugins
                        .normalize(bad[(task + round) % bad.len()], "US", false)
                        .await;
                }
            })
        })
        .collect();
    let beside = served(2000).await;
    for task in &tasks {
        task.abort();
    }
    let after = served(2000).await;
    println!("\n{:<44} {:>10} {:>10}", "a task that is woken", "p50", "p99");
    print("alone, before", alone);
    print("beside four callers of a misbehaving plugin", beside);
    print("alone, after", after);
}

/// How late a task runs that was due: what a request beside the plugins feels.
async fn served(times: usize) -> Vec<Duration> {
    let mut late = Vec::new();
    for _ in 0..times {
        let due = Instant::now();
        tokio::spawn(async { black_box(native("+12125550100")) })
            .await
            .unwrap();
        late.push(due.elapsed());
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    late
}

async fn swaps() {
    let count = std::env::var("SWAPS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1000);
    let folder = Folder::new();
    let versions = [
        components::normalizer(components::NORMALIZER),
        components::normalizer(&components::NORMALIZER.replace("\"1.0.0\"", "\"2.0.0\"")),
    ];
    folder.put("plan", &versions[0]);
    let plugins = folder.load().await;
    let mut told = String::new();
    let mut before = None;
    let begin = Instant::now();
    for round in 1..=count {
        folder.put("plan", &versions[round % 2]);
        plugins.reload(&folder.config, Grants::default()).await.unwrap();
        plugins.normalize("+12125550142", "US", false).await.unwrap();
        // The first tenth fills caches and allocator.
        if round == count / 10 {
            before = rss_kib();
        }
    }
    if let (Some(before), Some(after)) = (before, rss_kib()) {
        write!(
            told,
            ", resident memory {before} KiB after a tenth, {after} KiB at the end"
        )
        .unwrap();
    }
    println!(
        "\n{count} hot swaps in {:.1} s{told}",
        begin.elapsed().as_secs_f64()
    );
}

fn native(raw: &str) -> Option<Number> {
    Some(Number {
        e164: E164::new(raw).ok()?,
        region: None,
        valid: true,
    })
}

async fn measure(plugins: &Plugins, raw: &str, times: usize) -> Vec<Duration> {
    let mut spans = Vec::with_capacity(times);
    for _ in 0..times / 10 + times {
        let begin = Instant::now();
        let _ = black_box(plugins.normalize(raw, "US", false).await);
        spans.push(begin.elapsed());
    }
    spans.split_off(times / 10)
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!("{what:<44} {:>10.2?} {:>10.2?}", at(50), at(99));
}

fn rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

struct Folder {
    dir: tempfile::TempDir,
    config: PluginsConfig,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = PluginsConfig {
            dir: dir.path().join("plugins"),
            cache_dir: faxgate_testkit::paths::scratch().join("plugin-cache"),
            font_dir: dir.path().join("fonts"),
            last_good_dir: dir.path().join("last-good"),
            order: Vec::new(),
            named: BTreeMap::new(),
            instances: 8,
        };
        std::fs::create_dir(&config.dir).unwrap();
        Self { dir, config }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let temporary = self.dir.path().join("new");
        std::fs::write(&temporary, bytes).unwrap();
        std::fs::rename(&temporary, self.config.dir.join(format!("{name}.wasm"))).unwrap();
    }

    fn limit(&mut self, name: &str, change: impl FnOnce(&mut PluginConfig)) {
        let mut config = PluginConfig {
            memory: 64 * 1024 * 1024,
            ..PluginConfig::default()
        };
        change(&mut config);
        self.config.named.insert(name.to_owned(), config);
    }

    async fn load(&self) -> Plugins {
        Plugins::load(&self.config, Grants::default()).await.unwrap()
    }
}
