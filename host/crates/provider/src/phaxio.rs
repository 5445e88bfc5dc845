//! The provider's REST API.
//!
//! [`Phaxio`] speaks it; [`outcome`] decides what an answer, or the lack of one, proves about a request to send;
//! `status` turns the provider's words into ours; `wire` reads its JSON without being strict about it.
//!
//! The provider has no idempotency key, so the question after every request to send is not "did it work?" but "may
//! it have had an effect?". [`CreateOutcome`] answers exactly that.

pub mod outcome;
pub mod status;

mod client;
mod transport;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use faxgate_domain::number::E164;
use faxgate_domain::provider::{FaxError, ReceivedFax, StatusUpdate};

pub use client::Phaxio;

/// The tag that names our job at the provider.
pub const JOB_TAG: &str = "faxgate_job";

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFax {
    /// Number to dial.
    pub to: E164,
    /// Where the provider fetches the document.
    pub content_url: String,
    /// Where the provider reports to, byte for byte as it will be signed.
    pub callback_url: String,
    /// Names and values that come back with the fax; [`JOB_TAG`] first, at most 10.
    pub tags: Vec<(String, String)>,
    /// Line at the top of each page, at most 50 characters.
    pub header_text: Option<String>,
    /// Number to show, one that the account owns.
    pub caller_id: Option<String>,
    /// Seconds to wait for further faxes to the same number, at most 3600.
    pub batch_delay: Option<u32>,
}

/// What a request to send proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateOutcome {
    /// The provider has it.
    Taken {
        /// The provider's id.
        provider_id: String,
    },
    /// It certainly had no effect; sending again is safe.
    NotSent {
        /// Why, for the timeline.
        reason: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider wants fewer requests; this one had no effect.
    RateLimited {
        /// Why, for the timeline.
        reason: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider refused it for good.
    Refused(FaxError),
    /// The provider refuses our credentials, or there are none.
    Unauthorized {
        /// Why, for the timeline.
        reason: String,
    },
    /// It may have had an effect: look it up before sending again.
    Unsure {
        /// Why, for the timeline.
        reason: String,
    },
}

/// What came of a request to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The provider will try; the fax may still complete.
    Scheduled,
    /// The provider would not, most likely since the fax is complete.
    Refused {
        /// Its words, without numbers.
        reason: String,
    },
}

/// A fax as the provider shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxInfo {
    /// Where it stands.
    pub update: StatusUpdate,
    /// Which way it goes.
    pub direction: Direction,
    /// When the provider had it.
    pub created_at: Option<Timestamp>,
    /// Number of the sender (received faxes).
    pub from_number: Option<String>,
    /// Our number (received faxes) or the number dialled.
    pub to_number: Option<String>,
    /// Whether it is a test fax.
    pub is_test: bool,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// Which way a fax goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From us.
    Sent,
    /// To us.
    Received,
    /// The provider does not say.
    Unknown,
}

/// The document of a fax, as it comes in.
pub struct FaxFile {
    /// `Content-Type` of the answer.
    pub media_type: Option<String>,
    /// `Content-Length` of the answer, in bytes.
    pub length: Option<u64>,
    /// The bytes. Ends with [`LookupError::BadAnswer`] when more come than were allowed or fewer than announced.
    pub content: BoxStream<'static, Result<Bytes, LookupError>>,
}

/// Why a question to the provider has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The provider does not know it.
    #[error("the provider does not know this fax")]
    NotFound,
    /// The provider refuses our credentials, or there are none.
    #[error("the provider refuses the credentials: check phaxio.api_key and phaxio.api_secret")]
    Unauthorized,
    /// The provider wants fewer requests.
    #[error("the provider wants fewer requests")]
    RateLimited {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// No answer, or that of a broken server.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// An answer that makes no sense.
    #[error("the provider's answer makes no sense: {0}")]
    BadAnswer(String),
}

/// Why the client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address of the API is not a base to build on.
    #[error("phaxio.api_url must start with http:// or https:// and name a host")]
    BadUrl,
    /// TLS cannot be set up.
    #[error(
        "the client of the provider cannot be made: {0}; where no certificate authorities are found, install the \
         package ca-certificates or set SSL_CERT_FILE"
    )]
    Transport(String),
}

impl FaxInfo {
    /// The provider's id.
    #[must_use]
    pub fn provider_id(&self) -> &str {
        &self.update.provider_id
    }

    /// This fax as one that somebody sent to us, with the document still to be fetched; none when it is one of ours
    /// or still under way.
    #[must_use]
    pub fn as_received(&self) -> Option<ReceivedFax> {
        status::as_received(self)
    }
}

impl std::fmt::Debug for FaxFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaxFile")
            .field("media_type", &self.media_type)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
