//! Reloading: what is reported as changed, and that secrets are compared but never printed.

use std::collections::BTreeMap;

use super::super::keys::{KEYS, Kind};
use super::super::reload::{self, Changes};
use super::super::source::Fixed;
use super::super::{Config, load};
use super::S3;

/// A configuration with storage in S3 and these variables.
fn config(variables: &[(&str, &str)]) -> Config {
    let all: BTreeMap<_, _> = S3.iter().chain(variables).copied().collect();
    load(&Fixed::variables(all), None).unwrap().config
}

fn reloaded(before: &[(&str, &str)], after: &[(&str, &str)]) -> Changes {
    reload::merge(&config(before), config(after)).1
}

#[test]
fn what_changed_is_named_by_its_key_and_by_whether_it_is_in_effect() {
    let report = reloaded(
        &[
            ("API_KEY", "one-long-bootstrap-key-000"),
            ("MAX_REQUESTS_PER_MINUTE", "5"),
        ],
        &[
            ("API_KEY", "two-long-bootstrap-key-000"),
            ("MAX_REQUESTS_PER_MINUTE", "7"),
            ("TRUSTED_PROXIES", "10.0.0.0/8"),
            ("LOG_LEVEL", "debug"),
            ("HTTP_LISTEN", "127.0.0.1:9"),
            ("S3_BUCKET", "c"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
        ],
    );
    assert_eq!(
        report.effective,
        [
            "auth.bootstrap_key",
            "limits.requests_per_minute",
            "listen.trusted_proxies",
            "log.level"
        ]
    );
    assert_eq!(
        report.restart,
        ["listen.http", "storage.s3.bucket", "storage.s3.secret_access_key"]
    );
    let nothing = reloaded(
        &[("API_KEY", "the-same-bootstrap-key")],
        &[("API_KEY", "the-same-bootstrap-key")],
    );
    assert!(nothing.effective.is_empty() && nothing.restart.is_empty());
}

#[test]
fn every_secret_is_compared() {
    for key in KEYS.iter().filter(|key| key.kind == Kind::Secret) {
        let report = reloaded(
            &[(key.variables[0], "one=1-and-some-more")],
            &[(key.variables[0], "two=2-and-some-more")],
        );
        let named: Vec<String> = report.effective.into_iter().chain(report.restart).collect();
        assert_eq!(named, [key.name]);
    }
}

#[test]
fn nothing_secret_can_be_printed() {
    let report = reloaded(&[], &[("API_KEY", "very-secret-bootstrap-key")]);
    assert!(!format!("{report:?}").contains("very-secret"));
}
