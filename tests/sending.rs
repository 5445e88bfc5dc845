//! Faxes on their way out: from the upload to the end that the provider reports.

mod callbacks;
mod channels;
mod idempotency;
mod provider_client;
mod queue_order;
mod schedule;
mod send;
