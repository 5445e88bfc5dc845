//! The developer's kit as an author of a policy meets it: `faxgate plugin build`, `check`, `run` and `list`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use faxgate_testkit::components::{NORMALIZER, normalizer};

/// A folder with plugins, a configuration, and the program.
pub(crate) struct Kit {
    folder: TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) ok: bool,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Kit {
    pub(crate) fn new() -> Self {
        let kit = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        kit.configure("");
        kit
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, toml: &str) {
        self.put("faxgate.toml", toml);
    }

    /// `faxgate plugin …` in this folder.
    pub(crate) fn plugin(&self, arguments: &[&str]) -> Said {
        let mut program = Command::new(faxgate_testkit::paths::program());
        program.arg("plugin").args(arguments);
        said(self.at_home(&mut program))
    }

    /// A command in this folder, with the compiled components and build results of the tests.
    pub(crate) fn at_home<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let shared = faxgate_testkit::paths::scratch();
        command
            .current_dir(self.folder.path())
            .env("XDG_CACHE_HOME", shared.join("cache"))
            .env("CARGO_TARGET_DIR", shared.join("guests"))
            .env("FAXGATE_CONFIG", self.path("faxgate.toml"))
    }
}

/// Runs a command to its end.
pub(crate) fn said(command: &mut Command) -> Said {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program starts");
    Said {
        ok: status.success(),
        out: String::from_utf8(stdout).expect("UTF-8"),
        err: String::from_utf8(stderr).expect("UTF-8"),
    }
}

impl Said {
    /// Everything, for a look.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    pub(crate) fn fine(&self, holds: &[&str]) -> &Self {
        assert!(self.ok, "{}", self.all());
        self.holds(holds)
    }

    #[track_caller]
    pub(crate) fn refused(&self, holds: &[&str]) -> &Self {
        assert!(!self.ok, "{}", self.all());
        self.holds(holds)
    }

    #[track_caller]
    fn holds(&self, texts: &[&str]) -> &Self {
        let all = self.all();
        for text in texts {
            assert!(all.contains(text), "{text:?} is missing in:\n{all}");
        }
        self
    }

    fn line(&self, head: &str) -> String {
        let line = self.out.lines().find(|line| line.starts_with(head));
        line.unwrap_or_else(|| panic!("no {head:?} in {}", self.out))
            .to_owned()
    }
}

#[test]
fn a_run_tells_answer_time_memory_and_fuel() {
    let kit = Kit::new();
    kit.put("mine.wasm", normalizer(NORMALIZER));
    kit.configure("[plugins.mine]\ncpu_ms = 50\nmemory_mb = 4\n");
    let run = |text: &str| {
        kit.put("number.txt", text);
        kit.plugin(&["run", "mine.wasm", "number.txt"])
    };
    let first = run("+12125550142\n");
    first.fine(&[
        "slot    number-normalizer",
        "answer  dial",
        "number  +12125550142",
        "time    ",
        "memory  128 KiB",
        "fuel    ",
    ]);
    let again = run("+12125550142\n");
    assert_eq!(
        first.line("fuel"),
        again.line("fuel"),
        "the same work costs the same"
    );
    // What it leaves to others is decided by others.
    run("w").fine(&[
        "answer  rewrite to \"+12125550100\"",
        "number  +12125550100",
        "region  US",
    ]);
    run("p").refused(&["answer  pass", "not a fax number"]);
    run("r").refused(&["refused: ", "Not allowed here."]);
    run("t").refused(&["failed  trap: ", "remedy  ", "fuel    "]);
    run("g").refused(&[
        "failed  out_of_memory: ",
        "denied  memory was denied",
        "memory_mb",
    ]);
    run("l").refused(&["failed  cpu_deadline: stopped after", "cpu_ms", "not counted"]);
    run("d").refused(&["failed  bad_answer: "]);
    kit.plugin(&["run", "mine.wasm", "absent.txt"])
        .refused(&["absent.txt can't be read"]);
    kit.plugin(&["run", "absent.wasm", "number.txt"])
        .refused(&["absent.wasm can't be read"]);
}

/// Files that don't load, and what is said about them.
fn bad_files(kit: &Kit) -> Vec<(&'static str, Vec<&'static str>)> {
    let wat = |text: &str| wat::parse_str(text).expect("a module or component");
    let good = normalizer(NORMALIZER);
    kit.put("core.wasm", wat("(module)"));
    kit.put("cut.wasm", &good[..good.len() / 2]);
    kit.put("text.wasm", "(component)");
    kit.put("machine.wasm", b"\x7fELF\x02\x01\x01");
    kit.put(
        "wasi.wasm",
        wat(r#"(component
            (import "wasi:filesystem/types@0.2.0" (instance (export "stat" (func))))
            (import "acme:lookup/dns@1.0.0" (instance (export "ask" (func)))))"#),
    );
    kit.put(
        "future.wasm",
        wat(r#"(component (instance $i)
            (export "faxgate:policy/number-normalizer@2.0.0" (instance $i)))"#),
    );
    kit.put(
        "shape.wasm",
        wat(r#"(component (instance $i)
            (export "faxgate:policy/number-normalizer@1.0.0" (instance $i))
            (export "faxgate:policy/plugin@1.0.0" (instance $i)))"#),
    );
    kit.put(
        "nameless.wasm",
        wat(r#"(component (instance $i)
            (export "faxgate:policy/number-normalizer@1.0.0" (instance $i)))"#),
    );
    let starved = NORMALIZER.replace(
        "(memory (export \"memory\") 2)",
        "(memory (export \"memory\") 200)",
    );
    kit.put("starved.wasm", normalizer(&starved));
    let moody = NORMALIZER.replace(
        "(i32.const 1100))",
        "(i32.store8 (i32.const 1100) (i32.const 1)) (i32.store (i32.const 1104) (i32.const 80))
         (i32.store (i32.const 1108) (i32.const 17)) (i32.const 1100))",
    );
    kit.put("moody.wasm", normalizer(&moody));
    let mute = NORMALIZER.replace("(i32.store (i32.const 1024) (i32.const 16))", "(unreachable)");
    kit.put("mute.wasm", normalizer(&mute));
    let unversioned = NORMALIZER.replace("(i32.const 1036) (i32.const 5)", "(i32.const 1036) (i32.const 0)");
    kit.put("unversioned.wasm", normalizer(&unversioned));
    kit.put("pinned.wasm", &good);
    kit.configure(&format!(
        "[plugins.starved]\nmemory_mb = 4\n[plugins.pinned]\nsha256 = \"{}\"\n",
        "ab".repeat(32)
    ));
    vec![
        ("core", vec!["core WebAssembly module", "faxgate plugin build"]),
        ("cut", vec!["not a valid component", "build it again"]),
        ("text", vec!["text format"]),
        ("machine", vec!["machine code"]),
        (
            "wasi",
            vec![
                "exports none of converter, number-normalizer and callback-policy",
                "\"wasi:filesystem/types@0.2.0\"",
                "wasm32-unknown-unknown",
                "\"acme:lookup/dns@1.0.0\"",
                "remove what needs it",
            ],
        ),
        (
            "future",
            vec!["number-normalizer@2.0.0", "serves faxgate:policy@1"],
        ),
        ("shape", vec!["does not fit the interface", "`describe`"]),
        ("nameless", vec!["faxgate:policy/plugin@1"]),
        ("starved", vec!["starts with 12.5 MiB", "memory_mb"]),
        ("moody", vec!["refuses its settings: Not allowed here.", "moody"]),
        ("mute", vec!["fails at load", "trap"]),
        ("unversioned", vec!["the version must have"]),
        ("pinned", vec!["SHA-256", "abababab", "update `sha256`"]),
    ]
}

#[test]
fn a_check_explains_every_problem() {
    let kit = Kit::new();
    for (name, says) in bad_files(&kit) {
        let file = format!("{name}.wasm");
        kit.plugin(&["check", &file]).refused(&says);
        let told = kit.plugin(&["check", "--json", &file]);
        let told: Value = serde_json::from_str(&told.refused(&[]).out).expect("JSON");
        let problems = told["problems"].as_array().expect("a list");
        assert!(!problems.is_empty(), "{told}");
    }
    // Each on a line of its own.
    let lines = kit.plugin(&["check", "wasi.wasm"]).out;
    assert_eq!(
        lines.lines().filter(|line| line.starts_with("problem: ")).count(),
        3,
        "{lines}"
    );
    kit.put("fine.wasm", normalizer(NORMALIZER));
    kit.plugin(&["check", "fine.wasm"]).fine(&[
        "slot     number-normalizer",
        "imports  faxgate:policy/host@1.0.0",
        "secrets  none",
        "limits   256 MiB of memory",
        "the request fails",
        "128 KiB of memory",
    ]);
    let told = kit.plugin(&["check", "--json", "fine.wasm"]);
    let told: Value = serde_json::from_str(&told.fine(&[]).out).expect("JSON");
    assert_eq!(told["slot"], "number-normalizer");
    assert_eq!(told["initial_memory_bytes"], 131_072);
}

#[test]
fn a_list_says_what_a_service_would_load_and_why_not_the_rest() {
    let kit = Kit::new();
    bad_files(&kit);
    for name in ["20-second", "10-first"] {
        kit.put(&format!("plugins/{name}.wasm"), normalizer(NORMALIZER));
    }
    for bad in ["core", "cut", "starved", "wasi"] {
        fs::copy(
            kit.path(&format!("{bad}.wasm")),
            kit.path(&format!("plugins/{bad}.wasm")),
        )
        .expect("a copy");
    }
    kit.put("plugins/bad name!.wasm", normalizer(NORMALIZER));
    kit.put("plugins/notes.txt", "nobody's business");
    kit.configure(
        "[plugins]\ndir = \"plugins\"\n[plugins.starved]\nmemory_mb = 4\n[plugins.mispelt]\ncpu_ms = 5\n",
    );
    let told = kit.plugin(&["list"]);
    told.refused(&[
        "core.wasm: it is a core",
        "cut.wasm: it is not a valid",
        "memory_mb",
        "bad name!",
    ]);
    let at = |name: &str| {
        told.out
            .find(name)
            .unwrap_or_else(|| panic!("{name}: {}", told.out))
    };
    assert!(at("10-first") < at("20-second") && at("20-second") < at("number-e164"));
    assert!(!told.out.contains("starved"), "{}", told.out);
    let told = kit.plugin(&["list", "--json"]);
    let told: Value = serde_json::from_str(&told.refused(&[]).out).expect("JSON");
    let names = |list: &str, key: &str| -> Vec<String> {
        let all = told[list].as_array().expect("a list").iter();
        all.map(|entry| entry[key].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        names("problems", "plugin"),
        ["bad name!", "core", "cut", "starved", "wasi", "mispelt"]
    );
    assert_eq!(names("items", "name").len(), 5);
    // The secrets of the provider are for the policy that can use them.
    for plugin in told["items"].as_array().expect("a list") {
        let granted = plugin["secrets"].as_array().expect("a list").len();
        assert_eq!(
            granted,
            if plugin["name"] == "callback-phaxio" { 2 } else { 0 },
            "{plugin}"
        );
    }
}

#[test]
fn a_core_module_of_any_compiler_becomes_a_component() {
    let kit = Kit::new();
    kit.put("core.wasm", wat::parse_str(NORMALIZER).expect("a module"));
    let build = ["build", "core.wasm", "--out", "mine.wasm"];
    kit.plugin(&build).refused(&["--slot"]);
    let with = |slot: &'static str| [&build[..], &["--slot", slot]].concat();
    kit.plugin(&with("converter"))
        .refused(&["does not fit the world", "faxgate:policy/converter@1.0.0"]);
    assert!(!kit.path("mine.wasm").exists());
    kit.plugin(&with("number-normalizer")).fine(&[
        "imports  faxgate:policy/host@1.0.0",
        "exports  faxgate:policy/number-normalizer@1.0.0, faxgate:policy/plugin@1.0.0",
    ]);
    kit.plugin(&["check", "mine.wasm"])
        .fine(&["slot     number-normalizer"]);
    let foreign = NORMALIZER.replace("faxgate:policy/host@1.0.0", "env");
    kit.put("core.wasm", wat::parse_str(&foreign).expect("a module"));
    kit.plugin(&with("number-normalizer"))
        .refused(&["env", "log", "nothing else"]);
}

#[test]
fn a_plugin_in_c_is_built_and_tested_by_its_script() {
    let clang = Command::new("clang")
        .args(["--target=wasm32-unknown-unknown", "--print-targets"])
        .output();
    let able = clang.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains("wasm32"));
    let linker = Command::new("wasm-ld").arg("--version").output();
    if !able || linker.is_err() {
        eprintln!("skipped: no clang with wasm-ld here (apt-get install clang lld)");
        return;
    }
    let kit = Kit::new();
    let script = faxgate_testkit::paths::repository().join("plugins/examples/country-fence/test.sh");
    let mut run = Command::new("sh");
    run.arg(script).arg(faxgate_testkit::paths::program());
    said(kit.at_home(&mut run)).fine(&["ok: a bad setting is refused"]);
}
