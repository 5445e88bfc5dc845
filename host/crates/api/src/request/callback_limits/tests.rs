//! One address can't take the callbacks of the others.

use super::*;

const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 66));
const PROVIDER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

#[test]
fn an_address_has_a_share_of_what_is_in_work() {
    let limits = CallbackLimits::default();
    let held: Vec<_> = (0..MAX_OF_ADDRESS).map(|_| limits.admit(STRANGER)).collect();
    assert!(held.iter().all(Result::is_ok));
    let refused = limits.admit(STRANGER).expect_err("too many");
    assert_eq!(refused.problem_type().status, 429);
    assert!(limits.admit(PROVIDER).is_ok());
    drop(held);
    assert!(limits.admit(STRANGER).is_ok());
}

#[test]
fn an_address_that_was_refused_often_is_refused_unread() {
    let limits = CallbackLimits::default();
    for _ in 0..REFUSED_PER_MINUTE {
        assert!(limits.admit(STRANGER).is_ok());
        limits.count_refused(STRANGER);
    }
    assert_eq!(
        limits.admit(STRANGER).expect_err("refused").problem_type().status,
        429
    );
    assert!(limits.admit(PROVIDER).is_ok());
}
