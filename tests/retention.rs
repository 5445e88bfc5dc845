//! How long documents are kept, and that they are gone afterwards.

mod bucket;
mod bulk_expiry;
mod expiry;
mod storage_faults;
