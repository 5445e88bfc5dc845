//! The client's side of the HTTP interface, for the commands that use a running service.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use super::output::errln;
use faxgate_base::secret::Secret;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Which service, and who asks.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Service {
    /// Address of the service
    #[arg(long, env = "FAXGATE_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File that holds the API key; without it, FAXGATE_API_KEY or API_KEY
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// PEM file of a certificate authority to trust as well
    #[arg(long, value_name = "FILE", env = "FAXGATE_CA_FILE")]
    ca: Option<PathBuf>,
    /// Accept any certificate; only for services on this machine
    #[arg(long)]
    insecure: bool,
}

/// A client of one service.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
    base: String,
    key: Option<Secret>,
}

impl Service {
    /// A client for it.
    ///
    /// # Errors
    /// When the address, the key file or the authority can't be used.
    pub(super) fn api(&self) -> anyhow::Result<Api> {
        let url: Url = self
            .url
            .parse()
            .with_context(|| format!("--url {:?} is not an address", self.url))?;
        let local = is_local(&url);
        let mut builder = Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy();
        if let Some(path) = &self.ca {
            let pem = std::fs::read(path).with_context(|| format!("--ca {}", path.display()))?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("--ca {} holds no PEM certificate", path.display()))?;
            for authority in authorities {
                builder = builder.add_root_certificate(authority);
            }
        }
        if self.insecure {
            if !local {
                bail!(
                    "--insecure is for services on this machine: use --ca FILE to trust a certificate elsewhere"
                );
            }
            builder = builder.danger_accept_invalid_certs(true);
        }
        let key = self.key()?;
        if key.is_some() && url.scheme() == "http" && !local {
            errln!("warning: the API key travels in clear to {}: use https", self.url);
        }
        Ok(Api::new(builder.build()?, &self.url, key))
    }

    fn key(&self) -> anyhow::Result<Option<Secret>> {
        let text = match &self.api_key_file {
            Some(path) => {
                std::fs::read_to_string(path).with_context(|| format!("--api-key-file {}", path.display()))?
            }
            None => ["FAXGATE_API_KEY", "API_KEY"]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|text| !text.trim().is_empty())
                .unwrap_or_default(),
        };
        let text = text.trim();
        Ok((!text.is_empty()).then(|| Secret::new(text.to_owned())))
    }
}

impl Api {
    /// A client that sends `key` to the service at `base`.
    pub(super) fn new(client: Client, base: &str, key: Option<Secret>) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { client, base, key }
    }

    /// A `GET` of a path.
    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.signed(self.client.get(format!("{}{path}", self.base)))
    }

    /// A `POST` to a path.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.signed(self.client.post(format!("{}{path}", self.base)))
    }

    /// Why there was no answer, with the remedy.
    fn without_answer(&self, error: reqwest::Error) -> anyhow::Error {
        let error = anyhow::Error::new(error);
        let reason = format!("{error:#}");
        let remedy = if reason.contains("UnknownIssuer") || reason.contains("self-signed") {
            "its certificate is signed by nobody known here: give the authority's certificate with --ca FILE"
        } else if reason.contains("certificate") {
            "its certificate cannot be accepted"
        } else {
            "is the service running, and --url right?"
        };
        error.context(format!("{} does not answer; {remedy}", self.base))
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.header("x-api-key", key.reveal()),
            None => request,
        }
    }

    /// Sends a request and reads a JSON answer.
    ///
    /// # Errors
    /// When there is no answer, or one that is an error: with the service's own words.
    pub(super) async fn ask(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.map_err(|error| self.without_answer(error))?;
        let status = answer.status();
        if status.is_success() {
            return answer
                .json()
                .await
                .context("the answer is not JSON: is --url a faxgate?");
        }
        bail!("{}", refusal(status, answer).await)
    }
}

/// Whether an address is on this machine.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// What the service says about an error, with a hint where the remedy is on this side.
async fn refusal(status: StatusCode, answer: Response) -> String {
    let wait = answer
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .map(|seconds| format!(" (try again in {seconds} s)"))
        .unwrap_or_default();
    let body: Value = answer.json().await.unwrap_or_default();
    let detail = ["detail", "title"]
        .into_iter()
        .find_map(|field| body.get(field).and_then(Value::as_str))
        .unwrap_or("no further word");
    let hint = match status {
        StatusCode::UNAUTHORIZED => "; set FAXGATE_API_KEY to a valid key",
        _ => "",
    };
    format!("{status}: {detail}{hint}{wait}")
}
