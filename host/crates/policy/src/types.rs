//! What goes into policies and what comes out, in the gateway's own words.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use serde::Serialize;

use faxgate_base::secret::Secret;
use faxgate_config::plugins::PluginConfig;
use faxgate_domain::document::{Cover, MediaType, Paper};
use faxgate_domain::number::Number;
use faxgate_domain::provider::Verdict;

/// What a plugin decides about. One world of `wit/worlds.wit` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// Documents to fax pages.
    Converter,
    /// What a dialled string means.
    NumberNormalizer,
    /// Which callback to believe.
    CallbackPolicy,
}

/// The provider's secrets, granted to the built-in callback policy under the names `callback-token` and
/// `api-secret`. It can have them checked against a signature but never read them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// `phaxio.callback_token`
    pub callback_token: Option<Secret>,
    /// `phaxio.api_secret`
    pub api_secret: Option<Secret>,
}

/// One uploaded document.
#[derive(Debug, Clone)]
pub struct Part {
    /// The bytes.
    pub data: Bytes,
    /// What the bytes say they are.
    pub media_type: MediaType,
    /// The name the sender gave, for showing only.
    pub file_name: Option<String>,
    /// What else a converter is told about it; only cover pages have some.
    pub attributes: Vec<(String, String)>,
}

/// Wishes for a conversion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConvertOptions {
    /// Paper for text and pictures, which have none of their own.
    pub paper: Paper,
    /// A page to put in front, with the date to write on it.
    pub cover: Option<(Cover, String)>,
}

/// What a conversion may not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvertLimits {
    /// Pages of the whole fax.
    pub max_pages: u32,
    /// Bytes of the PDF.
    pub max_bytes: u64,
    /// Rows of one drawn page.
    pub max_rows: u32,
}

/// A document ready for the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The PDF; the sender's own bytes when they were fit as they stood.
    pub pdf: Bytes,
    /// Its pages, at least 1.
    pub pages: u32,
    /// What the sender should know about the conversion.
    pub notes: Vec<String>,
    /// The plugin that made it.
    pub plugin: String,
}

/// A callback as it arrived.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What the address is for.
    pub kind: DeliveryKind,
    /// The address the provider was given, from the configuration, with the query the request came with.
    pub public_url: String,
    /// Header fields in wire order, names in lower case. Credentials are taken out before a plugin sees them.
    pub headers: Vec<(String, String)>,
    /// Query parameters in wire order, decoded.
    pub query: Vec<(String, String)>,
    /// Form fields in wire order, decoded, without files.
    pub fields: Vec<(String, String)>,
    /// Files in wire order.
    pub files: Vec<FilePart>,
    /// The raw body.
    pub body: RawBody,
    /// Whether a delivery without proof may be believed (`verify_signature = false`).
    pub proof_required: bool,
}

/// What a callback address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryKind {
    /// State of a sent fax.
    Status,
    /// A received fax.
    Inbound,
}

/// One uploaded file of a callback; its bytes stay with the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// Name of the form part.
    pub name: String,
    /// File name the part declared.
    pub file_name: Option<String>,
    /// Media type the part declared.
    pub media_type: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal SHA-1 of the bytes.
    pub sha1: String,
    /// Lower-case hexadecimal SHA-256 of the bytes.
    pub sha256: String,
}

/// The raw body of a callback.
#[derive(Debug, Clone)]
pub enum RawBody {
    /// Held in memory.
    Memory(Bytes),
    /// Spooled to a file, which must stay until the verdict.
    File(PathBuf),
}

/// What a normalizer made of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NormalizedNumber {
    /// Dial this.
    Dial(Number),
    /// Ask the next one about this.
    Rewrite(String),
    /// Ask the next one.
    Pass,
}

/// What a callback policy made of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyDecision {
    /// It decided.
    Decided(Verdict),
    /// Not its own.
    Pass,
    /// The proof holds; the next one translates.
    Vouch(String),
}

/// What a call may use, as `GET /admin/plugins` shows it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct LimitsInfo {
    /// Bytes of linear memory.
    pub memory_bytes: u64,
    /// Milliseconds on the processor.
    pub cpu_ms: u64,
    /// Milliseconds altogether.
    pub timeout_ms: u64,
    /// Bytes of an answer.
    pub max_output_bytes: u64,
}

/// One plugin of the set that serves.
#[derive(Debug, Clone, Serialize)]
pub struct PluginInfo {
    /// Name: the file name without `.wasm`.
    pub name: String,
    /// The name it gives itself.
    pub title: String,
    /// Its own version.
    pub version: String,
    /// One sentence by its author.
    pub description: String,
    /// What it decides about.
    pub slot: Slot,
    /// Place in its slot, from 1: lower ones are asked first.
    pub order: usize,
    /// Whether it came with the binary.
    pub builtin: bool,
    /// Digest of the component.
    pub sha256: String,
    /// Interfaces it uses.
    pub imports: Vec<String>,
    /// What a call may use.
    pub limits: LimitsInfo,
    /// What a failure means: `deny` or `next`.
    pub on_error: &'static str,
    /// Names of the secrets it may have checked.
    pub secrets: Vec<String>,
    /// Calls since it was loaded.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Half of the calls took at most this many microseconds.
    pub p50_us: u64,
    /// 99 of 100 calls took at most this many microseconds.
    pub p99_us: u64,
    /// The most linear memory one call used, in bytes.
    pub memory_peak_bytes: u64,
    /// The last failure.
    pub last_error: Option<String>,
}

/// A plugin that could not be loaded.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct PluginProblem {
    /// The plugin's name.
    pub plugin: String,
    /// The file, or `built in`.
    pub file: String,
    /// What is wrong and what to do.
    pub reason: String,
    /// Whether an earlier version of it keeps serving.
    pub last_good_serves: bool,
}

/// What a reload changed, by plugin name.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct ReloadReport {
    /// New.
    pub added: Vec<String>,
    /// Other component or other settings.
    pub changed: Vec<String>,
    /// Gone.
    pub removed: Vec<String>,
    /// As before.
    pub unchanged: Vec<String>,
    /// What could not be loaded; what it would have replaced keeps serving.
    pub problems: Vec<PluginProblem>,
}

impl Slot {
    /// All slots.
    pub const ALL: [Self; 3] = [Self::Converter, Self::NumberNormalizer, Self::CallbackPolicy];

    /// The slot's name: that of the interface its plugins export.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Converter => "converter",
            Self::NumberNormalizer => "number-normalizer",
            Self::CallbackPolicy => "callback-policy",
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ReloadReport {
    /// Whether anything is different from before.
    #[must_use]
    pub fn changed_anything(&self) -> bool {
        !(self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty())
    }
}

impl LimitsInfo {
    /// The limits of this configuration.
    pub(super) fn of(config: &PluginConfig) -> Self {
        let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            memory_bytes: config.memory,
            cpu_ms: millis(config.cpu),
            timeout_ms: millis(config.wall),
            max_output_bytes: config.max_output,
        }
    }
}
