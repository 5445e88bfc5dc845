//! Damaged and malicious documents through every parser: the sandbox answers each of them with a page or a refusal, and
//! goes on serving.
//!
//! `FAXGATE_STRESS=25` runs twenty-five times as many: ten thousand. With `FAXGATE_KEEP_WORST=FOLDER` those that trapped and
//! the small ones that took longest are written there; the worst of long runs lie in `tests/documents/worst` and are answered again in every run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use faxgate_domain::document::DocumentError;
use faxgate_policy::{FailureKind, PolicyError};

use crate::documents::corpus::Sandbox;
use faxgate_testkit::corpus::{Expect, every_case};
use faxgate_testkit::rng::{TestRng, repetitions};

/// Damaged documents in every run of the tests.
const USUAL: usize = 400;
/// Documents kept of one run, and the bytes that one of them may have.
const KEPT: usize = 10;
const SMALL: usize = 8 * 1024;
/// What a call may use of memory, in bytes: the default of `memory_mb`.
const MEMORY: u64 = 256 << 20;

/// Damages a document in one of the ways in which files are damaged, or in one that finds bugs.
fn damage(bytes: &[u8], other: &[u8], rng: &mut TestRng) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = |out: &Vec<u8>| rng.below(out.len());
    match at(&vec![0; 9]) {
        0 => {
            for _ in 0..=at(&vec![0; 30]) {
                let place = at(&out);
                if let Some(byte) = out.get_mut(place) {
                    *byte ^= 1 << (place % 8);
                }
            }
        }
        1 => out.truncate(at(&out)),
        2 => {
            let from = at(&out);
            let length = at(&vec![0; 400]);
            out.drain(from..(from + length).min(out.len()));
        }
        3 => {
            // Numbers become other numbers.
            for _ in 0..20 {
                let place = at(&out);
                let digit = b'0' + u8::try_from(at(&vec![0; 10])).unwrap_or(0);
                if let Some(byte) = out.get_mut(place).filter(|byte| byte.is_ascii_digit()) {
                    *byte = digit;
                }
            }
        }
        4 => {
            let from = at(&out);
            let chunk = out[from..(from + 300).min(out.len())].to_vec();
            for _ in 0..at(&vec![0; 40]) {
                let place = at(&out);
                out.splice(place..place, chunk.iter().copied());
            }
        }
        5 => {
            for value in [0x00, 0xff, 0x7f] {
                let from = at(&out);
                let end = (from + at(&vec![0; 16])).min(out.len());
                out[from..end].fill(value);
            }
        }
        6 => {
            // The head of one and the tail of another.
            let cut = at(&out);
            out.truncate(cut);
            out.extend_from_slice(&other[at(&other.to_vec())..]);
        }
        7 => {
            // Large numbers where small ones were.
            let text: [&[u8]; 5] = [b"99999999", b"-1", b"2147483648", b"1e9999", b"0.0000001"];
            let digits: Vec<usize> = (0..out.len())
                .filter(|place| out[*place].is_ascii_digit())
                .collect();
            if !digits.is_empty() {
                let place = digits[at(&vec![0; digits.len()])];
                out.splice(place..=place, text[at(&vec![0; 5])].iter().copied());
            }
        }
        _ => {
            let place = at(&out);
            let from = at(&out);
            let end = (from + 2000).min(out.len());
            let moved: Vec<u8> = out.drain(from..end).collect();
            let place = place.min(out.len());
            out.splice(place..place, moved);
        }
    }
    out
}

/// What came of a document, as a word; an error when it is neither a page nor a refusal.
fn verdict<T>(answer: Result<T, PolicyError<DocumentError>>) -> Result<&'static str, String> {
    match answer {
        Ok(_) => Ok("page"),
        Err(PolicyError::Refused(_)) => Ok("refused"),
        Err(PolicyError::Failed(failure)) => match failure.kind {
            // Each of these reaches the sender as a 4xx about the document.
            FailureKind::Trap => Ok("trap"),
            FailureKind::CpuDeadline => Ok("processor time"),
            FailureKind::OutOfMemory => Ok("memory"),
            FailureKind::StackOverflow => Ok("stack"),
            FailureKind::TooMuchData => Ok("too much data"),
            _ => Err(failure.to_string()),
        },
        Err(PolicyError::Busy) => Err("busy".to_owned()),
    }
}

/// The class of a verdict, which doesn't depend on how fast the machine is.
fn class(word: &str) -> &str {
    match word {
        "page" | "refused" => word,
        _ => "stopped",
    }
}

/// A document that was answered.
struct Answered {
    name: String,
    bytes: Vec<u8>,
    word: &'static str,
    time: Duration,
}

/// Counts answers and remembers the documents that trapped, and the small ones that took longest.
#[derive(Default)]
struct Tally {
    seen: BTreeMap<&'static str, usize>,
    worst: Vec<Answered>,
    trapped: Vec<Answered>,
}

impl Tally {
    fn add(&mut self, answered: Answered) {
        *self.seen.entry(answered.word).or_default() += 1;
        if answered.word == "trap" {
            self.trapped.push(answered);
            return;
        }
        // One of each source, so that they differ.
        let known = self.worst.iter().position(|other| other.name == answered.name);
        if answered.bytes.len() > SMALL || known.is_some_and(|at| self.worst[at].time >= answered.time) {
            return;
        }
        if let Some(at) = known {
            self.worst.remove(at);
        }
        self.worst.push(answered);
        self.worst
            .sort_by_key(|answered| std::cmp::Reverse(answered.time));
        self.worst.truncate(KEPT);
    }

    fn keep(&self, folder: &Path) {
        for (rank, answered) in (1..).zip(self.trapped.iter().chain(&self.worst)) {
            let Answered { name, word, time, .. } = answered;
            let name: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
                .collect();
            let file = folder.join(format!("{}-{name}.bin", class(word)));
            std::fs::write(&file, &answered.bytes).expect("file");
            eprintln!("{rank}. {}: {word} after {time:.0?}", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_documents_so_far_are_answered_as_before() {
    let folder = faxgate_testkit::paths::repository().join("tests/documents/worst");
    let sandbox = Sandbox::open().await;
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((expected, _)) = name.strip_suffix(".bin").and_then(|name| name.split_once('-')) else {
            continue;
        };
        let bytes = std::fs::read(entry.path()).expect("file");
        let word = one(&sandbox, bytes).await;
        assert_eq!(word.as_deref().map(class), Ok(expected), "{name}");
        count += 1;
    }
    assert!(count >= 5, "{count} documents");
    assert!(sandbox.memory_peak() <= MEMORY);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_documents_are_answered_and_nothing_dies() {
    let sources: Vec<(String, Vec<u8>)> = every_case()
        .into_iter()
        .filter(|case| matches!(case.expect, Expect::Fax { .. }) && (1..200_000).contains(&case.bytes.len()))
        .map(|case| (case.name, case.bytes))
        .collect();
    let total = USUAL * repetitions("FAXGATE_STRESS", 1);
    let mut rng = TestRng::seeded();
    let sandbox = Sandbox::open().await;
    let mut tally = Tally::default();
    let mut running = tokio::task::JoinSet::new();
    let answered = |done: (String, Vec<u8>, Result<&'static str, String>, Duration)| {
        let (name, bytes, word, time) = done;
        let word = word.unwrap_or_else(|why| panic!("{name}: {why}"));
        Answered {
            name,
            bytes,
            word,
            time,
        }
    };
    for number in 0..total {
        while running.len() >= 2 {
            tally.add(answered(
                running.join_next().await.expect("one").expect("no panic"),
            ));
        }
        // Every source has its turn.
        let (name, bytes) = &sources[number % sources.len()];
        let other = &sources[rng.below(sources.len())].1;
        let damaged = damage(bytes, other, &mut rng);
        let (sandbox, name) = (Arc::clone(&sandbox), name.clone());
        running.spawn(async move {
            let begin = Instant::now();
            let word = one(&sandbox, damaged.clone()).await;
            (name, damaged, word, begin.elapsed())
        });
    }
    while let Some(done) = running.join_next().await {
        tally.add(answered(done.expect("no panic")));
    }
    let peak = sandbox.memory_peak();
    eprintln!(
        "{total} damaged documents: {:?}, {} MiB at most",
        tally.seen,
        peak >> 20
    );
    if let Some(folder) = std::env::var_os("FAXGATE_KEEP_WORST") {
        tally.keep(Path::new(&folder));
    }
    assert!(peak <= MEMORY, "{peak}");
    // It still does what it did before.
    assert_eq!(
        sandbox
            .convert(b"still here\n".to_vec())
            .await
            .expect("a page")
            .pages,
        1
    );
}

/// Converts a document and draws its first page.
async fn one(sandbox: &Sandbox, bytes: Vec<u8>) -> Result<&'static str, String> {
    match sandbox.convert(bytes).await {
        Ok(made) => verdict(sandbox.draw(made.pdf, 1).await),
        Err(error) => verdict(Err::<(), _>(error)),
    }
}
