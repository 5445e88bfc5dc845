//! Where the program, the sources and scratch files of a test lie.

use std::path::{Path, PathBuf};

/// The `faxgate` program that belongs to this test or bench.
///
/// # Panics
/// When it was not built: `cargo test` and `cargo bench` build it for the tests of the package `faxgate`.
#[must_use]
pub fn program() -> PathBuf {
    let named = std::env::var_os("CARGO_BIN_EXE_faxgate").map(PathBuf::from);
    let program = named.unwrap_or_else(|| profile_folder().join("faxgate"));
    assert!(program.is_file(), "{} is not built", program.display());
    program
}

/// A folder that stays from run to run, for caches that tests share.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn scratch() -> PathBuf {
    let profile = profile_folder();
    let folder = profile.parent().expect("the target folder").join("tmp");
    std::fs::create_dir_all(&folder).expect("a folder for scratch files");
    folder
}

/// The root of the repository.
///
/// # Panics
/// Never in a checkout of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .find(|folder| folder.join("wit").is_dir())
        .expect("the root of the repository")
}

/// `target/debug` or `target/release`: the parent of the folder `deps`, which holds every test and bench.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let deps = test.parent().expect("the folder of this test");
    deps.parent().expect("the folder of the profile").to_path_buf()
}
