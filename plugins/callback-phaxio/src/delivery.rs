//! A callback as the gateway shows it: the `webhook` interface in plain Rust.

/// A name and a value.
pub type Pair = (String, String);

/// What the address the callback came to is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryKind {
    /// State of a sent fax.
    Status,
    /// A received fax.
    Inbound,
}

/// One uploaded file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Name of the form part.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal SHA-1 of the bytes.
    pub sha1: String,
}

/// Hash of a message authentication code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacAlgorithm {
    /// HMAC-SHA1 (RFC 2104).
    HmacSha1,
    /// HMAC-SHA256.
    HmacSha256,
}

/// A piece of an authenticated message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// UTF-8 text.
    Text(String),
    /// The raw body of the request.
    Body,
}

/// Why the gateway gave no answer about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacError {
    /// The secret was not granted to this plugin.
    NotGranted,
    /// The operator has not configured the secret.
    NotConfigured,
    /// Too many checks in one call.
    TooMany,
}

/// One callback. The methods are those of the WIT resource `delivery`; see there.
#[expect(missing_docs, reason = "documented in wit/webhook.wit")]
pub trait Delivery {
    fn kind(&self) -> DeliveryKind;
    fn public_url(&self) -> String;
    fn headers(&self) -> Vec<Pair>;
    fn query(&self) -> Vec<Pair>;
    fn fields(&self) -> Vec<Pair>;
    fn files(&self) -> Vec<FilePart>;
    fn body(&self, max: u32) -> Vec<u8>;
    fn proof_required(&self) -> bool;
    fn vouched(&self) -> Option<String>;
    fn verify_mac(
        &self,
        secret: &str,
        algorithm: MacAlgorithm,
        message: &[Segment],
        signature: &[u8],
    ) -> Result<bool, MacError>;
}

/// The values of one header field, in wire order.
pub fn header<'a>(headers: &'a [Pair], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Whether the body is JSON and not a form.
pub fn has_json_body(headers: &[Pair]) -> bool {
    header(headers, "content-type").any(|value| {
        let essence = value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    })
}
