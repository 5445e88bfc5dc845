//! The client of a certificate authority: its account, orders, and when to renew.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{Account, NewAccount};
use jiff::Timestamp;
use rustls::sign::CertifiedKey;
use tokio::sync::Notify;

use super::error::{AcmeError, ORDER_TIMEOUT};
use super::order;
use super::storage::AcmeStorage;
use crate::tls::error::TlsError;
use crate::tls::provider::provider;
use crate::tls::resolver::Challenges;
use crate::tls::{self_signed, validity};
use faxgate_config::tls::{AcmeConfig, DEFAULT_DIRECTORY};

/// Wait after a first failure; doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(60);
/// Longest wait between two attempts.
const MAX_RETRY: Duration = Duration::from_secs(6 * 3600);
/// The client of one certificate authority.
#[derive(Debug)]
pub(crate) struct Acme {
    domains: Vec<String>,
    email: Option<String>,
    directory: String,
    http: order::Http,
    storage: AcmeStorage,
    challenges: Arc<Challenges>,
    retry: Notify,
}

impl Acme {
    /// Reads what is needed to talk to the authority; makes no request.
    pub(crate) fn new(
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
            // Staging and production, or two authorities, never use each other's account or certificate.
            storage: AcmeStorage::new(data_dir.join("acme"), &directory),
            directory,
            challenges,
            retry: Notify::new(),
        })
    }

    /// The stored certificate of the authority, when it covers every name.
    pub(crate) fn stored(&self) -> Option<CertifiedKey> {
        let kept = self.storage.certificate(&provider()).ok()?;
        self_signed::covers(&kept, &self.domains).then_some(kept)
    }

    /// The self-signed certificate that is served until the authority has issued one.
    pub(crate) fn temporary(&self, data_dir: &Path) -> Result<CertifiedKey, TlsError> {
        self_signed::load_or_make(&data_dir.join("tls"), &self.domains, &provider())
    }

    /// The first of the names.
    pub(crate) fn name(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }

    /// When to get a new certificate: after two thirds of the life of the stored one, or now.
    pub(crate) fn due(&self) -> Timestamp {
        self.stored()
            .and_then(|kept| validity::span(&kept.cert))
            .map_or(Timestamp::MIN, |(begin, end)| renewal(begin, end))
    }

    /// Gets a certificate and stores it.
    pub(crate) async fn obtain(&self) -> Result<(), AcmeError> {
        let outcome = tokio::time::timeout(ORDER_TIMEOUT, self.request()).await;
        self.challenges.clear();
        outcome.map_err(|_| AcmeError::Slow)?
    }

    async fn request(&self) -> Result<(), AcmeError> {
        let account = self.account().await?;
        match self.order(&account).await {
            // The authority has removed the account: make another one.
            Err(AcmeError::Authority(instant_acme::Error::Api(problem))) if is_unknown_account(&problem) => {
                tracing::warn!("the authority does not know the account any more, making a new one");
                self.storage.remove_account();
                let account = self.account().await?;
                self.order(&account).await
            }
            ended => ended,
        }
    }

    async fn order(&self, account: &Account) -> Result<(), AcmeError> {
        let issued = Box::pin(order::place(account, &self.domains, &self.challenges)).await?;
        Ok(self.storage.store_certificate(&issued, &provider())?)
    }

    /// The stored account, or a new one.
    async fn account(&self) -> Result<Account, AcmeError> {
        let builder = Account::builder_with_http(Box::new(self.http.clone()));
        if let Some(credentials) = self.storage.account() {
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
        self.storage.store_account(&credentials)?;
        tracing::info!(directory = %self.directory, "account made at the certificate authority");
        Ok(account)
    }

    /// Ends the wait between two attempts: the cause of the failure may be gone.
    pub(crate) fn retry_now(&self) {
        self.retry.notify_one();
    }

    /// Waits for [`Acme::retry_now`].
    pub(crate) async fn retry_requested(&self) {
        self.retry.notified().await;
    }
}

/// Two thirds into a life, and up to a twentieth later: certificates of one day must not all be renewed at once.
fn renewal(begin: Timestamp, end: Timestamp) -> Timestamp {
    let life = Duration::try_from(end.duration_since(begin)).unwrap_or_default();
    faxgate_base::clock::after(begin, life.mul_f64(2.0 / 3.0 + random_fraction() / 20.0))
}

/// How long to wait after so many failures in a row: doubling, with a jitter of a quarter.
pub(crate) fn back_off(failures: u32) -> Duration {
    let doubled =
        FIRST_RETRY.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(MAX_RETRY).mul_f64(0.75 + random_fraction() / 2.0)
}

/// A random number from 0 to 1; the middle when the machine has no randomness.
fn random_fraction() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

fn is_unknown_account(problem: &instant_acme::Problem) -> bool {
    problem
        .r#type
        .as_deref()
        .is_some_and(|kind| kind.ends_with(":accountDoesNotExist"))
}

#[cfg(test)]
mod tests;
