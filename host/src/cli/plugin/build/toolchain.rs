//! Finds a Rust compiler that can build for `wasm32-unknown-unknown`.

use anyhow::bail;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of every plugin: no operating system, so nothing is imported beside the world.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler, the cargo beside it, and what it takes to reach the target.
#[derive(Debug, Clone)]
pub(super) struct Toolchain {
    /// The compiler.
    rustc: PathBuf,
    /// The cargo of the same release.
    cargo: PathBuf,
    /// `rustc 1.95.0`.
    version: String,
    /// Where the compiler keeps its libraries.
    sysroot: PathBuf,
    /// How the standard library for the target comes about.
    standard: Standard,
}

/// Where the standard library for the target comes from.
#[derive(Debug, Clone)]
enum Standard {
    /// It is installed.
    Installed,
    /// It is compiled from source with the crate, and linked by this linker.
    FromSource(PathBuf),
}

impl Toolchain {
    /// Finds one for a crate: the compiler in use there (which rustup may choose by folder) when the target is
    /// installed, else the distribution's with its sources.
    pub(super) fn find(dir: &Path) -> anyhow::Result<Self> {
        let current = Compiler::ask(PathBuf::from("rustc"), dir);
        let distribution = Compiler::ask(PathBuf::from("/usr/bin/rustc"), dir);
        let candidates = [(&current, "cargo"), (&distribution, "/usr/bin/cargo")];
        for (compiler, cargo) in candidates {
            if let Some(compiler) = compiler.as_ref().filter(|compiler| compiler.has_target()) {
                return Ok(compiler.toolchain(cargo, Standard::Installed));
            }
        }
        let linker = [&current, &distribution]
            .into_iter()
            .flatten()
            .find_map(Compiler::linker);
        if let (Some(compiler), Some(linker)) = (&distribution, linker.or_else(linker_in_path))
            && compiler.has_sources()
            && Path::new("/usr/bin/cargo").exists()
        {
            return Ok(compiler.toolchain("/usr/bin/cargo", Standard::FromSource(linker)));
        }
        bail!(
            "no Rust compiler here can build for {TARGET}. Either run `rustup target add {TARGET}`, or on Debian \
             `apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld`, then try again"
        )
    }

    /// Name and version of the compiler.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Cargo, to be run in a folder.
    pub(super) fn cargo(&self, dir: &Path) -> Command {
        let mut cargo = Command::new(&self.cargo);
        cargo.current_dir(dir);
        if let Standard::FromSource(linker) = &self.standard {
            cargo.env("RUSTC", &self.rustc).env("RUSTC_BOOTSTRAP", "1");
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        if self.rustc.is_absolute() {
            // Build scripts and cargo itself start tools by name: they have to be of the same release.
            let before = env::var_os("PATH").unwrap_or_default();
            let folder = self.rustc.parent().unwrap_or(Path::new("/usr/bin")).to_owned();
            let path = env::join_paths(std::iter::once(folder).chain(env::split_paths(&before)));
            cargo
                .env("PATH", path.unwrap_or(before))
                .env("RUSTC", &self.rustc);
        }
        cargo
    }

    /// Further arguments of `cargo build`.
    pub(super) fn cargo_args(&self) -> &'static [&'static str] {
        match self.standard {
            Standard::Installed => &[],
            Standard::FromSource(_) => &["-Z", "build-std=std,panic_abort"],
        }
    }

    /// Folders of sources that aren't the crate's, with the names they get in panic messages.
    pub(super) fn foreign_sources(&self) -> Vec<(PathBuf, &'static str)> {
        let mut folders = vec![(self.sysroot.join("lib/rustlib/src/rust"), "rust")];
        let home = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
        let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
        folders.extend(
            registries
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| (entry.path(), "crates")),
        );
        // The sources may be reached over a link, and the compiler names the place behind it.
        let behind: Vec<_> = folders
            .iter()
            .filter_map(|(path, name)| Some((path.canonicalize().ok()?, *name)))
            .collect();
        folders.extend(behind);
        folders.sort();
        folders.dedup();
        folders
    }
}

/// What a compiler says about itself.
struct Compiler {
    rustc: PathBuf,
    version: String,
    host: String,
    sysroot: PathBuf,
}

impl Compiler {
    /// Asks a compiler; none when there is no such compiler or it gives no answer.
    fn ask(rustc: PathBuf, dir: &Path) -> Option<Self> {
        let answer = |arguments: &[&str]| {
            let output = Command::new(&rustc)
                .args(arguments)
                .current_dir(dir)
                .output()
                .ok()?;
            output
                .status
                .success()
                .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let version = answer(&["--version", "--verbose"])?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))?
            .trim()
            .to_owned();
        let release = version
            .lines()
            .find_map(|line| line.strip_prefix("release: "))?
            .trim();
        let sysroot = PathBuf::from(answer(&["--print", "sysroot"])?.trim());
        let version = format!("rustc {release}");
        Some(Self {
            rustc,
            version,
            host,
            sysroot,
        })
    }

    /// Whether the standard library for the target is installed.
    fn has_target(&self) -> bool {
        let libraries = fs::read_dir(self.sysroot.join("lib/rustlib").join(TARGET).join("lib"));
        libraries.is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
        })
    }

    /// Whether the sources of the standard library are installed.
    fn has_sources(&self) -> bool {
        self.sysroot
            .join("lib/rustlib/src/rust/library/std/Cargo.toml")
            .is_file()
    }

    /// The linker that comes with the compiler.
    fn linker(&self) -> Option<PathBuf> {
        let linker = self
            .sysroot
            .join("lib/rustlib")
            .join(&self.host)
            .join("bin/rust-lld");
        linker.is_file().then_some(linker)
    }

    fn toolchain(&self, cargo: &str, standard: Standard) -> Toolchain {
        Toolchain {
            rustc: self.rustc.clone(),
            cargo: PathBuf::from(cargo),
            version: self.version.clone(),
            sysroot: self.sysroot.clone(),
            standard,
        }
    }
}

/// A linker for WebAssembly that was installed on its own.
fn linker_in_path() -> Option<PathBuf> {
    let path: OsString = env::var_os("PATH")?;
    let names = ["rust-lld", "wasm-ld"];
    env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file())
}
