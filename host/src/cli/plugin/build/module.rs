//! Plugins that no crate makes: a folder of C, or a core module of whatever compiler.
//!
//! Such a module does not say which world it implements, so `--slot` does. It exports the functions of the canonical
//! ABI by name; `plugins/examples/country-fence` shows how that looks in C.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::{BuildRequest, Built, finish};
use faxgate_policy::tools::encode::{self, Kind};
use faxgate_policy::{Slot, tools::wit};

/// Options that make a module without an operating system: no C library, nothing imported beside the world.
const OPTIONS: [&str; 12] = [
    "--target=wasm32-unknown-unknown",
    "-std=c17",
    "-O2",
    "-Wall",
    "-Wextra",
    "-ffreestanding",
    "-nostdlib",
    "-mbulk-memory",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    // The stack below the data: an overflow traps and overwrites nothing.
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=65536",
];

/// Makes a component of a core module that lies in a file; a component stays what it is.
pub(super) fn build_file(file: &Path, request: &BuildRequest) -> anyhow::Result<Built> {
    let name = stem(file)?;
    let out = request
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.wasm")));
    if out.canonicalize().is_ok_and(|out| out == file) {
        bail!(
            "the component would overwrite {}: name another place with --out",
            file.display()
        );
    }
    let bytes = fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
    match encode::kind(&bytes) {
        Some(Kind::Module) => {}
        Some(Kind::Component) => bail!(
            "{} is a component already: `faxgate plugin check` says whether it loads",
            file.display()
        ),
        None => bail!(
            "{} is not a WebAssembly binary: name a core module",
            file.display()
        ),
    }
    let module = match request.slot {
        Some(slot) => wit::describe(&bytes, slot)?,
        // Modules made with wit-bindgen say so themselves.
        None => bytes,
    };
    finish(&name, &module, "a core module", request)
}

/// Compiles every C source of a folder and makes a component of the module.
pub(super) fn build_c(folder: &Path, request: &BuildRequest) -> anyhow::Result<Built> {
    let sources = sources(folder)?;
    if sources.is_empty() {
        bail!(
            "{} holds neither a Cargo.toml nor sources in C: `faxgate plugin new` makes a crate to start from",
            folder.display()
        );
    }
    let Some(slot) = request.slot else {
        let slots = Slot::ALL.map(Slot::as_str).join(", ");
        bail!("C does not say what the plugin decides: add --slot with one of {slots}");
    };
    let compiler = version()?;
    let scratch = tempfile::tempdir().context("no temporary folder can be made")?;
    let module = scratch.path().join("module.wasm");
    let status = Command::new(CLANG)
        .args(OPTIONS)
        .arg("-o")
        .arg(&module)
        .args(&sources)
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .with_context(no_clang)?;
    if !status.success() {
        bail!(
            "{} does not compile: see clang's messages above (a missing wasm-ld comes with `apt-get install lld`)",
            folder.display()
        );
    }
    let module = fs::read(&module).context("clang left no module")?;
    finish(&stem(folder)?, &wit::describe(&module, slot)?, &compiler, request)
}

const CLANG: &str = "clang";

fn no_clang() -> String {
    "clang could not be started: install it with its linker, on Debian `apt-get install clang lld`".to_owned()
}

/// The first line of what clang says about itself.
fn version() -> anyhow::Result<String> {
    let output = Command::new(CLANG)
        .arg("--version")
        .output()
        .with_context(no_clang)?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or("clang").trim().to_owned())
}

/// The `.c` files of a folder by name, so that the same sources make the same module.
fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || format!("{} can't be read", folder.display());
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "c")
            && let Some(name) = path.file_name()
        {
            // Relative to the folder: no path of this machine gets into the module.
            sources.push(Path::new(".").join(name));
        }
    }
    sources.sort();
    Ok(sources)
}

fn stem(path: &Path) -> anyhow::Result<String> {
    let name = path.file_stem().and_then(|name| name.to_str());
    Ok(name
        .with_context(|| format!("{} has no usable name: give one with --out", path.display()))?
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(source: &Path, slot: Option<Slot>, out: Option<PathBuf>) -> BuildRequest {
        BuildRequest {
            source: source.to_owned(),
            slot,
            out,
        }
    }

    fn refusal(source: &Path, slot: Option<Slot>, out: Option<PathBuf>) -> String {
        let error = super::super::build(&request(source, slot, out)).expect_err("an error");
        format!("{error:#}")
    }

    #[test]
    fn says_what_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let out = Some(path("out.wasm"));
        fs::write(path("policy.c"), "int x;").expect("a file");
        assert!(refusal(folder.path(), None, None).contains("number-normalizer"));
        fs::write(path("core.wasm"), b"\0asm\x01\0\0\0").expect("a file");
        fs::write(path("component.wasm"), b"\0asm\x0d\0\x01\0").expect("a file");
        fs::write(path("noise.wasm"), b"MZ").expect("a file");
        let core = path("core.wasm");
        assert!(refusal(&core, None, Some(core.clone())).contains("--out"));
        assert!(refusal(&core, None, out.clone()).contains("--slot"));
        assert!(refusal(&core, Some(Slot::Converter), out.clone()).contains("does not fit the world"));
        assert!(refusal(&path("component.wasm"), None, out.clone()).contains("plugin check"));
        assert!(refusal(&path("noise.wasm"), None, out).contains("core module"));
    }

    #[test]
    fn sources_come_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.c", "a.c", "a.h", "notes.txt"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let found = sources(folder.path()).expect("sources");
        assert_eq!(found, [Path::new("./a.c"), Path::new("./b.c")]);
    }
}
