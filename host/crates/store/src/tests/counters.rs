//! Counters and indexes say what the records say, whatever happened.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::SignedDuration;
use proptest::prelude::*;
use redb::{ReadTransaction, ReadableTable as _, TableDefinition};

use super::fixtures::{Bed, claimed, news, taken};
use crate::format::record::decode;
use crate::format::table_key::{self as key, digest, join};
use crate::redb::tables::{BY_COMPLETION, BY_OWNER, BY_PROVIDER_ID, BY_STATUS, BY_TO, DUE, JOBS};
use crate::{AuditVerdict, Store};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase, PublicStatus};
use faxgate_domain::provider::{FaxError, ProviderStatus};
use faxgate_domain::status::JobEvent;

/// What a test does next: to which job, and what.
#[derive(Debug, Clone)]
enum Act {
    Create,
    Happen(usize, usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        1 => Just(Act::Create),
        6 => (0..8_usize, 0..12_usize).prop_map(|(job, what)| Act::Happen(job, what)),
    ];
    proptest::collection::vec(act, 1..80)
}

fn event(bed: &Bed, what: usize, job: usize) -> JobEvent {
    let now = bed.clock.now();
    let later = now + SignedDuration::from_mins(1);
    // Provider ids collide on purpose: two jobs may claim one.
    let provider_id = format!("{}", job / 2);
    match what {
        0..=2 => claimed(now),
        3 | 4 => taken(&provider_id, now),
        5 => JobEvent::NotSent {
            reason: "refused".into(),
            retry_at: later,
        },
        6 => JobEvent::OutcomeUnknown {
            reason: "time-out".into(),
            look_at: later,
        },
        7 => news(&provider_id, ProviderStatus::Delivered, now),
        8 => news(&provider_id, ProviderStatus::Failed, now),
        9 => JobEvent::CancelRequested,
        10 => JobEvent::Purged,
        _ => JobEvent::Rejected(FaxError {
            error_type: "rejected".into(),
            error_id: None,
            message: "no".into(),
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_indexes_agree(acts in acts(), together in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bed = Bed::new();
        runtime.block_on(run(&bed, &acts, together));
        runtime.block_on(agree(&bed.store));
    }
}

async fn run(bed: &Bed, acts: &[Act], together: bool) {
    let mut ids = vec![bed.created("desk").await.id, bed.created("ward").await.id];
    for part in acts.chunks(if together { 10 } else { 1 }) {
        let mut running = Vec::new();
        for act in part {
            match act {
                Act::Create => ids.push(bed.created("desk").await.id),
                Act::Happen(job, what) => {
                    let job = job % ids.len();
                    running.push(bed.store.advance(ids[job], event(bed, *what, job)));
                }
            }
        }
        for advanced in join_all(running).await {
            advanced.unwrap();
        }
    }
}

/// Checks every index, the counters and the audit chain against the records.
pub(super) async fn agree(store: &Store) {
    let snapshot = store.shared.db.read().unwrap();
    let jobs: Vec<Job> = snapshot
        .open_table(JOBS)
        .unwrap()
        .iter()
        .unwrap()
        .map(|row| decode(row.unwrap().1.value()).unwrap())
        .collect();
    for status in PublicStatus::EVERY {
        let counted = store
            .depth()
            .await
            .unwrap()
            .into_iter()
            .find(|(s, _)| *s == status)
            .unwrap()
            .1;
        assert_eq!(
            counted,
            jobs.iter().filter(|job| job.status() == status).count() as u64,
            "{status:?}"
        );
    }
    let ids = |keep: fn(&Job) -> bool| -> BTreeSet<JobId> {
        jobs.iter().filter(|job| keep(job)).map(|job| job.id).collect()
    };
    let expected =
        |place: fn(&Job) -> Option<Vec<u8>>| -> BTreeSet<Vec<u8>> { jobs.iter().filter_map(place).collect() };
    assert_eq!(
        keys(&snapshot, BY_OWNER),
        expected(|job| Some(join::<32>(&digest(&job.owner), &job.id.to_bytes()).to_vec()))
    );
    assert_eq!(
        keys(&snapshot, BY_STATUS),
        expected(|job| Some(join::<32>(&key::status(job.status()), &job.id.to_bytes()).to_vec()))
    );
    assert_eq!(
        keys(&snapshot, BY_TO),
        expected(|job| Some(join::<32>(&digest(job.to.as_str()), &job.id.to_bytes()).to_vec()))
    );
    assert_eq!(
        keys(&snapshot, DUE),
        expected(|job| job
            .queue_entry()
            .map(|(lane, at)| key::due(lane, key::time(at), job.id.to_bytes()).to_vec()))
    );
    assert_eq!(
        keys(&snapshot, BY_COMPLETION),
        expected(|job| {
            let at = job.completed_at.filter(|_| job.artifact.is_some())?;
            Some(join::<24>(&key::time(at), &job.id.to_bytes()).to_vec())
        })
    );
    assert_eq!(
        store
            .submitting()
            .await
            .unwrap()
            .into_iter()
            .collect::<BTreeSet<_>>(),
        ids(|job| job.phase == Phase::Submitting)
    );
    let provider_ids: BTreeSet<(String, JobId)> = snapshot
        .open_table(BY_PROVIDER_ID)
        .unwrap()
        .iter()
        .unwrap()
        .map(|row| row.unwrap())
        .map(|(provider_id, id)| (provider_id.value().to_owned(), JobId::from_bytes(*id.value())))
        .collect();
    assert_eq!(
        provider_ids,
        jobs.iter()
            .filter_map(|job| Some((job.provider_id.clone()?, job.id)))
            .collect::<BTreeSet<_>>()
    );
    for job in &jobs {
        assert_eq!(
            store.document(job.id.0).await.unwrap().is_some(),
            job.artifact.is_some()
        );
        assert!(!store.timeline(job.id).await.unwrap().is_empty());
    }
    assert!(matches!(
        store.verify_audit().await.unwrap(),
        AuditVerdict::Intact { .. }
    ));
}

fn keys<const N: usize>(
    snapshot: &ReadTransaction,
    definition: TableDefinition<'static, &'static [u8; N], ()>,
) -> BTreeSet<Vec<u8>> {
    let table = snapshot.open_table(definition).unwrap();
    table
        .iter()
        .unwrap()
        .map(|row| row.unwrap().0.value().to_vec())
        .collect()
}
