//! Faxes that reached nobody and are sent again.

use super::*;
use crate::event::EventKind;
use crate::job::FaxRetry;
use crate::provider::FailureClass;

fn patient() -> Job {
    Job {
        retry: FaxRetry {
            left: 1,
            wait: Duration::from_secs(300),
            after: FaxRetry::usual(),
            fetches_left: 0,
        },
        ..accepted()
    }
}

fn failed(id: &str, kind: &str, error_id: i64, cost: i64) -> JobEvent {
    let mut update = update(id, ProviderStatus::Failed);
    update.cost_cents = Some(cost);
    update.error = Some(FaxError {
        error_type: kind.into(),
        error_id: Some(error_id),
        message: "words".to_owned(),
    });
    JobEvent::VerifiedUpdate {
        update,
        source: EventSource::Callback,
        poll_at: at(900),
    }
}

fn busy(id: &str) -> JobEvent {
    failed(id, "lineError", 17, 7)
}

#[test]
fn a_busy_line_is_tried_again_as_often_as_allowed_and_costs_add_up() {
    let first = run(&patient(), &[claimed(), taken("A"), busy("A")]);
    assert_eq!(
        (
            first.job.phase,
            first.job.wake_at,
            first.job.provider_id.as_deref()
        ),
        (Phase::Due, Some(at(310)), None)
    );
    assert_eq!(first.job.provider_ids().collect::<Vec<_>>(), ["A"]);
    assert!(
        first
            .entries
            .iter()
            .any(|line| line.event == EventKind::RetryScheduled)
    );
    let second = run(&first.job, &[claimed(), taken("B"), busy("B")]).job;
    assert_eq!(
        (second.phase, second.cost_cents, second.attempts),
        (Phase::Failed, Some(14), 2)
    );
    let done = run(
        &first.job,
        &[claimed(), taken("B"), news("B", ProviderStatus::Delivered)],
    )
    .job;
    assert_eq!((done.phase, done.cost_cents), (Phase::Delivered, Some(7)));
}

#[test]
fn what_may_have_printed_or_never_works_is_not_tried_again() {
    for (kind, id) in [
        ("lineError", 34),
        ("lineError", 49),
        ("lineError", 73),
        ("lineError", 11),
        ("lineError", 9001),
        ("faxError", 48),
        ("faxError", 17),
        ("documentConversionError", 69),
        ("fatalError", 9),
        ("generalError", 3),
    ] {
        let job = run(&patient(), &[claimed(), taken("A"), failed("A", kind, id, 7)]).job;
        assert_eq!(job.phase, Phase::Failed, "{kind} {id}");
    }
    let mut bold = patient();
    bold.retry.after = vec![FailureClass::Line, FailureClass::Fax];
    for (kind, id, phase) in [
        ("lineError", 11, Phase::Due),
        ("faxError", 20, Phase::Due),
        ("lineError", 17, Phase::Failed),
        ("lineError", 49, Phase::Failed),
        ("faxError", 75, Phase::Failed),
    ] {
        let job = run(&bold, &[claimed(), taken("A"), failed("A", kind, id, 7)]).job;
        assert_eq!(job.phase, phase, "{kind} {id}");
    }
    let cancelled = run(
        &patient(),
        &[claimed(), taken("A"), JobEvent::CancelRequested, busy("A")],
    )
    .job;
    assert_eq!(cancelled.phase, Phase::Failed);
    let late = Job {
        deadline: at(309),
        ..patient()
    };
    assert_eq!(
        run(&late, &[claimed(), taken("A"), busy("A")]).job.phase,
        Phase::Failed
    );
}

#[test]
fn a_document_that_could_not_be_fetched_is_offered_again_on_an_account_of_its_own() {
    let unfetched = |id| failed(id, "documentConversionError", 54, 0);
    let mut job = patient();
    assert_eq!(
        run(&job, &[claimed(), taken("A"), unfetched("A")]).job.phase,
        Phase::Failed
    );
    (job.retry.left, job.retry.fetches_left) = (0, 1);
    let due = run(&job, &[claimed(), taken("A"), unfetched("A")]).job;
    assert_eq!((due.phase, due.retry.fetches_left), (Phase::Due, 0));
    assert_eq!(
        run(&due, &[claimed(), taken("B"), unfetched("B")]).job.phase,
        Phase::Failed
    );
}

#[test]
fn a_past_fax_changes_nothing_any_more() {
    let due = run(&patient(), &[claimed(), taken("A"), busy("A")]).job;
    let again = run(&due, &[claimed()]).job;
    let uncertain = run(&again, &[unsure()]).job;
    let there = run(&again, &[taken("B")]).job;
    for job in [&due, &again, &uncertain, &there] {
        let hint = JobEvent::UnverifiedHint {
            update: update("A", ProviderStatus::Delivered),
        };
        for event in [busy("A"), taken("A"), news("A", ProviderStatus::InProgress), hint] {
            let transition = apply(job, &event, at(20)).unwrap();
            assert_eq!((&transition.job, transition.entries.len()), (job, 0), "{event:?}");
        }
        let transition = apply(job, &news("A", ProviderStatus::Delivered), at(20)).unwrap();
        assert_eq!(transition.entries[0].event, EventKind::Disregarded);
        assert_eq!(transition.job.phase, job.phase);
    }
    assert_eq!(run(&due, &[JobEvent::CancelRequested]).job.phase, Phase::Failed);
    let overtaken = run(&patient(), &[claimed(), busy("A"), taken("A")]).job;
    assert_eq!(
        overtaken.phase,
        Phase::Due,
        "a late answer names a fax that is over"
    );
}
