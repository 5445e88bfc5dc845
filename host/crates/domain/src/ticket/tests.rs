//! Tests of tickets and of the decision at the document link.

use super::*;
use crate::ids::JobId;
use crate::number::E164;

const CURRENT: Ticket = Ticket([1; 16]);
const OTHER: Ticket = Ticket([2; 16]);

fn job(phase: Phase, ticket: Option<Ticket>) -> Job {
    let to = E164::new("+12025550123").expect("a number");
    let now = Timestamp::from_second(1_000).expect("a time");
    Job {
        phase,
        ticket,
        ..Job::queued(JobId::from_bytes([7; 16]), "desk", to, now)
    }
}

fn later() -> Timestamp {
    Timestamp::from_second(2_000).expect("a time")
}

#[test]
fn the_current_ticket_is_marked_once_and_then_free() {
    let asked = job(Phase::Submitting, Some(CURRENT));
    let ServeDecision::First { job, entry } = decide_serve(&asked, Some(CURRENT), Some("192.0.2.1"), later())
    else {
        panic!("the first fetch was not marked");
    };
    assert_eq!(
        job.served,
        Some(Served {
            at: later(),
            to: Some("192.0.2.1".to_owned())
        })
    );
    assert_eq!(entry.event, EventKind::Served);
    assert!(entry.facts.contains(&("ticket".to_owned(), CURRENT.to_string())));
    assert!(entry.facts.contains(&("to".to_owned(), "192.0.2.1".to_owned())));
    assert_eq!(
        decide_serve(&job, Some(CURRENT), None, later()),
        ServeDecision::Again
    );
}

#[test]
fn every_other_ticket_is_superseded() {
    for (held, shown) in [
        (Some(CURRENT), Some(OTHER)),
        (Some(CURRENT), None),
        (None, Some(OTHER)),
    ] {
        let decision = decide_serve(&job(Phase::Submitting, held), shown, None, later());
        assert_eq!(decision, ServeDecision::Superseded, "{held:?} {shown:?}");
    }
}

#[test]
fn a_job_without_a_ticket_opens_with_the_links_of_its_time() {
    assert_eq!(
        decide_serve(&job(Phase::Submitted, None), None, None, later()),
        ServeDecision::Again
    );
}

#[test]
fn a_job_that_ended_unserved_never_gets_pages() {
    for phase in [Phase::Failed, Phase::Delivered] {
        let decision = decide_serve(&job(phase, Some(CURRENT)), Some(CURRENT), None, later());
        assert_eq!(decision, ServeDecision::Superseded, "{phase:?}");
    }
}

#[test]
fn a_fetch_of_an_uncertain_fax_brings_the_look_up_forward() {
    let uncertain = job(Phase::Uncertain { absent_since: None }, Some(CURRENT));
    let ServeDecision::First { job, .. } = decide_serve(&uncertain, Some(CURRENT), None, later()) else {
        panic!("the first fetch was not marked");
    };
    assert_eq!(job.wake_at, Some(later()));
    assert_eq!(job.phase, uncertain.phase);
}

#[test]
fn tickets_are_read_as_they_are_written_and_nothing_else_is() {
    let ticket = Ticket::new(*b"0123456789abcdef");
    assert_eq!(ticket.to_string().parse(), Ok(ticket));
    let json = serde_json::to_string(&ticket).expect("json");
    assert_eq!(json, "\"30313233343536373839616263646566\"");
    assert_eq!(serde_json::from_str::<Ticket>(&json).expect("a ticket"), ticket);
    for bad in [
        "",
        "3031",
        "3031323334353637383961626364656Z",
        "3031323334353637383961626364656F",
        "303132333435363738396162636465660",
    ] {
        assert_eq!(bad.parse::<Ticket>(), Err(BadTicket), "{bad}");
    }
}
