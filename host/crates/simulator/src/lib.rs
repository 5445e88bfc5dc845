//! A simulated Phaxio that runs on loopback, for the demo and the tests.
//!
//! It answers `/v2` and `/v2.1` as the vendor documents them and as recorded answers show, fetches documents, moves
//! faxes through their states and posts signed callbacks with the vendor's schedule of retries. Its time is scaled
//! ([`SimulatorConfig::time_scale`]): only answers to requests wait in real time.
//!
//! `script` lists how it can be told to misbehave, per number. Tests look inside through
//!
//! | request | does |
//! |---|---|
//! | `GET /simulator/faxes[?job=&to=&direction=]` | every fax in the order of creation: status, tags, fetches, callback attempts, SHA-256 of what was fetched |
//! | `GET /simulator/faxes/{id}`, `…/{id}/content` | one fax; the bytes it fetched or was sent |
//! | `GET /simulator/requests` | requests by kind, and to send by job: how many came, how many were taken, under which ids |
//! | `POST /simulator/script` `{to, behaviour, times, …}` | a rule for a number; `{"clear":true}` drops the rules |
//! | `POST /simulator/callback` `{fax, url, scheme, version, event_type, status}` | another callback about a fax, delivered once; the answer says how it was received |
//! | `POST /simulator/inbound` `{to, from, pdf, pages, version, with_file, scheme, callback_url, copies, deliver, success}` | a fax arrives (`pdf` is base64) and is delivered with retries |
//! | `POST /simulator/clock` `{advance_seconds, skew_seconds}` | moves its time on; shifts the times it writes |
//! | `POST /simulator/credentials` `{api_key, api_secret, valid}` | other credentials, or none that are good |
//! | `POST /simulator/reset` | forgets faxes, counts and rules |

mod answer;
mod api;
mod callback;
mod control;
mod fetch;
mod form;
mod front;
mod inbound;
mod life;
mod pace;
mod pdf;
mod record;
mod render;
mod script;
mod serve;
mod sign;
mod validate;
mod world;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the simulator is and does. [`Default`] is a test account on a free loopback port whose faxes finish in 4
/// seconds.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The account's key.
    pub api_key: String,
    /// The account's secret.
    pub api_secret: String,
    /// The account's callback token; without one, callbacks of Phaxio's scheme are not signed.
    pub callback_token: Option<String>,
    /// Shape of callbacks.
    pub webhook_version: WebhookVersion,
    /// How callbacks are signed.
    pub signature: Scheme,
    /// Provider seconds per second.
    pub time_scale: f64,
    /// Provider time a fax takes.
    pub completion: Duration,
    /// Where callbacks of sent faxes go that name no address.
    pub callback_url: Option<String>,
    /// Where received faxes are delivered.
    pub inbound_url: Option<String>,
    /// Certificate authorities (PEM) to trust in place of the machine's.
    pub trust_pem: Option<String>,
    /// Fetch and deliver over TLS whatever the certificate.
    pub accept_invalid_certs: bool,
    /// Where faxes and rules are kept across starts of the simulator.
    pub state_file: Option<PathBuf>,
    /// Test account: `is_test`, `test_fail` honoured, deletable faxes.
    pub test_account: bool,
    /// Whether a live account refuses `test_fail`. What the vendor does is not documented.
    pub refuse_test_fail: bool,
    /// Refuse more API requests a second than this with 429; none for no limit.
    pub requests_per_second: Option<f64>,
    /// Report pages under way for every fax.
    pub inflight: bool,
    /// Whether documents are kept for download.
    pub keep_files: bool,
}

/// Shape of callbacks. An account setting at the vendor's, independent of the API version that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookVersion {
    /// `success`, `is_test`, `direction`, `fax`; file part `filename`; Unix times.
    #[serde(rename = "v1")]
    V1,
    /// As version 1 with the fax object of API version 2 and file part `file`.
    #[serde(rename = "v2")]
    V2,
    /// `fax` and `event_type`; file part `file`.
    #[serde(rename = "v2.1")]
    V2_1,
    /// Flattened `fax[id]`, `fax[status]` …, which Faxbot expects.
    #[serde(rename = "flat")]
    Flat,
}

/// How callbacks are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Phaxio's: HMAC-SHA1 with the callback token over address, fields and file digests.
    Sha1,
    /// Faxbot's: HMAC-SHA256 with the API secret over the raw body.
    Sha256,
    /// No signature.
    None,
    /// Phaxio's with another token.
    Wrong,
}

/// Why the simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address is taken or not ours.
    #[error("the simulator cannot listen on {listen}: {source}")]
    Listen {
        /// Where it should have.
        listen: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The time scale is no positive number.
    #[error("the simulator's time scale must be a number above 0")]
    TimeScale,
    /// The client that fetches and calls back cannot be made.
    #[error("the simulator's HTTP client cannot be made: {0}")]
    Client(String),
    /// The state file cannot be read.
    #[error("the simulator's state file {file} cannot be read ({problem}): repair or remove it")]
    State {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// A word that is no version or scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is none of {known}")]
pub struct UnknownName {
    got: String,
    known: &'static str,
}

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

/// A simulator that runs. Stops when dropped.
#[derive(Debug)]
pub struct RunningSimulator {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Simulator {
    /// Starts a simulator; it serves when this returns.
    ///
    /// # Errors
    /// [`SimulatorError`]
    pub async fn start(config: SimulatorConfig) -> Result<RunningSimulator, SimulatorError> {
        serve::start(config).await
    }
}

impl RunningSimulator {
    /// The base of its API, version 2.1: what `phaxio.api_url` wants.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.url("/v2.1")
    }

    /// An address of it, for example of `/simulator/faxes`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Stops serving, fetching and calling back, and waits until all that has ended.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: "simulated-key".to_owned(),
            api_secret: "simulated-secret".to_owned(),
            callback_token: Some("simulated-callback-token".to_owned()),
            webhook_version: WebhookVersion::V2_1,
            signature: Scheme::Sha1,
            time_scale: 1.0,
            completion: Duration::from_secs(4),
            callback_url: None,
            inbound_url: None,
            trust_pem: None,
            accept_invalid_certs: false,
            state_file: None,
            test_account: true,
            refuse_test_fail: false,
            requests_per_second: None,
            inflight: false,
            keep_files: true,
        }
    }
}

impl FromStr for WebhookVersion {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "v1" => Ok(Self::V1),
            "v2" => Ok(Self::V2),
            "v2.1" => Ok(Self::V2_1),
            "flat" => Ok(Self::Flat),
            _ => Err(UnknownName {
                got: text.to_owned(),
                known: "v1, v2, v2.1, flat",
            }),
        }
    }
}

impl FromStr for Scheme {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "none" => Ok(Self::None),
            "wrong" => Ok(Self::Wrong),
            _ => Err(UnknownName {
                got: text.to_owned(),
                known: "sha1, sha256, none, wrong",
            }),
        }
    }
}

impl WebhookVersion {
    /// The name that [`FromStr`] reads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V2_1 => "v2.1",
            Self::Flat => "flat",
        }
    }
}
