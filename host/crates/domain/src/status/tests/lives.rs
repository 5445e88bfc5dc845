//! Lives that faxes lead, one sentence each.

use jiff::SignedDuration;

use super::*;
use crate::event::EventKind;
use crate::job::PublicStatus;

#[test]
fn public_words_of_the_phases() {
    let words: Vec<_> = phases()
        .iter()
        .map(|(name, job)| (*name, job.status().as_str()))
        .collect();
    assert_eq!(
        words,
        [
            ("disabled", "disabled"),
            ("due", "queued"),
            ("submitting", "in_progress"),
            ("uncertain", "queued"),
            ("submitted", "in_progress"),
            ("cancelling", "in_progress"),
            ("cancel agreed", "in_progress"),
            ("delivered", "SUCCESS"),
            ("failed", "FAILED"),
            ("never there", "FAILED"),
        ]
    );
    assert!(
        PublicStatus::EVERY
            .iter()
            .all(|status| PublicStatus::parse(status.as_str()) == Some(*status))
    );
}

#[test]
fn a_callback_that_overtakes_the_answer_is_kept() {
    let done = run(
        &accepted(),
        &[claimed(), news("A", ProviderStatus::Delivered), taken("A")],
    );
    assert_eq!(done.job.phase, Phase::Delivered);
    assert_eq!(done.job.provider_id.as_deref(), Some("A"));
    let under_way = run(
        &accepted(),
        &[claimed(), news("A", ProviderStatus::InProgress), unsure()],
    );
    assert_eq!(
        under_way.job.phase,
        Phase::Submitted,
        "a lost answer after the callback is no uncertainty"
    );
}

#[test]
fn a_hint_counts_only_when_the_answer_names_the_same_fax() {
    let hint = JobEvent::UnverifiedHint {
        update: update("A", ProviderStatus::Delivered),
    };
    assert_eq!(
        run(&accepted(), &[claimed(), hint.clone(), taken("A")]).job.phase,
        Phase::Delivered
    );
    assert_eq!(
        run(&accepted(), &[claimed(), hint.clone(), taken("B")]).job.phase,
        Phase::Submitted
    );
    assert_eq!(
        run(&accepted(), &[claimed(), taken("A"), hint.clone()]).job.phase,
        Phase::Delivered,
        "the answer was recorded between reading the job and writing the hint"
    );
    let uncertain = run(&accepted(), &[claimed(), unsure(), hint.clone()]).job;
    assert_eq!(uncertain.wake_at, Some(at(10)), "looked up at once");
    assert!(
        apply(&uncertain, &hint, at(10)).unwrap().entries.is_empty(),
        "a repeat is nothing"
    );
}

#[test]
fn a_fax_that_turns_out_to_be_there_is_not_sent_again() {
    let grace_over = JobEvent::NotFound {
        grace: Duration::ZERO,
        waited: Duration::ZERO,
        look_at: at(10),
    };
    let due_again = run(
        &accepted(),
        &[claimed(), unsure(), grace_over.clone(), grace_over],
    );
    assert_eq!(due_again.job.phase, Phase::Due);
    let adopted = run(&due_again.job, &[news("A", ProviderStatus::InProgress)]);
    assert_eq!((adopted.job.phase, adopted.job.attempts), (Phase::Submitted, 1));
}

#[test]
fn absence_has_to_last_for_the_grace_period() {
    let mut job = run(&accepted(), &[claimed(), unsure()]).job;
    job = apply(&job, &absent(0), at(100)).unwrap().job;
    let since = Phase::Uncertain {
        absent_since: Some(at(100)),
    };
    assert_eq!(job.phase, since);
    assert_eq!(
        job.wake_at,
        Some(at(220)),
        "not later than the end of the grace period"
    );
    job = apply(&job, &absent(119), at(219)).unwrap().job;
    assert_eq!((job.phase, job.wake_at), (since, Some(at(220))));
    job = apply(&job, &absent(120), at(220)).unwrap().job;
    assert_eq!((job.phase, job.wake_at), (Phase::Due, Some(at(220))));
}

#[test]
fn absence_does_not_go_by_a_clock_that_can_be_set() {
    let uncertain = run(&accepted(), &[claimed(), unsure()]).job;
    let mut job = apply(&uncertain, &absent(0), at(1000)).unwrap().job;
    // Set forward by a day, which nobody waited for.
    job = apply(&job, &absent(5), at(80_000)).unwrap().job;
    assert!(matches!(job.phase, Phase::Uncertain { .. }));
    // Set back by 900 s: the wait is not 900 s longer.
    job = apply(&job, &absent(10), at(100)).unwrap().job;
    assert_eq!(job.wake_at, Some(at(210)));
    assert_eq!(apply(&job, &absent(120), at(210)).unwrap().job.phase, Phase::Due);
    // One look-up alone never suffices, whatever it says.
    assert!(matches!(
        apply(&uncertain, &absent(80_000), at(80_000)).unwrap().job.phase,
        Phase::Uncertain { .. }
    ));
}

#[test]
fn an_answer_that_comes_after_all_keeps_the_fax_from_being_sent_again() {
    let due_again = run(&accepted(), &[claimed(), unsure(), absent(0), absent(120)]).job;
    assert_eq!(due_again.phase, Phase::Due);
    let there = run(&due_again, &[taken("A")]).job;
    assert_eq!((there.phase, there.attempts), (Phase::Submitted, 1));
}

#[test]
fn a_cancellation_that_was_refused_can_be_asked_for_again() {
    let refused = JobEvent::CancelRefused {
        reason: "not now".to_owned(),
        poll_at: at(60),
    };
    let asked = [claimed(), taken("A"), JobEvent::CancelRequested, refused];
    let submitted = run(&accepted(), &asked).job;
    assert_eq!(submitted.phase, Phase::Submitted);
    let again = run(&submitted, &[JobEvent::CancelRequested]).job;
    assert_eq!(again.phase, Phase::Cancelling { scheduled: false });
}

#[test]
fn an_end_that_was_only_told_waits_for_the_providers_word() {
    let told = JobEvent::UnverifiedUpdate {
        update: update("A", ProviderStatus::Delivered),
    };
    for before in [vec![claimed()], vec![claimed(), taken("A")], vec![]] {
        let job = run(&run(&accepted(), &before).job, std::slice::from_ref(&told)).job;
        assert_eq!((job.phase, job.wake_at), (Phase::Submitted, Some(at(10))));
        let repeated = apply(&job, &told, at(11)).unwrap();
        assert_eq!((&repeated.job, repeated.entries.len()), (&job, 0));
        let polled = |status| JobEvent::VerifiedUpdate {
            update: update("A", status),
            source: EventSource::Poll,
            poll_at: at(60),
        };
        let lagging = run(&job, &[polled(ProviderStatus::InProgress)]).job;
        assert!(
            lagging.phase == Phase::Submitted && lagging.pending_update.is_some(),
            "still to be confirmed"
        );
        assert_eq!(
            run(&lagging, &[polled(ProviderStatus::Failed)]).job.phase,
            Phase::Failed
        );
        assert_eq!(
            run(&lagging, &[polled(ProviderStatus::Delivered)]).job.phase,
            Phase::Delivered
        );
    }
}

#[test]
fn cancelling_before_the_provider_has_it_ends_at_once_or_with_the_request() {
    let cancel = JobEvent::CancelRequested;
    let not_sent = JobEvent::NotSent {
        reason: "refused".to_owned(),
        retry_at: at(30),
    };
    let held = JobEvent::Held {
        reason: "credentials".to_owned(),
        retry_at: at(30),
    };
    let grace_over = JobEvent::NotFound {
        grace: Duration::ZERO,
        waited: Duration::ZERO,
        look_at: at(10),
    };
    for path in [
        vec![cancel.clone()],
        vec![claimed(), cancel.clone(), not_sent],
        vec![claimed(), cancel.clone(), held],
        vec![
            claimed(),
            unsure(),
            cancel.clone(),
            grace_over.clone(),
            grace_over,
        ],
    ] {
        let job = run(&accepted(), &path).job;
        assert_eq!(job.phase, Phase::Failed, "{path:?}");
        assert_eq!(job.error.unwrap().error_type, ErrorType::Cancelled);
    }
}

#[test]
fn cancelling_what_the_provider_has_waits_for_its_word() {
    let cancel = JobEvent::CancelRequested;
    let asked = run(&accepted(), &[claimed(), cancel.clone(), taken("A")]).job;
    assert_eq!(asked.phase, Phase::Cancelling { scheduled: false });
    assert_eq!(asked.wake_at, Some(at(10)), "the provider is asked at once");
    let agreed = run(&asked, &[JobEvent::CancelScheduled { poll_at: at(60) }]).job;
    assert_eq!(
        run(&agreed, &[news("A", ProviderStatus::Delivered)]).job.phase,
        Phase::Delivered
    );
    let mut failed = update("A", ProviderStatus::Failed);
    failed.error = Some(FaxError {
        error_type: ErrorType::General,
        error_id: Some(75),
        message: "Fax cancelled".to_owned(),
    });
    let cancelled = JobEvent::VerifiedUpdate {
        update: failed.clone(),
        source: EventSource::Poll,
        poll_at: at(60),
    };
    assert_eq!(
        run(&agreed, std::slice::from_ref(&cancelled))
            .job
            .error
            .unwrap()
            .error_type,
        ErrorType::Cancelled
    );
    let not_asked = run(&accepted(), &[claimed(), taken("A"), cancelled]).job;
    assert_eq!(not_asked.error, failed.error, "nobody here asked for that");
    let refused = JobEvent::CancelRefused {
        reason: "complete".to_owned(),
        poll_at: at(60),
    };
    assert_eq!(run(&asked, &[refused]).job.phase, Phase::Submitted);
}

#[test]
fn a_failed_fax_says_why_and_a_delivered_one_has_no_error() {
    let mut bare = run(
        &accepted(),
        &[claimed(), taken("A"), news("A", ProviderStatus::Failed)],
    )
    .job;
    assert_eq!(bare.error.take().unwrap().error_type, ErrorType::Unknown);
    let expired = run(
        &accepted(),
        &[JobEvent::Expired {
            reason: "silence".to_owned(),
        }],
    )
    .job;
    assert!(expired.error.unwrap().message.contains("silence"));
    let delivered = run(
        &accepted(),
        &[claimed(), taken("A"), news("A", ProviderStatus::Delivered)],
    )
    .job;
    assert_eq!(delivered.error, None);
}

#[test]
fn a_contradiction_after_the_end_is_recorded_and_changes_nothing() {
    let done = run(
        &accepted(),
        &[claimed(), taken("A"), news("A", ProviderStatus::Delivered)],
    )
    .job;
    let transition = apply(&done, &news("A", ProviderStatus::Failed), at(99)).unwrap();
    assert_eq!(transition.entries[0].event, EventKind::Disregarded);
    assert_eq!(
        Job {
            updated_at: done.updated_at,
            ..transition.job
        },
        done
    );
}

#[test]
fn the_end_is_neither_before_the_job_nor_after_now() {
    for (told, kept) in [(-1_000_000, 0), (7, 7), (1_000_000, 10)] {
        let mut end = update("A", ProviderStatus::Delivered);
        end.completed_at = Some(at(told));
        let news = JobEvent::VerifiedUpdate {
            update: end,
            source: EventSource::Callback,
            poll_at: at(60),
        };
        let job = run(&accepted(), &[claimed(), taken("A"), news]).job;
        assert_eq!(job.completed_at, Some(at(kept)));
    }
}

#[test]
fn nothing_puts_off_the_deadline() {
    let long_after = at(86_400 * 9);
    let late = |update| JobEvent::VerifiedUpdate {
        update,
        source: EventSource::Callback,
        poll_at: long_after,
    };
    let job = run(
        &accepted(),
        &[
            claimed(),
            taken("A"),
            late(update("A", ProviderStatus::InProgress)),
        ],
    )
    .job;
    assert_eq!(job.wake_at, Some(job.deadline));
    // After the deadline a failed look may be repeated later: it must not be asked without pause.
    let no_answer = JobEvent::LookupFailed {
        reason: "down".to_owned(),
        ask_at: long_after,
    };
    let transition = apply(&job, &no_answer, job.deadline).unwrap();
    assert_eq!(transition.job.wake_at, Some(long_after));
}

#[test]
fn pages_and_cost_are_kept_until_the_provider_knows_better() {
    let mut told = update("A", ProviderStatus::InProgress);
    (told.pages, told.cost_cents) = (Some(0), None);
    let news = |update| JobEvent::VerifiedUpdate {
        update,
        source: EventSource::Poll,
        poll_at: at(60),
    };
    let job = run(&accepted(), &[claimed(), taken("A"), news(told.clone())]).job;
    assert_eq!((job.pages, job.cost_cents), (Some(1), None));
    (told.pages, told.cost_cents) = (Some(3), Some(21));
    let job = run(&job, &[news(told)]).job;
    assert_eq!((job.pages, job.cost_cents), (Some(3), Some(21)));
}

#[test]
fn a_word_nobody_knows_is_asked_about() {
    for status in [ProviderStatus::Unknown, ProviderStatus::PartlyDelivered] {
        let submitted = run(&accepted(), &[claimed(), taken("A")]).job;
        let job = run(&submitted, &[news("A", status)]).job;
        assert_eq!((job.phase, job.wake_at), (Phase::Submitted, Some(at(10))));
        let polled = JobEvent::VerifiedUpdate {
            update: update("A", status),
            source: EventSource::Poll,
            poll_at: at(60),
        };
        assert_eq!(
            run(&submitted, &[polled]).job.wake_at,
            Some(at(60)),
            "no asking without pause"
        );
    }
}

#[test]
fn a_held_attempt_does_not_count() {
    let held = JobEvent::Held {
        reason: "credentials".to_owned(),
        retry_at: at(30),
    };
    let job = run(&accepted(), &[claimed(), held, claimed()]).job;
    assert_eq!(job.attempts, 1);
    assert!(SignedDuration::from_secs(0) <= job.updated_at.duration_since(job.created_at));
}
