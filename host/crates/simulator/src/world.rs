//! Everything the simulator knows, behind one lock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::pace::Pace;
use super::record::{Fax, Recipient};
use super::script::{Plan, Rule};
use super::{SimulatorConfig, SimulatorError};
use faxgate_base::clock::Clock;

/// Ids start where the vendor's were when its answers were recorded, so that they have nine digits.
const FIRST_ID: u64 = 323_034_811;

/// Requests of one job that are refused in passing; the next gets through.
const PASSING_REFUSALS: u32 = 2;

/// Documents kept in memory, in bytes; the oldest are dropped beyond.
const CONTENT_LIMIT: usize = 512 * 1024 * 1024;

/// The simulator's world.
pub(super) struct World {
    pub(super) config: SimulatorConfig,
    pub(super) pace: Pace,
    /// The times it writes.
    pub(super) clock: Clock,
    pub(super) http: Clients,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// Moves whenever a fax was cancelled or a clock advanced.
    pub(super) stirred: watch::Sender<u64>,
    book: Mutex<Book>,
}

/// What changes.
pub(super) struct Book {
    pub(super) faxes: BTreeMap<u64, Fax>,
    pub(super) rules: Vec<Rule>,
    pub(super) counts: Counts,
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) credentials_valid: bool,
    pub(super) changed: bool,
    next_id: u64,
    /// Requests to send seen per number and job, for refusals that pass.
    seen: HashMap<(String, String), u32>,
    /// When API requests of the last second came.
    recent: VecDeque<Instant>,
    content_bytes: usize,
}

/// How many requests came.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    /// By kind: `create`, `list`, `get`, `cancel`, …
    pub(super) by_kind: BTreeMap<String, u64>,
    /// Requests to send by job.
    pub(super) by_job: BTreeMap<String, JobCount>,
}

/// Requests to send with one `faxgate_job`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct JobCount {
    /// How many came.
    pub(super) requests: u64,
    /// The faxes they made.
    pub(super) faxes: Vec<u64>,
}

/// What the state file holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    next_id: u64,
    faxes: Vec<Fax>,
    rules: Vec<Rule>,
    counts: Counts,
}

/// Clients for everything that the simulator asks of others.
#[derive(Debug)]
pub(super) struct Clients {
    /// From whatever address the system chooses.
    pub(super) any: reqwest::Client,
    /// Each from an address of its own, for what is on this machine.
    pub(super) loopback: Vec<reqwest::Client>,
}

impl Clients {
    /// The client for attempt `number` of calling back to `url`: each attempt comes from another address.
    pub(super) fn for_attempt(&self, url: &str, number: u32) -> &reqwest::Client {
        let url = url::Url::parse(url).ok();
        let here = match url.as_ref().and_then(url::Url::host) {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            _ => false,
        };
        let turn = usize::try_from(number).unwrap_or_default();
        let in_turn = self
            .loopback
            .get(turn.checked_rem(self.loopback.len()).unwrap_or_default());
        in_turn.filter(|_| here).unwrap_or(&self.any)
    }
}

impl World {
    pub(super) fn new(config: SimulatorConfig, http: Clients) -> Result<Self, SimulatorError> {
        let pace = Pace::new(config.time_scale).ok_or(SimulatorError::TimeScale)?;
        let mut book = Book::new(&config);
        if let Some(file) = config.state_file.as_deref().filter(|file| file.exists()) {
            book.load(file).map_err(|problem| SimulatorError::State {
                file: file.to_owned(),
                problem,
            })?;
        }
        Ok(Self {
            pace,
            clock: Clock::system(),
            http,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            stirred: watch::Sender::new(0),
            book: Mutex::new(book),
            config,
        })
    }

    /// The book, to read. Never hold it across an await.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock()
    }

    /// The book, to write.
    pub(super) fn edit(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock();
        book.changed = true;
        book
    }

    /// The time it writes.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A copy of a fax.
    pub(super) fn fax(&self, id: u64) -> Option<Fax> {
        self.book().faxes.get(&id).cloned()
    }

    /// Changes a fax, if it is still there.
    pub(super) fn change(&self, id: u64, change: impl FnOnce(&mut Fax)) {
        if let Some(fax) = self.edit().faxes.get_mut(&id) {
            change(fax);
        }
    }

    /// Runs a task until it ends or the simulator stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let _ = stop.run_until_cancelled(task).await;
        })
    }

    /// Writes the state file when something changed since the last time.
    pub(super) fn save(&self) {
        let Some(file) = &self.config.state_file else {
            return;
        };
        let kept = {
            let mut book = self.book();
            if !std::mem::take(&mut book.changed) {
                return;
            }
            Kept {
                next_id: book.next_id,
                faxes: book.faxes.values().cloned().collect(),
                rules: book.rules.clone(),
                counts: book.counts.clone(),
            }
        };
        let fresh = file.with_extension("new");
        let written = serde_json::to_vec(&kept)
            .map_err(std::io::Error::other)
            .and_then(|bytes| std::fs::write(&fresh, bytes))
            .and_then(|()| std::fs::rename(&fresh, file));
        if let Err(error) = written {
            tracing::warn!(%error, "the simulator's state file cannot be written");
        }
    }
}

impl Book {
    fn new(config: &SimulatorConfig) -> Self {
        Self {
            faxes: BTreeMap::new(),
            rules: Vec::new(),
            counts: Counts::default(),
            key: config.api_key.clone(),
            secret: config.api_secret.clone(),
            credentials_valid: true,
            changed: false,
            next_id: FIRST_ID,
            seen: HashMap::new(),
            recent: VecDeque::new(),
            content_bytes: 0,
        }
    }

    fn load(&mut self, file: &Path) -> Result<(), String> {
        let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
        self.next_id = kept.next_id.max(FIRST_ID);
        self.faxes = kept.faxes.into_iter().map(|fax| (fax.id, fax)).collect();
        self.rules = kept.rules;
        self.counts = kept.counts;
        Ok(())
    }

    /// Forgets faxes, counts and rules; ids keep growing.
    pub(super) fn reset(&mut self) {
        self.faxes.clear();
        self.rules.clear();
        self.counts = Counts::default();
        self.seen.clear();
        self.content_bytes = 0;
        self.credentials_valid = true;
    }

    /// The next id.
    pub(super) fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Counts a request of a kind.
    pub(super) fn count(&mut self, kind: &str) {
        *self.counts.by_kind.entry(kind.to_owned()).or_default() += 1;
    }

    /// Counts a request to send.
    pub(super) fn count_create(&mut self, job: &str) {
        self.count("create");
        self.counts.by_job.entry(job.to_owned()).or_default().requests += 1;
    }

    /// How a request to send to `to` for `job` is dealt with: as its tag says, else by the first rule that still
    /// applies, else by the number.
    pub(super) fn plan(&mut self, by_tag: Option<Plan>, to: &str, job: &str) -> Plan {
        let rule = self
            .rules
            .iter_mut()
            .find(|rule| (rule.to == "*" || rule.to == to) && rule.left != Some(0));
        if let Some(rule) = rule.filter(|_| by_tag.is_none()) {
            rule.left = rule.left.map(|left| left - 1);
            return rule.plan.clone();
        }
        let plan = by_tag.unwrap_or_else(|| Plan::by_number(to));
        if plan.is_passing() {
            let seen = self.seen.entry((to.to_owned(), job.to_owned())).or_default();
            *seen += 1;
            if *seen > PASSING_REFUSALS {
                return Plan::default();
            }
        }
        plan
    }

    /// Whether a question about faxes like this gets no answer; each time is one fewer.
    pub(super) fn fault(&mut self, like: impl Fn(&Fax) -> bool) -> bool {
        let faulty = |fax: &&mut Fax| fax.plan.lookup_faults > 0 && like(fax);
        let Some(fax) = self.faxes.values_mut().find(faulty) else {
            return false;
        };
        fax.plan.lookup_faults -= 1;
        true
    }

    /// The provider time at which a fax that waits for others is sent: with the batch that waits for its number
    /// already, or `delay` seconds from now, but not before five. None for no delay.
    pub(super) fn batch(&self, to: &[Recipient], now: Duration, delay: u32) -> Option<Duration> {
        if delay == 0 {
            return None;
        }
        let to = to.first()?;
        let same = self.faxes.values().filter(|fax| fax.has_number(&to.number));
        let joined = same.filter_map(|fax| fax.batch_until).find(|until| *until > now);
        Some(joined.unwrap_or_else(|| now.saturating_add(Duration::from_secs(u64::from(delay.max(5))))))
    }

    /// Whether one more API request within this second is too many.
    pub(super) fn over_limit(&mut self, per_second: f64, now: Instant) -> bool {
        // Below one a second, the window is stretched instead.
        let window = Duration::from_secs_f64((1.0 / per_second.max(1e-3)).max(1.0));
        while self
            .recent
            .front()
            .is_some_and(|&then| now.duration_since(then) >= window)
        {
            self.recent.pop_front();
        }
        if self.recent.len() as f64 >= per_second.max(1.0) {
            return true;
        }
        self.recent.push_back(now);
        false
    }

    /// Keeps the content of a fax and drops the oldest contents beyond the limit.
    pub(super) fn keep_content(&mut self, id: u64, content: bytes::Bytes) {
        self.content_bytes += content.len();
        if let Some(fax) = self.faxes.get_mut(&id) {
            fax.content = Some(content);
        }
        for fax in self.faxes.values_mut() {
            if self.content_bytes <= CONTENT_LIMIT {
                break;
            }
            if let Some(old) = fax.content.take() {
                self.content_bytes = self.content_bytes.saturating_sub(old.len());
            }
        }
    }
}
