//! Fonts for converters: the operator's folder first, then what comes with the binary.

use std::path::PathBuf;
use std::sync::LazyLock;

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use crate::host::bindings::converter::faxgate::policy::fonts;
use crate::host::host_api::CallState;

/// Bytes of one font file.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Fonts that one call may ask for.
const MAX_FONTS: u32 = 16;

/// Chinese and Japanese: Droid Sans Fallback (Apache-2.0).
static HANI: LazyLock<Option<Vec<u8>>> =
    LazyLock::new(|| unpack(include_bytes!("../../fonts/DroidSansFallbackFull.ttf.zlib")));
/// Korean: the Hangul of Nanum Gothic Coding under another name (OFL-1.1).
static HANG: LazyLock<Option<Vec<u8>>> =
    LazyLock::new(|| unpack(include_bytes!("../../fonts/FaxgateHangul.ttf.zlib")));

/// Where fonts are found.
#[derive(Debug, Default)]
pub(crate) struct Fonts {
    dir: Option<PathBuf>,
}

impl Fonts {
    /// Fonts of the operator's folder before those of the binary. The folder need not exist.
    pub(crate) const fn of(dir: PathBuf) -> Self {
        Self { dir: Some(dir) }
    }

    /// The font file for a script (ISO 15924): `CODE.ttf` or `CODE.otf` of the folder, else the built-in one.
    pub(crate) fn get(&self, script: &str) -> Option<Vec<u8>> {
        // The code becomes a file name.
        if script.len() != 4 || !script.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        self.own(script).or_else(|| match script {
            "Hani" => HANI.clone(),
            "Hang" => HANG.clone(),
            _ => None,
        })
    }

    fn own(&self, script: &str) -> Option<Vec<u8>> {
        let dir = self.dir.as_ref()?;
        ["ttf", "otf"].iter().find_map(|kind| {
            let path = dir.join(format!("{script}.{kind}"));
            let file = std::fs::metadata(&path).ok()?;
            if !file.is_file() || file.len() > MAX_BYTES {
                tracing::warn!(path = %path.display(), "not used as a font: it is no file or larger than 32 MiB");
                return None;
            }
            let read = std::fs::read(&path);
            read.inspect_err(|error| tracing::warn!(path = %path.display(), %error, "a font can't be read"))
                .ok()
        })
    }
}

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let limit = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
    decompress_to_vec_zlib_with_limit(packed, limit)
        .inspect_err(|error| tracing::error!(%error, "a font in the binary is damaged"))
        .ok()
}

impl fonts::Host for CallState {
    fn font(&mut self, script: String) -> Option<Vec<u8>> {
        self.fonts_asked = self.fonts_asked.saturating_add(1);
        if self.fonts_asked > MAX_FONTS {
            return None;
        }
        self.fonts.get(&script)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_folder_comes_before_the_binary_and_names_stay_names() {
        let dir = tempfile::tempdir().unwrap();
        let fonts = Fonts::of(dir.path().to_owned());
        for script in ["Hani", "Hang"] {
            assert!(fonts.get(script).unwrap().starts_with(&[0, 1, 0, 0]), "{script}");
        }
        assert_eq!(fonts.get("Thai"), None);
        std::fs::write(dir.path().join("Thai.otf"), b"a").unwrap();
        std::fs::write(dir.path().join("Hani.ttf"), b"b").unwrap();
        assert_eq!(fonts.get("Thai").unwrap(), b"a");
        assert_eq!(fonts.get("Hani").unwrap(), b"b");
        for odd in ["", "../Thai", "T/ai", "Thai.otf", "Thä"] {
            assert_eq!(fonts.get(odd), None, "{odd}");
        }
    }
}
