//! Many bad calls, many swaps, many damaged files. `FAXGATE_STRESS=10` runs ten times as many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::*;
use crate::load::plugin::Plugin;
use crate::tests::{Folder, assert_works, dial, naughty};
use faxgate_testkit::components::{NORMALIZER, normalizer};

fn times(count: usize) -> usize {
    let factor = std::env::var("FAXGATE_STRESS")
        .ok()
        .and_then(|text| text.parse().ok());
    count * factor.unwrap_or(1)
}

/// Damaged files put in the folder at once.
const DAMAGED: usize = 20;

/// A stream of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Resident memory in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn alive(plugins: &Plugins) -> Vec<Weak<Plugin>> {
    plugins
        .set()
        .chain(Slot::NumberNormalizer)
        .iter()
        .map(Arc::downgrade)
        .collect()
}

/// Time is no concern of calls to `name`.
fn patient(folder: &mut Folder, name: &str) {
    folder.limit(name, |config| {
        config.cpu = Duration::from_secs(3600);
        config.wall = Duration::from_secs(3600);
    });
}

/// Waits until no instance is left. A call that was given up may end a moment after its answer.
async fn all_gone(plugins: &Plugins) {
    while plugins.instances().is_some_and(|left| left > 0) {
        tokio::task::yield_now().await;
    }
}

/// Runs a test in a process of its own: the memory of one that runs other tests says nothing.
fn alone(test: &str) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("tests::stress::{test}"),
            "--ignored",
            "--nocapture",
        ])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn good_calls_follow_any_number_of_bad_ones() {
    alone("bad_calls_then_good_ones");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above"]
async fn bad_calls_then_good_ones() {
    let (mut folder, plugins) = naughty().await;
    folder.limit("naughty", |config| config.cpu = Duration::from_millis(5));
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    let bad = ["l", "g", "s", "t", "h", "b", "u", "o", "d", "e"];
    // The first tenth fills caches and the allocator.
    let mut settled = 0;
    for round in 0..10 {
        let callers = (0..4).map(|caller| {
            let plugins = plugins.clone();
            tokio::spawn(async move {
                for call in 0..times(25) {
                    let asked = bad[(caller + call) % bad.len()];
                    let answer = dial(&plugins, asked).await;
                    assert!(
                        matches!(answer, Err(PolicyError::Failed(_))),
                        "{asked}: {answer:?}"
                    );
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
        if round == 0 {
            all_gone(&plugins).await;
            settled = resident();
        }
    }
    // A budget of one tick is for those that loop: on a busy machine an honest call may be interrupted for longer.
    patient(&mut folder, "naughty");
    plugins.reload(&folder.config, Grants::default()).await.unwrap();
    for _ in 0..times(1000) {
        assert_works(&plugins).await;
    }
    all_gone(&plugins).await;
    let grown = resident().saturating_sub(settled);
    println!(
        "{} bad calls and as many good ones, {} KiB more than after the first tenth",
        times(1000),
        grown / 1024
    );
    // What a call may have (4 MiB) is much more than this.
    assert!(grown < 3 << 20, "{grown}");
}

#[test]
fn no_call_notices_a_swap() {
    alone("swap_under_load");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above"]
async fn swap_under_load() {
    let mut folder = Folder::new();
    let versions = [
        normalizer(NORMALIZER),
        normalizer(&NORMALIZER.replace("\"1.0.0\"", "\"2.0.0\"")),
    ];
    folder.put("plan", &versions[0]);
    patient(&mut folder, "plan");
    let plugins = folder.load().await;
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let load = (0..2).map(|_| {
        let (plugins, stop, answered) = (plugins.clone(), Arc::clone(&stop), Arc::clone(&answered));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                assert_works(&plugins).await;
                answered.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        })
    });
    let load: Vec<_> = load.collect();
    let mut seen = Vec::new();
    let mut settled = 0;
    for round in 1..=times(1000) {
        // The first quarter fills caches and the allocator.
        if round == times(1000) / 4 {
            settled = resident();
        }
        // Even a weak pointer keeps the memory of what it pointed to.
        seen.retain(|old: &Weak<Plugin>| old.strong_count() > 0);
        seen.extend(alive(&plugins).into_iter().take(1));
        folder.put("plan", &versions[round % 2]);
        let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
        assert_eq!(report.changed, ["plan"]);
        assert_eq!(report.problems, Vec::new());
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    let swaps = times(1000) - times(1000) / 4;
    let slope = resident().saturating_sub(settled) * 1000 / swaps as u64;
    println!(
        "{} swaps, {} calls answered, resident memory grows by {} KiB per 1,000 swaps",
        times(1000),
        answered.load(Ordering::Relaxed),
        slope / 1024
    );
    assert!(slope < 1024 * 1024, "{slope}");
    assert!(answered.load(Ordering::Relaxed) > 0);
    // Nothing holds on to what was replaced.
    assert!(seen.iter().all(|old| old.strong_count() == 0));
    all_gone(&plugins).await;
}

#[tokio::test]
async fn damaged_files_are_refused_one_by_one() {
    let mut folder = Folder::new();
    folder.config.cache_dir = folder.dir.path().join("cache");
    let good = normalizer(NORMALIZER);
    folder.put("10-good", &good);
    patient(&mut folder, "10-good");
    let names: Vec<String> = (20..20 + DAMAGED).map(|n| format!("{n}-damaged")).collect();
    for name in &names {
        folder.limit(name, |_| {});
    }
    let plugins = folder.load().await;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut refused = 0;
    for _ in 0..times(10_000) / DAMAGED {
        for name in &names {
            folder.put(name, &damaged(&good, &mut dice));
        }
        let report = plugins.reload(&folder.config, Grants::default()).await.unwrap();
        for problem in &report.problems {
            assert!(names.contains(&problem.plugin), "{}", problem.plugin);
            assert!(problem.reason.len() > 20, "{}", problem.reason);
            refused += 1;
        }
        assert_works(&plugins).await;
    }
    assert!(refused > times(5000), "{refused}");
}

/// A component with a few bytes cut off, put in or changed.
fn damaged(good: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = good.to_vec();
    match dice.below(4) {
        0 => bytes.truncate(dice.below(good.len())),
        1 => {
            let (at, count) = (dice.below(good.len()), 1 + dice.below(16));
            bytes.splice(at..at, (0..count).map(|_| u8::try_from(dice.below(256)).unwrap()));
        }
        _ => {
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len());
                bytes[at] ^= u8::try_from(1 + dice.below(255)).unwrap();
            }
        }
    }
    bytes
}
