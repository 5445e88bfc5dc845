//! Accepting a fax: everything before the 202, in the order of the product contract.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::documents::{Stored, not_converted};
use super::{Actor, App, Error, FaxJob, Upload, schedule};
use faxgate_artifacts::Kind;
use faxgate_base::clock::after;
use faxgate_base::crash;
use faxgate_base::size::MIB;
use faxgate_domain::code::Code;
use faxgate_domain::document::{Cover, MAX_PAGES, MAX_ROWS, MediaType, Paper};
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{FaxRetry, JOB_TAG, Job, Phase, SendOptions};
use faxgate_domain::number::E164;
use faxgate_policy::{ConvertLimits, ConvertOptions, Converted, Part};
use faxgate_store::{Created, IdempotencyRow, NewJob};
use faxgate_telemetry::metrics as names;

/// How long an answer is kept for its idempotency key.
const IDEMPOTENCY_TTL: Duration = Duration::from_secs(24 * 3600);
/// Longest idempotency key in bytes.
const MAX_IDEMPOTENCY_KEY: usize = 255;
/// The provider's limit for one request.
const MAX_PDF_BYTES: u64 = 20 * MIB;
/// The provider's limit for the line at the top of a page, in characters.
const MAX_HEADER_TEXT: usize = 50;
/// The provider takes ten tags; one is ours.
const MAX_TAGS: usize = 9;
/// Longest name or value of a tag in bytes; the provider names no limit.
const MAX_TAG_BYTES: usize = 255;

/// What somebody wants to be sent.
#[derive(Debug)]
pub struct SendRequest {
    /// Destination as written.
    pub to: String,
    /// ISO 3166-1 alpha-2 code that a national number belongs to, instead of the configured one.
    pub region: Option<String>,
    /// The documents, in order.
    pub files: Vec<(Option<String>, Upload)>,
    /// A page to put in front of them.
    pub cover: Cover,
    /// What else the sender asks for.
    pub options: SendOptions,
    /// `Idempotency-Key`
    pub idempotency_key: Option<String>,
}

/// An accepted fax.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The job.
    pub id: JobId,
    /// The answer's body: for a repeat the very bytes of the first answer.
    pub answer: String,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    pub replayed: bool,
}

/// Idempotency keys of requests that are being worked on.
pub(super) type InFlight = Mutex<HashSet<(String, String)>>;

/// What a job is made of, whether uploaded or repeated.
pub(super) struct Draft {
    pub(super) to: E164,
    pub(super) to_raw: String,
    pub(super) options: SendOptions,
    pub(super) file_name: Option<String>,
    pub(super) media_type: String,
    pub(super) pages: Option<u32>,
    pub(super) pdf: Bytes,
    pub(super) notes: Vec<String>,
    pub(super) resend_of: Option<JobId>,
}

/// An idempotency key that nobody else works on meanwhile.
pub(super) struct Claim {
    in_flight: Arc<InFlight>,
    who: String,
    key: String,
    fingerprint: [u8; 32],
}

impl App {
    /// Accepts a fax: when this answers, the job survives a crash and a power cut.
    ///
    /// # Errors
    /// [`Code::BadNumber`], [`Code::BadDocument`], [`Code::UnsupportedDocument`], [`Code::TooLarge`],
    /// [`Code::Invalid`], [`Code::IdempotencyConflict`], [`Code::Busy`], [`Code::Unavailable`].
    pub async fn send(&self, actor: &Actor, request: SendRequest) -> Result<Sent, Error> {
        if request.files.is_empty() {
            return Err(Error::new(
                Code::Invalid,
                "file is missing: send the document as form part `file`",
            ));
        }
        check_options(&request.options)?;
        request
            .cover
            .check()
            .map_err(|detail| Error::new(Code::Invalid, detail))?;
        let region = check_region(request.region.as_deref())?;
        let claim = match &request.idempotency_key {
            None => None,
            Some(key) => match self.claim(actor, key, fingerprint(&request)).await? {
                Ok(claim) => Some(claim),
                Err(replay) => return Ok(replay),
            },
        };
        let to = self.destination(&request.to, region.as_deref()).await?;
        let mut options = request.options;
        if let Some(raw) = &options.caller_id {
            options.caller_id = Some(self.caller(raw, region.as_deref()).await?);
        }
        let media_type = self.media_type(&request.files).await?;
        let converted = self
            .convert(&request.files, request.cover, options.render.paper)
            .await?;
        let draft = Draft {
            to,
            to_raw: request.to.trim().to_owned(),
            options,
            file_name: request.files.first().and_then(|(name, _)| name.clone()),
            media_type,
            pages: Some(converted.pages),
            pdf: converted.pdf,
            notes: converted.notes,
            resend_of: None,
        };
        self.accept(actor, draft, claim).await
    }

    /// Makes the job durable, with its document, and wakes the dispatcher.
    pub(super) async fn accept(
        &self,
        actor: &Actor,
        draft: Draft,
        claim: Option<Claim>,
    ) -> Result<Sent, Error> {
        let config = self.config();
        let now = self.parts.clock.now();
        schedule::check(&draft.options, now)?;
        // Until then it just waits, and the deadline counts from then.
        let begins_at = draft.options.send_at.map_or(now, |at| at.max(now));
        let id = JobId(self.parts.ids.next(now));
        let sha256 = Sha256::digest(&draft.pdf).into();
        let stored = self.keep(Kind::Outbound, id.0, draft.pdf.clone(), sha256).await?;
        let job = Job {
            id,
            owner: actor.principal.owner.clone(),
            phase: if config.disabled {
                Phase::Disabled
            } else {
                Phase::Due
            },
            wake_at: (!config.disabled).then_some(begins_at),
            deadline: after(begins_at, config.dispatch.job_deadline),
            attempts: 0,
            poll_attempts: 0,
            to: draft.to,
            to_raw: draft.to_raw,
            options: draft.options,
            file_name: draft.file_name,
            media_type: draft.media_type,
            pages: draft.pages,
            artifact: Some(stored.artifact.clone()),
            purged_at: None,
            expires_at: None,
            ticket: None,
            served: None,
            provider_id: None,
            error: None,
            cost_cents: None,
            resend_of: draft.resend_of,
            cancel_requested: false,
            pending_update: None,
            retry: FaxRetry {
                left: config.dispatch.fax_retries,
                wait: config.dispatch.fax_retry,
                after: config.dispatch.fax_retry_after.clone(),
                fetches_left: config.dispatch.fetch_retries,
            },
            previous_attempts: Vec::new(),
            created_at: now,
            updated_at: now,
            completed_at: None,
        };
        let answer = serde_json::to_string(&FaxJob::from(&job)).map_err(Error::internal)?;
        let timeline = first_lines(&job, draft.notes);
        let new = NewJob {
            audit: actor.did(now, "fax.accepted", id),
            idempotency: claim.as_ref().map(|claim| claim.row(id, &answer, now)),
            document: stored.inline.clone(),
            timeline,
            job,
        };
        self.commit(
            new,
            &stored,
            Sent {
                id,
                answer,
                replayed: false,
            },
        )
        .await
    }

    async fn commit(&self, new: NewJob, stored: &Stored, sent: Sent) -> Result<Sent, Error> {
        match self.parts.store.create_job(new).await {
            Ok(Created::New) => {
                crash::point("accepted", sent.id);
                self.parts.work.notify_one();
                metrics::counter!(names::JOBS_ACCEPTED).increment(1);
                tracing::info!(job = %sent.id, "fax accepted");
                Ok(sent)
            }
            Ok(Created::Replay(row)) => {
                self.discard(stored).await;
                Ok(Sent {
                    id: row.job,
                    answer: row.answer,
                    replayed: true,
                })
            }
            Ok(Created::Conflict) => {
                self.discard(stored).await;
                Err(reused())
            }
            Err(error) => {
                // After any other failure the job may be there all the same: then its document has to be too.
                if error.wrote_nothing() {
                    self.discard(stored).await;
                }
                Err(error.into())
            }
        }
    }

    /// Takes an idempotency key for this request, or gives the answer it already has.
    pub(super) async fn claim(
        &self,
        actor: &Actor,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<Result<Claim, Sent>, Error> {
        let printable = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY || !printable {
            return Err(Error::new(
                Code::BadRequest,
                format!("Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters"),
            ));
        }
        let who = actor.principal.credential.name();
        if !self.sending.lock().insert((who.clone(), key.to_owned())) {
            return Err(Error::new(
                Code::IdempotencyConflict,
                "a request with this Idempotency-Key is being worked on: repeat it in a moment for its answer",
            )
            .retry_after(Duration::from_secs(1)));
        }
        let claim = Claim {
            in_flight: Arc::clone(&self.sending),
            who,
            key: key.to_owned(),
            fingerprint,
        };
        match self.parts.store.idempotency(&claim.who, key).await? {
            Some(row) if row.expires_at <= self.parts.clock.now() => Ok(Ok(claim)),
            Some(row) if row.fingerprint == fingerprint => Ok(Err(Sent {
                id: row.job,
                answer: row.answer,
                replayed: true,
            })),
            Some(_) => Err(reused()),
            None => Ok(Ok(claim)),
        }
    }

    /// The number to show, in E.164.
    async fn caller(&self, raw: &str, region: Option<&str>) -> Result<String, Error> {
        let number = self.destination(raw, region).await.map_err(|mut error| {
            error.detail = format!("caller_id: {}", error.detail);
            error
        })?;
        Ok(number.as_str().to_owned())
    }

    async fn media_type(&self, files: &[(Option<String>, Upload)]) -> Result<String, Error> {
        let mut types = Vec::new();
        for (_, file) in files {
            types.push(MediaType::sniff(&file.bytes().await?).as_str());
        }
        types.dedup();
        Ok(match types.as_slice() {
            [one] => (*one).to_owned(),
            _ => "multipart/mixed".to_owned(),
        })
    }

    async fn convert(
        &self,
        files: &[(Option<String>, Upload)],
        cover: Cover,
        paper: Paper,
    ) -> Result<Converted, Error> {
        let mut parts = Vec::with_capacity(files.len());
        for (file_name, file) in files {
            let data = file.bytes().await?;
            let media_type = MediaType::sniff(&data);
            parts.push(Part {
                data,
                media_type,
                file_name: file_name.clone(),
                attributes: Vec::new(),
            });
        }
        let limits = ConvertLimits {
            max_pages: MAX_PAGES,
            max_bytes: MAX_PDF_BYTES,
            max_rows: MAX_ROWS,
        };
        let now = self.parts.clock.now();
        let options = ConvertOptions {
            paper,
            cover: (!cover.is_empty()).then(|| (cover, now.strftime("%Y-%m-%d %H:%M UTC").to_string())),
        };
        let converted = self.parts.plugins.convert(parts, options, limits).await;
        converted.map_err(not_converted)
    }
}

impl Claim {
    fn row(&self, job: JobId, answer: &str, now: jiff::Timestamp) -> IdempotencyRow {
        IdempotencyRow {
            who: self.who.clone(),
            key: self.key.clone(),
            fingerprint: self.fingerprint,
            job,
            answer: answer.to_owned(),
            created_at: now,
            expires_at: after(now, IDEMPOTENCY_TTL),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight
            .lock()
            .remove(&(std::mem::take(&mut self.who), std::mem::take(&mut self.key)));
    }
}

/// How the timeline of a new job begins.
fn first_lines(job: &Job, notes: Vec<String>) -> Vec<TimelineEntry> {
    let now = job.created_at;
    let accepted = TimelineEntry::new(now, EventKind::Accepted);
    let accepted = match job.options.send_at {
        Some(at) => accepted.detail("waits for its time").fact("send_at", at),
        None => accepted,
    };
    let notes = notes
        .into_iter()
        .map(|note| TimelineEntry::new(now, EventKind::DocumentNote).detail(note));
    std::iter::once(accepted).chain(notes).collect()
}

fn reused() -> Error {
    Error::new(
        Code::IdempotencyConflict,
        "this Idempotency-Key was used for another request: choose a new key for new content",
    )
}

/// What a request asks for, as one hash: two requests with one key are the same when this is.
fn fingerprint(request: &SendRequest) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut field = |text: &[u8]| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    field(request.to.trim().as_bytes());
    field(request.region.as_deref().unwrap_or_default().as_bytes());
    // Maps of strings always have a JSON form.
    field(&serde_json::to_vec(&request.options).unwrap_or_default());
    field(&serde_json::to_vec(&request.cover).unwrap_or_default());
    for (_, file) in &request.files {
        field(&file.sha256());
    }
    hash.finalize().into()
}

fn check_region(region: Option<&str>) -> Result<Option<String>, Error> {
    match region.map(str::trim).filter(|region| !region.is_empty()) {
        None => Ok(None),
        Some(region) if region.len() == 2 && region.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Ok(Some(region.to_ascii_uppercase()))
        }
        Some(_) => Err(Error::new(
            Code::Invalid,
            "region is a country code of two letters, for example US",
        )),
    }
}

pub(super) fn check_options(options: &SendOptions) -> Result<(), Error> {
    let invalid = |detail: String| Err(Error::new(Code::Invalid, detail));
    if let Some(text) = &options.header_text
        && (text.chars().count() > MAX_HEADER_TEXT || text.chars().any(char::is_control))
    {
        return invalid(format!(
            "header_text has at most {MAX_HEADER_TEXT} characters and no control characters"
        ));
    }
    if options.tags.len() > MAX_TAGS {
        return invalid(format!("at most {MAX_TAGS} tags fit on one fax"));
    }
    for (name, value) in &options.tags {
        if name == JOB_TAG {
            return invalid(format!(
                "the tag {JOB_TAG} belongs to the gateway: choose another name"
            ));
        }
        let odd = |text: &str| text.len() > MAX_TAG_BYTES || text.chars().any(char::is_control);
        if name.is_empty() || odd(name) || odd(value) || name.contains(['[', ']']) {
            return invalid(format!(
                "a tag has a name without brackets, and name and value have at most {MAX_TAG_BYTES} bytes and no control characters"
            ));
        }
    }
    Ok(())
}
