//! Receiving a fax: the delivery is verified before anything is stored, and acknowledged once it is durable.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;

use crate::callbacks::{Incoming, signed_url};
use crate::documents::Stored;
use crate::{App, Error, Upload};
use faxgate_artifacts::Kind;
use faxgate_base::clock::after;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::code::Code;
use faxgate_domain::document::{MAX_PAGES, MAX_ROWS, MediaType};
use faxgate_domain::ids::InboundId;
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::provider::{CallbackEvent, ReceivedFax};
use faxgate_policy::{ConvertLimits, ConvertOptions, DeliveryKind, Part};
use faxgate_provider::phaxio::LookupError;
use faxgate_store::{CreatedInbound, NewInbound};
use faxgate_telemetry::metrics as names;

/// Owner of received faxes when no number has a route: every key with the scope sees them.
pub(super) const UNROUTED: &str = "";
/// Owner of faxes received at a number without a route when other numbers have one.
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

impl App {
    /// Takes a delivery of a received fax. Answers only when record and document are durable, so that any
    /// failure makes the provider deliver again.
    ///
    /// # Errors
    /// [`Code::NotFound`] when receiving is off, [`Code::BadSignature`], [`Code::Unavailable`].
    pub async fn inbound_callback(&self, mut incoming: Incoming) -> Result<Received, Error> {
        let config = self.config();
        if !config.inbound.enabled {
            return Err(Error::new(
                Code::NotFound,
                "receiving is switched off: set INBOUND_ENABLED=true",
            ));
        }
        let url = signed_url(&config.public("/phaxio-inbound"), &incoming.raw_query);
        let verdict = self
            .evaluate_callback(
                &mut incoming,
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
    pub(crate) async fn receive(
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

/// The answer when the provider does not hand out a document: a failure makes it deliver again.
pub(super) fn not_yet(error: LookupError) -> Error {
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
