//! Power cuts: the disk as it would be after a cut at any moment of a workload. Whatever was answered is there,
//! whatever is there is whole, and the store works on.
//!
//! Every sync and some writes in between; with `FAXGATE_STRESS` set, every single write and sync.

use bytes::Bytes;
use futures_util::future::join_all;

use super::counters::agree;
use super::disk::{Disk, Done, apply};
use super::fixtures::{claimed, new_job, news, taken};
use crate::{NewJob, Store, StoreOptions};
use faxgate_base::clock::Clock;
use faxgate_base::id::IdSource;
use faxgate_domain::ids::JobId;
use faxgate_domain::provider::ProviderStatus;
use faxgate_domain::status::JobEvent;

/// Something that was answered: when (in steps of the disk), and how long the timeline was then.
struct Answer {
    at: usize,
    id: JobId,
    lines: usize,
}

struct Workload {
    log: Vec<Done>,
    opened: usize,
    answers: Vec<Answer>,
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // Knuth's constants for a linear congruential generator.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }
}

fn options(quick_repair_from: u64) -> StoreOptions {
    StoreOptions {
        quick_repair_from,
        ..StoreOptions::default()
    }
}

fn job(ids: &IdSource, size: usize) -> NewJob {
    let now = Clock::system().now();
    let mut new = new_job(JobId(ids.next(now)), "desk", now);
    let id = new.job.id;
    new.document = Some(Bytes::from(id.to_string().repeat(1 + size / 26)));
    new
}

/// Accepts and sends faxes, alone and in groups, with documents of many sizes.
async fn work(quick_repair_from: u64) -> Workload {
    let (disk, ids, mut dice) = (Disk::default(), IdSource::default(), Dice(7));
    let store = Store::open_backend_with(disk.clone(), Clock::system(), options(quick_repair_from)).unwrap();
    let opened = disk.done();
    let mut answers = Vec::new();
    for round in 0..12 {
        let group: Vec<_> = (0..=dice.roll(5))
            .map(|_| job(&ids, 10 << dice.roll(12)))
            .collect();
        let made: Vec<_> = group.iter().map(|new| new.job.id).collect();
        for created in join_all(group.into_iter().map(|new| store.create_job(new))).await {
            created.unwrap();
        }
        answers.extend(made.iter().map(|&id| Answer {
            at: disk.done(),
            id,
            lines: 1,
        }));
        let (id, provider_id, now) = (made[0], round.to_string(), Clock::system().now());
        let steps = [
            claimed(now),
            taken(&provider_id, now),
            news(&provider_id, ProviderStatus::Delivered, now),
            JobEvent::Purged,
        ];
        for (lines, step) in (2..).zip(steps.into_iter().take(1 + dice.roll(4))) {
            assert!(store.advance(id, step).await.unwrap().changed);
            answers.push(Answer {
                at: disk.done(),
                id,
                lines,
            });
        }
    }
    drop(store);
    Workload {
        log: disk.log(),
        opened,
        answers,
    }
}

/// The disk after a cut at step `cut`: everything up to the last sync is there; of what was written since, any
/// part may be, in any order, the last of it torn.
fn image(log: &[Done], cut: usize, dice: &mut Dice) -> Vec<u8> {
    let synced = log[..cut]
        .iter()
        .rposition(|done| matches!(done, Done::Sync))
        .map_or(0, |at| at + 1);
    let mut content = Vec::new();
    for done in &log[..synced] {
        apply(&mut content, done, usize::MAX);
    }
    let mode = dice.roll(4);
    for done in &log[synced..cut] {
        let part = match (mode, done) {
            // Everything arrived, as when only the process was killed.
            (0, _) | (_, Done::SetLen(_)) => usize::MAX,
            (1, _) => 0,
            (_, Done::Write(_, data)) => match dice.roll(4) {
                0 => 0,
                1 => dice.roll(data.len() / 512 + 1) * 512,
                _ => usize::MAX,
            },
            (_, Done::Sync) => 0,
        };
        apply(&mut content, done, part);
    }
    content
}

async fn survive(quick_repair_from: u64) {
    let workload = work(quick_repair_from).await;
    let syncs = workload
        .log
        .iter()
        .enumerate()
        .filter(|(_, done)| matches!(done, Done::Sync));
    // Right after, right before, and anywhere between the syncs.
    let mut cuts: Vec<_> = syncs
        .flat_map(|(at, _)| [at, at + 1])
        .filter(|cut| *cut >= workload.opened)
        .collect();
    let mut dice = Dice(99);
    let span = workload.log.len() - workload.opened;
    if std::env::var_os("FAXGATE_STRESS").is_some() {
        cuts = (workload.opened..=workload.log.len()).collect();
    } else {
        cuts.extend((0..150).map(|_| workload.opened + dice.roll(span + 1)));
    }
    let (points, writes) = (cuts.len(), workload.log.len());
    assert!(cuts.len() > 200, "{}", cuts.len());
    for cut in cuts {
        let disk = Disk::with(image(&workload.log, cut, &mut dice));
        let store = Store::open_backend_with(disk, Clock::system(), options(quick_repair_from))
            .unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        for answer in workload.answers.iter().filter(|answer| answer.at <= cut) {
            let job = store
                .job(answer.id)
                .await
                .unwrap()
                .unwrap_or_else(|| panic!("cut at {cut}: {} lost", answer.id));
            assert!(
                store.timeline(answer.id).await.unwrap().len() >= answer.lines,
                "cut at {cut}"
            );
            let document = store.document(answer.id.0).await.unwrap();
            assert_eq!(document.is_some(), job.purged_at.is_none(), "cut at {cut}");
            assert!(document.is_none_or(|document| document.starts_with(answer.id.to_string().as_bytes())));
        }
        agree(&store).await;
        store.create_job(job(&IdSource::default(), 100)).await.unwrap();
    }
    if std::env::var_os("FAXGATE_STRESS").is_some() {
        assert_eq!(points, writes - workload.opened + 1, "every write and sync");
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_power_cut() {
    survive(u64::MAX).await;
}

#[tokio::test]
async fn what_was_answered_survives_a_power_cut_with_quick_repair() {
    survive(0).await;
}
