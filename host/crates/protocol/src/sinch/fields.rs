//! Names of labels, query parameters, form fields, headers and paths.

/// The label that names our job at the provider. It comes back in the fax object's `labels`.
pub const JOB_LABEL: &str = "faxgate_job";

/// Query parameter of a callback address that names our job: the second mark, which the echoed `callbackUrl` keeps.
pub const JOB_QUERY: &str = "job_id";

/// Query parameters of a list. The signs `>` and `<` belong to the names and are percent-encoded on the wire.
pub mod list {
    /// Earliest creation, inclusive. Without it the provider lists the last week only.
    pub const CREATED_FROM: &str = "createTime>";
    /// Latest creation, inclusive.
    pub const CREATED_UNTIL: &str = "createTime<";
    /// `OUTBOUND` or `INBOUND`.
    pub const DIRECTION: &str = "direction";
    /// Rows of a page.
    pub const PAGE_SIZE: &str = "pageSize";
    /// Page, counted from 1.
    pub const PAGE: &str = "page";
}

/// Path segments below the project.
pub mod path {
    /// Faxes.
    pub const FAXES: &str = "faxes";
    /// Document of a fax.
    pub const FILE: &str = "file";
    /// Document of a fax, as some versions of the documentation spell it.
    pub const FILE_PDF: &str = "file.pdf";
    /// Services.
    pub const SERVICES: &str = "services";
}

/// Parts of a multipart callback, and members of one in JSON.
pub mod callback {
    /// What happened; in multipart it may be a JSON text with its quotes.
    pub const EVENT: &str = "event";
    /// When, RFC 3339.
    pub const EVENT_TIME: &str = "eventTime";
    /// The fax object; in multipart JSON text, which may come as a file.
    pub const FAX: &str = "fax";
    /// The document: bytes in multipart, base64 in JSON.
    pub const FILE: &str = "file";
    /// Documents of earlier versions: a list of `file` and `fileType`.
    pub const FILES: &str = "files";
    /// Type of the document in JSON, `PDF`.
    pub const FILE_TYPE: &str = "fileType";
}
