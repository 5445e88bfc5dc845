//! Automatic certificates: ACME (RFC 8555) with the challenge TLS-ALPN-01 (RFC 8737).
//!
//! One certificate covers all configured names. It is renewed when two thirds of its life are over; until a new one
//! is there, the last good one serves, and before the very first a self-signed one, so that everything else works.

mod keep;
mod order;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{Account, NewAccount};
use jiff::Timestamp;
use rustls::sign::CertifiedKey;
use tokio::sync::Notify;

use super::resolver::Challenges;
use super::{TlsError, provider, selfsigned, validity};
use faxgate_config::tls::{AcmeConfig, DEFAULT_DIRECTORY};
use keep::Keep;

/// Wait after a first failure; doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// Longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3600);
/// An order that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// How certificates are come by.
#[derive(Debug)]
pub(super) struct Acme {
    domains: Vec<String>,
    email: Option<String>,
    directory: String,
    http: order::Http,
    keep: Keep,
    challenges: Arc<Challenges>,
    wake: Notify,
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcmeError {
    /// The authority or the way to it.
    #[error("{0}")]
    Authority(#[from] instant_acme::Error),
    /// A name could not be proved.
    #[error(
        "the authority could not verify {name}: {reason}; check that {name} leads to this server's port 443"
    )]
    Refused {
        /// The name.
        name: String,
        /// The authority's words.
        reason: String,
    },
    /// The authority offers other proofs only.
    #[error("the authority does not offer TLS-ALPN-01 for {0}: use one that does, or certificate files")]
    NoChallenge(String),
    /// The order ended without a certificate.
    #[error("the order ended in the state {0}")]
    Order(String),
    /// The proof could not be made.
    #[error("the proof for the authority can't be made: {0}")]
    Proof(String),
    /// It took too long.
    #[error("the authority took longer than {} seconds", PATIENCE.as_secs())]
    Slow,
    /// What was got can't be kept or used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Acme {
    /// Reads what is needed to talk to the authority; nothing is asked yet.
    pub(super) fn new(
        config: &AcmeConfig,
        data_dir: &Path,
        challenges: Arc<Challenges>,
    ) -> Result<Self, TlsError> {
        let directory = config
            .directory_url
            .as_ref()
            .map_or(DEFAULT_DIRECTORY, |url| url.as_str())
            .to_owned();
        Ok(Self {
            domains: config.domains.clone(),
            email: config.email.clone(),
            http: order::Http::new(config.ca_file.as_deref())?,
            // Staging and production, or two authorities, never take each other's account or certificate.
            keep: Keep::new(data_dir.join("acme"), &directory),
            directory,
            challenges,
            wake: Notify::new(),
        })
    }

    /// The certificate of the authority, when one is kept that covers every name.
    pub(super) fn kept(&self) -> Option<CertifiedKey> {
        let kept = self.keep.certificate(&provider()).ok()?;
        selfsigned::covers(&kept, &self.domains).then_some(kept)
    }

    /// What is served until the authority has given a certificate.
    pub(super) fn stopgap(&self, data_dir: &Path) -> Result<CertifiedKey, TlsError> {
        selfsigned::load_or_make(&data_dir.join("tls"), &self.domains, &provider())
    }

    /// The first of the names.
    pub(super) fn name(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }

    /// When to get a new certificate: at two thirds of the kept one's life, or now.
    pub(super) fn due(&self) -> Timestamp {
        self.kept()
            .and_then(|kept| validity::span(&kept.cert))
            .map_or(Timestamp::MIN, |(begin, end)| renewal(begin, end))
    }

    /// Gets a certificate and keeps it.
    pub(super) async fn obtain(&self) -> Result<(), AcmeError> {
        let got = tokio::time::timeout(PATIENCE, self.ask()).await;
        self.challenges.clear();
        got.map_err(|_| AcmeError::Slow)?
    }

    async fn ask(&self) -> Result<(), AcmeError> {
        let account = self.account().await?;
        match self.order(&account).await {
            // The authority has forgotten us: begin anew.
            Err(AcmeError::Authority(instant_acme::Error::Api(problem))) if is_unknown_account(&problem) => {
                tracing::warn!("the authority does not know the account any more, making a new one");
                self.keep.forget_account();
                let account = self.account().await?;
                self.order(&account).await
            }
            ended => ended,
        }
    }

    async fn order(&self, account: &Account) -> Result<(), AcmeError> {
        let issued = Box::pin(order::place(account, &self.domains, &self.challenges)).await?;
        Ok(self.keep.keep_certificate(&issued, &provider())?)
    }

    /// The account kept, or a new one.
    async fn account(&self) -> Result<Account, AcmeError> {
        let builder = Account::builder_with_http(Box::new(self.http.clone()));
        if let Some(credentials) = self.keep.account() {
            return Ok(builder.from_credentials(credentials).await?);
        }
        let contact: Vec<String> = self.email.iter().map(|email| format!("mailto:{email}")).collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, credentials) = builder.create(&new, self.directory.clone(), None).await?;
        self.keep.keep_account(&credentials)?;
        tracing::info!(directory = %self.directory, "account made at the certificate authority");
        Ok(account)
    }

    /// Ends a wait between two attempts: somebody may have mended what was wrong.
    pub(super) fn hurry(&self) {
        self.wake.notify_one();
    }

    /// Waits for [`Acme::hurry`].
    pub(super) async fn hurried(&self) {
        self.wake.notified().await;
    }
}

/// Two thirds into a life, and up to a twentieth later: certificates of one day must not all be renewed at once.
fn renewal(begin: Timestamp, end: Timestamp) -> Timestamp {
    let life = Duration::try_from(end.duration_since(begin)).unwrap_or_default();
    faxgate_base::clock::after(begin, life.mul_f64(2.0 / 3.0 + chance() / 20.0))
}

/// How long to wait after so many failures in a row: doubling, a quarter more or less by chance.
pub(super) fn back_off(failures: u32) -> Duration {
    let doubled =
        FIRST_WAIT.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST_WAIT).mul_f64(0.75 + chance() / 2.0)
}

/// From 0 to 1; without a source of chance, the middle.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

fn is_unknown_account(problem: &instant_acme::Problem) -> bool {
    problem
        .r#type
        .as_deref()
        .is_some_and(|kind| kind.ends_with(":accountDoesNotExist"))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        for (failures, seconds) in [(1, 60), (2, 120), (5, 960), (20, 21_600), (200, 21_600)] {
            for _ in 0..20 {
                let wait = back_off(failures).as_secs_f64() / f64::from(seconds);
                assert!((0.75..=1.25).contains(&wait), "{failures}: {wait}");
            }
        }
    }

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_life() {
        let begin: Timestamp = "2030-01-01T00:00:00Z".parse().expect("time");
        let renew = renewal(begin, begin + (90 * 24).hours());
        assert!(renew >= begin + (60 * 24).hours(), "{renew}");
        assert!(renew <= begin + (65 * 24).hours(), "{renew}");
    }
}
