//! `[phaxio]` and `[inbound]`: the provider account, and receiving faxes.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use faxgate_base::secret::Secret;
use faxgate_domain::number::E164;

use crate::read::reader::{Reader, Unit};

/// `[phaxio]`
#[derive(Debug, Clone)]
pub struct PhaxioConfig {
    /// `api_key`
    pub api_key: Option<Secret>,
    /// `api_secret`: also the key of Faxbot's signature scheme
    pub api_secret: Option<Secret>,
    /// `callback_token`: key of Phaxio's own signature scheme
    pub callback_token: Option<Secret>,
    /// `api_url`
    pub api_url: Url,
    /// `callback_url`; byte for byte as signed, so not a [`Url`]
    pub callback_url: String,
    /// `requests_per_second`: requests per second to the provider
    pub requests_per_second: f64,
    /// `timeout_seconds`: duration of one request to the provider
    pub timeout: Duration,
    /// `verify_signature`: accept only signed callbacks about sent faxes
    pub verify_signature: bool,
}

/// `[inbound]`
#[derive(Debug, Clone)]
pub struct InboundConfig {
    /// `enabled`
    pub enabled: bool,
    /// `verify_signature`
    pub verify_signature: bool,
    /// `routes`: owner by called number (E.164). With routes, other numbers belong to the owner `inbound`; without
    /// any, every key with the scope sees what arrives
    pub routes: BTreeMap<String, String>,
}

impl PhaxioConfig {
    /// None when an address is unusable, which is then a problem of `from`.
    pub(crate) fn read(from: &mut Reader<'_>, public_url: Option<&Url>) -> Option<Self> {
        // Read on when an address is unusable: the other keys may have problems too.
        let (api_url, callback_url) = (from.url("phaxio.api_url"), callback_url(from, public_url));
        let (api_key, api_secret) = (from.secret("phaxio.api_key"), from.secret("phaxio.api_secret"));
        let callback_token = from.secret("phaxio.callback_token");
        let requests_per_second = from.number("phaxio.requests_per_second", 0.01..=1000.0);
        let timeout = from.span("phaxio.timeout_seconds", Unit::Seconds, 0.1..=600.0);
        let verify_signature = from.flag("phaxio.verify_signature");
        Some(Self {
            api_key,
            api_secret,
            callback_token,
            api_url: api_url?,
            callback_url: callback_url?,
            requests_per_second,
            timeout,
            verify_signature,
        })
    }
}

impl InboundConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        let given = &from.raw().routes;
        let routes = from.texts("inbound.routes", given);
        for (number, owner) in &routes {
            let Some(given) = given.get(number) else {
                continue;
            };
            let key = format!("inbound.routes.{number:?}");
            if E164::new(number).is_err() {
                from.problem_at(
                    &key,
                    given,
                    "is not a number in E.164 form; write it like \"+12125550100\"",
                );
            }
            if owner.is_empty() {
                from.problem_at(&key, given, "has no owner; give the owner of an API key");
            }
        }
        Self {
            enabled: from.flag("inbound.enabled"),
            verify_signature: from.flag("inbound.verify_signature"),
            routes,
        }
    }
}

/// The address for callbacks, byte for byte as given: the provider signs this text.
fn callback_url(from: &mut Reader<'_>, public_url: Option<&Url>) -> Option<String> {
    const KEY: &str = "phaxio.callback_url";
    let Some(text) = from.text(KEY) else {
        // A bad public address is a problem already.
        return Some(public_url.map_or_else(String::new, |url| {
            format!("{}/phaxio-callback", url.as_str().trim_end_matches('/'))
        }));
    };
    let url = from.url(KEY)?;
    if url.query().is_some() {
        from.problem(
            KEY,
            "has a query; give the address without what follows the ?: the job's id is put there",
        );
        return None;
    }
    if leads_nowhere(&url, public_url) {
        from.problem(
            KEY,
            "leads to a path that this service does not serve: end it with /phaxio-callback, without a slash behind",
        );
        return None;
    }
    Some(text)
}

/// Whether the service itself would answer a callback to this address with 404. On another origin something in between
/// may change the path, but never wants the slash.
fn leads_nowhere(url: &Url, public_url: Option<&Url>) -> bool {
    const ROUTE: &str = "/phaxio-callback";
    if url.path().ends_with("/phaxio-callback/") {
        return true;
    }
    public_url.is_some_and(|public| {
        let base = public.path().trim_end_matches('/');
        public.origin() == url.origin() && url.path().strip_prefix(base) != Some(ROUTE)
    })
}
