//! Drawing a fax as the far machine will print it.

use std::ops::Range;

use super::{OpenDocument, gone, not_converted};
use crate::{Actor, App, Error};
use faxgate_domain::code::Code;
use faxgate_domain::document::{FaxPage, RenderOptions, Resolution};
use faxgate_domain::job::Job;
use faxgate_policy::image::{png, tiff};

impl App {
    /// What the far machine will print: a multi-page Group 4 TIFF, at another resolution than the fax is sent with
    /// when one is named.
    ///
    /// # Errors
    /// As [`App::read`], and when a page can't be drawn.
    pub async fn tiff(
        &self,
        actor: &Actor,
        id: &str,
        resolution: Option<Resolution>,
    ) -> Result<Vec<u8>, Error> {
        let job = self.visible_job(actor, id).await?;
        let pages = self
            .draw(actor, &job, 0..job.pages.unwrap_or(1), resolution)
            .await?;
        Ok(tiff::write(&pages))
    }

    /// One page, counted from 1, as the far machine will print it, as a PNG for people.
    ///
    /// # Errors
    /// As [`App::tiff`]; [`Code::NotFound`] beyond the last page.
    pub async fn preview(&self, actor: &Actor, id: &str, page: u32) -> Result<Vec<u8>, Error> {
        let job = self.visible_job(actor, id).await?;
        let last = job.pages.unwrap_or(1);
        if page == 0 || page > last {
            return Err(Error::new(
                Code::NotFound,
                format!("the fax has no such page: ask for 1 to {last}"),
            ));
        }
        let drawn = self.draw(actor, &job, page - 1..page, None).await?;
        let png = drawn.first().and_then(png::write);
        png.ok_or_else(|| Error::internal("a converter drew a page that can't be decoded"))
    }

    /// Draws pages of a fax as its sender asked for.
    async fn draw(
        &self,
        actor: &Actor,
        job: &Job,
        pages: Range<u32>,
        resolution: Option<Resolution>,
    ) -> Result<Vec<FaxPage>, Error> {
        let artifact = job.artifact.clone().ok_or_else(gone)?;
        let document = OpenDocument::new(job.id.0, artifact);
        let pdf = self.read_all(&document).await?;
        let options = RenderOptions {
            resolution: resolution.unwrap_or(job.options.render.resolution),
            ..job.options.render
        };
        let drawn = self.parts.plugins.render(pdf, pages, options).await;
        let drawn = drawn.map_err(not_converted)?;
        let read = actor.did(self.parts.clock.now(), "document.read", job.id);
        self.parts.store.record_later(read);
        Ok(drawn)
    }
}
