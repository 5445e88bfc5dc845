//! Reading received faxes.

use jiff::Timestamp;
use serde::Serialize;

use super::receive::UNROUTED;
use crate::{Actor, App, Error, InboundView, Page};
use faxgate_base::clock::after;
use faxgate_domain::ids::InboundId;
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::link::LinkPurpose;
use faxgate_domain::scope::Scope;
use faxgate_store::{InboundFilter, PageOf};

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
    /// One received fax.
    ///
    /// # Errors
    /// `Code::NotFound`, also for somebody else's.
    pub async fn inbound(&self, actor: &Actor, id: &str) -> Result<InboundView, Error> {
        Ok(InboundView::from(&self.visible_inbound(actor, id).await?))
    }

    /// A page of received faxes, newest first, and the marker of the next one.
    ///
    /// # Errors
    /// `Code::BadCursor`.
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
    /// `Code::NotFound`; `Code::Gone` when it was destroyed.
    pub async fn inbound_link(&self, actor: &Actor, id: &str) -> Result<Link, Error> {
        let fax = self.visible_inbound(actor, id).await?;
        if fax.artifact.is_none() {
            return Err(crate::documents::gone());
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

    pub(crate) async fn visible_inbound(&self, actor: &Actor, id: &str) -> Result<InboundFax, Error> {
        let fax = self.known_inbound(id).await?;
        if fax.owner == UNROUTED || actor.principal.sees(&fax.owner) {
            Ok(fax)
        } else {
            Err(Error::not_found("received fax"))
        }
    }

    pub(crate) async fn known_inbound(&self, id: &str) -> Result<InboundFax, Error> {
        let id: InboundId = id.parse().map_err(|_| Error::not_found("received fax"))?;
        self.parts
            .store
            .inbound(id)
            .await?
            .ok_or_else(|| Error::not_found("received fax"))
    }
}
