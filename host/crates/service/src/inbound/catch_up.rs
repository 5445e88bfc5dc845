//! Fetching received faxes that the provider could not deliver while the service was down.

use jiff::Timestamp;

use super::receive::{Received, not_yet};
use crate::{App, Error};

/// What a look at the provider's list of received faxes brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Faxes that were not known.
    pub taken: usize,
    /// Faxes that could not be taken in yet.
    pub failed: usize,
}

impl App {
    /// Asks the provider for faxes it received since `since` and takes in those we don't have: what was delivered
    /// while the server was down becomes known without waiting for the provider's next try.
    ///
    /// # Errors
    /// When the provider gives no answer.
    pub async fn catch_up(&self, since: Timestamp) -> Result<CaughtUp, Error> {
        let until = self.parts.clock.now();
        let mut caught = CaughtUp::default();
        for fax in self.parts.phaxio.received(since, until).await.map_err(not_yet)? {
            let Some(received) = fax.as_received() else {
                continue;
            };
            match self.receive(received, None, None).await {
                Ok(Received::New) => caught.taken += 1,
                Ok(Received::Known | Received::Ignored) => {}
                Err(error) => {
                    caught.failed += 1;
                    tracing::warn!(%error, "a received fax could not be fetched yet");
                }
            }
        }
        Ok(caught)
    }
}
