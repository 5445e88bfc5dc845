//! Names of form fields, JSON members and headers.

/// The tag that names our job at the provider. It comes back in the fax object's `tags`.
pub const JOB_TAG: &str = "faxgate_job";

/// Query parameter of a callback address that names our job.
pub const JOB_QUERY: &str = "job_id";

/// Header that carries a callback's signature.
pub const SIGNATURE_HEADER: &str = "x-phaxio-signature";

/// Form fields of a request to send.
pub mod create {
    /// Number to dial.
    pub const TO: &str = "to";
    /// Where the provider fetches the document.
    pub const CONTENT_URL: &str = "content_url";
    /// An uploaded document.
    pub const FILE: &str = "file";
    /// Where the provider reports to.
    pub const CALLBACK_URL: &str = "callback_url";
    /// Line at the top of each page.
    pub const HEADER_TEXT: &str = "header_text";
    /// Number to show.
    pub const CALLER_ID: &str = "caller_id";
    /// Seconds to wait for further faxes to the same number.
    pub const BATCH_DELAY: &str = "batch_delay";
    /// Minutes until an unfinished fax is cancelled.
    pub const CANCEL_TIMEOUT: &str = "cancel_timeout";
    /// Error type that a test account fails with.
    pub const TEST_FAIL: &str = "test_fail";
}

/// Query parameters of a list.
pub mod list {
    /// RFC 3339; the provider's default is one week ago.
    pub const CREATED_AFTER: &str = "created_after";
    /// RFC 3339; the provider's default is now.
    pub const CREATED_BEFORE: &str = "created_before";
    /// `sent` or `received`.
    pub const DIRECTION: &str = "direction";
    /// Rows of a page.
    pub const PER_PAGE: &str = "per_page";
    /// Page, counted from 1.
    pub const PAGE: &str = "page";
}

/// Form fields of a callback.
pub mod callback {
    /// The fax object as JSON text.
    pub const FAX: &str = "fax";
    /// What happened (version 2.1).
    pub const EVENT_TYPE: &str = "event_type";
    /// Whether the fax came through (versions 1 and 2).
    pub const SUCCESS: &str = "success";
    /// Whether it is a test (versions 1 and 2).
    pub const IS_TEST: &str = "is_test";
    /// `sent` or `received` (versions 1 and 2).
    pub const DIRECTION: &str = "direction";
    /// Why the fax failed (versions 1 and 2).
    pub const MESSAGE: &str = "message";
    /// Data of a PhaxCode on the received fax.
    pub const METADATA: &str = "metadata";
    /// Page under way, of `transmitting_page`.
    pub const PAGE: &str = "page";
    /// Calls so far, of `retry_scheduled`.
    pub const RETRY_COUNT: &str = "retry_count";
    /// Number dialled, of news under way.
    pub const RECIPIENT: &str = "recipient_phone_number";
    /// Part that holds a received document since version 2.
    pub const FILE: &str = "file";
    /// Part that holds a received document in version 1.
    pub const FILE_V1: &str = "filename";
}

/// The form field of a tag.
#[must_use]
pub fn tag_field(name: &str) -> String {
    format!("tag[{name}]")
}
