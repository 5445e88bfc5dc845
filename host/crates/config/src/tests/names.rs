//! The names that users rely on: the example file and the environment.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::keys::{DefaultValue, KEYS, Kind, PLUGIN_KEYS, Reload};
use super::super::source::Fixed;
use super::super::storage::StorageConfig;
use super::super::{Config, load, reload, render};
use super::{EXAMPLE, S3, defaults, every_key, from_file, paths, revealed};
use faxgate_base::secret::Secret;

#[test]
fn the_example_lists_every_key_with_its_default() {
    let mut listed = BTreeSet::new();
    paths("", &EXAMPLE.parse().unwrap(), &mut listed);
    let mut known = every_key();
    let secrets = KEYS.iter().filter(|key| key.kind == Kind::Secret);
    known.extend(secrets.map(|key| format!("{}_file", key.name)));
    assert_eq!(listed, known);

    let example = from_file(EXAMPLE).unwrap().config;
    assert_eq!(format!("{example:?}"), format!("{:?}", defaults()));
}

#[test]
fn the_example_names_every_variable() {
    for variable in KEYS.iter().flat_map(|key| key.variables) {
        assert!(EXAMPLE.contains(variable), "{variable}");
    }
}

#[test]
fn the_reference_has_a_row_for_every_key_with_its_variables() {
    const REFERENCE: &str = include_str!("../../../../../docs/configuration.md");
    for key in KEYS {
        let name = format!("| `{}` |", key.name);
        let row = REFERENCE.lines().find(|line| line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("{} has no row", key.name));
        for variable in key.variables {
            assert!(row.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}

#[test]
fn every_default_of_the_table_is_in_effect() {
    let effective = render::table(&defaults());
    // Shown with what they stand for, or only with storage in S3.
    let other = |name: &str| name == "log.format" || name.starts_with("storage.s3.");
    for key in KEYS.iter().filter(|key| !other(key.name)) {
        let Some(default) = toml_value(key.default) else {
            continue;
        };
        let path: Vec<&str> = key.name.split('.').collect();
        let (last, sections) = path.split_last().unwrap();
        let section = sections
            .iter()
            .fold(&effective, |table, name| table[*name].as_table().unwrap());
        assert_eq!(section[*last], default, "{}", key.name);
    }
    let region = KEYS.iter().find(|key| key.name == "storage.s3.region").unwrap();
    let StorageConfig::S3(s3) = load(&Fixed::variables(S3.to_vec()), None).unwrap().config.storage else {
        panic!("storage in S3");
    };
    assert_eq!(Some(Value::String(s3.region)), toml_value(region.default));
}

/// A default as it is written in the file.
fn toml_value(default: DefaultValue) -> Option<Value> {
    match default {
        DefaultValue::Unset | DefaultValue::Described(_) => None,
        DefaultValue::Flag(flag) => Some(flag.into()),
        DefaultValue::Whole(number) => Some(number.into()),
        DefaultValue::Text(text) => Some(text.into()),
        DefaultValue::List(items) => Some(items.to_vec().into()),
    }
}

#[test]
fn the_optional_tables_of_the_example_work() {
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(live) if !live.starts_with(' ') => format!("{live}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = from_file(uncommented.clone()).unwrap().config;
    let plugin = &config.plugins.named["my-policy"];
    assert_eq!(plugin.settings["country"], "US");
    assert_eq!(plugin.secrets["partner"], Secret::new("secret".into()));
    assert_eq!(config.inbound.routes["+12125550100"], "front-desk");
    let table: Table = uncommented.parse().unwrap();
    let listed: BTreeSet<&str> = table["plugins"]["my-policy"]
        .as_table()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(listed, PLUGIN_KEYS.iter().map(|key| key.name).collect());
    // Limits stand there with their defaults.
    let bare = from_file("[plugins.\"my-policy\"]").unwrap().config;
    assert_eq!(bare.plugins.named["my-policy"].memory, plugin.memory);
    assert_eq!(bare.plugins.named["my-policy"].cpu, plugin.cpu);
    assert_eq!(bare.plugins.named["my-policy"].wall, plugin.wall);
    assert_eq!(bare.plugins.named["my-policy"].max_output, plugin.max_output);
}

/// A value for each variable that is valid and not the default.
const VALUES: &[(&str, &str)] = &[
    ("FAX_DISABLED", "yes"),
    ("FAX_DATA_DIR", "/srv/fax"),
    ("PUBLIC_API_URL", "https://fax.example.com/"),
    ("ENFORCE_PUBLIC_HTTPS", "0"),
    ("PHAXIO_API_KEY", "k"),
    ("PHAXIO_API_SECRET", "s"),
    ("PHAXIO_CALLBACK_TOKEN", "t"),
    ("PHAXIO_API_URL", "http://127.0.0.1:9/v2"),
    ("PHAXIO_CALLBACK_URL", "https://fax.example.com/a"),
    ("PHAXIO_STATUS_CALLBACK_URL", "https://fax.example.com/b"),
    ("PHAXIO_REQUESTS_PER_SECOND", "2.5"),
    ("PHAXIO_TIMEOUT_SECONDS", "7"),
    ("PHAXIO_VERIFY_SIGNATURE", "off"),
    ("DISPATCH_BACKOFF_SECONDS", "0.25"),
    ("DISPATCH_GRACE_SECONDS", "0"),
    ("POLL_AFTER_SECONDS", "9"),
    ("JOB_DEADLINE_SECONDS", "7200"),
    ("DISPATCH_CONCURRENCY", "2"),
    ("FAX_RETRIES", "3"),
    ("FAX_RETRY_SECONDS", "60"),
    ("FAX_RETRY_AFTER", "busy,line"),
    ("FETCH_RETRIES", "1"),
    ("CONFIRM_CALLBACKS", "yes"),
    ("HTTP_LISTEN", "localhost:9000"),
    ("HTTPS_LISTEN", "127.0.0.1:9443"),
    ("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1"),
    ("MAX_CONNECTIONS", "10"),
    ("MAX_CONNECTIONS_PER_ADDRESS", "3"),
    ("MAX_REQUESTS", "20"),
    ("FORWARDED_HEADER", "Forwarded"),
    ("PROXY_PROTOCOL", "true"),
    ("TLS_CERT_FILE", "/c.pem"),
    ("TLS_KEY_FILE", "/k.pem"),
    ("ACME_DOMAINS", "a.example.com,b.example.com"),
    ("ACME_EMAIL", "ops@example.com"),
    ("ACME_DIRECTORY_URL", "https://ca.example.com/dir"),
    ("ACME_CA_FILE", "/ca.pem"),
    ("API_KEY", "bootstrap-key-of-some-length"),
    ("REQUIRE_API_KEY", "NO"),
    ("MAX_FILE_SIZE_MB", "20"),
    ("MAX_SPOOL_MB", "2048"),
    ("MAX_REQUESTS_PER_MINUTE", "100"),
    ("INBOUND_LIST_RPM", "1"),
    ("INBOUND_GET_RPM", "2"),
    ("AUTH_FAILURES_PER_MINUTE", "3"),
    ("PDF_TOKEN_TTL_MINUTES", "5"),
    ("INBOUND_TOKEN_TTL_MINUTES", "6"),
    ("ARTIFACT_TTL_DAYS", "3"),
    ("RETENTION_DESTROY_AT_END", "true"),
    ("INBOUND_RETENTION_DAYS", "0"),
    ("CLEANUP_INTERVAL_MINUTES", "15"),
    ("INBOUND_ENABLED", "on"),
    ("PHAXIO_INBOUND_VERIFY_SIGNATURE", "false"),
    ("STORAGE_BACKEND", "S3"),
    ("S3_BUCKET", "b"),
    ("S3_REGION", "eu-west-1"),
    ("S3_PREFIX", "p/"),
    ("S3_ENDPOINT_URL", "http://127.0.0.1:9000"),
    ("S3_KMS_KEY_ID", "kms"),
    ("AWS_ACCESS_KEY_ID", "id"),
    ("AWS_SECRET_ACCESS_KEY", "key"),
    ("AWS_SESSION_TOKEN", "session"),
    ("PLUGIN_DIR", "/plugins"),
    ("PLUGIN_CACHE_DIR", "/cache"),
    ("FONT_DIR", "/fonts"),
    ("PLUGINS_ORDER", "first,second"),
    ("PLUGIN_INSTANCES", "4"),
    ("DEFAULT_REGION", "de"),
    ("STRICT_NUMBERS", "1"),
    ("AUDIT_LOG_FILE", "/audit.jsonl"),
    ("LOG_FORMAT", "text"),
    ("LOG_LEVEL", "debug"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "a=b"),
];

/// What a variable needs beside it to be valid or to have an effect.
const PREREQUISITES: &[(&str, &[(&str, &str)])] = &[
    ("PROXY_PROTOCOL", &[("TRUSTED_PROXIES", "10.0.0.0/8")]),
    ("TLS_", &[("TLS_CERT_FILE", "/x.pem"), ("TLS_KEY_FILE", "/y.pem")]),
    (
        "HTTPS_LISTEN",
        &[("TLS_CERT_FILE", "/c.pem"), ("TLS_KEY_FILE", "/k.pem")],
    ),
    (
        "ACME_",
        &[
            ("ACME_DOMAINS", "x.example.com"),
            ("HTTPS_LISTEN", "127.0.0.1:443"),
        ],
    ),
    ("S3_", S3),
    ("AWS_", S3),
    ("STORAGE_", S3),
];

/// The configuration of `variable` with its value from [`VALUES`], and the one without it.
fn with_and_without(variable: &str, value: &str) -> (Config, Option<Config>) {
    let beside = PREREQUISITES
        .iter()
        .find(|(prefix, _)| variable.starts_with(prefix));
    let beside = beside.map_or(&[][..], |(_, beside)| beside);
    let without = beside
        .iter()
        .copied()
        .filter(|(name, _)| *name != "STORAGE_BACKEND" || variable != *name);
    let without = load(&Fixed::variables(without), None).ok();
    let mut variables: Vec<_> = beside
        .iter()
        .copied()
        .filter(|(name, _)| *name != variable)
        .collect();
    variables.push((variable, value));
    let with = load(&Fixed::variables(variables), None).unwrap_or_else(|e| panic!("{variable}: {e}"));
    (with.config, without.map(|loaded| loaded.config))
}

#[test]
fn every_variable_has_its_effect() {
    let named = VALUES.iter().map(|(name, _)| *name).chain(["FAX_BACKEND"]);
    let known = KEYS.iter().flat_map(|key| key.variables.iter().copied());
    assert_eq!(named.collect::<BTreeSet<&str>>(), known.collect());
    let shown = |config: &Config| format!("{config:?} {:?}", revealed(config));
    for (name, value) in VALUES {
        let (with, without) = with_and_without(name, value);
        assert_ne!(Some(shown(&with)), without.as_ref().map(shown), "{name}");
    }
}

#[test]
fn a_reload_changes_what_the_table_says() {
    for (name, value) in VALUES {
        let (with, Some(without)) = with_and_without(name, value) else {
            continue;
        };
        let key = KEYS.iter().find(|key| key.variables.contains(name)).unwrap();
        let (effective, changes) = reload::merge(&without, with.clone());
        let (listed, other) = match key.reload {
            Reload::Live => (&changes.effective, &changes.restart),
            Reload::Restart => (&changes.restart, &changes.effective),
        };
        assert!(
            listed.iter().any(|listed| listed == key.name),
            "{name}: {changes:?}"
        );
        assert!(
            !other.iter().any(|other| other == key.name),
            "{name}: {changes:?}"
        );
        // What is listed as needing a restart is not in the configuration that serves.
        let (_, rest) = reload::merge(&effective, with);
        assert_eq!(rest.restart, changes.restart, "{name}");
    }
}
