//! Shows the effective configuration, secrets masked.
//!
//! Every structure is destructured without `..`, so that a new field can't be forgotten here.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

use crate::read::reader::Unit;
use crate::sections::dispatch::DispatchConfig;
use crate::sections::network::auth::AuthConfig;
use crate::sections::network::limits::LimitsConfig;
use crate::sections::network::listen::ListenConfig;
use crate::sections::network::tls::{AcmeConfig, TlsConfig};
use crate::sections::phaxio::{InboundConfig, PhaxioConfig};
use crate::sections::plugins::{NumbersConfig, OnError, PluginConfig, PluginsConfig};
use crate::sections::retention::{RetentionConfig, TokensConfig};
use crate::sections::storage::{S3Config, StorageConfig};
use crate::sections::telemetry::TelemetryConfig;
use crate::{Config, LogFormat};
use faxgate_base::secret::Secret;
use faxgate_base::size::MIB;

/// What is shown in place of a secret.
pub const MASK: &str = "***";

/// The configuration as a TOML file.
#[must_use]
pub fn text(config: &Config) -> String {
    // A table of texts, numbers and tables can always be written.
    toml::to_string(&table(config)).unwrap_or_default()
}

/// The configuration as a table, keyed as the file is.
#[must_use]
pub fn table(config: &Config) -> Table {
    let Config {
        disabled,
        data_dir,
        public_url,
        enforce_public_https,
        phaxio,
        dispatch,
        listen,
        tls,
        auth,
        limits,
        tokens,
        retention,
        inbound,
        storage,
        plugins,
        numbers,
        audit_file,
        log_format,
        log_level,
        telemetry,
    } = config;
    let format = match log_format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    section([
        ("backend", "phaxio".into()),
        ("disabled", (*disabled).into()),
        ("data_dir", data_dir.display().to_string().into()),
        ("public_url", public_url.as_str().trim_end_matches('/').into()),
        ("enforce_public_https", (*enforce_public_https).into()),
        ("phaxio", phaxio_section(phaxio).into()),
        ("dispatch", dispatch_section(dispatch).into()),
        ("listen", listen_section(listen).into()),
        ("tls", tls_section(tls).into()),
        ("auth", auth_section(auth).into()),
        ("limits", limits_section(limits).into()),
        ("tokens", tokens_section(tokens).into()),
        ("retention", retention_section(retention).into()),
        ("inbound", inbound_section(inbound).into()),
        ("storage", storage_section(storage).into()),
        ("plugins", plugins_section(plugins).into()),
        ("numbers", numbers_section(numbers).into()),
        (
            "audit",
            section([("file", shown(audit_file.as_ref().map(|p| p.display())))]).into(),
        ),
        (
            "log",
            section([("format", format.into()), ("level", log_level.as_str().into())]).into(),
        ),
        ("telemetry", telemetry_section(telemetry).into()),
    ])
}

fn phaxio_section(config: &PhaxioConfig) -> Table {
    let PhaxioConfig {
        api_key,
        api_secret,
        callback_token,
        api_url,
        callback_url,
        requests_per_second,
        timeout,
        verify_signature,
    } = config;
    section([
        ("api_key", masked(api_key.as_ref())),
        ("api_secret", masked(api_secret.as_ref())),
        ("callback_token", masked(callback_token.as_ref())),
        ("api_url", api_url.as_str().into()),
        ("callback_url", callback_url.as_str().into()),
        ("requests_per_second", number(*requests_per_second)),
        ("timeout_seconds", span(*timeout, Unit::Seconds)),
        ("verify_signature", (*verify_signature).into()),
    ])
}

fn dispatch_section(config: &DispatchConfig) -> Table {
    let DispatchConfig {
        backoff,
        grace,
        poll_after,
        job_deadline,
        concurrency,
        confirm_callbacks,
        fax_retries,
        fax_retry,
        fax_retry_after,
        fetch_retries,
    } = config;
    let after: Vec<_> = fax_retry_after.iter().map(|class| class.as_str()).collect();
    section([
        ("backoff_seconds", span(*backoff, Unit::Seconds)),
        ("grace_seconds", span(*grace, Unit::Seconds)),
        ("poll_after_seconds", span(*poll_after, Unit::Seconds)),
        ("job_deadline_seconds", span(*job_deadline, Unit::Seconds)),
        ("concurrency", whole(*concurrency as u64)),
        ("fax_retries", whole(u64::from(*fax_retries))),
        ("fax_retry_seconds", span(*fax_retry, Unit::Seconds)),
        ("fax_retry_after", after.into()),
        ("fetch_retries", whole(u64::from(*fetch_retries))),
        ("confirm_callbacks", (*confirm_callbacks).into()),
    ])
}

fn listen_section(config: &ListenConfig) -> Table {
    let ListenConfig {
        http,
        https,
        trusted_proxies,
        forwarded_header,
        proxy_protocol,
        max_connections,
        max_connections_per_address,
        max_requests,
    } = config;
    section([
        ("http", shown(*http)),
        ("https", shown(*https)),
        (
            "trusted_proxies",
            texts(trusted_proxies.iter().map(ToString::to_string)),
        ),
        ("forwarded_header", forwarded_header.as_str().into()),
        ("proxy_protocol", (*proxy_protocol).into()),
        ("max_connections", whole(*max_connections as u64)),
        (
            "max_connections_per_address",
            whole(*max_connections_per_address as u64),
        ),
        ("max_requests", whole(*max_requests as u64)),
    ])
}

fn tls_section(config: &TlsConfig) -> Table {
    let TlsConfig { files, acme } = config;
    let path = |path: &Path| path.display().to_string();
    let paths = |paths: Vec<String>| match paths.as_slice() {
        [] | [_] => Value::from(paths.concat()),
        _ => texts(paths.into_iter()),
    };
    let AcmeConfig {
        domains,
        email,
        directory_url,
        ca_file,
    } = acme;
    let acme = section([
        ("domains", texts(domains.iter().cloned())),
        ("email", shown(email.as_ref())),
        ("directory_url", shown(directory_url.as_ref())),
        ("ca_file", shown(ca_file.as_ref().map(|p| p.display()))),
    ]);
    section([
        (
            "cert_file",
            paths(files.iter().map(|pair| path(&pair.cert)).collect()),
        ),
        (
            "key_file",
            paths(files.iter().map(|pair| path(&pair.key)).collect()),
        ),
        ("acme", acme.into()),
    ])
}

fn auth_section(config: &AuthConfig) -> Table {
    let AuthConfig {
        bootstrap_key,
        require_api_key,
    } = config;
    section([
        ("bootstrap_key", masked(bootstrap_key.as_ref())),
        ("require_api_key", (*require_api_key).into()),
    ])
}

fn limits_section(config: &LimitsConfig) -> Table {
    let LimitsConfig {
        max_file_bytes,
        requests_per_minute,
        inbound_list_rpm,
        inbound_get_rpm,
        auth_failures_per_minute,
        max_spool_bytes,
    } = config;
    section([
        ("max_file_size_mb", whole(max_file_bytes / MIB)),
        ("requests_per_minute", whole((*requests_per_minute).into())),
        ("inbound_list_rpm", whole((*inbound_list_rpm).into())),
        ("inbound_get_rpm", whole((*inbound_get_rpm).into())),
        (
            "auth_failures_per_minute",
            whole((*auth_failures_per_minute).into()),
        ),
        ("max_spool_mb", whole(max_spool_bytes / MIB)),
    ])
}

fn tokens_section(config: &TokensConfig) -> Table {
    let TokensConfig { pdf_ttl, inbound_ttl } = config;
    section([
        ("pdf_ttl_minutes", span(*pdf_ttl, Unit::Minutes)),
        ("inbound_ttl_minutes", span(*inbound_ttl, Unit::Minutes)),
    ])
}

fn retention_section(config: &RetentionConfig) -> Table {
    let RetentionConfig {
        artifact_ttl,
        destroy_at_end,
        inbound,
        cleanup_interval,
    } = config;
    section([
        (
            "artifact_ttl_days",
            span(artifact_ttl.unwrap_or_default(), Unit::Days),
        ),
        ("destroy_at_end", (*destroy_at_end).into()),
        ("inbound_days", span(inbound.unwrap_or_default(), Unit::Days)),
        ("cleanup_interval_minutes", span(*cleanup_interval, Unit::Minutes)),
    ])
}

fn inbound_section(config: &InboundConfig) -> Table {
    let InboundConfig {
        enabled,
        verify_signature,
        routes,
    } = config;
    section([
        ("enabled", (*enabled).into()),
        ("verify_signature", (*verify_signature).into()),
        ("routes", map(routes).into()),
    ])
}

fn storage_section(config: &StorageConfig) -> Table {
    let s3 = match config {
        StorageConfig::Local => return section([("backend", "local".into())]),
        StorageConfig::S3(s3) => s3,
    };
    let S3Config {
        bucket,
        region,
        prefix,
        endpoint_url,
        kms_key_id,
        access_key_id,
        secret_access_key,
        session_token,
    } = s3;
    let s3 = section([
        ("bucket", bucket.as_str().into()),
        ("region", region.as_str().into()),
        ("prefix", prefix.as_str().into()),
        ("endpoint_url", shown(endpoint_url.as_ref())),
        ("kms_key_id", shown(kms_key_id.as_ref())),
        ("access_key_id", masked(access_key_id.as_ref())),
        ("secret_access_key", masked(secret_access_key.as_ref())),
        ("session_token", masked(session_token.as_ref())),
    ]);
    section([("backend", "s3".into()), ("s3", s3.into())])
}

fn plugins_section(config: &PluginsConfig) -> Table {
    let PluginsConfig {
        dir,
        cache_dir,
        font_dir,
        named,
        order,
        last_good_dir: _,
        instances,
    } = config;
    let mut table = section([
        ("dir", dir.display().to_string().into()),
        ("cache_dir", cache_dir.display().to_string().into()),
        ("font_dir", font_dir.display().to_string().into()),
        ("order", texts(order.iter().cloned())),
        ("instances", whole((*instances).into())),
    ]);
    table.extend(
        named
            .iter()
            .map(|(name, plugin)| (name.clone(), plugin_section(plugin).into())),
    );
    table
}

fn plugin_section(config: &PluginConfig) -> Table {
    let PluginConfig {
        settings,
        secrets,
        sha256,
        memory,
        cpu,
        wall,
        max_output,
        on_error,
        required,
    } = config;
    let on_error = match on_error {
        OnError::Deny => "deny",
        OnError::Next => "next",
    };
    let secrets: BTreeMap<String, String> = secrets
        .keys()
        .map(|name| (name.clone(), MASK.to_owned()))
        .collect();
    section([
        ("settings", map(settings).into()),
        ("secrets", map(&secrets).into()),
        ("sha256", shown(sha256.map(hex::encode))),
        ("memory_mb", whole(memory / MIB)),
        ("cpu_ms", span(*cpu, Unit::Milliseconds)),
        ("timeout_ms", span(*wall, Unit::Milliseconds)),
        ("max_output_mb", whole(max_output / MIB)),
        ("on_error", on_error.into()),
        ("required", (*required).into()),
    ])
}

fn numbers_section(config: &NumbersConfig) -> Table {
    let NumbersConfig {
        default_region,
        strict,
    } = config;
    section([
        ("default_region", default_region.as_str().into()),
        ("strict", (*strict).into()),
    ])
}

fn telemetry_section(config: &TelemetryConfig) -> Table {
    let TelemetryConfig {
        otlp_endpoint,
        otlp_headers,
    } = config;
    section([
        ("otlp_endpoint", shown(otlp_endpoint.as_ref())),
        ("otlp_headers", masked(otlp_headers.as_ref())),
    ])
}

fn section<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn map(texts: &BTreeMap<String, String>) -> Table {
    texts
        .iter()
        .map(|(name, text)| (name.clone(), text.as_str().into()))
        .collect()
}

/// A value that is not set is an empty text, as it may be written in a file.
fn shown<T: ToString>(value: Option<T>) -> Value {
    Value::String(value.map_or_else(String::new, |value| value.to_string()))
}

fn masked(secret: Option<&Secret>) -> Value {
    shown(secret.map(|_| MASK))
}

fn texts(items: impl Iterator<Item = String>) -> Value {
    Value::Array(items.map(Value::String).collect())
}

fn whole(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn span(span: Duration, unit: Unit) -> Value {
    number(span.as_secs_f64() / unit.seconds())
}

/// An integer where the number is one.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "only numbers that a whole one stands for exactly are turned into one"
)]
fn number(number: f64) -> Value {
    // Five decimals are more than any key needs, and hide rounding errors of unit conversion.
    let number = (number * 1e5).round() / 1e5;
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::Integer(number as i64)
    } else {
        Value::Float(number)
    }
}
