//! The request to send, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

/// A request to send. `to` is always one number: with several the provider answers in another shape.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateRequest {
    /// Number to dial, E.164.
    pub to: String,
    /// Number to show; one of the account's that is bound to the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where the provider fetches the document. Holds a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_url: Option<String>,
    /// Documents in the request itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<InlineFile>,
    /// Line at the top of each page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_text: Option<String>,
    /// Zone of the time in that line, an IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_time_zone: Option<String>,
    /// Further calls after a failed one; always given, so that the longest time of a fax is known.
    pub max_retries: u32,
    /// Seconds between calls; always given.
    pub retry_delay_seconds: u32,
    /// Dots of the transmission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// How grey becomes black and white.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_conversion_method: Option<ImageConversionMethod>,
    /// Service whose settings apply; the project's default without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// Names and values that come back with the fax, [`super::JOB_LABEL`] among them.
    pub labels: BTreeMap<String, String>,
    /// Where the provider reports to. May hold a user and a password, and names the job in its query.
    pub callback_url: String,
    /// Shape of the callback.
    pub callback_url_content_type: CallbackType,
}

/// A document in the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InlineFile {
    /// The bytes in base64.
    pub file: String,
    /// `PDF`
    pub file_type: String,
}

/// Dots of the transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Resolution {
    /// 200 dots an inch.
    Fine,
    /// 400 dots an inch.
    Superfine,
}

/// How grey becomes black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ImageConversionMethod {
    /// Dots that look grey from afar.
    Halftone,
    /// Black or white, for text.
    Monochrome,
}

/// Shape of a callback.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum CallbackType {
    /// Parts; the document as bytes.
    #[default]
    #[serde(rename = "multipart/form-data")]
    Multipart,
    /// JSON; the document in base64.
    #[serde(rename = "application/json")]
    Json,
}
