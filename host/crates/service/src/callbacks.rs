//! Callbacks about faxes that are sent: proof first, then the transition table.
//!
//! The address is built from the configuration, never from the request. News is applied to the job that holds
//! the provider's id; a job that holds none yet is given one only by news that proves which job it is about.

use faxgate_base::clock::after;
use faxgate_base::crash;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::Job;
use faxgate_domain::provider::{CallbackEvent, EventSource, ProviderStatus, StatusUpdate, Verdict};
use faxgate_domain::status::JobEvent;
use faxgate_policy::{Delivery, DeliveryKind, FilePart, RawBody};

use super::{App, Error, Upload};
use faxgate_domain::code::Code;
use faxgate_telemetry::metrics as names;

/// A callback as it arrived.
#[derive(Debug)]
pub struct Incoming {
    /// The query as it came, without the question mark.
    pub raw_query: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// Header fields, names in lower case, without credentials.
    pub headers: Vec<(String, String)>,
    /// Form fields in wire order.
    pub fields: Vec<(String, String)>,
    /// File parts in wire order.
    pub files: Vec<IncomingFile>,
    /// The raw body.
    pub body: Upload,
    /// From which address.
    pub address: Option<std::net::IpAddr>,
}

/// One file part.
#[derive(Debug)]
pub struct IncomingFile {
    /// Name of the part.
    pub name: String,
    /// Declared file name.
    pub file_name: Option<String>,
    /// Declared media type.
    pub media_type: Option<String>,
    /// The bytes.
    pub content: Upload,
}

/// What became of a callback, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// It changed a job.
    Applied,
    /// It repeated what was known.
    Repeated,
    /// It was genuine and said nothing to act on.
    Ignored,
    /// It is about a job or fax that isn't ours, or that doesn't match.
    Unmatched,
}

impl CallbackOutcome {
    /// A word for the metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Ignored => "ignored",
            Self::Unmatched => "unmatched",
        }
    }
}

impl App {
    /// Takes a callback about a fax that is sent.
    ///
    /// # Errors
    /// [`Code::BadSignature`] when nobody can believe it; otherwise only faults of ours.
    pub async fn status_callback(&self, incoming: Incoming) -> Result<CallbackOutcome, Error> {
        let config = self.config();
        let url = signed_url(&config.phaxio.callback_url, &incoming.raw_query);
        let named = incoming
            .query
            .iter()
            .find(|(name, _)| name == "job_id")
            .map(|(_, id)| id.clone());
        let verdict = self
            .judge(
                &incoming,
                DeliveryKind::Status,
                url,
                config.phaxio.verify_signature,
            )
            .await?;
        let Some(events) = verdict else {
            return Ok(count(CallbackOutcome::Ignored));
        };
        let mut outcome = CallbackOutcome::Ignored;
        for event in events {
            if let CallbackEvent::Status(update) = event {
                outcome = self.news(*update, named.as_deref()).await?;
            }
        }
        Ok(count(outcome))
    }

    /// Asks the callback policy. None means genuine but nothing to do.
    pub(super) async fn judge(
        &self,
        incoming: &Incoming,
        kind: DeliveryKind,
        public_url: String,
        proof_required: bool,
    ) -> Result<Option<Vec<CallbackEvent>>, Error> {
        let delivery = Delivery {
            kind,
            public_url,
            headers: incoming.headers.clone(),
            query: incoming.query.clone(),
            fields: incoming.fields.clone(),
            files: incoming.files.iter().map(IncomingFile::describe).collect(),
            body: match incoming.body.path() {
                Some(path) => RawBody::File(path.to_owned()),
                None => RawBody::Memory(incoming.body.bytes().await?),
            },
            proof_required,
        };
        match self.parts.plugins.evaluate(delivery).await? {
            Verdict::Accept(events) => Ok(Some(events)),
            Verdict::Ignore(reason) => {
                tracing::debug!(reason, "callback ignored by policy");
                Ok(None)
            }
            Verdict::Reject(reason) => {
                metrics::counter!(names::CALLBACKS, "kind" => kind_word(kind), "verdict" => "rejected")
                    .increment(1);
                tracing::warn!(reason, "callback rejected by policy");
                let entry = AuditEntry::new(self.parts.clock.now(), "provider", "callback", "")
                    .from(incoming.address.map(|address| address.to_string()))
                    .outcome("denied");
                self.parts.store.record_later(entry);
                Err(Error::new(
                    Code::BadSignature,
                    "the signature of this callback does not hold: `faxgate verify-callback` says what differs",
                ))
            }
        }
    }

    /// Applies news to the job it is about.
    async fn news(&self, update: StatusUpdate, named: Option<&str>) -> Result<CallbackOutcome, Error> {
        let named: Option<JobId> = named.and_then(|id| id.parse().ok());
        let holder = self.parts.store.job_by_provider_id(&update.provider_id).await?;
        let proved = update.job;
        match (holder, proved, named) {
            // The fax belongs to another job than the one the address or the tag names.
            (Some(holder), proved, named)
                if proved.is_some_and(|id| id != holder) || named.is_some_and(|id| id != holder) =>
            {
                self.mismatch(named.or(proved)).await
            }
            (Some(holder), ..) => self.apply(holder, update).await,
            (None, Some(proved), named) if named.is_none_or(|id| id == proved) => {
                self.apply(proved, update).await
            }
            (None, Some(_), named) => self.mismatch(named).await,
            (None, None, Some(named)) => self.hint(named, update).await,
            (None, None, None) => Ok(CallbackOutcome::Unmatched),
        }
    }

    async fn apply(&self, id: JobId, update: StatusUpdate) -> Result<CallbackOutcome, Error> {
        crash::point("called", id);
        let Some(job) = self.parts.store.job(id).await? else {
            return Ok(CallbackOutcome::Unmatched);
        };
        let now = self.parts.clock.now();
        if is_repeat(&job, &update) {
            return Ok(CallbackOutcome::Repeated);
        }
        let config = self.config();
        let update = Box::new(update);
        let event = if config.dispatch.confirm_callbacks && update.status.is_end() {
            JobEvent::UnverifiedUpdate { update }
        } else {
            JobEvent::VerifiedUpdate {
                update,
                source: EventSource::Callback,
                poll_at: after(now, config.dispatch.poll_after),
            }
        };
        let done = self.parts.store.advance(id, event).await?;
        crash::point("noted", id);
        if done.refusal.is_some() {
            return self.mismatch(Some(id)).await;
        }
        if done.changed {
            tracing::info!(job = %id, status = done.job.status().as_str(), "fax moved on by callback");
            self.parts.work.notify_one();
        }
        Ok(if done.changed {
            CallbackOutcome::Applied
        } else {
            CallbackOutcome::Repeated
        })
    }

    async fn hint(&self, id: JobId, mut update: StatusUpdate) -> Result<CallbackOutcome, Error> {
        if self.config().dispatch.confirm_callbacks && update.status.is_end() {
            // All it does is to have the provider asked once the fax is known to be the job's.
            update.status = ProviderStatus::Unknown;
        }
        if self.parts.store.job(id).await?.is_none() {
            return Ok(CallbackOutcome::Unmatched);
        }
        let done = self
            .parts
            .store
            .advance(
                id,
                JobEvent::UnverifiedHint {
                    update: Box::new(update),
                },
            )
            .await?;
        if done.refusal.is_some() {
            return self.mismatch(Some(id)).await;
        }
        self.parts.work.notify_one();
        Ok(if done.changed {
            CallbackOutcome::Applied
        } else {
            CallbackOutcome::Repeated
        })
    }

    /// News that doesn't fit the job it names changes nothing, but the auditor finds it.
    async fn mismatch(&self, id: Option<JobId>) -> Result<CallbackOutcome, Error> {
        tracing::warn!(job = ?id, "a callback names a job that its fax does not belong to; nothing changed");
        let job = match id {
            Some(id) => self.parts.store.job(id).await?,
            None => None,
        };
        if let Some(job) = job {
            self.remark(
                &job,
                "a callback named this job, but its fax belongs to another one; nothing changed",
            )
            .await;
        }
        Ok(CallbackOutcome::Unmatched)
    }
}

impl IncomingFile {
    fn describe(&self) -> FilePart {
        FilePart {
            name: self.name.clone(),
            file_name: self.file_name.clone(),
            media_type: self.media_type.clone(),
            size: self.content.len(),
            sha1: hex::encode(self.content.sha1()),
            sha256: hex::encode(self.content.sha256()),
        }
    }
}

/// The address as the provider signed it: what it was given, with the query that came.
pub(super) fn signed_url(configured: &str, raw_query: &str) -> String {
    let base = configured.split('?').next().unwrap_or_default();
    if raw_query.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{raw_query}")
    }
}

/// Callbacks are delivered up to sixteen times: a final state that says what is known needs no commit.
fn is_repeat(job: &Job, update: &StatusUpdate) -> bool {
    use faxgate_domain::job::Phase;
    if job.provider_id.as_deref() != Some(update.provider_id.as_str()) || !job.phase.is_final() {
        return false;
    }
    match update.status {
        ProviderStatus::Delivered => job.phase == Phase::Delivered,
        ProviderStatus::Failed => job.phase == Phase::Failed,
        _ => true,
    }
}

fn kind_word(kind: DeliveryKind) -> &'static str {
    match kind {
        DeliveryKind::Status => "status",
        DeliveryKind::Inbound => "inbound",
    }
}

fn count(outcome: CallbackOutcome) -> CallbackOutcome {
    metrics::counter!(names::CALLBACKS, "kind" => kind_word(DeliveryKind::Status), "verdict" => outcome.as_str())
        .increment(1);
    outcome
}

#[cfg(test)]
mod tests {
    use super::signed_url;

    #[test]
    fn the_signed_address_comes_from_the_configuration() {
        assert_eq!(signed_url("https://f/cb", "job_id=a"), "https://f/cb?job_id=a");
        assert_eq!(
            signed_url("https://f/cb?x=1", "x=1&job_id=a"),
            "https://f/cb?x=1&job_id=a"
        );
        assert_eq!(signed_url("https://f/cb", ""), "https://f/cb");
    }
}
