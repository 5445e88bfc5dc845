//! Which sources the built first-party components in `plugins/dist` were made from.
//!
//! A clone builds with nothing but cargo because the components are kept beside their sources. What keeps them
//! honest is a hash of the sources: a test fails when they changed and the component was not built again.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the manifest in the folder of built components.
pub const FILE_NAME: &str = "manifest.json";

/// The built components.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One entry per component, sorted by crate.
    pub components: Vec<Entry>,
}

/// One built component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name of the crate, which is its folder too.
    pub name: String,
    /// File in the folder of built components.
    pub file: String,
    /// Bytes of the component.
    pub size: u64,
    /// Lower-case hexadecimal SHA-256 of the component.
    pub sha256: String,
    /// [`source_hash`] of what it was built from.
    pub source: String,
    /// The compiler, for example `rustc 1.95.0`.
    pub compiler: String,
}

impl Manifest {
    /// Reads the manifest of a folder.
    pub fn read(dist: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(dist.join(FILE_NAME))?).map_err(io::Error::from)
    }

    /// Writes the manifest of a folder.
    pub fn write(&self, dist: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        fs::write(dist.join(FILE_NAME), text)
    }

    /// Takes an entry in, in place of an older one of the same crate.
    pub fn put(&mut self, entry: Entry) {
        self.components.retain(|known| known.name != entry.name);
        self.components.push(entry);
        self.components.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// Lower-case hexadecimal SHA-256 over everything that decides what a first-party crate is built to: its own
/// files, those of the crates outside `plugins/` that it depends on by path, the WIT package, the manifest and the
/// lock file of the plugin workspace. `root` is the folder that holds `plugins/` and `wit/`; only paths below it enter
/// the hash.
///
/// Tests do not count, nor do hidden files, build results and prose: they change no component.
pub fn source_hash(root: &Path, name: &str) -> io::Result<String> {
    let mut files = Vec::new();
    collect(root, &Path::new("plugins").join(name), &mut files)?;
    for shared in shared_crates(root, name)? {
        collect(root, &shared, &mut files)?;
    }
    collect(root, Path::new("wit"), &mut files)?;
    files.extend(["plugins/Cargo.toml", "plugins/Cargo.lock"].map(PathBuf::from));
    let mut named: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|file| {
            (
                file.components()
                    .map(|part| part.as_os_str().to_string_lossy())
                    .collect::<Vec<_>>()
                    .join("/"),
                file,
            )
        })
        .collect();
    named.sort();
    let mut hasher = Sha256::new();
    for (name, file) in named {
        let content = fs::read(root.join(file))?;
        // Lengths first, so that no two trees give the same bytes.
        for part in [name.as_bytes(), &content] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    Ok(hex::encode(hasher.finalize()))
}

/// Lower-case hexadecimal SHA-256 of a component.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The folders outside `plugins/` that a crate depends on by path.
fn shared_crates(root: &Path, name: &str) -> io::Result<BTreeSet<PathBuf>> {
    let manifest = root.join("plugins").join(name).join("Cargo.toml");
    let text = match fs::read_to_string(manifest) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let folder = |line: &str| {
        let (_, rest) = line.split_once("path = \"../../")?;
        let (folder, _) = rest.split_once('"')?;
        Some(PathBuf::from(folder))
    };
    Ok(text.lines().filter_map(folder).collect())
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = folder.join(&name);
        let name = name.to_string_lossy();
        let skipped = name.starts_with('.')
            || matches!(
                name.as_ref(),
                "target" | "tests" | "tests.rs" | "testing.rs" | "benches" | "fuzz"
            )
            || name.ends_with(".wasm")
            || name.ends_with(".md");
        if skipped {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
    }

    #[test]
    fn components_are_built_from_the_sources_beside_them() {
        let dist = root().join("plugins/dist");
        let manifest = Manifest::read(&dist).expect("a manifest");
        assert!(!manifest.components.is_empty(), "no component is built");
        for entry in &manifest.components {
            let component = fs::read(dist.join(&entry.file)).expect("the component");
            assert_eq!(
                sha256(&component),
                entry.sha256,
                "{} is not the one that was built",
                entry.file
            );
            assert_eq!(component.len() as u64, entry.size, "{}", entry.file);
            assert_eq!(
                source_hash(&root(), &entry.name).expect("sources"),
                entry.source,
                "the sources of {} changed: run plugins/build.sh and commit plugins/dist",
                entry.name
            );
        }
        let listed = |file: &str| manifest.components.iter().any(|entry| entry.file == file);
        for file in fs::read_dir(dist).expect("the folder") {
            let name = file.expect("a file").file_name().to_string_lossy().into_owned();
            assert!(
                name == FILE_NAME || listed(&name),
                "{name} is not in the manifest"
            );
        }
    }

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let common = [
            ("plugins/Cargo.toml", "t"),
            ("plugins/Cargo.lock", "l"),
            ("wit/a.wit", "w"),
        ];
        for (name, content) in common.iter().chain(files) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, content).expect("a file");
        }
        folder
    }

    fn hash(files: &[(&str, &str)]) -> String {
        source_hash(tree(files).path(), "p").expect("a hash")
    }

    #[test]
    fn the_hash_follows_content_and_names_but_not_the_place() {
        let base = [("plugins/p/src/lib.rs", "a"), ("plugins/p/Cargo.toml", "b")];
        assert_eq!(hash(&base), hash(&base), "the place does not matter");
        assert_ne!(hash(&base), hash(&[("plugins/p/src/lib.rs", "A"), base[1]]));
        assert_ne!(hash(&base), hash(&[("plugins/p/src/lab.rs", "a"), base[1]]));
        for other in ["plugins/p/data/x", "wit/b.wit"] {
            assert_ne!(hash(&base), hash(&[base[0], base[1], (other, "")]), "{other}");
        }
        for other in [
            "plugins/q/src/lib.rs",
            "plugins/p/target/x",
            "plugins/p/src/a/tests.rs",
            "plugins/p/README.md",
        ] {
            assert_eq!(hash(&base), hash(&[base[0], base[1], (other, "")]), "{other}");
        }
    }

    #[test]
    fn a_crate_depended_on_by_path_counts() {
        let manifest = "[dependencies]\nwords = { path = \"../../host/crates/words\", features = [\"x\"] }";
        let with = |manifest: &str, source: &str| {
            hash(&[
                ("plugins/p/Cargo.toml", manifest),
                ("host/crates/words/src/lib.rs", source),
                ("host/crates/words/src/tests.rs", source),
                ("host/crates/other/src/lib.rs", source),
            ])
        };
        assert_ne!(with(manifest, "a"), with(manifest, "b"));
        assert_eq!(with("", "a"), with("", "b"));
        assert_eq!(with(manifest, "a"), with(manifest, "a"));
    }

    #[test]
    fn a_new_entry_takes_the_place_of_the_old_one() {
        let entry = |name: &str, size| Entry {
            name: name.into(),
            file: format!("{name}.wasm"),
            size,
            sha256: String::new(),
            source: String::new(),
            compiler: String::new(),
        };
        let mut manifest = Manifest::default();
        manifest.put(entry("b", 1));
        manifest.put(entry("a", 1));
        manifest.put(entry("b", 2));
        let got: Vec<(&str, u64)> = manifest
            .components
            .iter()
            .map(|e| (e.name.as_str(), e.size))
            .collect();
        assert_eq!(got, [("a", 1), ("b", 2)]);
        let folder = tempfile::tempdir().expect("a folder");
        manifest.write(folder.path()).expect("written");
        assert_eq!(Manifest::read(folder.path()).expect("read"), manifest);
    }
}
