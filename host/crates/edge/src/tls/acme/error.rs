//! Why there is no new certificate.

use std::time::Duration;

use crate::tls::error::TlsError;

/// An order that takes longer has failed.
pub(super) const ORDER_TIMEOUT: Duration = Duration::from_secs(300);

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcmeError {
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
    #[error("the authority took longer than {} seconds", ORDER_TIMEOUT.as_secs())]
    Slow,
    /// The certificate can't be stored or used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
