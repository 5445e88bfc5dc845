//! What is counted, and what clients are told.

use axum::response::IntoResponse as _;

use super::*;

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[test]
fn a_refusal_says_when_to_come_back() {
    let limits = RateLimits::default();
    let config = LimitsConfig {
        requests_per_minute: 1,
        ..LimitsConfig::default()
    };
    let ask = || limits.request(&Principal::bootstrap(), ADDRESS, RateClass::General, &config);
    let mut headers = HeaderMap::new();
    let first = ask();
    assert!(first.refusal().is_none());
    first.add_headers(&mut headers);
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
    let limits = RateLimits::default();
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
    assert!(!refused(&principal, RateClass::InboundList));
    assert!(!refused(&principal, RateClass::InboundList));
    assert!(refused(&principal, RateClass::InboundList));
    assert!(!refused(&principal, RateClass::InboundGet));
    assert!(!refused(&principal, RateClass::General));
    principal.requests_per_minute = Some(1);
    assert!(!refused(&principal, RateClass::General));
    assert!(refused(&principal, RateClass::General));
    assert!(!refused(&principal, RateClass::Exempt));
}

#[test]
fn no_limit_says_nothing() {
    let mut headers = HeaderMap::new();
    let status = RateLimits::default().request(
        &Principal::bootstrap(),
        ADDRESS,
        RateClass::General,
        &LimitsConfig::default(),
    );
    status.add_headers(&mut headers);
    assert!(headers.is_empty());
}

#[test]
fn wrong_credentials_are_counted_by_address() {
    let limits = RateLimits::default();
    let config = LimitsConfig {
        auth_failures_per_minute: 2,
        ..LimitsConfig::default()
    };
    let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    assert!((0..2).all(|_| limits.failure(ADDRESS, &config).refusal().is_none()));
    assert!(limits.failure(ADDRESS, &config).refusal().is_some());
    assert!(limits.failure(other, &config).refusal().is_none());
}
