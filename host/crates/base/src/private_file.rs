//! Folders and files that only their owner may read, written whole and durably or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes a folder with mode 0700, and the folders above it. One that is there gets this mode.
///
/// # Errors
/// When the system refuses to make it or to change its mode.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Writes a file with mode 0600. After a crash the old content is there or the new one, never a part of it; after this
/// returns it is the new one.
///
/// # Errors
/// When the system refuses to write, to sync or to rename.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        // The name is durable when the folder is.
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_replaced_whole_and_readable_by_its_owner_only() {
        let above = tempfile::tempdir().expect("folder");
        let folder = above.path().join("a/b");
        make_folder(&folder).expect("folder");
        let path = folder.join("key");
        for content in ["first, and longer", "second"] {
            write(&path, content.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("readable"), content);
        }
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        assert_eq!(
            fs::read_dir(&folder).expect("folder").count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn what_a_crash_left_is_no_obstacle() {
        let folder = tempfile::tempdir().expect("folder");
        fs::write(folder.path().join("key.new"), "torn").expect("written");
        write(&folder.path().join("key"), b"whole").expect("written");
        assert_eq!(fs::read(folder.path().join("key")).expect("readable"), b"whole");
    }
}
