//! One order: prove every name over the HTTPS listener, then fetch the certificate.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use instant_acme::{
    Account, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, Error, HttpClient, Identifier,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::error::AcmeError;
use super::storage::Issued;
use crate::tls::error::TlsError;
use crate::tls::provider::provider;
use crate::tls::resolver::Challenges;

/// One request to the authority.
const REQUEST: Duration = Duration::from_secs(30);
/// Most bytes of an answer: a chain has a few thousand.
const MAX_ANSWER: usize = 1 << 20;
/// How the state of an order is looked up: an authority that verifies from several places takes a while.
const LOOKS: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

/// The way to the authority.
#[derive(Clone)]
pub(super) struct Http(reqwest::Client);

impl Http {
    /// Trusts the certificates of the system, or only those in `ca_file`.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, TlsError> {
        let mut builder = reqwest::Client::builder()
            .timeout(REQUEST)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(path) = ca_file {
            let bad = |problem: String| TlsError::AuthorityFile {
                path: path.to_owned(),
                problem,
            };
            let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
            let roots =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| bad(error.to_string()))?;
            if roots.is_empty() {
                return Err(bad("no CERTIFICATE section".to_owned()));
            }
            builder = builder.tls_certs_only(roots);
        }
        let client = builder
            .build()
            .map_err(|error| TlsError::Authority(error.to_string()))?;
        Ok(Self(client))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let failed = |error: reqwest::Error| Error::Other(Box::new(Unreachable::of(&error)));
            let (parts, body) = request.into_parts();
            let body = http_body_util::BodyExt::collect(body).await;
            let body = body.map_or_else(|never| match never {}, http_body_util::Collected::to_bytes);
            let request =
                reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(failed)?;
            let answer = http::Response::from(client.execute(request).await.map_err(failed)?);
            let answer = answer.map(|body| http_body_util::Limited::new(body, MAX_ANSWER));
            Ok(BytesResponse::from(answer))
        })
    }
}

/// The authority could not be asked, with every cause: the outermost alone says next to nothing.
#[derive(Debug, thiserror::Error)]
#[error("the certificate authority can't be asked: {0}; check tls.acme.directory_url and tls.acme.ca_file")]
struct Unreachable(String);

impl Unreachable {
    fn of(error: &reqwest::Error) -> Self {
        let first: Option<&dyn std::error::Error> = Some(error);
        let causes = std::iter::successors(first, |&cause| cause.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        Self(causes.join(": "))
    }
}

/// Orders a certificate for all names.
pub(super) async fn place(
    account: &Account,
    domains: &[String],
    challenges: &Challenges,
) -> Result<Issued, AcmeError> {
    let identifiers: Vec<_> = domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    prove(&mut order, challenges).await?;
    // An order may fail with an error or in a state: the reason is with the name in both cases.
    let ready = order.poll_ready(&LOOKS).await;
    if !matches!(ready, Ok(OrderStatus::Ready)) {
        if let Some(refused) = refusal(&mut order).await? {
            return Err(refused);
        }
        return Err(AcmeError::Order(format!("{:?}", ready?)));
    }
    let key = zeroize::Zeroizing::new(order.finalize().await?);
    let chain = order.poll_certificate(&LOOKS).await?;
    Ok(Issued { chain, key })
}

/// Puts up a proof for every name that needs one, and says so to the authority.
async fn prove(order: &mut Order, challenges: &Challenges) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        // Proved by an earlier order.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let mut challenge = authorization
            .challenge(ChallengeType::TlsAlpn01)
            .ok_or_else(|| AcmeError::NoChallenge(name.clone()))?;
        let proof = proof(&name, challenge.key_authorization().digest().as_ref())?;
        challenges.offer(&name, Arc::new(proof));
        challenge.set_ready().await?;
    }
    Ok(())
}

/// The first name that was refused, with the authority's reason.
async fn refusal(order: &mut Order) -> Result<Option<AcmeError>, AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let state = authorization.refresh().await?;
        let reason = state
            .challenges
            .iter()
            .find_map(|challenge| challenge.error.as_ref());
        if let Some(reason) = reason {
            return Ok(Some(AcmeError::Refused {
                name: state.identifier().to_string(),
                reason: reason.detail.clone().unwrap_or_else(|| reason.to_string()),
            }));
        }
    }
    Ok(None)
}

/// The certificate that proves a name (RFC 8737, section 3): self-signed, with the digest in an extension.
fn proof(name: &str, digest: &[u8]) -> Result<CertifiedKey, AcmeError> {
    let failed = |error: &dyn fmt::Display| AcmeError::Proof(error.to_string());
    // The library asks for exactly 32 bytes by panicking.
    if digest.len() != 32 {
        return Err(failed(&"the digest is not one of SHA-256"));
    }
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(|error| failed(&error))?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate().map_err(|error| failed(&error))?;
    let certificate = params.self_signed(&key).map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![certificate.der().clone()];
    // Not compared with the certificate, which is of this very key: the parser at hand refuses the extension.
    let key = provider().key_provider.load_private_key(key);
    Ok(CertifiedKey::new(chain, key.map_err(|error| failed(&error))?))
}
