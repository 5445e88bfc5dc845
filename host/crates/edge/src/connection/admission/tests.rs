//! Limits in all and per address.

use super::*;

#[test]
fn an_address_holds_so_many_and_no_more() {
    let admission = Admission::new(10, 2);
    let slot = |text: &str| admission.address_slot(text.parse().expect("address"));
    let first = slot("192.0.2.1").expect("slot");
    let _second = slot("192.0.2.1").expect("slot");
    assert!(slot("192.0.2.1").is_none());
    assert!(slot("192.0.2.2").is_some());
    drop(first);
    assert!(slot("192.0.2.1").is_some());
}

#[test]
fn requests_get_a_permit_at_once_or_not_at_all() {
    let admission = Admission::new(3, 2);
    let address = Some("192.0.2.1".parse().expect("address"));
    let first = admission.try_permit(address).expect("permit");
    let _second = admission.try_permit(address).expect("permit");
    assert!(admission.try_permit(address).is_none());
    let _third = admission.try_permit(None).expect("permit");
    assert!(admission.try_permit(None).is_none());
    assert_eq!(admission.in_use(), 3);
    drop(first);
    assert_eq!(admission.in_use(), 2);
    assert!(admission.try_permit(address).is_some());
}

#[test]
fn nothing_is_kept_of_addresses_without_permits() {
    let admission = Admission::new(10, 2);
    drop(admission.address_slot("192.0.2.1".parse().expect("address")));
    assert!(admission.held.lock().is_empty());
}
