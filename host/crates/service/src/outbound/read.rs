//! Reading faxes that are sent.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{Actor, App, Error, FaxJob, TimelineView};
use faxgate_domain::code::Code;
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, PublicStatus};
use faxgate_domain::number::E164;
use faxgate_domain::scope::Scope;
use faxgate_store::{CachedJob, Cursor, JobFilter, PageOf, PageRequest};

/// Most items of one page.
const MAX_PAGE: usize = 200;
/// Items of a page when nobody says.
const DEFAULT_PAGE: usize = 50;

/// A part of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Most items, 1 to 200; 50 when none.
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Which faxes.
#[derive(Debug, Clone, Default)]
pub struct FaxQuery {
    /// In this state.
    pub status: Option<PublicStatus>,
    /// To this number, as dialled.
    pub to: Option<String>,
    /// Accepted after.
    pub created_after: Option<Timestamp>,
    /// Accepted before.
    pub created_before: Option<Timestamp>,
    /// Which part.
    pub page: Page,
}

impl App {
    /// One fax: a [`FaxJob`] in JSON, written once for each state of it.
    ///
    /// # Errors
    /// [`Code::NotFound`], also for somebody else's.
    pub async fn fax(&self, actor: &Actor, id: &str) -> Result<Bytes, Error> {
        let json = |job: &Job| serde_json::to_vec(&FaxJob::from(job)).map(Bytes::from);
        let job = self.visible_job(actor, id).await?;
        job.rendered(json).map_err(Error::internal)
    }

    /// A page of faxes, newest first, and the marker of the next one.
    ///
    /// # Errors
    /// [`Code::BadCursor`], [`Code::BadNumber`].
    pub async fn faxes(
        &self,
        actor: &Actor,
        query: FaxQuery,
    ) -> Result<(Vec<FaxJob>, Option<String>), Error> {
        let all = actor.principal.scopes.allow(Scope::FaxReadAll);
        let filter = JobFilter {
            owner: (!all).then(|| actor.principal.owner.clone()),
            status: query.status,
            to: match &query.to {
                Some(raw) => Some(self.destination(raw, None).await?),
                None => None,
            },
            created_after: query.created_after,
            created_before: query.created_before,
        };
        let page = query.page.request()?;
        let found: PageOf<Job> = self.parts.store.jobs(&filter, &page).await?;
        let next = found.next.map(|cursor| cursor.to_string());
        Ok((found.items.iter().map(FaxJob::from).collect(), next))
    }

    /// The timeline of one fax.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn timeline(&self, actor: &Actor, id: &str) -> Result<Vec<TimelineView>, Error> {
        let job = self.visible_job(actor, id).await?;
        Ok(self
            .parts
            .store
            .timeline(job.id)
            .await?
            .into_iter()
            .map(TimelineView::from)
            .collect())
    }

    /// The job `id`, if `actor` may know of it. Unknown and foreign ids answer alike.
    pub(crate) async fn visible_job(&self, actor: &Actor, id: &str) -> Result<Arc<CachedJob>, Error> {
        let job = self.known_job(id).await?;
        if actor.principal.sees(&job.owner) {
            Ok(job)
        } else {
            Err(Error::not_found("fax"))
        }
    }

    /// The job `id`, if `actor` may change it.
    pub(crate) async fn own_job(&self, actor: &Actor, id: &str) -> Result<Arc<CachedJob>, Error> {
        let job = self.visible_job(actor, id).await?;
        if actor.principal.acts_for(&job.owner) {
            Ok(job)
        } else {
            Err(Error::new(
                Code::Forbidden,
                "this fax belongs to another owner: use a key of that owner, or one with the scope *",
            ))
        }
    }

    /// The job `id`.
    pub(crate) async fn known_job(&self, id: &str) -> Result<Arc<CachedJob>, Error> {
        let id: JobId = id.parse().map_err(|_| Error::not_found("fax"))?;
        self.parts
            .store
            .cached_job(id)
            .await?
            .ok_or_else(|| Error::not_found("fax"))
    }

    /// What the number policy makes of a dialled string.
    pub(crate) async fn destination(&self, raw: &str, region: Option<&str>) -> Result<E164, Error> {
        let config = self.config();
        let region = region.unwrap_or(&config.numbers.default_region);
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(Error::new(
                Code::BadNumber,
                "the number is empty: give it like +12125550100",
            ));
        }
        if raw.len() > MAX_NUMBER_BYTES {
            return Err(Error::new(
                Code::BadNumber,
                "the number is too long: give it like +12125550100",
            ));
        }
        let number = self
            .parts
            .plugins
            .normalize(raw, region, config.numbers.strict)
            .await?;
        Ok(number.e164)
    }
}

/// Longest dialled string in bytes; the longest number has 15 digits, the rest is spelling.
const MAX_NUMBER_BYTES: usize = 128;

impl Page {
    /// As the store wants it.
    pub(crate) fn request(&self) -> Result<PageRequest, Error> {
        let limit = self.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Error::new(
                Code::BadRequest,
                format!("limit goes from 1 to {MAX_PAGE}"),
            ));
        }
        let cursor = match &self.cursor {
            None => None,
            Some(text) => Some(text.parse::<Cursor>().map_err(|_| {
                Error::new(
                    Code::BadCursor,
                    "cursor is not one that this list gave: leave it out to begin anew",
                )
            })?),
        };
        Ok(PageRequest { limit, cursor })
    }
}
