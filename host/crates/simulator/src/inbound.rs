//! Faxes that arrive.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::callback::{self, News, Style};
use super::pdf;
use super::record::{Direction, Failure, Fax};
use super::world::World;
use super::{Scheme, WebhookVersion};

/// A fax that arrives.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) to: String,
    pub(super) from: String,
    /// None for a reception that failed.
    pub(super) content: Option<Bytes>,
    pub(super) version: Option<WebhookVersion>,
    pub(super) scheme: Option<Scheme>,
    pub(super) callback_url: Option<String>,
    /// Whether the document comes with the callback.
    pub(super) with_file: bool,
    /// Deliveries at once, each with its retries; 0 for none.
    pub(super) copies: u32,
}

/// Takes a fax in and delivers it. Gives its id at once.
pub(super) fn arrive(world: &Arc<World>, arrival: Arrival) -> u64 {
    let now = world.now();
    let id = {
        let mut book = world.edit();
        let id = book.take_id();
        let mut fax = Fax::new(id, Direction::Received, now, world.config.test_account);
        fax.from = Some(arrival.from);
        fax.called = Some(arrival.to);
        fax.completed_at = Some(now);
        fax.taken_at = world.pace.now();
        match &arrival.content {
            Some(content) => {
                fax.status = "success".to_owned();
                fax.pages = pdf::pages(content).unwrap_or(1);
                fax.sha256 = Some(hex::encode(Sha256::digest(content)));
                fax.cost = 7 * i64::from(fax.pages);
            }
            None => {
                fax.status = "failure".to_owned();
                fax.error = Some(Failure::new("faxError", 117, "No pages received"));
            }
        }
        book.faxes.insert(id, fax);
        if let Some(content) = arrival.content {
            book.keep_content(id, content);
        }
        id
    };
    let Some(url) = arrival.callback_url.or_else(|| world.config.inbound_url.clone()) else {
        return id;
    };
    let style = Style {
        url,
        version: arrival.version.unwrap_or(world.config.webhook_version),
        scheme: arrival.scheme.unwrap_or(world.config.signature),
        with_file: arrival.with_file,
        event_type: None,
    };
    if let Some(fax) = world.fax(id) {
        let message = callback::message(world, &fax, News::Received, style);
        for _ in 0..arrival.copies {
            let (world_, message) = (Arc::clone(world), message.clone());
            world.spawn(async move {
                callback::send(&world_, id, message).await;
            });
        }
    }
    id
}
