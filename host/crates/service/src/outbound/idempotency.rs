//! Idempotency keys: a repeated request gets the first answer, concurrent duplicates make one job.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::send::Sent;
use crate::{Actor, App, Error};
use faxgate_base::clock::after;
use faxgate_domain::code::Code;
use faxgate_domain::ids::JobId;
use faxgate_store::IdempotencyRow;

/// How long an answer is kept for its idempotency key.
const IDEMPOTENCY_TTL: Duration = Duration::from_secs(24 * 3600);
/// Longest idempotency key in bytes.
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// Idempotency keys of requests that are being worked on.
pub(crate) type KeysInUse = Mutex<HashSet<(String, String)>>;

/// What a request with an idempotency key is.
pub(super) enum ClaimOutcome {
    /// The first one: it holds the key until it is answered.
    Claimed(IdempotencyGuard),
    /// A repeat: the answer that the first one got.
    Replay(Sent),
}

/// Holds an idempotency key: a concurrent request with the same key is refused until this is dropped.
pub(super) struct IdempotencyGuard {
    keys_in_use: Arc<KeysInUse>,
    who: String,
    key: String,
    fingerprint: [u8; 32],
}

impl App {
    /// Takes an idempotency key for this request, or gives the answer it already has.
    pub(super) async fn claim(
        &self,
        actor: &Actor,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<ClaimOutcome, Error> {
        let printable = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY || !printable {
            return Err(Error::new(
                Code::BadRequest,
                format!("Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters"),
            ));
        }
        let who = actor.principal.credential.name();
        if !self.keys_in_use.lock().insert((who.clone(), key.to_owned())) {
            return Err(Error::new(
                Code::IdempotencyConflict,
                "a request with this Idempotency-Key is being worked on: repeat it in a moment for its answer",
            )
            .retry_after(Duration::from_secs(1)));
        }
        let claim = IdempotencyGuard {
            keys_in_use: Arc::clone(&self.keys_in_use),
            who,
            key: key.to_owned(),
            fingerprint,
        };
        match self.parts.store.idempotency(&claim.who, key).await? {
            Some(row) if row.expires_at <= self.parts.clock.now() => Ok(ClaimOutcome::Claimed(claim)),
            Some(row) if row.fingerprint == fingerprint => Ok(ClaimOutcome::Replay(Sent {
                id: row.job,
                answer: row.answer,
                replayed: true,
            })),
            Some(_) => Err(reused()),
            None => Ok(ClaimOutcome::Claimed(claim)),
        }
    }
}

impl IdempotencyGuard {
    /// The record of the answer.
    pub(super) fn row(&self, job: JobId, answer: &str, now: jiff::Timestamp) -> IdempotencyRow {
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

impl Drop for IdempotencyGuard {
    fn drop(&mut self) {
        self.keys_in_use
            .lock()
            .remove(&(std::mem::take(&mut self.who), std::mem::take(&mut self.key)));
    }
}

/// The refusal of a key that belongs to another request.
pub(super) fn reused() -> Error {
    Error::new(
        Code::IdempotencyConflict,
        "this Idempotency-Key was used for another request: choose a new key for new content",
    )
}
