//! What the provider takes at most.
//!
//! From the vendor's documentation of the request to send; sizes and counts from users of the service.

/// Characters of the header line.
pub const MAX_HEADER_CHARS: usize = 50;

/// Tags of a fax, ours included.
pub const MAX_TAGS: usize = 10;

/// Bytes of a request, and so of a received document.
pub const MAX_REQUEST_BYTES: u64 = 20 << 20;

/// Pages of a fax.
pub const MAX_PAGES: u32 = 200;

/// Files and content URLs of a fax.
pub const MAX_FILES: usize = 20;

/// Numbers of a fax.
pub const MAX_RECIPIENTS: usize = 15;

/// Seconds of `batch_delay`.
pub const MAX_BATCH_DELAY: u32 = 3600;

/// Minutes of `cancel_timeout`.
pub const CANCEL_TIMEOUT: std::ops::RangeInclusive<u32> = 3..=60;

/// Rows of a list's page.
pub const MAX_PER_PAGE: usize = 1000;

/// Rows of a list's page when the request names none.
pub const DEFAULT_PER_PAGE: usize = 25;

/// Requests for one second: the vendor's own tests keep to it.
pub const REQUESTS_PER_SECOND: u32 = 1;
