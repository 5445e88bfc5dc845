//! What a reload changes: which keys take effect at once, and which stay as they are until a restart.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use crate::sections::dispatch::DispatchConfig;
use crate::sections::network::auth::AuthConfig;
use crate::sections::network::limits::LimitsConfig;
use crate::sections::network::listen::ListenConfig;
use crate::sections::phaxio::{InboundConfig, PhaxioConfig};
use crate::sections::plugins::{NumbersConfig, PluginsConfig};
use crate::sections::retention::{RetentionConfig, TokensConfig};
use crate::sections::storage::StorageConfig;
use crate::{Config, render};
use faxgate_base::secret::Secret;

/// The keys that differ between the configuration in effect and the one that was asked for, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// In effect now.
    pub effective: Vec<String>,
    /// As they were, until a restart.
    pub restart: Vec<String>,
}

/// The configuration that takes effect when `asked` is loaded into a service that runs with `running`.
#[must_use]
pub fn merge(running: &Config, asked: Config) -> (Config, Changes) {
    let (before, wanted) = (settings(running), settings(&asked));
    let mut effective = asked;
    keep_fixed(running, &mut effective);
    let after = settings(&effective);
    let mut changes = Changes::default();
    let names: BTreeSet<&String> = before.keys().chain(wanted.keys()).collect();
    for name in names {
        if before.get(name) == wanted.get(name) {
            continue;
        }
        if after.get(name) == wanted.get(name) {
            changes.effective.push(name.clone());
        } else {
            changes.restart.push(name.clone());
        }
    }
    (effective, changes)
}

/// Puts back what only a restart can change: what was opened, bound or started with it.
///
/// Every structure is destructured without `..`, so that a new field has to be decided about here. `_` stands for the
/// fields that a reload can change.
fn keep_fixed(running: &Config, fresh: &mut Config) {
    let Config {
        disabled,
        data_dir,
        public_url: _,
        enforce_public_https: _,
        phaxio,
        dispatch,
        listen,
        tls,
        auth: AuthConfig {
            bootstrap_key: _,
            require_api_key: _,
        },
        limits,
        tokens: TokensConfig {
            pdf_ttl: _,
            inbound_ttl: _,
        },
        retention,
        inbound:
            InboundConfig {
                enabled: _,
                verify_signature: _,
                routes: _,
            },
        storage,
        plugins,
        numbers: NumbersConfig {
            default_region: _,
            strict: _,
        },
        audit_file,
        log_format,
        log_level: _,
        telemetry,
    } = running;
    fresh.disabled = *disabled;
    fresh.data_dir.clone_from(data_dir);
    keep_phaxio(phaxio, &mut fresh.phaxio);
    keep_dispatch(dispatch, &mut fresh.dispatch);
    keep_listen(listen, &mut fresh.listen);
    fresh.tls = tls.clone();
    keep_limits(limits, &mut fresh.limits);
    keep_retention(retention, &mut fresh.retention);
    fresh.storage = storage.clone();
    keep_plugins(plugins, &mut fresh.plugins);
    fresh.audit_file.clone_from(audit_file);
    fresh.log_format = *log_format;
    fresh.telemetry = telemetry.clone();
}

fn keep_phaxio(running: &PhaxioConfig, fresh: &mut PhaxioConfig) {
    let PhaxioConfig {
        api_key: _,
        api_secret: _,
        callback_token: _,
        api_url,
        callback_url: _,
        requests_per_second: _,
        timeout,
        verify_signature: _,
    } = running;
    fresh.api_url = api_url.clone();
    fresh.timeout = *timeout;
}

fn keep_dispatch(running: &DispatchConfig, fresh: &mut DispatchConfig) {
    let DispatchConfig {
        backoff: _,
        grace: _,
        poll_after: _,
        job_deadline: _,
        concurrency,
        confirm_callbacks: _,
        fax_retries: _,
        fax_retry: _,
        fax_retry_after: _,
        fetch_retries: _,
    } = running;
    fresh.concurrency = *concurrency;
}

fn keep_listen(running: &ListenConfig, fresh: &mut ListenConfig) {
    let ListenConfig {
        http,
        https,
        // Read with every request.
        trusted_proxies: _,
        forwarded_header: _,
        proxy_protocol,
        max_connections,
        max_connections_per_address,
        max_requests,
    } = running;
    fresh.http = *http;
    fresh.https = *https;
    fresh.proxy_protocol = *proxy_protocol;
    fresh.max_connections = *max_connections;
    fresh.max_connections_per_address = *max_connections_per_address;
    fresh.max_requests = *max_requests;
}

fn keep_limits(running: &LimitsConfig, fresh: &mut LimitsConfig) {
    let LimitsConfig {
        max_file_bytes: _,
        requests_per_minute: _,
        inbound_list_rpm: _,
        inbound_get_rpm: _,
        auth_failures_per_minute: _,
        max_spool_bytes,
    } = running;
    fresh.max_spool_bytes = *max_spool_bytes;
}

fn keep_retention(running: &RetentionConfig, fresh: &mut RetentionConfig) {
    let RetentionConfig {
        artifact_ttl,
        destroy_at_end,
        inbound: _,
        cleanup_interval: _,
    } = running;
    fresh.artifact_ttl = *artifact_ttl;
    fresh.destroy_at_end = *destroy_at_end;
}

fn keep_plugins(running: &PluginsConfig, fresh: &mut PluginsConfig) {
    let PluginsConfig {
        dir,
        cache_dir,
        font_dir,
        named: _,
        order: _,
        last_good_dir,
        instances,
    } = running;
    fresh.dir.clone_from(dir);
    fresh.cache_dir.clone_from(cache_dir);
    fresh.font_dir.clone_from(font_dir);
    fresh.last_good_dir.clone_from(last_good_dir);
    fresh.instances = *instances;
}

/// A value to compare, never to print.
#[derive(PartialEq)]
enum Setting {
    Shown(Value),
    Secret(Secret),
}

/// Every key with its value, secrets included.
fn settings(config: &Config) -> BTreeMap<String, Setting> {
    let mut settings = BTreeMap::new();
    flatten("", Value::Table(render::table(config)), &mut settings);
    for (name, secret) in secrets(config) {
        settings.insert(name, Setting::Secret(secret));
    }
    settings
}

fn flatten(path: &str, value: Value, settings: &mut BTreeMap<String, Setting>) {
    let Value::Table(table) = value else {
        settings.insert(path.to_owned(), Setting::Shown(value));
        return;
    };
    for (name, value) in table {
        let path = match path {
            "" => name,
            path => format!("{path}.{name}"),
        };
        flatten(&path, value, settings);
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
