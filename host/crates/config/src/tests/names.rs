//! The names that users rely on: the example file and the environment.

use std::collections::BTreeSet;

use toml::Table;

use super::super::keys::{KEYS, Kind, PLUGIN_KEYS};
use super::super::load;
use super::super::source::Fixed;
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
fn the_readme_names_every_key_and_variable() {
    const README: &str = include_str!("../../../../../README.md");
    for key in KEYS {
        let row = README
            .lines()
            .find(|line| line.contains(&format!("| `{}` |", key.name)));
        let row = row.unwrap_or_else(|| panic!("{} has no row", key.name));
        for variable in key.variables {
            assert!(row.contains(&format!("`{variable}`")), "{variable}");
        }
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
    assert_eq!(listed, BTreeSet::from(PLUGIN_KEYS));
    // Limits stand there with their defaults.
    let bare = from_file("[plugins.\"my-policy\"]").unwrap().config;
    assert_eq!(bare.plugins.named["my-policy"].memory, plugin.memory);
    assert_eq!(bare.plugins.named["my-policy"].cpu, plugin.cpu);
    assert_eq!(bare.plugins.named["my-policy"].wall, plugin.wall);
    assert_eq!(bare.plugins.named["my-policy"].max_output, plugin.max_output);
}

#[test]
fn every_variable_has_its_effect() {
    // A value that is valid and not the default, for each variable.
    let values = [
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
        ("PROXY_PROTOCOL", "true"),
        ("TLS_CERT_FILE", "/c.pem"),
        ("TLS_KEY_FILE", "/k.pem"),
        ("ACME_DOMAINS", "a.example.com,b.example.com"),
        ("ACME_EMAIL", "ops@example.com"),
        ("ACME_DIRECTORY_URL", "https://ca.example.com/dir"),
        ("ACME_CA_FILE", "/ca.pem"),
        ("API_KEY", "bootstrap"),
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
        ("PLUGIN_INSTANCES", "4"),
        ("DEFAULT_REGION", "de"),
        ("STRICT_NUMBERS", "1"),
        ("AUDIT_LOG_FILE", "/audit.jsonl"),
        ("LOG_FORMAT", "text"),
        ("LOG_LEVEL", "debug"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b"),
    ];
    let named: BTreeSet<&str> = values
        .iter()
        .map(|(name, _)| *name)
        .chain(["FAX_BACKEND"])
        .collect();
    let known: BTreeSet<&str> = KEYS
        .iter()
        .flat_map(|key| key.variables.iter().copied())
        .collect();
    assert_eq!(named, known);

    // What a variable needs beside it to be valid or to have an effect.
    let company: &[(&str, &[(&str, &str)])] = &[
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
    for (name, value) in values {
        let beside = company
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .map_or(&[][..], |(_, beside)| beside);
        let without = load(
            &Fixed::variables(
                beside
                    .iter()
                    .copied()
                    .filter(|(n, _)| *n != "STORAGE_BACKEND" || name != *n),
            ),
            None,
        );
        let without = without.map(|loaded| format!("{:?} {:?}", loaded.config, revealed(&loaded.config)));
        let mut variables: Vec<_> = beside
            .iter()
            .copied()
            .filter(|(beside, _)| *beside != name)
            .collect();
        variables.push((name, value));
        let with = load(&Fixed::variables(variables), None).unwrap_or_else(|e| panic!("{name}: {e}"));
        let with = format!("{:?} {:?}", with.config, revealed(&with.config));
        assert_ne!(Ok(with), without, "{name}");
    }
}
