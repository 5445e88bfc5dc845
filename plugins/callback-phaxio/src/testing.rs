//! A callback as the gateway would show it, with the gateway's arithmetic, for native tests.

use crate::delivery::{Delivery, DeliveryKind, FilePart, MacAlgorithm, MacError, Pair, Segment};
use faxgate_protocol::phaxio::signature::{self, SignatureScheme};

/// A callback that tests fill in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) kind: DeliveryKind,
    pub(crate) url: String,
    pub(crate) headers: Vec<Pair>,
    pub(crate) query: Vec<Pair>,
    pub(crate) fields: Vec<Pair>,
    pub(crate) files: Vec<FilePart>,
    pub(crate) body: Vec<u8>,
    pub(crate) proof_required: bool,
    pub(crate) vouched: Option<String>,
    pub(crate) callback_token: Option<Vec<u8>>,
    pub(crate) api_secret: Option<Vec<u8>>,
}

impl Request {
    /// A form with these fields, unsigned.
    pub(crate) fn form(kind: DeliveryKind, url: &str, fields: &[(&str, &str)]) -> Self {
        Self {
            kind,
            url: url.to_owned(),
            headers: vec![pair("content-type", "multipart/form-data; boundary=x")],
            query: Vec::new(),
            fields: fields.iter().map(|(name, value)| pair(name, value)).collect(),
            files: Vec::new(),
            body: Vec::new(),
            proof_required: true,
            vouched: None,
            callback_token: None,
            api_secret: None,
        }
    }

    /// A JSON body, unsigned.
    pub(crate) fn json(body: &str) -> Self {
        let mut request = Self::form(
            DeliveryKind::Status,
            "https://fax.example.test/phaxio-callback",
            &[],
        );
        request.headers = vec![pair("content-type", "application/json; charset=utf-8")];
        request.body = body.as_bytes().to_vec();
        request
    }

    /// With a file part.
    pub(crate) fn file(mut self, name: &str, bytes: &[u8]) -> Self {
        let sha1 = signature::file_digest(bytes);
        self.files.push(FilePart {
            name: name.to_owned(),
            size: bytes.len() as u64,
            sha1,
        });
        self
    }

    /// With a query parameter; the address is left as it is.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(pair(name, value));
        self
    }

    /// With a signature, whatever it is worth.
    pub(crate) fn signed(mut self, signature: &str) -> Self {
        self.headers.push(pair("x-phaxio-signature", signature));
        self
    }

    /// With this callback token configured.
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.callback_token = Some(token.as_bytes().to_vec());
        self
    }

    /// Signed over the raw body with this API secret, which is configured too.
    pub(crate) fn signed_body(mut self, secret: &str) -> Self {
        let signature = signature::sign_body(secret.as_bytes(), &self.body);
        self.api_secret = Some(secret.as_bytes().to_vec());
        self.signed(&signature)
    }

    /// Taken without proof.
    pub(crate) fn unproven(mut self) -> Self {
        self.proof_required = false;
        self
    }
}

impl Delivery for Request {
    fn kind(&self) -> DeliveryKind {
        self.kind
    }

    fn public_url(&self) -> String {
        self.url.clone()
    }

    fn headers(&self) -> Vec<Pair> {
        self.headers.clone()
    }

    fn query(&self) -> Vec<Pair> {
        self.query.clone()
    }

    fn fields(&self) -> Vec<Pair> {
        self.fields.clone()
    }

    fn files(&self) -> Vec<FilePart> {
        self.files.clone()
    }

    fn body(&self, max: u32) -> Vec<u8> {
        self.body.iter().copied().take(max as usize).collect()
    }

    fn proof_required(&self) -> bool {
        self.proof_required
    }

    fn vouched(&self) -> Option<String> {
        self.vouched.clone()
    }

    fn verify_mac(
        &self,
        secret: &str,
        algorithm: MacAlgorithm,
        message: &[Segment],
        signature: &[u8],
    ) -> Result<bool, MacError> {
        let key = match secret {
            "callback-token" => self.callback_token.as_ref(),
            "api-secret" => self.api_secret.as_ref(),
            _ => return Err(MacError::NotGranted),
        };
        let key = key.ok_or(MacError::NotConfigured)?;
        let parts: Vec<&[u8]> = message
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text.as_bytes(),
                Segment::Body => &self.body,
            })
            .collect();
        let scheme = match algorithm {
            MacAlgorithm::HmacSha1 => SignatureScheme::Form,
            MacAlgorithm::HmacSha256 => SignatureScheme::Body,
        };
        Ok(signature::verify(scheme, key, &parts, signature))
    }
}

/// A name and a value.
pub(crate) fn pair(name: &str, value: &str) -> Pair {
    (name.to_owned(), value.to_owned())
}
