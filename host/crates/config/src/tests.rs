//! The configuration as its users meet it: whole files, whole environments.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod names;
mod reloading;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use toml::{Table, Value};

use super::keys::{KEYS, Kind};
use super::plugins::OnError;
use super::problem::Problems;
use super::render;
use super::source::Fixed;
use super::storage::StorageConfig;
use super::{Config, Loaded, LogFormat, load};
use faxgate_base::secret::Secret;

const EXAMPLE: &str = include_str!("../../../../config.example.toml");
const FILE: &str = "faxgate.toml";

fn from_file(content: impl Into<Vec<u8>>) -> Result<Loaded, Problems> {
    load(&Fixed::default().file(FILE, content), Some(Path::new(FILE)))
}

fn from_environment<const N: usize>(variables: [(&str, &str); N]) -> Result<Loaded, Problems> {
    load(&Fixed::variables(variables), None)
}

/// The one problem that is expected, as it is printed.
fn refusal(result: Result<Loaded, Problems>) -> String {
    let problems = result.expect_err("refused");
    assert_eq!(problems.0.len(), 1, "{problems}");
    problems.to_string()
}

fn defaults() -> Config {
    load(&Fixed::default(), None).unwrap().config
}

/// Dotted paths of everything in a table that is not a table itself.
fn paths(prefix: &str, table: &Table, into: &mut BTreeSet<String>) {
    for (name, value) in table {
        match value {
            Value::Table(table) => paths(&format!("{prefix}{name}."), table, into),
            _ => {
                into.insert(format!("{prefix}{name}"));
            }
        }
    }
}

fn every_key() -> BTreeSet<String> {
    KEYS.iter().map(|key| key.name.to_owned()).collect()
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = defaults();
    assert!(!config.disabled && config.enforce_public_https && config.auth.require_api_key);
    assert_eq!(config.public("/fax"), "http://localhost:8080/fax");
    assert_eq!(
        config.phaxio.callback_url,
        "http://localhost:8080/phaxio-callback"
    );
    assert_eq!(config.phaxio.api_url.as_str(), "https://api.phaxio.com/v2.1");
    assert_eq!(config.listen.http, Some("127.0.0.1:8080".parse().unwrap()));
    assert_eq!(config.listen.https, None);
    assert_eq!(config.limits.max_file_bytes, 10 * 1024 * 1024);
    assert_eq!(config.dispatch.grace, Duration::from_secs(120));
    assert_eq!(config.retention.artifact_ttl, None);
    assert_eq!(config.retention.inbound, Some(Duration::from_secs(30 * 86_400)));
    assert_eq!(config.plugins.dir, Path::new("./faxdata/plugins"));
    assert_eq!(config.log_format, LogFormat::Json);
    let on_terminal = Fixed {
        terminal: true,
        ..Fixed::default()
    };
    assert_eq!(
        load(&on_terminal, None).unwrap().config.log_format,
        LogFormat::Text
    );
}

const S3: &[(&str, &str)] = &[
    ("STORAGE_BACKEND", "s3"),
    ("S3_BUCKET", "bucket"),
    ("AWS_ACCESS_KEY_ID", "x"),
    ("AWS_SECRET_ACCESS_KEY", "y"),
];

/// Secrets, which `Debug` hides.
fn revealed(config: &Config) -> Vec<Option<String>> {
    let mut secrets = vec![
        &config.phaxio.api_key,
        &config.phaxio.api_secret,
        &config.phaxio.callback_token,
        &config.auth.bootstrap_key,
        &config.telemetry.otlp_headers,
    ];
    if let StorageConfig::S3(s3) = &config.storage {
        secrets.extend([&s3.access_key_id, &s3.secret_access_key, &s3.session_token]);
    }
    let reveal = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
    secrets.into_iter().map(reveal).collect()
}

#[test]
fn the_environment_wins_over_the_file_and_empty_is_not_set() {
    let source = Fixed::variables([
        ("MAX_FILE_SIZE_MB", "20"),
        ("DEFAULT_REGION", ""),
        ("PHAXIO_API_KEY_FILE", "/run/key"),
        ("HTTP_LISTEN", ""),
        ("HTTPS_LISTEN", "127.0.0.1:8443"),
    ])
    .file("/run/key", "from-path\n")
    .file(
        FILE,
        "[limits]\nmax_file_size_mb = 5\n[numbers]\ndefault_region = 'CA'\n[phaxio]\napi_key = 'old'\n\
         [tls]\ncert_file = 'c'\nkey_file = 'k'\n",
    );
    let config = load(&source, Some(Path::new(FILE))).unwrap().config;
    assert_eq!(config.limits.max_file_bytes, 20 << 20);
    assert_eq!(config.numbers.default_region, "CA");
    assert_eq!(config.phaxio.api_key, Some(Secret::new("from-path".into())));
    assert_eq!(config.listen.http, None);
}

#[test]
fn certificates_are_one_pair_or_several() {
    let pairs = |loaded: Result<Loaded, Problems>| {
        let pairs = loaded.unwrap().config.tls.files.into_iter();
        let pairs = pairs.map(|pair| format!("{} {}", pair.cert.display(), pair.key.display()));
        pairs.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        pairs(from_file("[tls]\ncert_file = 'my c'\nkey_file = 'my k'")),
        "my c my k"
    );
    assert_eq!(
        pairs(from_file("[tls]\ncert_file = ['a', 'b']\nkey_file = ['x', 'y']")),
        "a x; b y"
    );
    assert_eq!(
        pairs(from_environment([
            ("TLS_CERT_FILE", "a, b"),
            ("TLS_KEY_FILE", "x,y")
        ])),
        "a x; b y"
    );
}

#[test]
fn the_first_callback_url_that_is_not_empty_counts() {
    let url = |first, second| {
        let source = [
            ("PHAXIO_CALLBACK_URL", first),
            ("PHAXIO_STATUS_CALLBACK_URL", second),
        ];
        from_environment(source).unwrap().config.phaxio.callback_url
    };
    assert_eq!(
        url("https://a.example/x", "https://b.example/y"),
        "https://a.example/x"
    );
    assert_eq!(url("", "https://b.example/y/"), "https://b.example/y/");
    assert_eq!(url(" ", ""), "http://localhost:8080/phaxio-callback");
}

#[test]
fn every_secret_can_be_given_by_path() {
    for key in KEYS.iter().filter(|key| key.kind == Kind::Secret) {
        let mut variables = S3.to_vec();
        variables.retain(|(name, _)| *name != key.variables[0]);
        let by_path = format!("{}_FILE", key.variables[0]);
        variables.push((&by_path, "/run/secret"));
        let source = Fixed::variables(variables).file("/run/secret", "  by-path-and-long-enough\n");
        let config = load(&source, None)
            .unwrap_or_else(|e| panic!("{}: {e}", key.name))
            .config;
        assert!(
            revealed(&config).contains(&Some("by-path-and-long-enough".to_owned())),
            "{}",
            key.name
        );
    }
    let missing = refusal(from_environment([("API_KEY_FILE", "/nowhere")]));
    assert!(
        missing.starts_with("auth.bootstrap_key_file (API_KEY_FILE): /nowhere can't be read"),
        "{missing}"
    );
    let twice = refusal(load(
        &Fixed::variables([("API_KEY", "a"), ("API_KEY_FILE", "/k")]).file("/k", "b"),
        None,
    ));
    assert!(twice.contains("given twice"), "{twice}");
}

#[test]
fn unknown_keys_name_the_nearest_and_their_place() {
    let unknown = |content: &str| refusal(from_file(content));
    assert_eq!(
        unknown("# x\npublic_ur = 'https://a.example'\n"),
        "public_ur (faxgate.toml:2:1): is not a key; the nearest one is public_url"
    );
    assert_eq!(
        unknown("[phaxio]\n  api_kye = 'x'"),
        "phaxio.api_kye (faxgate.toml:2:3): is not a key; the nearest one is phaxio.api_key"
    );
    assert_eq!(
        unknown("[phaxo]\napi_key = 'x'"),
        "phaxo (faxgate.toml:1:2): is not a key; the nearest one is phaxio"
    );
    assert!(unknown("[plugins.x]\nmemory = 3").contains("plugins.\"x\".memory"));
    assert!(unknown("public_url_file = 'x'").contains("not a key"));
    assert!(unknown("phaxio = 3").contains("[phaxio]"));
    // The same names in the environment are somebody else's.
    assert!(from_environment([("PUBLIC_UR", "x"), ("FAXGATE_X", "1"), ("FAX_PROVIDER", "y")]).is_ok());
}

#[test]
fn every_problem_is_told_at_once_each_on_a_line() {
    let source = Fixed::variables([("MAX_FILE_SIZE_MB", "lots"), ("PUBLIC_API_URL", "nonsense")]).file(
        FILE,
        "backend = 'sinch'\nextra = 1\n[numbers]\ndefault_region = 'USA'\nstrict = 'perhaps'\n",
    );
    let problems = load(&source, Some(Path::new(FILE))).unwrap_err();
    let text = problems.to_string();
    assert_eq!(text.lines().count(), 6, "{text}");
    for line in [
        "extra (faxgate.toml:2:1): is not a key",
        "backend (faxgate.toml:1:11): is \"sinch\"; give one of phaxio",
        "public_url (PUBLIC_API_URL): is not an address",
        "limits.max_file_size_mb (MAX_FILE_SIZE_MB): is \"lots\"; give a whole number from 1 to 1024",
        "numbers.default_region (faxgate.toml:4:18): is \"USA\"",
        "numbers.strict (faxgate.toml:5:10): is \"perhaps\"; give true or false",
    ] {
        assert!(
            text.lines().any(|l| l.starts_with(line)),
            "{line}\nnot in\n{text}"
        );
    }
}

#[test]
fn broken_files_say_where_and_never_quote() {
    let text = refusal(from_file("[phaxio]\napi_key = \"top-secret\nx"));
    assert!(text.starts_with("faxgate.toml: is not TOML at line "), "{text}");
    assert!(!text.contains("top-secret"), "{text}");
    assert!(refusal(from_file([0xff, 0xfe])).contains("UTF-8"));
    let missing = load(&Fixed::default(), Some(Path::new("gone.toml")));
    assert!(refusal(missing).starts_with("gone.toml: can't be read"));
}

#[test]
fn no_problem_shows_a_secret() {
    let result = from_file("[phaxio]\napi_key = 123456789\ncallback_url = 'https://u:hunter2@a.example'\n");
    let text = result.unwrap_err().to_string();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!text.contains("123456789"), "{text}");
}

#[test]
fn keys_may_be_switched_off_on_loopback_only() {
    assert!(from_environment([("REQUIRE_API_KEY", "false")]).is_ok());
    let open = [("REQUIRE_API_KEY", "false"), ("HTTP_LISTEN", "0.0.0.0:8080")];
    assert!(refusal(from_environment(open)).starts_with("auth.require_api_key (REQUIRE_API_KEY): "));
    let public = [
        ("REQUIRE_API_KEY", "false"),
        ("PUBLIC_API_URL", "https://fax.example.com"),
    ];
    assert!(refusal(from_environment(public)).starts_with("auth.require_api_key (REQUIRE_API_KEY): "));
}

#[test]
fn a_bootstrap_key_that_can_be_guessed_is_refused() {
    let refused = refusal(from_environment([("API_KEY", "of15-characters")]));
    assert!(refused.starts_with("auth.bootstrap_key (API_KEY): "), "{refused}");
    assert!(refused.contains("16 characters"), "{refused}");
}

#[test]
fn a_public_http_address_is_refused_naming_both_settings() {
    let text = refusal(from_environment([("PUBLIC_API_URL", "http://fax.example.com")]));
    assert!(
        text.contains("PUBLIC_API_URL") && text.contains("ENFORCE_PUBLIC_HTTPS"),
        "{text}"
    );
    for fine in [
        "http://127.0.0.1:80",
        "http://[::1]",
        "http://localhost/",
        "https://fax.example.com",
    ] {
        assert!(from_environment([("PUBLIC_API_URL", fine)]).is_ok(), "{fine}");
    }
    let allowed = [
        ("PUBLIC_API_URL", "http://fax.example.com"),
        ("ENFORCE_PUBLIC_HTTPS", "false"),
    ];
    assert!(from_environment(allowed).is_ok());
}

#[test]
fn public_addresses_lose_their_trailing_slash() {
    for (given, below) in [
        ("https://fax.example.com/", "https://fax.example.com/x"),
        ("https://fax.example.com/gate//", "https://fax.example.com/gate/x"),
    ] {
        let config = from_environment([("PUBLIC_API_URL", given)]).unwrap().config;
        assert_eq!(config.public("/x"), below);
    }
}

#[test]
fn what_belongs_together_is_asked_for() {
    for (file, asked) in [
        (
            "storage = { backend = 's3', s3 = { access_key_id = 'a', secret_access_key = 'b' } }",
            "S3_BUCKET",
        ),
        ("[tls]\ncert_file = 'c'", "TLS_KEY_FILE"),
        ("[tls.acme]\ndomains = ['a.example.com']", "HTTPS_LISTEN"),
        ("[listen]\nhttp = ''", "HTTP_LISTEN"),
        ("[listen]\nhttp = '8080'", "ADDRESS:PORT"),
        ("[listen]\ntrusted_proxies = ['proxy']", "10.0.0.0/8"),
        ("[listen]\nproxy_protocol = true", "TRUSTED_PROXIES"),
        ("[tls]\ncert_file = ['a', 'b']\nkey_file = 'k'", "TLS_KEY_FILE"),
        ("[tls]\nkey_file = 'k'", "TLS_CERT_FILE"),
        ("[phaxio]\nrequests_per_second = 0", "from 0.01"),
        ("[phaxio]\nrequests_per_second = nan", "from 0.01"),
        (
            "[phaxio]\ncallback_url = 'https://a.example/cb?x=1'",
            "without what follows the ?",
        ),
        (
            "[tls.acme]\ndomains = ['*.example.com']\n[listen]\nhttps = '0.0.0.0:443'",
            "plain host names",
        ),
        ("[inbound.routes]\n'2125550100' = 'x'", "E.164"),
        (
            "[retention]\nartifact_ttl_days = 3\ndestroy_at_end = true",
            "leave one of the two out",
        ),
        ("[plugins.a]\nsha256 = 'abc'", "64 hexadecimal digits"),
        ("[plugins.a]\non_error = 'ignore'", "deny, next"),
        ("[plugins.a]\nsettings = 'x'", "is a table"),
    ] {
        let text = refusal(from_file(file));
        assert!(text.contains(asked), "{file}\n{text}");
    }
}

#[test]
fn plugin_tables_are_read() {
    let source = Fixed::default().file("/pin", "1234\n").file(
        FILE,
        "[plugins]\ninstances = 3\n[plugins.'10-us']\nsha256 = '00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff'\n\
         memory_mb = 8\ncpu_ms = 50\ntimeout_ms = 100\nmax_output_mb = 1\non_error = 'next'\n\
         settings = { region = 'US', depth = 3, loud = true }\nsecrets = { pin_file = '/pin', other = 'x' }\n",
    );
    let config = load(&source, Some(Path::new(FILE))).unwrap().config;
    let plugin = &config.plugins.named["10-us"];
    assert_eq!(plugin.sha256.unwrap()[1], 0xff);
    assert_eq!((plugin.memory, plugin.max_output), (8 << 20, 1 << 20));
    assert_eq!(
        (plugin.cpu, plugin.wall),
        (Duration::from_millis(50), Duration::from_millis(100))
    );
    assert_eq!(plugin.on_error, OnError::Next);
    assert_eq!(plugin.settings["depth"], "3");
    assert_eq!(plugin.settings["loud"], "true");
    assert_eq!(plugin.secrets["pin"].reveal(), "1234");
    assert_eq!(plugin.secrets["other"].reveal(), "x");
}

#[test]
fn what_is_printed_has_every_key_no_secret_and_reads_back() {
    let mut variables = S3.to_vec();
    variables.extend([
        ("PHAXIO_API_KEY", "hunter2"),
        ("API_KEY", "hunter2-hunter2-hunter2"),
        ("DISPATCH_BACKOFF_SECONDS", "0.1"),
    ]);
    let config = load(&Fixed::variables(variables), None).unwrap().config;
    let printed = render::text(&config);
    assert!(
        !printed.contains("hunter2") && printed.contains("bootstrap_key = \"***\""),
        "{printed}"
    );
    let mut shown = BTreeSet::new();
    paths("", &printed.parse().unwrap(), &mut shown);
    assert_eq!(shown, every_key());
    // Masks are the only thing that is not the configuration: read back, it is shown the same again.
    // The mask is no bootstrap key that could be used.
    let filled = printed.replace(
        "bootstrap_key = \"***\"",
        "bootstrap_key = \"a-key-of-20-characters\"",
    );
    let again = from_file(filled).unwrap().config;
    assert_eq!(render::text(&again), printed);
}

#[test]
fn warnings_say_what_is_probably_not_meant() {
    let about = |variables: [(&str, &str); 1]| {
        let loaded = from_environment(variables).unwrap();
        loaded
            .warnings
            .iter()
            .map(|w| w.key.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(about([("LOG_LEVEL", "info")]).contains("PHAXIO_API_KEY"));
    assert!(!about([("FAX_DISABLED", "true")]).contains("PHAXIO_API_KEY"));
    assert!(about([("PHAXIO_VERIFY_SIGNATURE", "false")]).contains("PHAXIO_VERIFY_SIGNATURE"));
    assert!(about([("API_KEY", "of-16-characters")]).contains("API_KEY"));
    assert!(about([("HTTPS_LISTEN", "127.0.0.1:443")]).contains("TLS_CERT_FILE"));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = from_file(content);
    }

    #[test]
    fn any_broken_example_is_answered(cut in 0..EXAMPLE.len(), noise in "\\PC{0,12}", skip in 0_usize..40) {
        let head = EXAMPLE.get(..cut).unwrap_or_default();
        let tail = EXAMPLE.get(cut + skip..).unwrap_or_default();
        if let Err(problems) = from_file(format!("{head}{noise}{tail}")) {
            prop_assert!(problems.0.iter().all(|p| !p.to_string().contains('\n')), "{problems}");
        }
    }

    #[test]
    fn any_text_in_any_variable_is_answered(which in 0..KEYS.len(), text in "\\PC{0,20}") {
        let _ = load(&Fixed::variables([(KEYS[which].variables[0], text)]), None);
    }
}

#[test]
fn a_callback_url_that_would_be_answered_with_404_is_refused() {
    let load = |public: &str, callback: &str| {
        from_environment([("PUBLIC_API_URL", public), ("PHAXIO_CALLBACK_URL", callback)])
            .map(|loaded| loaded.config.phaxio.callback_url)
    };
    let public = "https://fax.example.com/gateway";
    for good in [
        "https://fax.example.com/gateway/phaxio-callback",
        "https://hooks.example.com/phaxio",
    ] {
        assert_eq!(load(public, good).unwrap(), good);
    }
    for bad in [
        "https://fax.example.com/gateway/phaxio-callback/",
        "https://fax.example.com/phaxio-callback",
        "https://fax.example.com/",
        "https://hooks.example.com/phaxio-callback/",
    ] {
        let problems = load(public, bad).unwrap_err().to_string();
        assert!(problems.contains("does not serve"), "{bad}: {problems}");
    }
}
