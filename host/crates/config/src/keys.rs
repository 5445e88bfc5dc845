//! Every configuration key: its place in the file, its environment variables, its default, when a change of it takes
//! effect, and what it means.
//!
//! [`KEYS`] is the only place where these facts are written. The parser reads defaults from it; `cargo xtask docs` makes
//! `config.example.toml` and `docs/configuration.md` of it. The environment names up to `LOG_FORMAT` are those of
//! Faxbot, whose `.env` files have to keep working.

mod plugin;
mod table;

pub use plugin::{PLUGIN_KEYS, PluginKey};
pub use table::KEYS;

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Dotted path in the file.
    pub name: &'static str,
    /// Environment variables; the first one that is not empty counts.
    pub variables: &'static [&'static str],
    /// How its text is treated.
    pub kind: Kind,
    /// Its value when none is given.
    pub default: DefaultValue,
    /// When a change takes effect.
    pub reload: Reload,
    /// What it means, in one or two sentences.
    pub meaning: &'static str,
}

/// How the text of a key is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An empty text means that nothing is given.
    Plain,
    /// An empty text means "off".
    Listener,
    /// Never shown. May be given as the path of a file, under the name with `_file` (`_FILE`) at its end.
    Secret,
}

/// The value of a key when none is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// None.
    Unset,
    /// None, and what happens then: another key's value, or a constant that is not part of the configuration.
    Described(&'static str),
    /// Yes or no.
    Flag(bool),
    /// A number.
    Whole(i64),
    /// A text; an empty one switches a listener off.
    Text(&'static str),
    /// A list of texts.
    List(&'static [&'static str]),
}

/// When a change of a key takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// With the next reload of the configuration.
    Live,
    /// With the next start: it was opened, bound or started with the old value.
    Restart,
}

/// The key of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether a table `[plugins."NAME"]` has a key of this name.
#[must_use]
pub fn is_plugin_key(name: &str) -> bool {
    PLUGIN_KEYS.iter().any(|key| key.name == name)
}

/// Whether a key is in the section of this name.
#[must_use]
pub fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| {
        key.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The known name most like `name`: a whole path, the last part of one, a section or a variable.
#[must_use]
pub fn nearest(name: &str) -> &'static str {
    let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
    let sections = KEYS
        .iter()
        .filter_map(|key| key.name.rsplit_once('.'))
        .map(|(section, _)| section);
    KEYS.iter()
        .flat_map(|key| {
            let spellings = [key.name, last(key.name)];
            spellings
                .into_iter()
                .chain(key.variables.iter().copied())
                .map(move |spelling| (spelling, key.name))
        })
        .chain(sections.map(|section| (section, section)))
        .map(|(spelling, meant)| (likeness(name, spelling), meant))
        // The first of equals stays, so that the order of the table decides.
        .fold(
            (f64::MIN, ""),
            |best, next| if next.0 > best.0 { next } else { best },
        )
        .1
}

/// The key of a plugin's table most like `name`.
#[must_use]
pub fn nearest_plugin_key(name: &str) -> &'static str {
    PLUGIN_KEYS
        .iter()
        .map(|key| (likeness(name, key.name), key.name))
        .fold(
            (f64::MIN, ""),
            |best, next| if next.0 > best.0 { next } else { best },
        )
        .1
}

fn likeness(a: &str, b: &str) -> f64 {
    // The comparison is quadratic, and a pasted paragraph is no key.
    let a: String = a.chars().take(80).collect();
    strsim::normalized_damerau_levenshtein(&a.to_ascii_lowercase(), &b.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variables_are_used_once() {
        let mut names: Vec<_> = KEYS
            .iter()
            .flat_map(|key| key.variables.iter().copied().chain([key.name]))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn meanings_are_sentences() {
        let meanings = KEYS.iter().map(|key| (key.name, key.meaning));
        let meanings = meanings.chain(PLUGIN_KEYS.iter().map(|key| (key.name, key.meaning)));
        for (name, meaning) in meanings {
            assert!(meaning.ends_with('.'), "{name}");
            assert!(meaning.starts_with(|c: char| c.is_uppercase()), "{name}");
            // A cell of a table.
            assert!(!meaning.contains(['\n', '|']), "{name}");
        }
    }

    #[test]
    fn the_nearest_is_what_was_meant() {
        for (given, meant) in [
            ("public_ur", "public_url"),
            ("phaxio.api_kye", "phaxio.api_key"),
            ("phaxo", "phaxio"),
            ("PHAXIO_API_KEY", "phaxio.api_key"),
            ("listen.trusted_proxy", "listen.trusted_proxies"),
            ("max_file_size_mb", "limits.max_file_size_mb"),
        ] {
            assert_eq!(nearest(given), meant, "{given}");
        }
        assert_eq!(nearest_plugin_key("setings"), "settings");
    }
}
