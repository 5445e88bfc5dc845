//! Receiving faxes: verified before anything is kept, durable before it is acknowledged, one record each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Serialize;

use super::callbacks::signed_url;
use super::documents::Stored;
use super::{Actor, App, Error, InboundView, Incoming, Page, Upload};
use faxgate_artifacts::Kind;
use faxgate_base::clock::after;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::code::Code;
use faxgate_domain::document::{MAX_PAGES, MAX_ROWS, MediaType};
use faxgate_domain::ids::InboundId;
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::link::LinkPurpose;
use faxgate_domain::provider::{CallbackEvent, ReceivedFax};
use faxgate_domain::scope::Scope;
use faxgate_policy::{ConvertLimits, ConvertOptions, DeliveryKind, Part};
use faxgate_provider::phaxio::LookupError;
use faxgate_store::{CreatedInbound, InboundFilter, NewInbound, PageOf};
use faxgate_telemetry::metrics as names;

/// Owner of what arrives when no number has a route: everybody with the scope sees it.
const UNROUTED: &str = "";
/// Owner of what arrives at a number without a route when others have one.
const OWNER: &str = "inbound";
/// Largest document the provider may send us: its own limit for one request.
const MAX_DOCUMENT_BYTES: u64 = 20 << 20;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A new fax.
    New,
    /// One that we have.
    Known,
    /// Nothing to keep.
    Ignored,
}

/// What a look at the provider's list of received faxes brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Faxes that were not known.
    pub taken: usize,
    /// Faxes that could not be taken in yet.
    pub failed: usize,
}

/// A link to a received document.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    /// The address with its token.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Which received faxes.
#[derive(Debug, Clone, Default)]
pub struct InboundQuery {
    /// Called number.
    pub to: Option<String>,
    /// Number of the sender.
    pub from: Option<String>,
    /// State.
    pub status: Option<InboundStatus>,
    /// Received after.
    pub received_after: Option<Timestamp>,
    /// Which part.
    pub page: Page,
}

impl App {
    /// Takes a delivery of a received fax. Answers only when record and document are durable, so that any
    /// failure makes the provider deliver again.
    ///
    /// # Errors
    /// [`Code::NotFound`] when receiving is off, [`Code::BadSignature`], [`Code::Unavailable`].
    pub async fn inbound_callback(&self, incoming: Incoming) -> Result<Received, Error> {
        let config = self.config();
        if !config.inbound.enabled {
            return Err(Error::new(
                Code::NotFound,
                "receiving is switched off: set INBOUND_ENABLED=true",
            ));
        }
        let url = signed_url(&config.public("/phaxio-inbound"), &incoming.raw_query);
        let verdict = self
            .judge(
                &incoming,
                DeliveryKind::Inbound,
                url,
                config.inbound.verify_signature,
            )
            .await?;
        let mut outcome = Received::Ignored;
        for event in verdict.unwrap_or_default() {
            if let CallbackEvent::Received(fax) = event {
                let document = fax.document.and_then(|index| incoming.files.get(index));
                let content = document.map(|file| &file.content);
                outcome = self.receive(*fax, content, incoming.address).await?;
            }
        }
        let word = match outcome {
            Received::New => "new",
            Received::Known => "repeated",
            Received::Ignored => "ignored",
        };
        metrics::counter!(names::INBOUND, "outcome" => word).increment(1);
        Ok(outcome)
    }

    /// Keeps a received fax: with the document that came along, or one fetched from the provider.
    /// `from` is the address of whoever delivered it.
    pub(super) async fn receive(
        &self,
        fax: ReceivedFax,
        upload: Option<&Upload>,
        from: Option<IpAddr>,
    ) -> Result<Received, Error> {
        if self
            .parts
            .store
            .inbound_by_provider_id(&fax.provider_id)
            .await?
            .is_some()
        {
            return Ok(Received::Known);
        }
        let now = self.parts.clock.now();
        let id = InboundId(self.parts.ids.next(now));
        let fetched = match upload {
            None if fax.success => Some(self.fetch(&fax.provider_id).await?),
            _ => None,
        };
        let (stored, pages) = match upload.or(fetched.as_ref()) {
            Some(document) => {
                let pages = self.count_pages(document.bytes().await?).await;
                (
                    Some(self.keep_upload(Kind::Inbound, id.0, document).await?),
                    pages,
                )
            }
            None => (None, None),
        };
        let from = from.map(|address| address.to_string());
        let audit = AuditEntry::new(now, "provider", "inbound.received", id).from(from);
        self.record_inbound(id, fax, stored, pages, audit).await
    }

    async fn record_inbound(
        &self,
        id: InboundId,
        fax: ReceivedFax,
        stored: Option<Stored>,
        pages: Option<u32>,
        audit: AuditEntry,
    ) -> Result<Received, Error> {
        let now = audit.at;
        let config = self.config();
        let owner = owner(&config.inbound.routes, fax.called.as_deref());
        let record = InboundFax {
            id,
            provider_id: fax.provider_id,
            owner,
            from: fax.sender,
            to: fax.called,
            status: if fax.success {
                InboundStatus::Received
            } else {
                InboundStatus::Failed
            },
            error: fax.error,
            pages: pages.or(fax.pages),
            is_test: fax.is_test,
            artifact: stored.as_ref().map(|stored| stored.artifact.clone()),
            purged_at: None,
            received_at: fax.received_at.unwrap_or(now),
            created_at: now,
            expires_at: config.retention.inbound.map(|span| after(now, span)),
        };
        let document = stored.as_ref().and_then(|stored| stored.inline.clone());
        let created = self
            .parts
            .store
            .create_inbound(NewInbound {
                fax: record,
                document,
                audit,
            })
            .await;
        match created {
            Ok(CreatedInbound::New) => Ok(Received::New),
            // Two deliveries at once: the other one was first, and its document is the one that is kept.
            Ok(CreatedInbound::Known(_)) => {
                if let Some(stored) = &stored {
                    self.discard(stored).await;
                }
                Ok(Received::Known)
            }
            Err(error) => {
                // After any other failure the record may be there all the same: then the document has to be too,
                // and one without a record is collected later.
                if let (Some(stored), true) = (&stored, error.wrote_nothing()) {
                    self.discard(stored).await;
                }
                Err(error.into())
            }
        }
    }

    /// Fetches a document from the configured provider, never from an address that a body names.
    async fn fetch(&self, provider_id: &str) -> Result<Upload, Error> {
        let mut file = self
            .parts
            .phaxio
            .file(provider_id, MAX_DOCUMENT_BYTES)
            .await
            .map_err(not_yet)?;
        let mut sink = self.upload(MAX_DOCUMENT_BYTES);
        while let Some(chunk) = file.content.next().await {
            sink.write(&chunk.map_err(not_yet)?).await?;
        }
        sink.finish().await
    }

    /// Pages by our own count; none when the document can't be opened, since it is kept as it came anyway.
    async fn count_pages(&self, data: Bytes) -> Option<u32> {
        let media_type = MediaType::sniff(&data);
        let part = Part {
            data,
            media_type,
            file_name: None,
            attributes: Vec::new(),
        };
        let limits = ConvertLimits {
            max_pages: MAX_PAGES,
            max_bytes: MAX_DOCUMENT_BYTES,
            max_rows: MAX_ROWS,
        };
        let converted = self
            .parts
            .plugins
            .convert(vec![part], ConvertOptions::default(), limits)
            .await;
        converted.ok().map(|converted| converted.pages)
    }

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

    /// One received fax.
    ///
    /// # Errors
    /// [`Code::NotFound`], also for somebody else's.
    pub async fn inbound(&self, actor: &Actor, id: &str) -> Result<InboundView, Error> {
        Ok(InboundView::from(&self.visible_inbound(actor, id).await?))
    }

    /// A page of received faxes, newest first, and the marker of the next one.
    ///
    /// # Errors
    /// [`Code::BadCursor`].
    pub async fn inbounds(
        &self,
        actor: &Actor,
        query: InboundQuery,
    ) -> Result<(Vec<InboundView>, Option<String>), Error> {
        let all = actor.principal.scopes.allow(Scope::FaxReadAll);
        let filter = InboundFilter {
            owner: None,
            visible_to: (!all).then(|| actor.principal.owner.clone()),
            to: query.to,
            from: query.from,
            status: query.status,
            received_after: query.received_after,
        };
        let page = query.page.request()?;
        let found: PageOf<InboundFax> = self.parts.store.inbounds(&filter, &page).await?;
        let next = found.next.map(|cursor| cursor.to_string());
        Ok((found.items.iter().map(InboundView::from).collect(), next))
    }

    /// A short-lived link to a received document.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::Gone`] when it was destroyed.
    pub async fn inbound_link(&self, actor: &Actor, id: &str) -> Result<Link, Error> {
        let fax = self.visible_inbound(actor, id).await?;
        if fax.artifact.is_none() {
            return Err(super::documents::gone());
        }
        let config = self.config();
        let now = self.parts.clock.now();
        let expires_at = after(now, config.tokens.inbound_ttl);
        let id = fax.id.to_string();
        let token = self.parts.links.sign(LinkPurpose::InboundPdf, &id, expires_at);
        self.parts.store.record_later(actor.did(now, "inbound.link", &id));
        Ok(Link {
            url: config.public(&format!("/inbound/{id}/pdf?token={token}")),
            expires_at,
        })
    }

    pub(super) async fn visible_inbound(&self, actor: &Actor, id: &str) -> Result<InboundFax, Error> {
        let fax = self.known_inbound(id).await?;
        if fax.owner == UNROUTED || actor.principal.sees(&fax.owner) {
            Ok(fax)
        } else {
            Err(Error::not_found("received fax"))
        }
    }

    pub(super) async fn known_inbound(&self, id: &str) -> Result<InboundFax, Error> {
        let id: InboundId = id.parse().map_err(|_| Error::not_found("received fax"))?;
        self.parts
            .store
            .inbound(id)
            .await?
            .ok_or_else(|| Error::not_found("received fax"))
    }
}

/// Who owns a fax that arrived at `called`. The provider may leave the plus sign out, so digits are compared.
fn owner(routes: &BTreeMap<String, String>, called: Option<&str>) -> String {
    if routes.is_empty() {
        return UNROUTED.to_owned();
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let called = called.map(digits).unwrap_or_default();
    let route = routes.iter().find(|(number, _)| digits(number) == called);
    route.map_or_else(|| OWNER.to_owned(), |(_, owner)| owner.clone())
}

fn not_yet(error: LookupError) -> Error {
    Error {
        code: Code::Unavailable,
        detail: "the document can't be fetched from the provider yet: deliver again".to_owned(),
        retry_after: Some(Duration::from_secs(30)),
        source: Some(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_called_number_has_one_owner() {
        let routes = BTreeMap::from([("+12125550100".to_owned(), "clinic".to_owned())]);
        for called in ["+12125550100", "12125550100", "1 (212) 555-0100"] {
            assert_eq!(owner(&routes, Some(called)), "clinic", "{called}");
        }
        for called in [Some("+12125550101"), Some(""), None] {
            assert_eq!(owner(&routes, called), OWNER, "{called:?}");
            assert_eq!(owner(&BTreeMap::new(), called), UNROUTED);
        }
    }
}
