//! The table of the life of a job: case by case, and at random.

use std::time::Duration;

use jiff::Timestamp;

use super::{JobEvent, Refusal, Transition, apply};
use crate::artifact::{Artifact, Place};
use crate::ids::JobId;
use crate::job::{Job, Phase};
use crate::number::E164;
use crate::provider::{ErrorType, EventSource, FaxError, ProviderStatus, StatusUpdate};

mod again;
mod lives;
mod walk;

const GRACE: Duration = Duration::from_secs(120);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A job accepted at second 0 that waits for its turn; its deadline is a day away.
fn accepted() -> Job {
    let to = E164::try_from("+12125550142".to_owned()).unwrap();
    Job {
        artifact: Some(Artifact {
            place: Place::Database,
            bytes: 9,
            sha256: [0; 32],
        }),
        ..Job::queued(JobId::from_bytes([1; 16]), "clinic", to, at(0))
    }
}

fn update(id: &str, status: ProviderStatus) -> Box<StatusUpdate> {
    Box::new(StatusUpdate {
        provider_id: id.to_owned(),
        job: None,
        status,
        provider_status: format!("{status:?}").to_lowercase(),
        in_flight: None,
        pages: None,
        cost_cents: None,
        error: None,
        completed_at: None,
        facts: Vec::new(),
    })
}

fn news(id: &str, status: ProviderStatus) -> JobEvent {
    JobEvent::VerifiedUpdate {
        update: update(id, status),
        source: EventSource::Callback,
        poll_at: at(900),
    }
}

fn taken(id: &str) -> JobEvent {
    JobEvent::Accepted {
        provider_id: id.to_owned(),
        poll_at: at(900),
        adopted: false,
    }
}

fn refused_by_provider() -> FaxError {
    FaxError {
        error_type: ErrorType::Rejected,
        error_id: None,
        message: "no such number".to_owned(),
    }
}

/// One of each thing that can happen, under the names that the table below uses.
fn events() -> Vec<(&'static str, JobEvent)> {
    let mut all = outcomes();
    all.extend(reports());
    all
}

/// What our own requests bring.
fn outcomes() -> Vec<(&'static str, JobEvent)> {
    let reason = || "why".to_owned();
    vec![
        ("claimed", JobEvent::Claimed { look_at: at(60) }),
        (
            "postponed",
            JobEvent::Postponed {
                reason: reason(),
                retry_at: at(30),
            },
        ),
        ("taken", taken("A")),
        ("taken other", taken("B")),
        (
            "not sent",
            JobEvent::NotSent {
                reason: reason(),
                retry_at: at(30),
            },
        ),
        (
            "held",
            JobEvent::Held {
                reason: reason(),
                retry_at: at(30),
            },
        ),
        ("refused", JobEvent::Rejected(refused_by_provider())),
        (
            "unsure",
            JobEvent::OutcomeUnknown {
                reason: reason(),
                look_at: at(30),
            },
        ),
        (
            "absent",
            JobEvent::NotFound {
                grace: GRACE,
                waited: Duration::ZERO,
                look_at: at(60),
            },
        ),
        (
            "no answer",
            JobEvent::LookupFailed {
                reason: reason(),
                ask_at: at(60),
            },
        ),
    ]
}

/// What the provider and people say of a fax.
fn reports() -> Vec<(&'static str, JobEvent)> {
    let reason = || "why".to_owned();
    vec![
        ("progress", news("A", ProviderStatus::InProgress)),
        ("delivered", news("A", ProviderStatus::Delivered)),
        ("failed", news("A", ProviderStatus::Failed)),
        ("delivered other", news("B", ProviderStatus::Delivered)),
        (
            "told",
            JobEvent::UnverifiedUpdate {
                update: update("A", ProviderStatus::Delivered),
            },
        ),
        (
            "told other",
            JobEvent::UnverifiedUpdate {
                update: update("B", ProviderStatus::Delivered),
            },
        ),
        (
            "hint",
            JobEvent::UnverifiedHint {
                update: update("A", ProviderStatus::InProgress),
            },
        ),
        (
            "hint other",
            JobEvent::UnverifiedHint {
                update: update("B", ProviderStatus::Delivered),
            },
        ),
        ("cancel", JobEvent::CancelRequested),
        ("cancel scheduled", JobEvent::CancelScheduled { poll_at: at(60) }),
        (
            "cancel refused",
            JobEvent::CancelRefused {
                reason: reason(),
                poll_at: at(60),
            },
        ),
        ("expired", JobEvent::Expired { reason: reason() }),
        ("purged", JobEvent::Purged),
    ]
}

/// A job in each phase, under the names that the table below uses. Those that the provider has are fax `A` there.
fn phases() -> Vec<(&'static str, Job)> {
    let there = |phase| Job {
        phase,
        provider_id: Some("A".to_owned()),
        attempts: 1,
        wake_at: Some(at(500)),
        ..accepted()
    };
    let ended = |phase, error| Job {
        wake_at: None,
        completed_at: Some(at(5)),
        error,
        ..there(phase)
    };
    let lost = Job {
        provider_id: None,
        ..ended(Phase::Failed, Some(refused_by_provider()))
    };
    vec![
        (
            "disabled",
            Job {
                phase: Phase::Disabled,
                wake_at: None,
                ..accepted()
            },
        ),
        ("due", accepted()),
        (
            "submitting",
            Job {
                phase: Phase::Submitting,
                attempts: 1,
                ..accepted()
            },
        ),
        (
            "uncertain",
            Job {
                phase: Phase::Uncertain { absent_since: None },
                attempts: 1,
                ..accepted()
            },
        ),
        ("submitted", there(Phase::Submitted)),
        (
            "cancelling",
            Job {
                cancel_requested: true,
                ..there(Phase::Cancelling { scheduled: false })
            },
        ),
        (
            "cancel agreed",
            Job {
                cancel_requested: true,
                ..there(Phase::Cancelling { scheduled: true })
            },
        ),
        ("delivered", ended(Phase::Delivered, None)),
        ("failed", ended(Phase::Failed, Some(refused_by_provider()))),
        ("never there", lost),
    ]
}

/// What comes out: the phase afterwards, or why nothing does.
fn outcome(before: &Job, event: &JobEvent) -> &'static str {
    match apply(before, event, at(10)) {
        Err(Refusal::Final) => "FINAL",
        Err(Refusal::NotNow) => "NOT NOW",
        Err(Refusal::OtherFax) => "OTHER",
        Ok(transition) if transition.job == *before && transition.entries.is_empty() => "-",
        Ok(transition) => match transition.job.phase {
            Phase::Disabled => "disabled",
            Phase::Due => "due",
            Phase::Submitting => "submitting",
            Phase::Uncertain { .. } => "uncertain",
            Phase::Submitted => "submitted",
            Phase::Cancelling { scheduled: false } => "cancelling",
            Phase::Cancelling { scheduled: true } => "cancel agreed",
            Phase::Delivered => "delivered",
            Phase::Failed => "failed",
        },
    }
}

/// Rows are what happens, columns are the phase before; `-` is nothing at all, capitals are refusals.
const TABLE: &str = "
                 | disabled | due       | submitting | uncertain | submitted | cancelling    | cancel agreed | delivered | failed | never there
claimed          | FINAL    | submitting| NOT NOW    | NOT NOW   | NOT NOW   | NOT NOW       | NOT NOW       | FINAL     | FINAL  | FINAL
postponed        | FINAL    | due       | NOT NOW    | NOT NOW   | NOT NOW   | NOT NOW       | NOT NOW       | FINAL     | FINAL  | FINAL
taken            | FINAL    | submitted | submitted  | submitted | -         | -             | -             | -         | -      | FINAL
taken other      | FINAL    | submitted | submitted  | submitted | OTHER     | OTHER         | OTHER         | OTHER     | OTHER  | FINAL
not sent         | FINAL    | NOT NOW   | due        | NOT NOW   | NOT NOW   | NOT NOW       | NOT NOW       | FINAL     | FINAL  | FINAL
held             | FINAL    | NOT NOW   | due        | NOT NOW   | NOT NOW   | NOT NOW       | NOT NOW       | FINAL     | FINAL  | FINAL
refused          | FINAL    | NOT NOW   | failed     | NOT NOW   | NOT NOW   | NOT NOW       | NOT NOW       | FINAL     | FINAL  | FINAL
unsure           | FINAL    | NOT NOW   | uncertain  | NOT NOW   | -         | -             | -             | -         | -      | FINAL
absent           | FINAL    | NOT NOW   | NOT NOW    | uncertain | NOT NOW   | NOT NOW       | NOT NOW       | FINAL     | FINAL  | FINAL
no answer        | FINAL    | NOT NOW   | submitting | uncertain | submitted | cancelling    | cancel agreed | FINAL     | FINAL  | FINAL
progress         | -        | submitted | submitted  | submitted | submitted | cancelling    | cancel agreed | -         | -      | -
delivered        | disabled | delivered | delivered  | delivered | delivered | delivered     | delivered     | -         | failed | failed
failed           | disabled | failed    | failed     | failed    | failed    | failed        | failed        | delivered | -      | -
delivered other  | disabled | delivered | delivered  | delivered | OTHER     | OTHER         | OTHER         | OTHER     | OTHER  | failed
told             | disabled | submitted | submitted  | submitted | submitted | cancelling    | cancel agreed | -         | failed | failed
told other       | disabled | submitted | submitted  | submitted | OTHER     | OTHER         | OTHER         | OTHER     | OTHER  | failed
hint             | FINAL    | NOT NOW   | submitting | uncertain | submitted | cancelling    | cancel agreed | FINAL     | FINAL  | FINAL
hint other       | FINAL    | NOT NOW   | submitting | uncertain | OTHER     | OTHER         | OTHER         | FINAL     | FINAL  | FINAL
cancel           | FINAL    | failed    | submitting | uncertain | cancelling| -             | -             | FINAL     | FINAL  | FINAL
cancel scheduled | FINAL    | NOT NOW   | NOT NOW    | NOT NOW   | NOT NOW   | cancel agreed | NOT NOW       | FINAL     | FINAL  | FINAL
cancel refused   | FINAL    | NOT NOW   | NOT NOW    | NOT NOW   | NOT NOW   | submitted     | submitted     | FINAL     | FINAL  | FINAL
expired          | FINAL    | failed    | failed     | failed    | failed    | failed        | failed        | FINAL     | FINAL  | FINAL
purged           | disabled | NOT NOW   | NOT NOW    | NOT NOW   | NOT NOW   | NOT NOW       | NOT NOW       | delivered | failed | failed
";

#[test]
fn every_happening_in_every_phase() {
    let mut rows = TABLE
        .trim_matches('\n')
        .lines()
        .map(|row| row.split('|').map(str::trim));
    let columns: Vec<&str> = rows.next().unwrap().skip(1).collect();
    let (phases, events) = (phases(), events());
    assert_eq!(columns, phases.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    assert_eq!(rows.clone().count(), events.len());
    for (mut row, (name, event)) in rows.zip(&events) {
        assert_eq!(row.next(), Some(*name));
        for (expected, (phase, job)) in row.zip(&phases) {
            assert_eq!(outcome(job, event), expected, "{name} when {phase}");
        }
    }
}

fn run(job: &Job, events: &[JobEvent]) -> Transition {
    let mut transition = Transition {
        job: job.clone(),
        entries: Vec::new(),
    };
    for event in events {
        transition =
            apply(&transition.job, event, at(10)).unwrap_or_else(|refusal| panic!("{event:?}: {refusal}"));
    }
    transition
}

fn claimed() -> JobEvent {
    JobEvent::Claimed { look_at: at(60) }
}

/// Not found at the provider for `waited` seconds.
fn absent(waited: u64) -> JobEvent {
    JobEvent::NotFound {
        grace: GRACE,
        waited: Duration::from_secs(waited),
        look_at: at(10_000),
    }
}

fn unsure() -> JobEvent {
    JobEvent::OutcomeUnknown {
        reason: "time-out".to_owned(),
        look_at: at(30),
    }
}
