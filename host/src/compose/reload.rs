//! Loading anew what can be loaded anew: certificates, plugins, provider credentials, limits, the log level.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::Value;

use super::Service;
use faxgate_base::secret::Secret;
use faxgate_config::storage::StorageConfig;
use faxgate_config::{Config, render};
use faxgate_domain::code::Code;
use faxgate_service::Actor;
use faxgate_telemetry::logs;

/// What a reload did.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// Keys of the configuration, and other things, that are new and in force.
    pub changed: Vec<String>,
    /// Keys that changed but stay as they were until a restart.
    pub restart: Vec<String>,
    /// What was refused, a sentence each.
    pub refused: Vec<String>,
}

impl Service {
    /// Takes `fresh` into force as far as that goes without a restart, and loads certificates and plugins anew.
    pub async fn reload(&self, mut fresh: Config) -> Reloaded {
        let mut report = Reloaded::default();
        let old = self.parts.config.load_full();
        let asked = fresh.clone();
        keep_fixed(&old, &mut fresh);
        compare(&old, &asked, &fresh, &mut report);
        if fresh.phaxio.api_key != old.phaxio.api_key || fresh.phaxio.api_secret != old.phaxio.api_secret {
            self.parts
                .phaxio
                .replace_credentials(fresh.phaxio.api_key.clone(), fresh.phaxio.api_secret.clone());
        }
        if fresh.log_level != old.log_level
            && let Err(error) = logs::set_level(&fresh.log_level)
        {
            report.refused.push(format!("log.level: {error}"));
        }
        self.parts.config.store(Arc::new(fresh));
        // Whatever held the queue may have been mended.
        self.dispatcher.credentials_changed();
        self.reload_certificate(&mut report);
        match self.app.reload_plugins(&Actor::operator()).await {
            Ok(done) if done.changed_anything() => report.changed.push("plugins".to_owned()),
            Ok(_) => {}
            Err(error) if error.code == Code::Invalid => report.refused.push(format!("plugins: {error}")),
            Err(error) => report.refused.push(format!("plugins: {error}; see the log")),
        }
        let now = self.app.clock().now();
        let entry = Actor::operator()
            .did(now, "config.reload", "")
            .fact("changed", report.changed.join(", "))
            .fact("restart", report.restart.join(", "));
        self.parts.store.record_later(entry);
        tracing::info!(
            changed = ?report.changed,
            needs_restart = ?report.restart,
            refused = ?report.refused,
            "configuration loaded anew"
        );
        report
    }

    fn reload_certificate(&self, report: &mut Reloaded) {
        let Some(tls) = &self.tls else { return };
        let faxgate_edge::tls::Reloaded { replaced, errors } = tls.reload();
        if !replaced.is_empty() {
            report.changed.push("certificate".to_owned());
        }
        for error in errors {
            report
                .refused
                .push(format!("certificate: {error}; the last good one stays"));
        }
        tls.hurry();
    }
}

/// Sorts the keys that were changed into those that are in force now and those that wait for a restart.
fn compare(old: &Config, asked: &Config, now: &Config, report: &mut Reloaded) {
    let (before, wanted, after) = (keys(old), keys(asked), keys(now));
    let names: BTreeSet<&String> = before.keys().chain(wanted.keys()).collect();
    for name in names {
        if before.get(name) == wanted.get(name) {
            continue;
        }
        if after.get(name) == wanted.get(name) {
            report.changed.push(name.clone());
        } else {
            report.restart.push(name.clone());
        }
    }
}

/// A value to compare, never to print.
#[derive(PartialEq)]
enum Setting {
    Shown(Value),
    Secret(Secret),
}

/// Every key with its value, secrets included.
fn keys(config: &Config) -> BTreeMap<String, Setting> {
    let mut keys = BTreeMap::new();
    flatten("", Value::Table(render::table(config)), &mut keys);
    for (name, secret) in secrets(config) {
        keys.insert(name, Setting::Secret(secret));
    }
    keys
}

fn flatten(path: &str, value: Value, keys: &mut BTreeMap<String, Setting>) {
    let Value::Table(table) = value else {
        keys.insert(path.to_owned(), Setting::Shown(value));
        return;
    };
    for (name, value) in table {
        let path = match path {
            "" => name,
            path => format!("{path}.{name}"),
        };
        flatten(&path, value, keys);
    }
}

fn secrets(config: &Config) -> Vec<(String, Secret)> {
    let (phaxio, mut secrets) = (&config.phaxio, Vec::new());
    let mut add = |name: &str, secret: &Option<Secret>| {
        secrets.extend(secret.clone().map(|secret| (name.to_owned(), secret)));
    };
    add("phaxio.api_key", &phaxio.api_key);
    add("phaxio.api_secret", &phaxio.api_secret);
    add("phaxio.callback_token", &phaxio.callback_token);
    add("auth.bootstrap_key", &config.auth.bootstrap_key);
    add("telemetry.otlp_headers", &config.telemetry.otlp_headers);
    if let StorageConfig::S3(s3) = &config.storage {
        add("storage.s3.access_key_id", &s3.access_key_id);
        add("storage.s3.secret_access_key", &s3.secret_access_key);
        add("storage.s3.session_token", &s3.session_token);
    }
    for (plugin, settings) in &config.plugins.named {
        for (name, secret) in &settings.secrets {
            secrets.push((format!("plugins.{plugin}.secrets.{name}"), secret.clone()));
        }
    }
    secrets
}

/// Puts back what only a restart can change: what was opened, bound or started with it.
fn keep_fixed(old: &Config, fresh: &mut Config) {
    fresh.data_dir.clone_from(&old.data_dir);
    fresh.disabled = old.disabled;
    // Which proxies are trusted is asked with every request.
    let trusted_proxies = std::mem::take(&mut fresh.listen.trusted_proxies);
    fresh.listen = old.listen.clone();
    fresh.listen.trusted_proxies = trusted_proxies;
    fresh.tls = old.tls.clone();
    fresh.storage = old.storage.clone();
    fresh.phaxio.api_url = old.phaxio.api_url.clone();
    fresh.phaxio.timeout = old.phaxio.timeout;
    fresh.dispatch.concurrency = old.dispatch.concurrency;
    fresh.limits.max_spool_bytes = old.limits.max_spool_bytes;
    fresh.retention.artifact_ttl = old.retention.artifact_ttl;
    fresh.retention.destroy_at_end = old.retention.destroy_at_end;
    fresh.plugins.dir.clone_from(&old.plugins.dir);
    fresh.plugins.cache_dir.clone_from(&old.plugins.cache_dir);
    fresh.plugins.instances = old.plugins.instances;
    fresh.audit_file.clone_from(&old.audit_file);
    fresh.log_format = old.log_format;
    fresh.telemetry = old.telemetry.clone();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use faxgate_config::keys::{KEYS, Kind};
    use faxgate_config::load;
    use faxgate_config::source::Fixed;

    /// The defaults with these variables.
    fn config(variables: &[(&str, &str)]) -> Config {
        let s3 = [
            ("STORAGE_BACKEND", "s3"),
            ("S3_BUCKET", "b"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
        ];
        let all: BTreeMap<_, _> = s3.iter().chain(variables).copied().collect();
        load(&Fixed::variables(all), None).unwrap().config
    }

    fn reloaded(before: &[(&str, &str)], after: &[(&str, &str)]) -> Reloaded {
        let (old, asked) = (config(before), config(after));
        let (mut now, mut report) = (asked.clone(), Reloaded::default());
        keep_fixed(&old, &mut now);
        compare(&old, &asked, &now, &mut report);
        report
    }

    #[test]
    fn what_changed_is_named_by_its_key_and_by_whether_it_is_in_force() {
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
            report.changed,
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
        let nothing = reloaded(&[("API_KEY", "k")], &[("API_KEY", "k")]);
        assert!(nothing.changed.is_empty() && nothing.restart.is_empty());
    }

    #[test]
    fn every_secret_is_compared() {
        for key in KEYS.iter().filter(|key| key.kind == Kind::Secret) {
            let report = reloaded(&[(key.variables[0], "one=1")], &[(key.variables[0], "two=2")]);
            let named: Vec<String> = report.changed.into_iter().chain(report.restart).collect();
            assert_eq!(named, [key.name]);
        }
    }

    #[test]
    fn nothing_secret_can_be_printed() {
        let report = reloaded(&[], &[("API_KEY", "very-secret-bootstrap-key")]);
        assert!(!format!("{report:?}").contains("very-secret"));
    }
}
