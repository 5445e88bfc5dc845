//! Drawing pages: several instances side by side, each with the document open, taking the next page until none is
//! left.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::try_join_all;

use crate::Plugins;
use crate::error::{FailureKind, PluginFailure, PolicyError};
use crate::load::plugin::Plugin;
use crate::runtime::call::{CallTarget, Fault, Session};
use crate::runtime::engine::{Permit, Placement};
use crate::slots::call::{CallError, call_with};
use crate::slots::converter::{Chain, ConversionRequest, open};
use crate::slots::translate;
use crate::types::{ConvertLimits, Part, Slot};
use faxgate_domain::document::{DocumentError, FaxPage, MAX_PAGES, MediaType, RenderOptions};

/// Rows of one page: twice the longest paper at the finer resolution, far from what memory could not hold.
const MAX_ROWS: u32 = 4600;

pub(crate) type Pages = BTreeMap<u32, FaxPage>;

/// Pages to draw, shared by the instances that draw them.
#[derive(Clone)]
pub(crate) struct RenderQueue {
    order: ConversionRequest,
    pages: Range<u32>,
    raster: RenderOptions,
    next: Arc<AtomicU32>,
}

/// Why drawing ended early.
enum RenderError {
    Error(CallError),
    Refusal(DocumentError),
}

impl Plugins {
    /// Draws pages `pages` (from 0) of a PDF that was converted before as the far machine will print them. Each instance opens the document
    /// once; the deadline counts for each page.
    ///
    /// # Errors
    /// [`PolicyError::Refused`] when the document can't be drawn; `Busy`; or `Failed`.
    pub async fn render(
        &self,
        pdf: Bytes,
        pages: Range<u32>,
        raster: RenderOptions,
    ) -> Result<Vec<FaxPage>, PolicyError<DocumentError>> {
        if pages.is_empty() {
            return Ok(Vec::new());
        }
        let parts = Arc::new(vec![Part {
            data: pdf,
            media_type: MediaType::Pdf,
            file_name: None,
            attributes: Vec::new(),
        }]);
        let set = self.set();
        let mut chain = Chain::default();
        for plugin in set.serving(Slot::Converter)? {
            let work = RenderQueue {
                order: ConversionRequest {
                    parts: Arc::clone(&parts),
                    paper: raster.paper,
                    limits: ConvertLimits {
                        max_pages: MAX_PAGES,
                        max_bytes: u64::MAX,
                        max_rows: MAX_ROWS,
                    },
                    checked: true,
                    max_output: plugin.config.max_output,
                },
                pages: pages.clone(),
                raster,
                next: Arc::new(AtomicU32::new(pages.start)),
            };
            let answer = self.render_with(plugin, work).await;
            if let Some(end) = chain.record_answer(plugin, answer) {
                return end;
            }
        }
        Err(chain.no_plugin())
    }

    async fn render_with(
        &self,
        plugin: &Plugin,
        work: RenderQueue,
    ) -> Result<Result<Vec<FaxPage>, DocumentError>, CallError> {
        let runtime = self.runtime();
        let first = runtime
            .admit(Placement::Blocking)
            .await
            .map_err(|_| CallError::Busy)?;
        let mut permits: Vec<Permit> = vec![first];
        // More instances only where there are cores and free places: opening the document costs each of them.
        let useful = runtime.cores().min(work.pages.len());
        while permits.len() < useful
            && let Some(permit) = runtime.admit_now()
        {
            permits.push(permit);
        }
        let calls = permits.into_iter().map(async |permit| {
            let work = work.clone();
            let answer = call_with(runtime, plugin, permit, move |session, callee| {
                call_guest(session, callee, work).boxed()
            });
            answer
                .await
                .map_err(RenderError::Error)?
                .map_err(RenderError::Refusal)
        });
        // The first that can't go on ends the others.
        let drawn: Pages = match try_join_all(calls).await {
            Ok(shares) => shares.into_iter().flatten().collect(),
            Err(RenderError::Error(error)) => return Err(error),
            Err(RenderError::Refusal(refusal)) => return Ok(Err(refusal)),
        };
        if drawn.len() == work.pages.len() {
            return Ok(Ok(drawn.into_values().collect()));
        }
        Err(CallError::Failed(PluginFailure {
            plugin: plugin.name().to_owned(),
            kind: FailureKind::BadAnswer,
            cause: "the document has fewer pages than before".to_owned(),
        }))
    }
}

impl RenderQueue {
    /// Every page of a document.
    pub(crate) fn all(order: ConversionRequest, raster: RenderOptions) -> Self {
        Self {
            order,
            pages: 0..u32::MAX,
            raster,
            next: Arc::new(AtomicU32::new(0)),
        }
    }
}

/// The part of the work that one instance does.
pub(crate) async fn call_guest(
    session: &mut Session,
    callee: &CallTarget,
    work: RenderQueue,
) -> Result<Result<Pages, DocumentError>, Fault> {
    let opened = match open(session, callee, &work.order).await? {
        Ok(opened) => opened,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let guest = opened.instance.faxgate_policy_converter();
    let end = work.pages.end.min(opened.pages);
    let mut drawn = Pages::new();
    let mut bytes = 0_u64;
    loop {
        let index = work.next.fetch_add(1, Ordering::Relaxed);
        if index >= end {
            return Ok(Ok(drawn));
        }
        session.next_step();
        let asked = translate::raster(work.raster);
        let page = guest
            .document()
            .call_render(&mut session.store, opened.document, index, &asked)
            .await?;
        let page = match page {
            Ok(page) => translate::fax_page(page, work.raster, MAX_ROWS)?,
            Err(failure) => return Ok(Err(translate::document_refusal(failure))),
        };
        bytes = bytes.saturating_add(page.g4.len() as u64);
        if bytes > work.order.max_output {
            return Err(Fault::BadAnswer("its pages exceed max_output_mb".to_owned()));
        }
        drawn.insert(index, page);
    }
}
