//! Rules that involve several keys, and warnings about what works but is probably a mistake.

use std::net::IpAddr;

use url::{Host, Url};

use crate::Config;
use crate::read::problem::Problem;
use crate::read::reader::Reader;
use crate::sections::storage::StorageConfig;

/// Shortest bootstrap key, in characters.
const SHORTEST_BOOTSTRAP_KEY: usize = 16;
/// Shortest bootstrap key without a warning, in characters.
const LONG_ENOUGH: usize = 20;

/// Adds a problem for everything that can't be served; returns the warnings.
pub(super) fn check(config: &Config, from: &mut Reader<'_>) -> Vec<Problem> {
    sockets(config, from);
    proxies(config, from);
    certificates(config, from);
    if !config.auth.require_api_key && !config.listen.is_loopback() {
        from.problem(
            "auth.require_api_key",
            "is false while a listener can be reached from other machines; set it to true (REQUIRE_API_KEY), or \
             bind listen.http (HTTP_LISTEN) and listen.https (HTTPS_LISTEN) to 127.0.0.1",
        );
    }
    if !config.auth.require_api_key && !is_loopback(&config.public_url) {
        from.problem(
            "auth.require_api_key",
            "is false while public_url (PUBLIC_API_URL) can be reached from other machines; set it to true \
             (REQUIRE_API_KEY), or give a public_url such as http://localhost:8080",
        );
    }
    let bootstrap_key = config.auth.bootstrap_key.as_ref();
    if bootstrap_key.is_some_and(|key| key.reveal().chars().count() < SHORTEST_BOOTSTRAP_KEY) {
        from.problem(
            "auth.bootstrap_key",
            "has fewer than 16 characters and can be guessed; use 20 random characters or more (API_KEY)",
        );
    }
    if config.enforce_public_https && config.public_url.scheme() == "http" && !is_loopback(&config.public_url)
    {
        from.problem(
            "public_url",
            "is plain http, which everybody on the way can read; give an https address in public_url (PUBLIC_API_URL), or set \
             enforce_public_https (ENFORCE_PUBLIC_HTTPS) to false",
        );
    }
    if config.dispatch.poll_after > config.dispatch.job_deadline {
        from.problem(
            "dispatch.poll_after_seconds",
            "is longer than dispatch.job_deadline_seconds (JOB_DEADLINE_SECONDS); make it shorter",
        );
    }
    if config.limits.max_spool_bytes < config.limits.max_file_bytes {
        from.problem(
            "limits.max_spool_mb",
            "is less than limits.max_file_size_mb (MAX_FILE_SIZE_MB); make it at least as large",
        );
    }
    if config.retention.destroy_at_end && config.retention.artifact_ttl.is_some() {
        from.problem(
            "retention.destroy_at_end",
            "destroys documents at once while retention.artifact_ttl_days (ARTIFACT_TTL_DAYS) keeps them for days; \
             leave one of the two out",
        );
    }
    warnings(config)
}

fn sockets(config: &Config, from: &mut Reader<'_>) {
    match (config.listen.http, config.listen.https) {
        (None, None) => from.problem(
            "listen.http",
            "is off and so is listen.https; give an address in one of them (HTTP_LISTEN, HTTPS_LISTEN)",
        ),
        (Some(http), Some(https)) if http == https && http.port() != 0 => from.problem(
            "listen.https",
            "is the address of listen.http; give two different ones (HTTP_LISTEN, HTTPS_LISTEN)",
        ),
        _ => {}
    }
}

fn proxies(config: &Config, from: &mut Reader<'_>) {
    if config.listen.proxy_protocol && config.listen.trusted_proxies.is_empty() {
        from.problem(
            "listen.proxy_protocol",
            "is true while no proxy is trusted to send such a header; name the proxies' networks in \
             listen.trusted_proxies (TRUSTED_PROXIES)",
        );
    }
}

fn certificates(config: &Config, from: &mut Reader<'_>) {
    let acme = !config.tls.acme.domains.is_empty();
    if !config.tls.files.is_empty() && acme {
        from.problem(
            "tls.acme.domains",
            "is given together with tls.cert_file; keep either automatic certificates (ACME_DOMAINS) or files \
             (TLS_CERT_FILE, TLS_KEY_FILE)",
        );
    }
    if acme && config.listen.https.is_none() {
        from.problem(
            "tls.acme.domains",
            "needs an HTTPS listener to prove the names; give listen.https (HTTPS_LISTEN) such as 0.0.0.0:443",
        );
    }
}

fn warnings(config: &Config) -> Vec<Problem> {
    let mut warnings = Vec::new();
    let mut warn = |key: &str, message: &str| {
        warnings.push(Problem {
            key: Reader::spelled(key),
            origin: None,
            message: message.to_owned(),
        });
    };
    let phaxio = &config.phaxio;
    if !config.disabled && (phaxio.api_key.is_none() || phaxio.api_secret.is_none()) {
        warn(
            "phaxio.api_key",
            "or phaxio.api_secret (PHAXIO_API_SECRET) is not set: faxes are accepted and wait until both are",
        );
    }
    if phaxio.verify_signature && phaxio.api_secret.is_none() && phaxio.callback_token.is_none() {
        warn(
            "phaxio.callback_token",
            "is not set and neither is phaxio.api_secret: no callback can prove itself, the provider is asked \
             instead",
        );
    }
    let tls = &config.tls;
    if config.listen.https.is_some() && tls.files.is_empty() && tls.acme.domains.is_empty() {
        warn(
            "tls.cert_file",
            "is not set and neither is tls.acme.domains (ACME_DOMAINS): a self-signed certificate is made, which \
             no client trusts by itself",
        );
    }
    if !phaxio.verify_signature {
        warn(
            "phaxio.verify_signature",
            "is false: anybody can report on sent faxes",
        );
    }
    if config.inbound.enabled && !config.inbound.verify_signature {
        warn("inbound.verify_signature", "is false: anybody can deliver faxes");
    }
    if phaxio.callback_url.starts_with("http://")
        && !Url::parse(&phaxio.callback_url).is_ok_and(|url| is_loopback(&url))
    {
        warn(
            "phaxio.callback_url",
            "is plain http: numbers in callbacks can be read on the way",
        );
    }
    if config
        .auth
        .bootstrap_key
        .as_ref()
        .is_some_and(|key| key.reveal().chars().count() < LONG_ENOUGH)
    {
        warn(
            "auth.bootstrap_key",
            "is short enough to be guessed: use 20 random characters or more",
        );
    }
    if let StorageConfig::S3(s3) = &config.storage
        && s3
            .endpoint_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "http" && !is_loopback(url))
    {
        warn(
            "storage.s3.endpoint_url",
            "is plain http: documents can be read on the way",
        );
    }
    warnings
}

/// Whether an address names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).to_canonical().is_loopback(),
        None => false,
    }
}
