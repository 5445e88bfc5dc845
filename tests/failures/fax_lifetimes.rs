//! Lives of faxes at random, in this process, on a clock that jumps and a disk that loses what was not synced: whatever
//! happens, they end as a much simpler account of them says.
//!
//! `FAXGATE_STRESS=50` makes fifty times as many runs. A run that fails prints its seed; `FAXGATE_TEST_SEED` repeats it.

use std::collections::{BTreeMap, BTreeSet};

use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase};
use faxgate_domain::provider::FailureClass;
use jiff::SignedDuration;
use serde_json::{Value, json};

use faxgate_testkit::documents;
use faxgate_testkit::rng::{self, TestRng};
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::in_process::InProcessService;

/// Runs of the short form.
const RUNS: usize = 40;
/// Seeds that found a fault, in the service or in this test.
const KEPT: [u64; 1] = [1_795_780_464_525_852_898];
/// What happens in a run.
const STEPS: usize = 25;

/// How a fax to a number that ends like this ends when nobody interferes: delivered, or failed with this error; and
/// whether the provider ever has it.
const ENDS: [(&str, Option<i64>, bool); 30] = [
    ("0142", None, true),
    ("0143", None, true),
    ("9900", None, true),
    ("9901", None, true),
    ("9903", None, true),
    ("9904", None, true),
    ("9905", None, true),
    ("9912", Some(112), true),
    ("9917", Some(17), true),
    ("9920", Some(0), false),
    ("9922", Some(0), false),
    ("9929", None, true),
    ("9931", None, true),
    ("9932", Some(17), true),
    ("9937", None, true),
    ("9949", Some(49), true),
    ("9950", None, true),
    ("9951", None, true),
    ("9953", None, true),
    ("9954", None, true),
    ("9957", None, true),
    ("9960", None, true),
    ("9969", Some(69), true),
    ("9970", None, true),
    ("9971", None, true),
    ("9972", None, true),
    ("9980", None, true),
    ("9982", None, true),
    ("9983", None, true),
    ("9985", None, true),
];

/// What the simple account knows of a job.
#[derive(Debug)]
struct Account {
    digits: &'static str,
    cancelled: bool,
    /// How it ended, once that was seen.
    end: Option<Job>,
}

struct Run {
    service: InProcessService,
    rng: TestRng,
    accounts: BTreeMap<JobId, Account>,
    /// Numbers of requests whose answer was lost: there may be a job.
    lost: BTreeMap<String, &'static str>,
    retries: u32,
    sent: usize,
    log: Vec<String>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = TestRng::of(seed);
        let retries = rng.pick(&[0, 0, 2]);
        let service = InProcessService::open(&[
            ("FAX_RETRIES", &retries.to_string()),
            ("FETCH_RETRIES", "20"),
            ("CONFIRM_CALLBACKS", rng.pick(&["no", "no", "yes"])),
            ("DISPATCH_CONCURRENCY", rng.pick(&["1", "4"])),
        ]);
        Self {
            service,
            rng,
            accounts: BTreeMap::new(),
            lost: BTreeMap::new(),
            retries,
            sent: 0,
            log: Vec::new(),
        }
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..6 => self.send(),
            6..8 => self.cancel(),
            8 => self.crash(),
            9 => self.jump(),
            10 => self.credentials(),
            11 => self.call_back(),
            12..15 => {
                let milliseconds = self.rng.below(20) as u64;
                self.service.breathe(milliseconds);
            }
            _ => {
                let seconds = self.rng.pick(&[1, 1, 5, 5, 30, 130, 700]);
                self.note(format!("{seconds} s pass"));
                self.service.pass(seconds);
            }
        }
        self.observe();
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
    }

    fn send(&mut self) {
        let (digits, ..) = self.rng.pick(&ENDS);
        self.sent += 1;
        // Each to a number of its own, so that an answer that is lost can be told from others.
        let to = format!("+1{}555{digits}", 205 + self.sent);
        let mut fax = Fax::pdf(&to, documents::pdf(1, digits));
        if self.rng.below(5) == 0 {
            let at = self.service.clock.now() + SignedDuration::from_secs(900);
            fax = fax.field("send_at", &at.to_string());
        }
        self.note(format!("send to {to}"));
        let dies = self.rng.below(6) == 0;
        let client = self.service.client.clone();
        let sending = self
            .service
            .outside
            .spawn(async move { client.try_send(&fax).await });
        if dies {
            // It dies while the request is under way.
            let moment = self.rng.below(40) as u64;
            self.service.breathe(moment);
            self.crash();
        }
        match self.service.outside.block_on(sending).expect("a sender") {
            // It saw its disk fail before it was gone.
            Ok(answer) if dies && answer.status.is_server_error() => drop(self.lost.insert(to, digits)),
            Ok(answer) => {
                assert_eq!(answer.status, 202, "{}", answer.text());
                let id = answer.json()["id"].as_str().expect("id").parse().expect("id");
                self.account(id, digits);
            }
            Err(_) => {
                assert!(dies, "no answer although it lives");
                self.lost.insert(to, digits);
            }
        }
    }

    fn account(&mut self, id: JobId, digits: &'static str) {
        let account = Account {
            digits,
            cancelled: false,
            end: None,
        };
        self.accounts.insert(id, account);
    }

    fn cancel(&mut self) {
        let ids: Vec<_> = self.accounts.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let id = self.rng.pick(&ids);
        let path = format!("/fax/{id}/cancel");
        let answer = self
            .service
            .outside
            .block_on(self.service.client.post(&path, &json!({})));
        self.note(format!("cancel {id}: {}", answer.status));
        match answer.status.as_u16() {
            202 => self.accounts.get_mut(&id).expect("account").cancelled = true,
            409 => {}
            other => panic!("{other}: {}", answer.text()),
        }
    }

    fn crash(&mut self) {
        if self.rng.below(2) == 0 {
            self.note("the power goes".to_owned());
            self.service.cut(&mut self.rng);
        } else {
            self.note("killed".to_owned());
            self.service.kill();
        }
        // What it had sent arrives.
        self.service.breathe(5);
        self.service.start();
    }

    /// Somebody sets the wall clock; no time passes.
    fn jump(&mut self) {
        let seconds = self.rng.pick(&[3600, -3600, 3600, -3600, 86, -86]);
        self.note(format!("clock set by {seconds} s"));
        self.service.clock.set_by(SignedDuration::from_secs(seconds));
    }

    fn credentials(&mut self) {
        let valid = self.rng.below(3) > 0;
        self.note(format!("credentials {valid}"));
        let order = self.service.provider.credentials(json!({ "valid": valid }));
        self.service.outside.block_on(order);
    }

    /// The provider says once more what it said, or what was true before.
    fn call_back(&mut self) {
        let faxes = self.service.outside.block_on(self.service.provider.faxes());
        if faxes.is_empty() {
            return;
        }
        let fax = &faxes[self.rng.below(faxes.len())];
        let mut order = json!({ "fax": fax["id"] });
        if self.rng.below(2) == 0 {
            order["status"] = "inprogress".into();
        }
        self.note(format!("callback {order}"));
        let came = self
            .service
            .outside
            .block_on(self.service.provider.call_back(order));
        let unsigned = fax["behaviour"] == json!(["callback_wrong_signature"]);
        let expected = if unsigned { 401 } else { 200 };
        assert_eq!(came["status"], expected, "{came}");
    }

    /// Nothing that was acknowledged is gone, and no end is ever another.
    fn observe(&mut self) {
        for (id, account) in &mut self.accounts {
            let job = self.service.job(*id).unwrap_or_else(|| panic!("{id} is lost"));
            match &account.end {
                Some(end) => {
                    let fixed = |job: &Job| {
                        let Job {
                            phase,
                            error,
                            completed_at,
                            provider_id,
                            attempts,
                            ..
                        } = job.clone();
                        (phase, error, completed_at, provider_id, attempts)
                    };
                    assert_eq!(fixed(end), fixed(&job), "an end changed");
                }
                None if job.phase.is_final() => account.end = Some(job),
                None => {}
            }
        }
    }

    /// Lets time pass until everything has ended.
    fn finish(&mut self) {
        let order = self.service.provider.credentials(json!({ "valid": true }));
        self.service.outside.block_on(order);
        for round in 0..6000 {
            if self.service.jobs().iter().all(|job| job.phase.is_final()) {
                self.note(format!("all ended after {round} rounds"));
                return;
            }
            self.service.pass(10);
        }
        let open: Vec<_> = self
            .service
            .jobs()
            .into_iter()
            .filter(|job| !job.phase.is_final())
            .collect();
        panic!("stuck: {open:#?}");
    }

    /// Compares with the account.
    fn compare(&mut self) {
        for (to, digits) in std::mem::take(&mut self.lost) {
            let there: Vec<_> = self
                .service
                .jobs()
                .into_iter()
                .filter(|job| job.to.as_str() == to)
                .collect();
            assert!(there.len() < 2);
            if let Some(job) = there.first() {
                self.account(job.id, digits);
            }
        }
        self.observe();
        assert_eq!(self.service.jobs().len(), self.accounts.len(), "no job but those");
        let faxes = self.service.outside.block_on(self.service.provider.faxes());
        for (id, account) in &self.accounts {
            let job = account.end.as_ref().expect("an end");
            let ours: Vec<&Value> = faxes.iter().filter(|fax| fax["job"] == id.to_string()).collect();
            let told = format!(
                "{account:#?} {ours:#?} {:#?}",
                self.service.outside.block_on(self.service.store().timeline(*id))
            );
            compare(job, account, &ours, self.retries, &told);
        }
    }
}

fn compare(job: &Job, account: &Account, faxes: &[&Value], retries: u32, told: &str) {
    let there: BTreeSet<String> = faxes.iter().map(|fax| fax["id"].to_string()).collect();
    let known: BTreeSet<String> = job.provider_ids().map(str::to_owned).collect();
    assert_eq!(
        there, known,
        "the provider has what the job knows of, and nothing else: {told}"
    );
    let delivered = faxes
        .iter()
        .filter(|fax| ["success", "partialsuccess"].contains(&fax["status"].as_str().unwrap_or_default()))
        .filter(|fax| fax["recipients"][0]["status"] == "success")
        .count();
    let (_, error, ever_there) = ENDS
        .iter()
        .find(|(digits, ..)| *digits == account.digits)
        .expect("known");
    let cancelled = job
        .error
        .as_ref()
        .is_some_and(|error| error.error_type.as_str() == "cancelled");
    assert!(!cancelled || account.cancelled, "nobody asked for that: {told}");
    // One fax, and one for each that failed and may be followed.
    assert_eq!(
        job.previous_attempts.len(),
        faxes.len().saturating_sub(usize::from(job.provider_id.is_some())),
        "{told}"
    );
    assert!(
        job.previous_attempts
            .iter()
            .all(|fax| job.retry.after.contains(&fax.error.class())),
        "{told}"
    );
    match job.phase {
        Phase::Delivered => {
            assert_eq!((delivered, error), (1, &None), "{told}");
        }
        Phase::Failed => {
            assert_eq!(delivered, 0, "{told}");
            if cancelled {
                return;
            }
            let found = job.error.as_ref().map(|error| error.error_id.unwrap_or_default());
            assert_eq!(found, *error, "{told}");
            let unfetched = job
                .previous_attempts
                .iter()
                .filter(|fax| fax.error.class() == FailureClass::Fetch)
                .count();
            let followed = job.previous_attempts.len() - unfetched;
            let most = match error {
                Some(17 | 112) => retries as usize,
                _ => 0,
            };
            // A fax may have been followed by others before the request to cancel came.
            let least = if account.cancelled { 0 } else { most };
            assert!((least..=most).contains(&followed), "{followed} of {most}: {told}");
            let past = job.previous_attempts.len();
            assert_eq!(faxes.len(), usize::from(*ever_there) * (past + 1), "{told}");
        }
        other => panic!("{other:?} is no end: {told}"),
    }
}

fn live(seed: u64) {
    let mut run = Run::new(seed);
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            run.step();
        }
        run.finish();
        run.compare();
    }));
    if let Err(panic) = lived {
        eprintln!("what happened with FAXGATE_TEST_SEED={seed}: {:#?}", run.log);
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn whatever_happens_each_fax_ends_as_a_simple_account_says() {
    if std::env::var("FAXGATE_TEST_SEED").is_ok() {
        return live(TestRng::seeded().seed());
    }
    KEPT.into_iter().for_each(live);
    let first = TestRng::seeded().seed();
    let runs = RUNS * rng::repetitions("FAXGATE_STRESS", 1);
    for run in 0..runs as u64 {
        live(first.wrapping_add(run));
        if run % 100 == 99 {
            eprintln!("{} runs", run + 1);
        }
    }
    eprintln!("{runs} runs, each as the account says");
}
