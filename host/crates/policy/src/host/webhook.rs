//! The callback as a resource for plugins, and proofs made for them: the secret stays here.

use std::sync::Arc;

use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use tokio::io::AsyncReadExt;
use wasmtime::component::Resource;

use crate::host::bindings::callback::faxgate::policy::webhook as wit;
use crate::host::host_api::CallState;
use crate::types::{Delivery, DeliveryKind, RawBody};

/// Checks of one call.
const CHECKS: u32 = 64;
/// Bytes of the raw body that a plugin may read.
const READABLE_BODY: u64 = 256 * 1024;
/// How often one call may have the whole body hashed: each algorithm, each of a few secrets, each delivery URL
/// form. Without this bound a plugin could keep the gateway hashing at no cost to its own budget.
const BODY_PASSES: u64 = 16;
/// Headers that hold credentials of ours or of the network between.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// A delivery in the table of a call.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct HostDelivery {
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) vouched: Option<String>,
}

/// What MAC checks of one call have used.
#[derive(Debug, Default)]
pub(crate) struct MacBudget {
    checks: u32,
    body_passes: u64,
}

/// A code under way.
enum Code {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
}

impl CallState {
    fn delivery(&self, handle: &Resource<HostDelivery>) -> wasmtime::Result<&HostDelivery> {
        Ok(self.table.get(handle)?)
    }
}

impl wit::Host for CallState {}

impl wit::HostDelivery for CallState {
    fn kind(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<wit::DeliveryKind> {
        Ok(match self.delivery(&handle)?.delivery.kind {
            DeliveryKind::Status => wit::DeliveryKind::Status,
            DeliveryKind::Inbound => wit::DeliveryKind::Inbound,
        })
    }

    fn public_url(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<String> {
        Ok(self.delivery(&handle)?.delivery.public_url.clone())
    }

    fn headers(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<Vec<(String, String)>> {
        let headers = self.delivery(&handle)?.delivery.headers.iter();
        Ok(headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .filter(|(name, _)| !CREDENTIALS.contains(&name.as_str()))
            .collect())
    }

    fn query(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.delivery(&handle)?.delivery.query.clone())
    }

    fn fields(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.delivery(&handle)?.delivery.fields.clone())
    }

    fn files(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<Vec<wit::FilePart>> {
        let files = self.delivery(&handle)?.delivery.files.iter();
        Ok(files
            .map(|file| wit::FilePart {
                name: file.name.clone(),
                file_name: file.file_name.clone(),
                media_type: file.media_type.clone(),
                size: file.size,
                sha1: file.sha1.clone(),
                sha256: file.sha256.clone(),
            })
            .collect())
    }

    async fn body(&mut self, handle: Resource<HostDelivery>, max: u32) -> wasmtime::Result<Vec<u8>> {
        let max = u64::from(max).min(READABLE_BODY);
        let delivery = Arc::clone(&self.delivery(&handle)?.delivery);
        match &delivery.body {
            RawBody::Memory(bytes) => {
                let end = bytes.len().min(usize::try_from(max).unwrap_or(usize::MAX));
                Ok(bytes.get(..end).unwrap_or_default().to_vec())
            }
            RawBody::File(path) => {
                let mut head = Vec::new();
                let file = tokio::fs::File::open(path).await.map_err(HostFault::body)?;
                file.take(max)
                    .read_to_end(&mut head)
                    .await
                    .map_err(HostFault::body)?;
                Ok(head)
            }
        }
    }

    fn proof_required(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<bool> {
        Ok(self.delivery(&handle)?.delivery.proof_required)
    }

    fn vouched(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<Option<String>> {
        Ok(self.delivery(&handle)?.vouched.clone())
    }

    async fn verify_mac(
        &mut self,
        handle: Resource<HostDelivery>,
        secret: String,
        algorithm: wit::MacAlgorithm,
        message: Vec<wit::Segment>,
        signature: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, wit::MacError>> {
        let delivery = Arc::clone(&self.delivery(&handle)?.delivery);
        let bodies = message.iter().filter(|s| matches!(s, wit::Segment::Body)).count() as u64;
        if !self.macs.spend(bodies) {
            return Ok(Err(wit::MacError::TooMany));
        }
        let key = match self.identity.secrets.get(&secret) {
            None => return Ok(Err(wit::MacError::NotGranted)),
            // An empty secret would verify what anybody can compute.
            Some(Some(key)) if !key.reveal().is_empty() => key,
            Some(_) => return Ok(Err(wit::MacError::NotConfigured)),
        };
        let mut code = Code::new(algorithm, key.reveal().as_bytes())?;
        for segment in &message {
            match segment {
                wit::Segment::Text(text) => code.update(text.as_bytes()),
                wit::Segment::Bytes(bytes) => code.update(bytes),
                wit::Segment::Body => code.update_body(&delivery.body).await?,
            }
        }
        Ok(Ok(code.verify(&signature)))
    }

    fn drop(&mut self, handle: Resource<HostDelivery>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl MacBudget {
    fn spend(&mut self, bodies: u64) -> bool {
        self.checks = self.checks.saturating_add(1);
        self.body_passes = self.body_passes.saturating_add(bodies);
        self.checks <= CHECKS && self.body_passes <= BODY_PASSES
    }
}

impl Code {
    fn new(algorithm: wit::MacAlgorithm, key: &[u8]) -> wasmtime::Result<Self> {
        Ok(match algorithm {
            wit::MacAlgorithm::HmacSha1 => Self::Sha1(Hmac::new_from_slice(key)?),
            wit::MacAlgorithm::HmacSha256 => Self::Sha256(Hmac::new_from_slice(key)?),
        })
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(code) => code.update(bytes),
            Self::Sha256(code) => code.update(bytes),
        }
    }

    async fn update_body(&mut self, body: &RawBody) -> wasmtime::Result<()> {
        match body {
            RawBody::Memory(bytes) => self.update(bytes),
            RawBody::File(path) => {
                let mut file = tokio::fs::File::open(path).await.map_err(HostFault::body)?;
                let mut window = vec![0; 64 * 1024];
                loop {
                    let read = file.read(&mut window).await.map_err(HostFault::body)?;
                    match window.get(..read) {
                        None | Some([]) => break,
                        Some(bytes) => self.update(bytes),
                    }
                }
            }
        }
        Ok(())
    }

    /// Constant in time for signatures of the right length; the length itself is no secret.
    fn verify(self, signature: &[u8]) -> bool {
        match self {
            Self::Sha1(code) => code.verify_slice(signature).is_ok(),
            Self::Sha256(code) => code.verify_slice(signature).is_ok(),
        }
    }
}

/// The gateway failed while it served a plugin: not the plugin's fault.
#[derive(Debug, thiserror::Error)]
#[error("the spooled body can't be read back: {0}")]
pub(crate) struct HostFault(std::io::Error);

impl HostFault {
    fn body(error: std::io::Error) -> wasmtime::Error {
        wasmtime::Error::new(Self(error))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use bytes::Bytes;
    use wit::{HostDelivery as _, MacAlgorithm, MacError, Segment};

    use super::*;
    use crate::host::host_api::Identity;
    use crate::runtime::limits::{CpuBudget, Limiter, Meter};
    use faxgate_base::secret::Secret;

    const BODY: &[u8] = b"{\"id\":1}";

    fn call(body: RawBody) -> (CallState, Resource<HostDelivery>) {
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        let identity = Identity {
            name: "test".to_owned(),
            settings: BTreeMap::new(),
            secrets: BTreeMap::from([
                ("given".to_owned(), secret("key")),
                ("empty".to_owned(), secret("")),
                ("later".to_owned(), None),
            ]),
        };
        let meter = Arc::new(Meter::start(Duration::from_secs(1)));
        let limiter = Limiter::new(0, meter);
        let mut state = CallState::new(
            Arc::new(identity),
            limiter,
            CpuBudget::new(Duration::from_secs(1)),
        );
        let delivery = Delivery {
            kind: DeliveryKind::Status,
            public_url: "https://fax.example.com/phaxio-callback".to_owned(),
            headers: vec![
                ("X-Phaxio-Signature".to_owned(), "00".to_owned()),
                ("Authorization".to_owned(), "Bearer x".to_owned()),
                ("x-api-key".to_owned(), "x".to_owned()),
            ],
            query: Vec::new(),
            fields: Vec::new(),
            files: Vec::new(),
            body,
            proof_required: true,
        };
        let held = HostDelivery {
            delivery: Arc::new(delivery),
            vouched: None,
        };
        let handle = state.table.push(held).unwrap();
        (state, handle)
    }

    fn lend(handle: &Resource<HostDelivery>) -> Resource<HostDelivery> {
        Resource::new_borrow(handle.rep())
    }

    fn expected(message: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(b"key").unwrap();
        mac.update(message);
        mac.finalize().into_bytes().to_vec()
    }

    #[tokio::test]
    async fn codes_are_checked_over_all_segments_in_order() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), BODY).unwrap();
        for body in [
            RawBody::Memory(Bytes::from_static(BODY)),
            RawBody::File(file.path().to_owned()),
        ] {
            let (mut state, handle) = call(body);
            let mut check = async |message: Vec<Segment>, signature: Vec<u8>| {
                let (secret, algorithm) = ("given".to_owned(), MacAlgorithm::HmacSha256);
                state
                    .verify_mac(lend(&handle), secret, algorithm, message, signature)
                    .await
                    .unwrap()
            };
            let message = || {
                vec![
                    Segment::Text("a".to_owned()),
                    Segment::Body,
                    Segment::Bytes(vec![9]),
                ]
            };
            let good = expected(b"a{\"id\":1}\x09");
            assert_eq!(check(message(), good.clone()).await, Ok(true));
            let mut swapped = message();
            swapped.swap(0, 2);
            assert_eq!(check(swapped, good.clone()).await, Ok(false));
            assert_eq!(check(message(), good[..31].to_vec()).await, Ok(false));
            assert_eq!(check(message(), Vec::new()).await, Ok(false));
            assert_eq!(state.body(lend(&handle), 4).await.unwrap(), &BODY[..4]);
            assert_eq!(state.body(lend(&handle), u32::MAX).await.unwrap(), BODY);
        }
    }

    /// RFC 2202, test case 2.
    #[tokio::test]
    async fn sha1_is_the_standard_one() {
        let (mut state, handle) = call(RawBody::Memory(Bytes::new()));
        let mut code = Code::new(MacAlgorithm::HmacSha1, b"Jefe").unwrap();
        code.update(b"what do ya want for nothing?");
        assert!(code.verify(&hex::decode("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79").unwrap()));
        assert_eq!(
            state.headers(lend(&handle)).unwrap(),
            [("x-phaxio-signature".to_owned(), "00".to_owned())]
        );
        state.drop(handle).unwrap();
    }

    #[tokio::test]
    async fn only_granted_and_configured_secrets_prove_anything() {
        let (mut state, handle) = call(RawBody::Memory(Bytes::from_static(BODY)));
        for (name, answer) in [
            ("unknown", MacError::NotGranted),
            ("", MacError::NotGranted),
            ("later", MacError::NotConfigured),
            ("empty", MacError::NotConfigured),
        ] {
            let (algorithm, message) = (MacAlgorithm::HmacSha256, vec![Segment::Body]);
            let message_or = state
                .verify_mac(lend(&handle), name.to_owned(), algorithm, message, Vec::new())
                .await;
            assert_eq!(message_or.unwrap(), Err(answer), "{name}");
        }
    }

    #[tokio::test]
    async fn checks_and_passes_over_the_body_are_counted() {
        let (mut state, handle) = call(RawBody::Memory(Bytes::from_static(BODY)));
        for round in 0..=CHECKS {
            let (secret, algorithm) = ("given".to_owned(), MacAlgorithm::HmacSha1);
            let message_or = state
                .verify_mac(lend(&handle), secret, algorithm, Vec::new(), Vec::new())
                .await
                .unwrap();
            let expected = if round < CHECKS {
                Ok(false)
            } else {
                Err(MacError::TooMany)
            };
            assert_eq!(message_or, expected, "{round}");
        }
        let (mut state, handle) = call(RawBody::Memory(Bytes::from_static(BODY)));
        let storm = (0..=BODY_PASSES).map(|_| Segment::Body).collect();
        let (secret, algorithm) = ("given".to_owned(), MacAlgorithm::HmacSha1);
        let message_or = state
            .verify_mac(lend(&handle), secret, algorithm, storm, Vec::new())
            .await
            .unwrap();
        assert_eq!(message_or, Err(MacError::TooMany));
    }

    #[tokio::test]
    async fn a_lost_spool_file_is_the_gateways_failure() {
        let (mut state, handle) = call(RawBody::File("/nonexistent/spool".into()));
        let error = state.body(lend(&handle), 1).await.unwrap_err();
        assert!(error.downcast_ref::<HostFault>().is_some());
    }
}
