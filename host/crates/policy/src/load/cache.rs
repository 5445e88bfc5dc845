//! Compiled components on disk, so that a start doesn't compile again.
//!
//! An entry is machine code that the gateway will run, so it must be ours: the folder belongs to the service alone
//! (0700), and every entry carries an HMAC under a key kept in the same folder (0600). Whatever doesn't fit is
//! compiled again. The cache is a convenience: when it can't be used, the gateway says so and goes on without.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Changes when entries of older versions must not be used any more.
const FORMAT: &str = "faxgate-plugin-cache-1";
/// Entries kept; the oldest go first.
const KEPT: usize = 64;
/// Bytes of the code at the start of an entry.
const MAC_BYTES: usize = 32;

/// A folder of compiled components.
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; 32],
}

/// Feeds whatever is hashed into SHA-256: the standard hashers promise neither stability nor collision resistance.
struct Sha(Sha256);

impl Cache {
    /// Opens the folder, making it and its key as needed. `None`, with a warning, when it can't be trusted.
    pub(crate) fn open(dir: &Path) -> Option<Self> {
        match Self::try_open(dir) {
            Ok(cache) => Some(cache),
            Err(error) => {
                tracing::warn!(
                    dir = %dir.display(), %error,
                    "compiled plugins are not cached, so that starts take longer; \
                     check plugins.cache_dir: it must be a folder of the service's own user"
                );
                None
            }
        }
    }

    fn try_open(dir: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let meta = fs::metadata(dir)?;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("the folder belongs to another user"));
        }
        if meta.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
        }
        let key = read_or_make_key(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            key,
        })
    }

    /// The compiled form of the component with this digest, if this very engine made it.
    pub(crate) fn get(&self, engine: &Engine, sha256: &[u8; 32]) -> Option<Component> {
        let name = entry_name(engine, sha256);
        let path = self.dir.join(&name);
        let bytes = fs::read(&path).ok()?;
        let (code, body) = bytes.split_at_checked(MAC_BYTES)?;
        if self.mac(&name, body).verify_slice(code).is_err() {
            tracing::warn!(entry = %path.display(), "a cached plugin was changed by somebody else; it is compiled again");
            let _ = fs::remove_file(&path);
            return None;
        }
        // SAFETY: `deserialize` runs what it is given as machine code, so the bytes must come from
        // `Component::serialize` of a compatible engine. The HMAC was made by this service with a key that only its
        // user can read, over these bytes and over a name that contains the engine's compatibility hash.
        let component = unsafe { Component::deserialize(engine, body) };
        component
            .inspect_err(|error| tracing::debug!(%error, "a cached plugin is not usable"))
            .ok()
    }

    /// Keeps a compiled component. Failing to is not worth more than a line.
    pub(crate) fn put(&self, engine: &Engine, sha256: &[u8; 32], component: &Component) {
        let result = component
            .serialize()
            .map_err(|error| io::Error::other(error.to_string()))
            .and_then(|body| self.write(&entry_name(engine, sha256), &body));
        if let Err(error) = result {
            tracing::warn!(dir = %self.dir.display(), %error, "a compiled plugin could not be cached");
        }
        self.prune();
    }

    fn write(&self, name: &str, body: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(&self.dir)?;
        file.write_all(&self.mac(name, body).finalize().into_bytes())?;
        file.write_all(body)?;
        // No sync: a torn entry fails its code and is compiled again.
        file.persist(self.dir.join(name))?;
        Ok(())
    }

    fn mac(&self, name: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut key = [0; 64];
        for (to, from) in key.iter_mut().zip(self.key) {
            *to = from;
        }
        let mut mac = <Hmac<Sha256> as Mac>::new(&key.into());
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(body);
        mac
    }

    /// Removes the oldest entries beyond [`KEPT`].
    fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return;
        };
        let mut compiled: Vec<_> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "compiled"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        compiled.sort();
        let excess = compiled.len().saturating_sub(KEPT);
        for (_, path) in compiled.into_iter().take(excess) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Name of an entry: everything that decides whether it may be used.
fn entry_name(engine: &Engine, sha256: &[u8; 32]) -> String {
    let mut sha = Sha(Sha256::new());
    sha.write(FORMAT.as_bytes());
    sha.write(env!("CARGO_PKG_VERSION").as_bytes());
    sha.write(sha256);
    engine.precompile_compatibility_hash().hash(&mut sha);
    format!("{}.compiled", hex::encode(sha.0.finalize()))
}

/// The key of this folder. A key that others could read, or half a key, makes every entry doubtful: then a new one.
fn read_or_make_key(dir: &Path) -> io::Result<[u8; 32]> {
    let path = dir.join("key");
    if let Some(key) = read_key(&path)? {
        return Ok(key);
    }
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|error| io::Error::other(error.to_string()))?;
    let mut file = tempfile::Builder::new()
        .prefix(".key-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(dir)?;
    file.write_all(&fresh)?;
    file.as_file().sync_all()?;
    // Whole or not at all, and never over the key of a process that was faster.
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(fresh),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(&path)?.ok_or_else(|| io::Error::other("the key changes under our hands"))
        }
        Err(error) => Err(error.error),
    }
}

/// The key in the file; none, and no file either, when it is not usable.
fn read_key(path: &Path) -> io::Result<Option<[u8; 32]>> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut key = [0; 32];
    if file.metadata()?.permissions().mode() & 0o077 == 0 && file.read_exact(&mut key).is_ok() {
        return Ok(Some(key));
    }
    fs::remove_file(path)?;
    Ok(None)
}

impl Hasher for Sha {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_unless_others_could_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = Cache::try_open(dir.path()).unwrap().key;
        assert_eq!(Cache::try_open(dir.path()).unwrap().key, key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let second = Cache::try_open(dir.path()).unwrap().key;
        assert_ne!(second, key);
        fs::write(&path, [1; 7]).unwrap();
        assert_ne!(Cache::try_open(dir.path()).unwrap().key, second);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
