//! Rate limits of requests, and how they are told to clients.
//!
//! Fields: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), a list with one member for
//! each limit that applies. `t` is the time until the whole quota is available again.

use std::net::IpAddr;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use super::client::limit_key;
use super::error::{Problem, whole_seconds};
use faxgate_config::limits::LimitsConfig;
use faxgate_domain::access::{Credential, Principal};
use faxgate_domain::code::Code;
use faxgate_edge::ratelimit::{Allowance, Limiter, WINDOW};
use faxgate_telemetry::metrics::RATE_LIMITED;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Which limits a route counts against, besides the one of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Only the key's.
    General,
    /// `limits.inbound_list_rpm`
    InboundList,
    /// `limits.inbound_get_rpm`
    InboundGet,
    /// None: probes and callbacks must get through.
    Exempt,
}

/// What is counted.
#[derive(Debug)]
pub(super) struct Limits {
    keys: Limiter<Asker>,
    classes: Limiter<(Class, Asker)>,
    failures: Limiter<IpAddr>,
    notes: Limiter<()>,
}

/// Refused links that the audit notes in a minute, of all clients together: strangers must not fill the disk.
const NOTES_PER_MINUTE: u32 = 10;

/// Whose requests are counted together: a key's, or where there is none an address's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asker {
    Key(Credential),
    Address(IpAddr),
}

/// What the limits say about one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict(Vec<(&'static str, Allowance)>);

impl Default for Limits {
    /// Rates are given with every request, so that a reload of the configuration works at once.
    fn default() -> Self {
        Self {
            keys: Limiter::new(0),
            classes: Limiter::new(0),
            failures: Limiter::new(0),
            notes: Limiter::new(NOTES_PER_MINUTE),
        }
    }
}

impl Limits {
    /// Counts a request of somebody who is known.
    pub(super) fn request(
        &self,
        principal: &Principal,
        address: IpAddr,
        class: Class,
        config: &LimitsConfig,
    ) -> Verdict {
        let asker = match principal.credential {
            Credential::Anonymous => Asker::Address(limit_key(address)),
            credential => Asker::Key(credential),
        };
        let mut verdict = Verdict::default();
        if class == Class::Exempt {
            return verdict;
        }
        let rate = principal
            .requests_per_minute
            .unwrap_or(config.requests_per_minute);
        verdict.add("default", self.keys.check(&asker, Some(rate)));
        let of_class = match class {
            Class::InboundList => Some(("inbound-list", config.inbound_list_rpm)),
            Class::InboundGet => Some(("inbound-get", config.inbound_get_rpm)),
            Class::General | Class::Exempt => None,
        };
        if let Some((name, rate)) = of_class
            && verdict.passes()
        {
            verdict.add(name, self.classes.check(&(class, asker), Some(rate)));
        }
        verdict
    }

    /// Whether one more refused link may be noted in the audit.
    pub(super) fn may_note(&self) -> bool {
        self.notes.check(&(), None).allowed
    }

    /// Counts a wrong credential.
    pub(super) fn failure(&self, address: IpAddr, config: &LimitsConfig) -> Verdict {
        let mut verdict = Verdict::default();
        let rate = Some(config.auth_failures_per_minute);
        verdict.add("auth-failures", self.failures.check(&limit_key(address), rate));
        verdict
    }
}

impl Verdict {
    fn passes(&self) -> bool {
        self.0.iter().all(|(_, allowance)| allowance.allowed)
    }

    fn add(&mut self, name: &'static str, allowance: Allowance) {
        if allowance.limit > 0 {
            self.0.push((name, allowance));
        }
    }

    /// The answer when a limit is used up.
    pub(super) fn refusal(&self) -> Option<Problem> {
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

    /// Tells a client where it stands.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
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
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let limits = Limits::default();
        let config = LimitsConfig {
            requests_per_minute: 1,
            ..LimitsConfig::default()
        };
        let ask = || limits.request(&Principal::bootstrap(), ADDRESS, Class::General, &config);
        let mut headers = HeaderMap::new();
        let first = ask();
        assert!(first.refusal().is_none());
        first.tell(&mut headers);
        assert_eq!(headers[POLICY], "\"default\";q=1;w=60");
        assert_eq!(headers[LIMIT], "\"default\";r=0;t=60");
        let refusal = ask().refusal().expect("refused").into_response();
        assert_eq!(refusal.status(), 429);
        assert_eq!(refusal.headers()["retry-after"], "60");
        assert_eq!(refusal.headers()[POLICY], "\"default\";q=1;w=60");
        assert_eq!(refusal.headers()[LIMIT], "\"default\";r=0;t=60");
    }

    #[test]
    fn a_class_counts_besides_the_key_and_a_key_may_have_its_own_rate() {
        let limits = Limits::default();
        let config = LimitsConfig {
            inbound_list_rpm: 2,
            ..LimitsConfig::default()
        };
        let mut principal = Principal::bootstrap();
        let refused = |principal: &Principal, class| {
            limits
                .request(principal, ADDRESS, class, &config)
                .refusal()
                .is_some()
        };
        assert!(!refused(&principal, Class::InboundList));
        assert!(!refused(&principal, Class::InboundList));
        assert!(refused(&principal, Class::InboundList));
        assert!(!refused(&principal, Class::InboundGet));
        assert!(!refused(&principal, Class::General));
        principal.requests_per_minute = Some(1);
        assert!(!refused(&principal, Class::General));
        assert!(refused(&principal, Class::General));
        assert!(!refused(&principal, Class::Exempt));
    }

    #[test]
    fn no_limit_says_nothing() {
        let mut headers = HeaderMap::new();
        let verdict = Limits::default().request(
            &Principal::bootstrap(),
            ADDRESS,
            Class::General,
            &LimitsConfig::default(),
        );
        verdict.tell(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn wrong_credentials_are_counted_by_address() {
        let limits = Limits::default();
        let config = LimitsConfig {
            auth_failures_per_minute: 2,
            ..LimitsConfig::default()
        };
        let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
        assert!((0..2).all(|_| limits.failure(ADDRESS, &config).refusal().is_none()));
        assert!(limits.failure(ADDRESS, &config).refusal().is_some());
        assert!(limits.failure(other, &config).refusal().is_none());
    }
}
