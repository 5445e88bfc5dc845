//! Tests of links: what they open, until when, and that nothing else is a link.

use super::*;

const KEY: LinkKey = LinkKey([7; 32]);
const TICKET: Ticket = Ticket::new([9; 16]);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// A token with and one without a ticket, valid until second 100.
fn tokens() -> [(String, Option<Ticket>); 2] {
    [
        (KEY.sign(LinkPurpose::FaxPdf, "abc", at(100)), None),
        (
            KEY.sign_ticket(LinkPurpose::FaxPdf, "abc", at(100), TICKET),
            Some(TICKET),
        ),
    ]
}

#[test]
fn opens_only_what_it_was_made_for_and_only_in_time() {
    for (token, ticket) in tokens() {
        let opens =
            |key: &LinkKey, purpose, id, second| key.verify(purpose, id, &token, at(second)).is_some();
        assert_eq!(
            KEY.verify(LinkPurpose::FaxPdf, "abc", &token, at(99)),
            Some(VerifiedLink { ticket })
        );
        assert!(!opens(&KEY, LinkPurpose::FaxPdf, "abc", 100));
        assert!(!opens(&KEY, LinkPurpose::InboundPdf, "abc", 99));
        assert!(!opens(&KEY, LinkPurpose::FaxPdf, "abd", 99));
        assert!(!opens(&LinkKey::new([8; 32]), LinkPurpose::FaxPdf, "abc", 99));
    }
}

#[test]
fn a_link_made_by_an_earlier_version_still_opens() {
    let token = "AAAAAAAAAGQ.rM0xqQGcApZdsr4p2ggv-Rxhv-HxwerRxQC0b8LWDbk";
    assert_eq!(KEY.sign(LinkPurpose::FaxPdf, "abc", at(100)), token);
    assert!(KEY.verify(LinkPurpose::FaxPdf, "abc", token, at(99)).is_some());
}

#[test]
fn every_single_character_counts() {
    for (token, _) in tokens() {
        for i in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).expect("ascii");
            assert_eq!(
                KEY.verify(LinkPurpose::FaxPdf, "abc", &forged, at(1)),
                None,
                "{forged}"
            );
        }
    }
}

#[test]
fn a_ticket_can_be_neither_taken_out_nor_put_in() {
    let [(two, _), (three, _)] = tokens();
    let (expiry, mac) = two.split_once('.').expect("two parts");
    let (_, rest) = three.split_once('.').expect("three parts");
    let (ticket, ticket_mac) = rest.split_once('.').expect("three parts");
    for forged in [
        format!("{expiry}.{ticket_mac}"),
        format!("{expiry}.{ticket}.{mac}"),
    ] {
        assert_eq!(KEY.verify(LinkPurpose::FaxPdf, "abc", &forged, at(1)), None);
    }
}

#[test]
fn garbage_opens_nothing() {
    let long = "A".repeat(100_000);
    for garbage in [
        "",
        ".",
        "a.b",
        "..",
        "...",
        "a.b.c",
        "💥.💥",
        long.as_str(),
        &format!("{long}.{long}.{long}"),
    ] {
        assert_eq!(KEY.verify(LinkPurpose::FaxPdf, "abc", garbage, at(1)), None);
    }
}
