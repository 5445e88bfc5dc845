//! `faxgate plugin build`: a crate, sources in C or a core module to a component.
//!
//! Cargo compiles the crate to a core module for `wasm32-unknown-unknown`; [`encode`] makes the component. The
//! crate may ask for target features and for its preparation to be done at build time (see [`snapshot`]):
//!
//! ```toml
//! [package.metadata.faxgate]
//! target-features = ["simd128"]
//! snapshot = "prepare"   # an exported function without parameters
//! ```

mod module;
mod toolchain;

use anyhow::{Context, bail};
use faxgate_policy::Slot;
use faxgate_policy::tools::encode::{self, ComponentInterface};
use faxgate_policy::tools::manifest::{Entry, Manifest, sha256, source_hash};
use faxgate_policy::tools::snapshot::snapshot;
use serde::Deserialize;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use toolchain::{TARGET, Toolchain};

/// What to build.
#[derive(Debug, Clone)]
pub(super) struct BuildRequest {
    /// Folder of the crate or of sources in C, or a core module.
    pub source: PathBuf,
    /// What it decides, where the module does not say so itself.
    pub slot: Option<Slot>,
    /// Where the component goes; none for `NAME.wasm` in the current folder.
    pub out: Option<PathBuf>,
}

/// What came out.
#[derive(Debug, Clone)]
pub(super) struct Built {
    /// Name of the crate.
    pub name: String,
    /// The component.
    pub file: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// What it imports and exports.
    pub interface: ComponentInterface,
    /// Name and version of the compiler.
    pub compiler: String,
}

/// Answer of `cargo metadata`, as far as it is read.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    metadata: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Builds one plugin. What compilers say goes to standard error.
pub(super) fn build(request: &BuildRequest) -> anyhow::Result<Built> {
    let source = request.source.canonicalize().with_context(|| {
        format!(
            "there is no {}: name the folder of a plugin crate or of sources in C, or a core module",
            request.source.display()
        )
    })?;
    if source.is_file() {
        return module::build_file(&source, request);
    }
    if source.join("Cargo.toml").is_file() {
        return build_crate(source, request);
    }
    module::build_c(&source, request)
}

/// Builds a crate.
fn build_crate(dir: PathBuf, request: &BuildRequest) -> anyhow::Result<Built> {
    let manifest = dir.join("Cargo.toml");
    let toolchain = Toolchain::find(&dir)?;
    let metadata = metadata(&toolchain, &dir, &manifest)?;
    let package = metadata
        .packages
        .iter()
        .find(|package| {
            package
                .manifest_path
                .canonicalize()
                .is_ok_and(|path| path == manifest)
        })
        .with_context(|| {
            format!(
                "{} is a workspace: name the folder of one of its crates",
                dir.display()
            )
        })?;
    let library = package
        .targets
        .iter()
        .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
        .context(
            "the crate makes no module: put `crate-type = [\"cdylib\"]` under [lib] in its Cargo.toml",
        )?;
    compile(&toolchain, &metadata, package)?;

    let file = format!("{}.wasm", library.name.replace('-', "_"));
    let module = metadata.target_directory.join(TARGET).join("release").join(file);
    let module = fs::read(&module).with_context(|| format!("cargo left no {}", module.display()))?;
    let module = match snapshot_function(package)? {
        Some(prepare) => snapshot(&module, prepare)?,
        None => module,
    };
    finish(&package.name, &module, toolchain.version(), request)
}

/// Makes the component of a module and puts it where it is wanted.
fn finish(name: &str, module: &[u8], compiler: &str, request: &BuildRequest) -> anyhow::Result<Built> {
    let component = encode::encode(module)?;
    let interface = encode::component_interface(&component)?;
    let out = request
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.wasm")));
    write(&out, &component)?;
    Ok(Built {
        name: name.to_owned(),
        file: out,
        size: component.len() as u64,
        sha256: sha256(&component),
        interface,
        compiler: compiler.to_owned(),
    })
}

/// Builds first-party crates into `plugins/dist`: those named, or every one the manifest lists. `root` is the
/// folder that holds `plugins/` and `wit/`.
pub(super) fn build_first_party(root: &Path, names: &[String]) -> anyhow::Result<Manifest> {
    let dist = root.join("plugins/dist");
    let mut manifest = match Manifest::read(&dist) {
        Ok(manifest) => manifest,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Manifest::default(),
        Err(error) => return Err(error).context("plugins/dist/manifest.json cannot be read"),
    };
    let listed: Vec<String> = manifest
        .components
        .iter()
        .map(|entry| entry.name.clone())
        .collect();
    let names = if names.is_empty() { &listed } else { names };
    fs::create_dir_all(&dist)?;
    for name in names {
        let file = format!("{name}.wasm");
        let request = BuildRequest {
            source: root.join("plugins").join(name),
            slot: None,
            out: Some(dist.join(&file)),
        };
        let source = source_hash(root, name)?;
        let built = build(&request).with_context(|| format!("{name} was not built"))?;
        if source_hash(root, name)? != source {
            bail!("the sources of {name} changed while it was built: build it again");
        }
        manifest.put(Entry {
            source,
            name: built.name,
            file,
            size: built.size,
            sha256: built.sha256,
            compiler: built.compiler,
        });
        manifest.write(&dist)?;
    }
    Ok(manifest)
}

fn metadata(toolchain: &Toolchain, dir: &Path, manifest: &Path) -> anyhow::Result<Metadata> {
    let output = toolchain
        .cargo(dir)
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("cargo cannot read {}: see its message above", manifest.display());
    }
    serde_json::from_slice(&output.stdout).context("cargo's answer is not understood")
}

fn compile(toolchain: &Toolchain, metadata: &Metadata, package: &Package) -> anyhow::Result<()> {
    let dir = package.manifest_path.parent().unwrap_or(Path::new("."));
    let mut cargo = toolchain.cargo(dir);
    cargo.args([
        "build",
        "--release",
        "--lib",
        "--target",
        TARGET,
        "--package",
        &package.name,
    ]);
    cargo.arg("--manifest-path").arg(&package.manifest_path);
    if metadata.workspace_root.join("Cargo.lock").is_file() {
        cargo.arg("--locked");
    }
    cargo.args(toolchain.cargo_args());
    cargo
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags(toolchain, metadata, package)?);
    // The module must not depend on where its build results lie.
    cargo
        .env_remove("CARGO_BUILD_TARGET_DIR")
        .env("CARGO_TARGET_DIR", &metadata.target_directory);
    let status = cargo
        .stdout(Stdio::null())
        .status()
        .context("cargo could not be started")?;
    if !status.success() {
        bail!("{} does not compile: see cargo's messages above", package.name);
    }
    Ok(())
}

/// Flags for the compiler, in cargo's form: target features, and no path of this machine in the module.
fn flags(toolchain: &Toolchain, metadata: &Metadata, package: &Package) -> anyhow::Result<OsString> {
    let mut flags: Vec<OsString> = Vec::new();
    for feature in target_features(package)? {
        flags.push(format!("-Ctarget-feature=+{feature}").into());
    }
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    };
    remap(&metadata.workspace_root, "plugins");
    for (from, to) in toolchain.foreign_sources() {
        remap(&from, to);
    }
    Ok(flags.join(&OsString::from("\u{1f}")))
}

/// A key of `[package.metadata.faxgate]`.
fn wish<'a>(package: &'a Package, key: &str) -> Option<&'a serde_json::Value> {
    package.metadata.as_ref()?.get("faxgate")?.get(key)
}

/// `[package.metadata.faxgate] snapshot`: the function that prepares the module.
fn snapshot_function(package: &Package) -> anyhow::Result<Option<&str>> {
    let Some(wish) = wish(package, "snapshot") else {
        return Ok(None);
    };
    let name = wish.as_str().filter(|name| !name.is_empty());
    let name = name.context(
        "`snapshot` under [package.metadata.faxgate] has to be the name of an exported function such as \"prepare\"",
    )?;
    Ok(Some(name))
}

/// `[package.metadata.faxgate] target-features`, checked: they end up on a compiler's command line.
fn target_features(package: &Package) -> anyhow::Result<Vec<&str>> {
    let Some(listed) = wish(package, "target-features") else {
        return Ok(Vec::new());
    };
    let plain = |name: &&str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let features: Option<Vec<&str>> = listed
        .as_array()
        .and_then(|list| list.iter().map(|name| name.as_str().filter(plain)).collect());
    features.context(
        "`target-features` under [package.metadata.faxgate] has to be a list of names such as \"simd128\"",
    )
}

/// Writes beside the place and renames, so that a running gateway never sees half a component.
fn write(out: &Path, component: &[u8]) -> anyhow::Result<()> {
    let folder = out
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let failed = || format!("{} cannot be written", out.display());
    let mut file = tempfile::Builder::new()
        .prefix(".faxgate-")
        .suffix(".wasm.tmp")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .with_context(failed)?;
    std::io::Write::write_all(&mut file, component).with_context(failed)?;
    file.persist(out).with_context(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(metadata: Option<serde_json::Value>) -> Package {
        Package {
            name: "p".into(),
            manifest_path: "p/Cargo.toml".into(),
            targets: Vec::new(),
            metadata,
        }
    }

    #[test]
    fn reads_target_features() {
        let of = |json| target_features(&package(Some(json))).map(|list| list.join(","));
        assert_eq!(target_features(&package(None)).expect("none"), Vec::<&str>::new());
        assert_eq!(of(serde_json::json!({"docs": {}})).expect("none"), "");
        let two = serde_json::json!({"faxgate": {"target-features": ["simd128", "bulk-memory"]}});
        assert_eq!(of(two).expect("two"), "simd128,bulk-memory");
        for odd in [
            serde_json::json!("simd128"),
            serde_json::json!([1]),
            serde_json::json!(["a b"]),
            serde_json::json!([""]),
        ] {
            assert!(of(serde_json::json!({"faxgate": {"target-features": odd}})).is_err());
        }
    }

    #[test]
    fn reads_the_function_that_prepares() {
        let of = |json: serde_json::Value| {
            let package = package(Some(serde_json::json!({"faxgate": {"snapshot": json}})));
            snapshot_function(&package)
                .map(|name| name.map(str::to_owned))
                .ok()
        };
        assert_eq!(of("prepare".into()), Some(Some("prepare".to_owned())));
        assert_eq!(of(1.into()), None);
        assert_eq!(of("".into()), None);
        assert_eq!(snapshot_function(&package(None)).expect("none"), None);
    }

    #[test]
    fn says_what_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let message = |dir: &Path| {
            build(&BuildRequest {
                source: dir.to_owned(),
                slot: None,
                out: None,
            })
            .expect_err("an error")
            .to_string()
        };
        assert!(message(&folder.path().join("absent")).contains("name the folder of a plugin crate"));
        assert!(message(folder.path()).contains("faxgate plugin new"));
    }

    #[test]
    fn a_component_replaces_the_old_one_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("a.wasm");
        write(&out, b"one").expect("written");
        write(&out, b"two").expect("written");
        assert_eq!(fs::read(&out).expect("read"), b"two");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert!(write(&folder.path().join("absent/a.wasm"), b"x").is_err());
    }
}
