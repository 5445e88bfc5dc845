//! Records: one byte of format, then JSON.
//!
//! JSON evolves by itself: a new field carries `#[serde(default)]` and old records still read. The format byte
//! is for the day when that isn't enough.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// The format written today.
const FORMAT: u8 = 1;

/// Something kept as a record.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// What errors call it.
    const NAME: &'static str;
}

/// Writes a record.
pub(crate) fn encode<T: Record>(value: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(1024);
    bytes.push(FORMAT);
    serde_json::to_writer(&mut bytes, value).map_err(|error| StoreError::damaged(T::NAME, &error))?;
    Ok(bytes)
}

/// Reads a record of any format so far.
pub(crate) fn decode<T: Record>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&FORMAT, json)) => {
            serde_json::from_slice(json).map_err(|error| StoreError::damaged(T::NAME, &error))
        }
        Some((&version, _)) => Err(StoreError::UnknownFormat {
            what: T::NAME,
            version,
        }),
        None => Err(StoreError::Damaged {
            what: T::NAME,
            reason: "it is empty".to_owned(),
        }),
    }
}

macro_rules! records {
    ($($record:ty => $name:literal),* $(,)?) => {$(
        impl Record for $record {
            const NAME: &'static str = $name;
        }
    )*};
}

records! {
    faxgate_domain::job::Job => "job",
    faxgate_domain::event::TimelineEntry => "timeline",
    faxgate_domain::access::ApiKey => "key",
    faxgate_domain::inbound::InboundFax => "received fax",
    crate::decide::retention::IdempotencyRow => "idempotency",
    crate::redb::meta::Counters => "counter",
}
