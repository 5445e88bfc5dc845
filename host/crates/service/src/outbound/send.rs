//! Accepting a fax: everything before the 202, in the order of the product contract.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::idempotency::{ClaimOutcome, IdempotencyGuard, reused};
use super::options::{check_options, check_region};
use super::schedule;
use crate::documents::{Stored, not_converted};
use crate::{Actor, App, Error, FaxJob, Upload};
use faxgate_artifacts::Kind;
use faxgate_base::clock::after;
use faxgate_base::crash;
use faxgate_base::size::MIB;
use faxgate_domain::code::Code;
use faxgate_domain::document::{Cover, MAX_PAGES, MAX_ROWS, MediaType, Paper};
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{FaxRetry, Job, Phase, SendOptions};
use faxgate_domain::number::E164;
use faxgate_policy::{ConvertLimits, ConvertOptions, Converted, Part};
use faxgate_store::{Created, NewJob};
use faxgate_telemetry::metrics as names;

/// The provider's limit for one request.
const MAX_PDF_BYTES: u64 = 20 * MIB;
/// The attribute of a part that names its declared character set.
const CHARSET: &str = "charset";
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
                ClaimOutcome::Claimed(claim) => Some(claim),
                ClaimOutcome::Replay(sent) => return Ok(sent),
            },
        };
        let to = self.destination(&request.to, region.as_deref()).await?;
        let mut options = request.options;
        if let Some(raw) = &options.caller_id {
            options.caller_id = Some(self.caller(raw, region.as_deref()).await?);
        }
        let parts = read_parts(&request.files).await?;
        let media_type = media_type(&parts);
        let converted = self.convert(parts, request.cover, options.render.paper).await?;
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
        claim: Option<IdempotencyGuard>,
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

    /// The number to show, in E.164.
    async fn caller(&self, raw: &str, region: Option<&str>) -> Result<String, Error> {
        let number = self.destination(raw, region).await.map_err(|mut error| {
            error.detail = format!("caller_id: {}", error.detail);
            error
        })?;
        Ok(number.as_str().to_owned())
    }

    async fn convert(&self, parts: Vec<Part>, cover: Cover, paper: Paper) -> Result<Converted, Error> {
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

/// Reads each document once and tells its type from its bytes.
async fn read_parts(files: &[(Option<String>, Upload)]) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::with_capacity(files.len());
    for (file_name, file) in files {
        let data = file.bytes().await?;
        parts.push(Part {
            media_type: MediaType::sniff(&data),
            data,
            file_name: file_name.clone(),
            attributes: file
                .charset()
                .map(|charset| (CHARSET.to_owned(), charset.to_owned()))
                .into_iter()
                .collect(),
        });
    }
    Ok(parts)
}

/// The type of a fax: that of its documents when they agree.
fn media_type(parts: &[Part]) -> String {
    let mut types: Vec<_> = parts.iter().map(|part| part.media_type.as_str()).collect();
    types.dedup();
    match types.as_slice() {
        [one] => (*one).to_owned(),
        _ => "multipart/mixed".to_owned(),
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
        if let Some(charset) = file.charset() {
            field(charset.as_bytes());
        }
    }
    hash.finalize().into()
}
