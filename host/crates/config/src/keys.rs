//! Every key there is: its place in the file, its names in the environment, and how it is treated.
//!
//! The environment names up to `LOG_FORMAT` are those of the product contract; an existing Faxbot `.env` relies on
//! them.

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Dotted path in the file.
    pub name: &'static str,
    /// Environment variables, the first non-empty one counts.
    pub variables: &'static [&'static str],
    /// How its text is treated.
    pub kind: Kind,
}

/// How the text of a key is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An empty text is as good as none.
    Plain,
    /// An empty text says "off".
    Listener,
    /// Never shown, and may be given as a path under the name with `_file` (`_FILE`) behind it.
    Secret,
}

/// Tables whose keys are the operator's own.
pub const OPEN_TABLES: [&str; 2] = ["inbound.routes", "plugins.\"NAME\""];

const fn plain(name: &'static str, variables: &'static [&'static str]) -> Key {
    Key {
        name,
        variables,
        kind: Kind::Plain,
    }
}

const fn secret(name: &'static str, variables: &'static [&'static str]) -> Key {
    Key {
        name,
        variables,
        kind: Kind::Secret,
    }
}

const fn listener(name: &'static str, variables: &'static [&'static str]) -> Key {
    Key {
        name,
        variables,
        kind: Kind::Listener,
    }
}

/// The table.
pub const KEYS: &[Key] = &[
    plain("backend", &["FAX_BACKEND"]),
    plain("disabled", &["FAX_DISABLED"]),
    plain("data_dir", &["FAX_DATA_DIR"]),
    plain("public_url", &["PUBLIC_API_URL"]),
    plain("enforce_public_https", &["ENFORCE_PUBLIC_HTTPS"]),
    secret("phaxio.api_key", &["PHAXIO_API_KEY"]),
    secret("phaxio.api_secret", &["PHAXIO_API_SECRET"]),
    secret("phaxio.callback_token", &["PHAXIO_CALLBACK_TOKEN"]),
    plain("phaxio.api_url", &["PHAXIO_API_URL"]),
    plain(
        "phaxio.callback_url",
        &["PHAXIO_CALLBACK_URL", "PHAXIO_STATUS_CALLBACK_URL"],
    ),
    plain("phaxio.requests_per_second", &["PHAXIO_REQUESTS_PER_SECOND"]),
    plain("phaxio.timeout_seconds", &["PHAXIO_TIMEOUT_SECONDS"]),
    plain("phaxio.verify_signature", &["PHAXIO_VERIFY_SIGNATURE"]),
    plain("dispatch.backoff_seconds", &["DISPATCH_BACKOFF_SECONDS"]),
    plain("dispatch.grace_seconds", &["DISPATCH_GRACE_SECONDS"]),
    plain("dispatch.poll_after_seconds", &["POLL_AFTER_SECONDS"]),
    plain("dispatch.job_deadline_seconds", &["JOB_DEADLINE_SECONDS"]),
    plain("dispatch.concurrency", &["DISPATCH_CONCURRENCY"]),
    plain("dispatch.fax_retries", &["FAX_RETRIES"]),
    plain("dispatch.fax_retry_seconds", &["FAX_RETRY_SECONDS"]),
    plain("dispatch.fax_retry_after", &["FAX_RETRY_AFTER"]),
    plain("dispatch.fetch_retries", &["FETCH_RETRIES"]),
    plain("dispatch.confirm_callbacks", &["CONFIRM_CALLBACKS"]),
    listener("listen.http", &["HTTP_LISTEN"]),
    listener("listen.https", &["HTTPS_LISTEN"]),
    plain("listen.trusted_proxies", &["TRUSTED_PROXIES"]),
    plain("listen.proxy_protocol", &["PROXY_PROTOCOL"]),
    plain("listen.max_connections", &["MAX_CONNECTIONS"]),
    plain(
        "listen.max_connections_per_address",
        &["MAX_CONNECTIONS_PER_ADDRESS"],
    ),
    plain("listen.max_requests", &["MAX_REQUESTS"]),
    plain("tls.cert_file", &["TLS_CERT_FILE"]),
    plain("tls.key_file", &["TLS_KEY_FILE"]),
    plain("tls.acme.domains", &["ACME_DOMAINS"]),
    plain("tls.acme.email", &["ACME_EMAIL"]),
    plain("tls.acme.directory_url", &["ACME_DIRECTORY_URL"]),
    plain("tls.acme.ca_file", &["ACME_CA_FILE"]),
    secret("auth.bootstrap_key", &["API_KEY"]),
    plain("auth.require_api_key", &["REQUIRE_API_KEY"]),
    plain("limits.max_file_size_mb", &["MAX_FILE_SIZE_MB"]),
    plain("limits.max_spool_mb", &["MAX_SPOOL_MB"]),
    plain("limits.requests_per_minute", &["MAX_REQUESTS_PER_MINUTE"]),
    plain("limits.inbound_list_rpm", &["INBOUND_LIST_RPM"]),
    plain("limits.inbound_get_rpm", &["INBOUND_GET_RPM"]),
    plain("limits.auth_failures_per_minute", &["AUTH_FAILURES_PER_MINUTE"]),
    plain("tokens.pdf_ttl_minutes", &["PDF_TOKEN_TTL_MINUTES"]),
    plain("tokens.inbound_ttl_minutes", &["INBOUND_TOKEN_TTL_MINUTES"]),
    plain("retention.artifact_ttl_days", &["ARTIFACT_TTL_DAYS"]),
    plain("retention.destroy_at_end", &["RETENTION_DESTROY_AT_END"]),
    plain("retention.inbound_days", &["INBOUND_RETENTION_DAYS"]),
    plain(
        "retention.cleanup_interval_minutes",
        &["CLEANUP_INTERVAL_MINUTES"],
    ),
    plain("inbound.enabled", &["INBOUND_ENABLED"]),
    plain("inbound.verify_signature", &["PHAXIO_INBOUND_VERIFY_SIGNATURE"]),
    plain("storage.backend", &["STORAGE_BACKEND"]),
    plain("storage.s3.bucket", &["S3_BUCKET"]),
    plain("storage.s3.region", &["S3_REGION"]),
    plain("storage.s3.prefix", &["S3_PREFIX"]),
    plain("storage.s3.endpoint_url", &["S3_ENDPOINT_URL"]),
    plain("storage.s3.kms_key_id", &["S3_KMS_KEY_ID"]),
    secret("storage.s3.access_key_id", &["AWS_ACCESS_KEY_ID"]),
    secret("storage.s3.secret_access_key", &["AWS_SECRET_ACCESS_KEY"]),
    secret("storage.s3.session_token", &["AWS_SESSION_TOKEN"]),
    plain("plugins.dir", &["PLUGIN_DIR"]),
    plain("plugins.cache_dir", &["PLUGIN_CACHE_DIR"]),
    plain("plugins.font_dir", &["FONT_DIR"]),
    plain("plugins.instances", &["PLUGIN_INSTANCES"]),
    plain("numbers.default_region", &["DEFAULT_REGION"]),
    plain("numbers.strict", &["STRICT_NUMBERS"]),
    plain("audit.file", &["AUDIT_LOG_FILE"]),
    plain("log.format", &["LOG_FORMAT"]),
    plain("log.level", &["LOG_LEVEL"]),
    plain("telemetry.otlp_endpoint", &["OTEL_EXPORTER_OTLP_ENDPOINT"]),
    secret("telemetry.otlp_headers", &["OTEL_EXPORTER_OTLP_HEADERS"]),
];

/// Keys of a `[plugins."NAME"]` table.
pub const PLUGIN_KEYS: [&str; 8] = [
    "settings",
    "secrets",
    "sha256",
    "memory_mb",
    "cpu_ms",
    "timeout_ms",
    "max_output_mb",
    "on_error",
];

/// The key of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether some key is in the section of this name.
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
        .into_iter()
        .map(|key| (likeness(name, key), key))
        .fold(
            (f64::MIN, ""),
            |best, next| if next.0 > best.0 { next } else { best },
        )
        .1
}

fn likeness(a: &str, b: &str) -> f64 {
    // Somebody's pasted paragraph is no key: the comparison is quadratic.
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
