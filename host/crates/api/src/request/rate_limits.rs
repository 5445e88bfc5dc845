//! Rate limits per key and per address, and the headers that report them to clients.
//!
//! Fields: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), a list with one member for
//! each limit that applies. `t` is the time until the whole quota is available again.

use std::net::IpAddr;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use crate::problem::Problem;
use faxgate_config::limits::LimitsConfig;
use faxgate_domain::access::{Credential, Principal};
use faxgate_domain::code::Code;
use faxgate_edge::limit_key;
use faxgate_edge::problem::whole_seconds;
use faxgate_edge::ratelimit::{Allowance, Limiter, WINDOW};
use faxgate_telemetry::metrics::RATE_LIMITED;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Which limits a route counts against, besides the one of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RateClass {
    /// Only the key's.
    General,
    /// `limits.inbound_list_rpm`
    InboundList,
    /// `limits.inbound_get_rpm`
    InboundGet,
    /// None: probes and callbacks must not be delayed.
    Exempt,
}

/// The limiters of the API.
#[derive(Debug)]
pub(crate) struct RateLimits {
    keys: Limiter<RateKey>,
    classes: Limiter<(RateClass, RateKey)>,
    failures: Limiter<IpAddr>,
}

/// Requests that are counted together: those of a key, or without one those of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RateKey {
    Key(Credential),
    Address(IpAddr),
}

/// The limits that apply to one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct RateLimitStatus(Vec<(&'static str, Allowance)>);

impl Default for RateLimits {
    /// Rates are given with every request, so that a reload of the configuration takes effect at once.
    fn default() -> Self {
        Self {
            keys: Limiter::new(0),
            classes: Limiter::new(0),
            failures: Limiter::new(0),
        }
    }
}

impl RateLimits {
    /// Counts a request of an authenticated caller.
    pub(crate) fn request(
        &self,
        principal: &Principal,
        address: IpAddr,
        class: RateClass,
        config: &LimitsConfig,
    ) -> RateLimitStatus {
        let key = match principal.credential {
            Credential::Anonymous => RateKey::Address(limit_key(address)),
            credential => RateKey::Key(credential),
        };
        let mut status = RateLimitStatus::default();
        if class == RateClass::Exempt {
            return status;
        }
        let rate = principal
            .requests_per_minute
            .unwrap_or(config.requests_per_minute);
        status.add("default", self.keys.check(&key, Some(rate)));
        let of_class = match class {
            RateClass::InboundList => Some(("inbound-list", config.inbound_list_rpm)),
            RateClass::InboundGet => Some(("inbound-get", config.inbound_get_rpm)),
            RateClass::General | RateClass::Exempt => None,
        };
        if let Some((name, rate)) = of_class
            && status.passes()
        {
            status.add(name, self.classes.check(&(class, key), Some(rate)));
        }
        status
    }

    /// Whether one more wrong credential of this address is within the limit; counts nothing.
    pub(crate) fn may_fail(&self, address: IpAddr, config: &LimitsConfig) -> bool {
        self.failures
            .would_allow(&limit_key(address), Some(config.auth_failures_per_minute))
    }

    /// Counts a wrong credential.
    pub(crate) fn failure(&self, address: IpAddr, config: &LimitsConfig) -> RateLimitStatus {
        let mut status = RateLimitStatus::default();
        let rate = Some(config.auth_failures_per_minute);
        status.add("auth-failures", self.failures.check(&limit_key(address), rate));
        status
    }
}

impl RateLimitStatus {
    fn passes(&self) -> bool {
        self.0.iter().all(|(_, allowance)| allowance.allowed)
    }

    fn add(&mut self, name: &'static str, allowance: Allowance) {
        if allowance.limit > 0 {
            self.0.push((name, allowance));
        }
    }

    /// The response when a limit is used up.
    pub(crate) fn refusal(&self) -> Option<Problem> {
        let (name, allowance) = self.0.iter().find(|(_, allowance)| !allowance.allowed)?;
        metrics::counter!(RATE_LIMITED, "limit" => *name).increment(1);
        let wait = allowance.retry_after.unwrap_or(WINDOW);
        let detail = format!(
            "more than {} {} a minute: wait {} s",
            allowance.limit,
            if *name == "auth-failures" {
                "wrong credentials"
            } else {
                "requests"
            },
            whole_seconds(wait).max(1),
        );
        let mut problem = Problem::new(Code::RateLimited, detail).retry_after(Some(wait));
        if let Some((policy, limit)) = self.fields() {
            problem = problem.header(POLICY, &policy).header(LIMIT, &limit);
        }
        Some(problem)
    }

    /// Adds the headers that report the limits.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap) {
        if let Some((policy, limit)) = self.fields() {
            for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    headers.insert(name, value);
                }
            }
        }
    }

    fn fields(&self) -> Option<(String, String)> {
        if self.0.is_empty() {
            return None;
        }
        let join = |member: fn(&(&'static str, Allowance)) -> String| {
            self.0.iter().map(member).collect::<Vec<_>>().join(", ")
        };
        let policy = join(|(name, it)| format!("\"{name}\";q={};w={}", it.limit, WINDOW.as_secs()));
        let limit = join(|(name, it)| format!("\"{name}\";r={};t={}", it.remaining, whole_seconds(it.reset)));
        Some((policy, limit))
    }
}

#[cfg(test)]
mod tests;
