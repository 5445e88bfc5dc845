//! Random lives: whatever happens in whatever order and at whatever time, these things hold.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;
use crate::job::FaxRetry;

/// One thing that happens `later` seconds after the last (before it when negative).
#[derive(Debug, Clone)]
struct Event {
    event: JobEvent,
    later: i64,
}

fn status() -> impl Strategy<Value = ProviderStatus> {
    prop::sample::select(vec![
        ProviderStatus::Queued,
        ProviderStatus::InProgress,
        ProviderStatus::Delivered,
        ProviderStatus::PartlyDelivered,
        ProviderStatus::Failed,
        ProviderStatus::Unknown,
    ])
}

fn any_update() -> impl Strategy<Value = Box<StatusUpdate>> {
    let error_id = prop::option::of(prop::sample::select(vec![34_i64, 17, 112, 75, 54]));
    let id = prop::sample::select(vec!["A", "A", "A", "B", "C"]);
    (
        id,
        status(),
        prop::option::of(0..9_u32),
        error_id,
        prop::option::of(-500..500_i64),
    )
        .prop_map(|(id, status, pages, error_id, completed)| {
            let mut update = update(id, status);
            update.pages = pages;
            update.completed_at = completed.map(at);
            update.error = error_id.map(|error_id| FaxError {
                error_id: Some(error_id),
                error_type: if error_id == 54 {
                    ErrorType::DocumentConversion
                } else {
                    ErrorType::Line
                },
                ..refused_by_provider()
            });
            update
        })
}

fn event() -> impl Strategy<Value = Event> {
    let fixed: Vec<JobEvent> = events().into_iter().map(|(_, event)| event).collect();
    let source = prop::sample::select(vec![EventSource::Callback, EventSource::Poll]);
    let event = prop_oneof![
        // The steps of an ordinary life are more frequent, so that walks get somewhere.
        4 => Just(claimed()),
        3 => Just(unsure()),
        3 => (0..200_u64).prop_map(absent),
        8 => prop::sample::select(fixed),
        3 => (any_update(), source).prop_map(|(update, source)| JobEvent::VerifiedUpdate { update, source, poll_at: at(900) }),
        1 => any_update().prop_map(|update| JobEvent::UnverifiedHint { update }),
        1 => any_update().prop_map(|update| JobEvent::UnverifiedUpdate { update }),
    ];
    let later = prop_oneof![8 => 0..100_i64, 1 => -200..0_i64, 1 => 100..5000_i64];
    (event, later).prop_map(|(event, later)| Event { event, later })
}

/// Everything that a final state fixes.
fn fixed_at_the_end(job: &Job) -> impl PartialEq + std::fmt::Debug + use<> {
    let Job {
        phase,
        error,
        completed_at,
        provider_id,
        pages,
        cost_cents,
        attempts,
        ..
    } = job.clone();
    (
        phase,
        error,
        completed_at,
        provider_id,
        pages,
        cost_cents,
        attempts,
    )
}

fn check_state(job: &Job) {
    let known = job.provider_id.is_some();
    match job.phase {
        Phase::Submitted | Phase::Cancelling { .. } | Phase::Delivered => assert!(known, "there under an id"),
        Phase::Due | Phase::Submitting | Phase::Uncertain { .. } => {
            assert!(!known, "no id before it is there")
        }
        Phase::Failed | Phase::Disabled => {}
    }
    assert_eq!(
        job.queue_entry().is_none(),
        job.phase.is_final(),
        "what is not final waits in a queue"
    );
    assert_eq!(job.wake_at.is_none(), job.phase.is_final());
    assert_eq!(job.completed_at.is_some(), job.phase.is_final());
    assert_eq!(job.error.is_some(), job.phase == Phase::Failed);
    assert!(
        job.artifact.is_some() || job.purged_at.is_some(),
        "a document is destroyed on purpose only"
    );
    if matches!(job.phase, Phase::Submitting | Phase::Uncertain { .. }) {
        assert!(job.attempts > 0);
    }
}

fn check_step(before: &Job, event: &JobEvent, now: Timestamp, transition: &Transition) {
    let after = &transition.job;
    if transition.entries.is_empty() {
        assert_eq!(before, after, "what changes leaves a line");
        return;
    }
    assert_eq!(after.updated_at, now);
    assert!(transition.entries.iter().all(|entry| entry.at == now));
    if before.phase.is_final() {
        assert_eq!(
            fixed_at_the_end(before),
            fixed_at_the_end(after),
            "a final state never changes"
        );
    }
    if let Some(id) = &before.provider_id {
        let same = Some(id) == after.provider_id.as_ref() || after.had_provider_id(id);
        assert!(same, "a fax stays the same fax until it is past");
    }
    assert!(after.cancel_requested || !before.cancel_requested);
    match event {
        JobEvent::Claimed { .. } => assert_eq!(after.attempts, before.attempts + 1),
        JobEvent::Held { .. } => assert!(after.attempts <= before.attempts),
        _ => assert_eq!(after.attempts, before.attempts, "only a claim is an attempt"),
    }
    assert_eq!(
        after.previous_attempts.len() + (after.retry.left + after.retry.fetches_left) as usize,
        before.previous_attempts.len() + (before.retry.left + before.retry.fetches_left) as usize,
        "every past fax used up one retry"
    );
    if after.phase == Phase::Due
        && before.previous_attempts == after.previous_attempts
        && before.phase == Phase::Due
    {
        return;
    }
    if after.phase == Phase::Due {
        check_return_to_queue(before, event);
    }
}

/// The one rule that keeps a fax from being sent twice: back into the queue only when the provider certainly
/// does not have it.
fn check_return_to_queue(before: &Job, event: &JobEvent) {
    match (before.phase, event) {
        (Phase::Submitting, JobEvent::NotSent { .. } | JobEvent::Held { .. }) => {}
        (
            Phase::Uncertain {
                absent_since: Some(_),
            },
            JobEvent::NotFound { grace, waited, .. },
        ) => assert!(waited >= grace, "sent again after {waited:?} of absence"),
        // Checked by the caller: one retry less, and the fax that failed is past.
        (_, JobEvent::UnverifiedHint { update })
            if before.provider_id.as_ref() == Some(&update.provider_id) => {}
        (_, JobEvent::Accepted { provider_id, .. })
            if before
                .pending_update
                .as_ref()
                .is_some_and(|early| early.provider_id == *provider_id) => {}
        (_, JobEvent::VerifiedUpdate { update, .. })
            if update
                .error
                .as_ref()
                .is_some_and(|error| before.retry.allows(error)) => {}
        other => panic!("back in the queue by {other:?}"),
    }
}

fn repeat_changes_nothing(transition: &Transition, event: &JobEvent, now: Timestamp) {
    let repeatable = matches!(
        event,
        JobEvent::Accepted { .. } | JobEvent::CancelRequested | JobEvent::Purged | JobEvent::Claimed { .. }
    ) || transition.job.phase.is_final()
        && !matches!(
            event,
            JobEvent::VerifiedUpdate { .. } | JobEvent::UnverifiedUpdate { .. } | JobEvent::Purged
        );
    if repeatable && let Ok(again) = apply(&transition.job, event, now) {
        assert_eq!(again.job, transition.job, "a repeat changes nothing");
        assert!(again.entries.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(events in prop::collection::vec(event(), 1..60), retries in 0..3_u32) {
        let (mut job, mut now) = (accepted(), 10);
        job.retry.left = retries;
        job.retry.fetches_left = retries;
        job.retry.after = FaxRetry::usual();
        for Event { event, later } in events {
            now = (now + later).max(0);
            let Ok(transition) = apply(&job, &event, at(now)) else { continue };
            check_step(&job, &event, at(now), &transition);
            check_state(&transition.job);
            repeat_changes_nothing(&transition, &event, at(now));
            job = transition.job;
        }
    }
}

#[test]
fn random_lives_reach_every_phase() {
    // Guards the walk above: a generator that never gets anywhere would prove nothing.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut reached = std::collections::HashSet::new();
    for _ in 0..300 {
        let events = prop::collection::vec(event(), 60)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let (mut job, mut now) = (accepted(), 10);
        for Event { event, later } in events {
            now = (now + later).max(0);
            if let Ok(transition) = apply(&job, &event, at(now)) {
                job = transition.job;
                reached.insert(std::mem::discriminant(&job.phase));
            }
        }
    }
    assert_eq!(reached.len(), 7, "all but disabled, which nothing leads to");
}
