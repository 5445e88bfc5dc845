//! The table of all keys.

use super::DefaultValue::{self, Described, Flag, List, Text, Unset, Whole};
use super::Reload::{self, Live, Restart};
use super::{Key, Kind};

const fn key(
    name: &'static str,
    variables: &'static [&'static str],
    default: DefaultValue,
    reload: Reload,
    meaning: &'static str,
) -> Key {
    let kind = Kind::Plain;
    Key {
        name,
        variables,
        kind,
        default,
        reload,
        meaning,
    }
}

const fn secret(
    name: &'static str,
    variables: &'static [&'static str],
    reload: Reload,
    meaning: &'static str,
) -> Key {
    let (kind, default) = (Kind::Secret, Unset);
    Key {
        name,
        variables,
        kind,
        default,
        reload,
        meaning,
    }
}

const fn listener(
    name: &'static str,
    variables: &'static [&'static str],
    address: &'static str,
    meaning: &'static str,
) -> Key {
    let (kind, default, reload) = (Kind::Listener, Text(address), Restart);
    Key {
        name,
        variables,
        kind,
        default,
        reload,
        meaning,
    }
}

/// Every key, in the order of the example file.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("backend", &["FAX_BACKEND"], Text("phaxio"), Live,
        "The fax provider."),
    key("disabled", &["FAX_DISABLED"], Flag(false), Restart,
        "Accept and store faxes, but never call the provider. They end with the status disabled."),
    key("data_dir", &["FAX_DATA_DIR"], Text("./faxdata"), Restart,
        "Folder of database, documents, uploads in progress and automatic certificates. One process at a time."),
    key("public_url", &["PUBLIC_API_URL"], Text("http://localhost:8080"), Live,
        "Address at which the provider reaches this service: it fetches documents there."),
    key("enforce_public_https", &["ENFORCE_PUBLIC_HTTPS"], Flag(true), Live,
        "Refuse to start with a public http address, and answer only health checks in clear text to other machines."),

    secret("phaxio.api_key", &["PHAXIO_API_KEY"], Live,
        "Key of the account."),
    secret("phaxio.api_secret", &["PHAXIO_API_SECRET"], Live,
        "Secret of the account. Also the key of Faxbot's signature scheme."),
    secret("phaxio.callback_token", &["PHAXIO_CALLBACK_TOKEN"], Live,
        "Callback token of the account, with which Phaxio signs its callbacks."),
    key("phaxio.api_url", &["PHAXIO_API_URL"], Text("https://api.phaxio.com/v2.1"), Restart,
        "Address of the provider's interface."),
    key("phaxio.callback_url", &["PHAXIO_CALLBACK_URL", "PHAXIO_STATUS_CALLBACK_URL"],
        Described("{public_url}/phaxio-callback"), Live,
        "Address to which the provider reports. The first variable that is not empty counts."),
    key("phaxio.requests_per_second", &["PHAXIO_REQUESTS_PER_SECOND"], Whole(1), Live,
        "Requests per second to the provider, which allows one."),
    key("phaxio.timeout_seconds", &["PHAXIO_TIMEOUT_SECONDS"], Whole(30), Restart,
        "Duration of one request to the provider."),
    key("phaxio.verify_signature", &["PHAXIO_VERIFY_SIGNATURE"], Flag(true), Live,
        "Accept only signed callbacks about sent faxes."),

    key("dispatch.backoff_seconds", &["DISPATCH_BACKOFF_SECONDS"], Whole(5), Live,
        "First wait after a request that certainly had no effect. It doubles each time, up to an hour."),
    key("dispatch.grace_seconds", &["DISPATCH_GRACE_SECONDS"], Whole(120), Live,
        "How long a fax with an unknown outcome must stay absent at the provider before it is sent again."),
    key("dispatch.poll_after_seconds", &["POLL_AFTER_SECONDS"], Whole(600), Live,
        "Time without a callback after which the provider is asked."),
    key("dispatch.job_deadline_seconds", &["JOB_DEADLINE_SECONDS"], Whole(86_400), Live,
        "Age at which a fax is looked up a last time and closed."),
    key("dispatch.concurrency", &["DISPATCH_CONCURRENCY"], Whole(4), Restart,
        "Requests to the provider at the same time."),
    key("dispatch.confirm_callbacks", &["CONFIRM_CALLBACKS"], Flag(false), Live,
        "Ask the provider before a callback about the end of a fax is accepted."),
    key("dispatch.fax_retries", &["FAX_RETRIES"], Whole(0), Live,
        "Further faxes of a job whose fax failed, after the provider's own calls."),
    key("dispatch.fax_retry_seconds", &["FAX_RETRY_SECONDS"], Whole(300), Live,
        "Wait before each of them."),
    key("dispatch.fax_retry_after", &["FAX_RETRY_AFTER"], List(&["busy", "no_answer"]), Live,
        "Failures that another fax may follow: busy, no_answer, line, fax. After the last two, pages may have been \
         printed and are printed again. Every other failure is final."),
    key("dispatch.fetch_retries", &["FETCH_RETRIES"], Whole(3), Live,
        "Further faxes of a job whose document the provider could not fetch, since the service was down or not \
         reachable. Nothing was sent then. After the same wait."),

    listener("listen.http", &["HTTP_LISTEN"], "127.0.0.1:8080",
        "Plain HTTP: for this machine, or behind a proxy that terminates TLS. Empty is off."),
    listener("listen.https", &["HTTPS_LISTEN"], "",
        "HTTPS, for example 0.0.0.0:443. Empty is off. For its certificate see [tls]."),
    key("listen.trusted_proxies", &["TRUSTED_PROXIES"], List(&[]), Live,
        "Networks of proxies whose reports about their clients are believed, in the header that \
         listen.forwarded_header names."),
    key("listen.forwarded_header", &["FORWARDED_HEADER"], Text("x-forwarded-for"), Live,
        "The only header in which a trusted proxy reports its client: x-forwarded-for (with X-Forwarded-Proto) or \
         forwarded (RFC 7239). The other one may come from the client and is ignored."),
    key("listen.proxy_protocol", &["PROXY_PROTOCOL"], Flag(false), Restart,
        "Every connection from a trusted proxy begins with a PROXY protocol header, version 1 or 2. One without is \
         closed."),
    key("listen.max_connections", &["MAX_CONNECTIONS"], Whole(4096), Restart,
        "Open connections."),
    key("listen.max_connections_per_address", &["MAX_CONNECTIONS_PER_ADDRESS"], Whole(256), Restart,
        "Open connections of one client address."),
    key("listen.max_requests", &["MAX_REQUESTS"], Whole(1024), Restart,
        "Requests that are answered at the same time. More are answered 503 with Retry-After."),

    key("tls.cert_file", &["TLS_CERT_FILE"], Unset, Restart,
        "PEM file of the certificate chain, read again when it changes. A list gives several certificates: clients \
         get the one for the name that they ask for, others the first. Without files and without [tls.acme], a \
         self-signed certificate is made and kept in the data folder."),
    key("tls.key_file", &["TLS_KEY_FILE"], Unset, Restart,
        "PEM file of the certificate's key, or a list in the same order."),
    key("tls.acme.domains", &["ACME_DOMAINS"], List(&[]), Restart,
        "Host names to get a certificate for. They are proved over the HTTPS listener (TLS-ALPN-01), which the \
         authority must reach at port 443 of these names."),
    key("tls.acme.email", &["ACME_EMAIL"], Unset, Restart,
        "Address to which the authority writes when something is wrong."),
    key("tls.acme.directory_url", &["ACME_DIRECTORY_URL"], Described("Let's Encrypt"), Restart,
        "Directory of the authority. Its staging service, to try things out: \
         https://acme-staging-v02.api.letsencrypt.org/directory."),
    key("tls.acme.ca_file", &["ACME_CA_FILE"], Unset, Restart,
        "PEM file of the root that signed the directory's own certificate, for a private authority."),

    secret("auth.bootstrap_key", &["API_KEY"], Live,
        "Administrator's key that is not in the database, to create the first keys with. At least 16 characters."),
    key("auth.require_api_key", &["REQUIRE_API_KEY"], Flag(true), Live,
        "When false, routes that are not administrative are open to everybody on this machine. Refused when a listener \
         can be reached from other machines."),

    key("limits.max_file_size_mb", &["MAX_FILE_SIZE_MB"], Whole(10), Live,
        "Size of one upload, in MiB."),
    key("limits.max_spool_mb", &["MAX_SPOOL_MB"], Whole(1024), Restart,
        "Size of all uploads in progress together, in MiB on disk."),
    key("limits.requests_per_minute", &["MAX_REQUESTS_PER_MINUTE"], Whole(0), Live,
        "Requests per minute of one key. 0 is no limit."),
    key("limits.inbound_list_rpm", &["INBOUND_LIST_RPM"], Whole(30), Live,
        "Lists of received faxes per minute of one key. 0 is no limit."),
    key("limits.inbound_get_rpm", &["INBOUND_GET_RPM"], Whole(60), Live,
        "Reads of received faxes per minute of one key. 0 is no limit."),
    key("limits.auth_failures_per_minute", &["AUTH_FAILURES_PER_MINUTE"], Whole(30), Live,
        "Failed authentications per minute of one client address. 0 is no limit."),

    key("tokens.pdf_ttl_minutes", &["PDF_TOKEN_TTL_MINUTES"], Whole(60), Live,
        "How long a link to the document of a sent fax is valid."),
    key("tokens.inbound_ttl_minutes", &["INBOUND_TOKEN_TTL_MINUTES"], Whole(60), Live,
        "How long a link to a received document is valid."),

    key("retention.artifact_ttl_days", &["ARTIFACT_TTL_DAYS"], Whole(0), Restart,
        "Days after which documents of finished faxes are destroyed. 0 keeps them."),
    key("retention.destroy_at_end", &["RETENTION_DESTROY_AT_END"], Flag(false), Restart,
        "Destroy the document of a sent fax as soon as the fax has ended. Only the record stays, and the fax cannot be \
         sent again. Excludes artifact_ttl_days."),
    key("retention.inbound_days", &["INBOUND_RETENTION_DAYS"], Whole(30), Live,
        "Days after which received documents are destroyed. 0 keeps them."),
    key("retention.cleanup_interval_minutes", &["CLEANUP_INTERVAL_MINUTES"], Whole(1440), Live,
        "How often what is due is destroyed."),

    key("inbound.enabled", &["INBOUND_ENABLED"], Flag(false), Live,
        "Receive faxes."),
    key("inbound.verify_signature", &["PHAXIO_INBOUND_VERIFY_SIGNATURE"], Flag(true), Live,
        "Accept only signed deliveries."),

    key("storage.backend", &["STORAGE_BACKEND"], Text("local"), Restart,
        "Where documents are stored: local (in the data folder) or s3."),
    key("storage.s3.bucket", &["S3_BUCKET"], Unset, Restart,
        "The bucket."),
    key("storage.s3.region", &["S3_REGION"], Text("us-east-1"), Restart,
        "Its region."),
    key("storage.s3.prefix", &["S3_PREFIX"], Unset, Restart,
        "Beginning of every object's name."),
    key("storage.s3.endpoint_url", &["S3_ENDPOINT_URL"], Unset, Restart,
        "A server other than Amazon's. Switches to path-style addresses."),
    key("storage.s3.kms_key_id", &["S3_KMS_KEY_ID"], Unset, Restart,
        "Encrypt with this KMS key."),
    secret("storage.s3.access_key_id", &["AWS_ACCESS_KEY_ID"], Restart,
        "Id of the access key."),
    secret("storage.s3.secret_access_key", &["AWS_SECRET_ACCESS_KEY"], Restart,
        "The access key."),
    secret("storage.s3.session_token", &["AWS_SESSION_TOKEN"], Restart,
        "Session token of temporary credentials."),

    key("plugins.dir", &["PLUGIN_DIR"], Described("{data_dir}/plugins"), Restart,
        "Folder of plugins. A component that is put here is loaded without a restart."),
    key("plugins.cache_dir", &["PLUGIN_CACHE_DIR"], Described("{data_dir}/cache"), Restart,
        "Folder of compiled plugins."),
    key("plugins.font_dir", &["FONT_DIR"], Described("{data_dir}/fonts"), Restart,
        "Folder of fonts for scripts in texts, named by ISO 15924 code (Thai.ttf)."),
    key("plugins.order", &["PLUGINS_ORDER"], List(&[]), Live,
        "Names of plugins that are asked first, in this order. The others follow by file name, then the built-in ones."),
    key("plugins.instances", &["PLUGIN_INSTANCES"], Whole(32), Restart,
        "Plugin calls at the same time."),

    key("numbers.default_region", &["DEFAULT_REGION"], Text("US"), Live,
        "Country of numbers without a country code, as two letters of ISO 3166."),
    key("numbers.strict", &["STRICT_NUMBERS"], Flag(false), Live,
        "Refuse numbers that are possible but not assigned."),

    key("audit.file", &["AUDIT_LOG_FILE"], Unset, Restart,
        "File to which the audit log is also written, as JSON lines."),

    key("log.format", &["LOG_FORMAT"], Text("auto"), Restart,
        "Format of the log: text or json. auto is text on a terminal and json elsewhere."),
    key("log.level", &["LOG_LEVEL"], Text("info"), Live,
        "Least important lines that are logged: error, warn, info, debug or trace. Also filters by module, such as \
         info,faxgate_service=debug."),

    key("telemetry.otlp_endpoint", &["OTEL_EXPORTER_OTLP_ENDPOINT"], Unset, Restart,
        "Base address of a collector that takes spans (OTLP over HTTP, protobuf), for example http://127.0.0.1:4318."),
    secret("telemetry.otlp_headers", &["OTEL_EXPORTER_OTLP_HEADERS"], Restart,
        "Header fields for the collector: name=value,name=value."),
];
