//! Slot `converter`: the chain that makes a document a fax.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use wasmtime::component::ResourceAny;

use crate::Plugins;
use crate::error::{PluginFailure, PolicyError};
use crate::host::bindings::converter::ConverterPlugin;
use crate::host::bindings::converter::exports::faxgate::policy::converter as conv;
use crate::load::compile::Entry;
use crate::load::plugin::{Plugin, sentence};
use crate::runtime::call::{CallTarget, Fault, Session};
use crate::slots::call::{CallError, call};
use crate::slots::translate;
use crate::types::{ConvertLimits, ConvertOptions, Converted, Part, Slot};
use faxgate_base::size;
use faxgate_domain::document::{Cover, DocumentError, DocumentErrorKind, MediaType, Paper};

/// Notes of one conversion.
const NOTES: usize = 64;

/// The answer of one converter.
pub(crate) type Answer = Result<Converted, DocumentError>;

/// What a converter is asked to open.
#[derive(Clone)]
pub(crate) struct ConversionRequest {
    pub(crate) parts: Arc<Vec<Part>>,
    pub(crate) paper: Paper,
    pub(crate) limits: ConvertLimits,
    /// Whether the document was opened before, and only its pages are to be drawn.
    pub(crate) checked: bool,
    /// Bytes that the plugin's own limit allows.
    pub(crate) max_output: u64,
}

/// A converter instance with an open document.
pub(crate) struct OpenDocument {
    pub(crate) instance: ConverterPlugin,
    pub(crate) document: ResourceAny,
    pub(crate) pages: u32,
}

impl Plugins {
    /// Makes one PDF of the parts. Each part goes through the chain on its own, where `unsupported` lets the next
    /// converter be asked; several are then joined by the first converter that opens all their PDFs together.
    ///
    /// # Errors
    /// [`PolicyError::Refused`] with a sentence for the sender; `Busy`; or `Failed`.
    pub async fn convert(
        &self,
        parts: Vec<Part>,
        options: ConvertOptions,
        limits: ConvertLimits,
    ) -> Result<Converted, PolicyError<DocumentError>> {
        if parts.len() <= 1 && options.cover.is_none() {
            return self.convert_chain(parts, options.paper, limits).await;
        }
        let mut joined = Vec::with_capacity(parts.len() + 1);
        let mut notes = Vec::new();
        let mut pages = 0_u32;
        for part in parts {
            pages = pages.saturating_add(
                self.convert_part(part, &options, limits, &mut joined, &mut notes)
                    .await?,
            );
        }
        if let Some((cover, date)) = &options.cover
            && !joined.is_empty()
        {
            let cover = cover_part(cover, date, pages);
            self.convert_part(cover, &options, limits, &mut joined, &mut notes)
                .await?;
            // It is made last, when the number of pages is known, and comes first.
            joined.rotate_right(1);
        }
        let mut whole = self.convert_chain(joined, options.paper, limits).await?;
        notes.append(&mut whole.notes);
        notes.truncate(NOTES);
        whole.notes = notes;
        Ok(whole)
    }

    /// Makes a PDF of one of several parts; answers its pages.
    async fn convert_part(
        &self,
        part: Part,
        options: &ConvertOptions,
        limits: ConvertLimits,
        joined: &mut Vec<Part>,
        notes: &mut Vec<String>,
    ) -> Result<u32, PolicyError<DocumentError>> {
        let file_name = part.file_name.clone();
        let one = self.convert_chain(vec![part], options.paper, limits).await?;
        notes.extend(one.notes);
        joined.push(Part {
            data: one.pdf,
            media_type: MediaType::Pdf,
            file_name,
            attributes: Vec::new(),
        });
        Ok(one.pages)
    }

    async fn convert_chain(
        &self,
        parts: Vec<Part>,
        paper: Paper,
        limits: ConvertLimits,
    ) -> Result<Converted, PolicyError<DocumentError>> {
        if parts.is_empty() {
            return Err(PolicyError::Refused(DocumentError {
                kind: DocumentErrorKind::Empty,
                message: "There is no document.".to_owned(),
            }));
        }
        let parts = Arc::new(parts);
        let set = self.set();
        let mut chain = Chain::default();
        for plugin in set.serving(Slot::Converter)? {
            let order = ConversionRequest {
                parts: Arc::clone(&parts),
                paper,
                limits,
                checked: false,
                max_output: plugin.config.max_output,
            };
            let answer = call(self.runtime(), plugin, move |session, callee| {
                call_guest(session, callee, order).boxed()
            })
            .await;
            if let Some(end) = chain.record_answer(plugin, answer) {
                return end;
            }
        }
        Err(chain.no_plugin())
    }
}

/// A cover page as a document of its own kind: the message is its content, the lines are attributes.
fn cover_part(cover: &Cover, date: &str, pages: u32) -> Part {
    let lines = [
        ("to", cover.to.as_str()),
        ("from", cover.from.as_str()),
        ("subject", cover.subject.as_str()),
        ("date", date),
        ("pages-after", &pages.to_string()),
    ];
    Part {
        data: Bytes::from(cover.message.clone()),
        media_type: MediaType::Cover,
        file_name: None,
        attributes: lines
            .into_iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
    }
}

/// The answers of the converters asked so far, while none of them decided.
#[derive(Default)]
pub(crate) struct Chain {
    unsupported: Option<DocumentError>,
    failed: Option<PluginFailure>,
}

impl Chain {
    /// Takes note of an answer; some result when the chain ends with it.
    pub(crate) fn record_answer<T>(
        &mut self,
        plugin: &Plugin,
        answer: Result<Result<T, DocumentError>, CallError>,
    ) -> Option<Result<T, PolicyError<DocumentError>>> {
        match answer {
            Ok(Ok(done)) => return Some(Ok(done)),
            Ok(Err(refusal)) if refusal.kind == DocumentErrorKind::Unsupported => {
                // The last one is the built-in converter, whose sentence names the formats it reads.
                self.unsupported = Some(refusal);
            }
            Ok(Err(refusal)) => return Some(Err(PolicyError::Refused(refusal))),
            Err(CallError::Busy) => return Some(Err(PolicyError::Busy)),
            Err(CallError::Failed(failure)) if plugin.next_on_error() => self.failed = Some(failure),
            Err(CallError::Failed(failure)) => return Some(Err(PolicyError::Failed(failure))),
        }
        None
    }

    /// The result when no plugin decided. A failure counts more than `unsupported`: who failed might have read it.
    pub(crate) fn no_plugin(self) -> PolicyError<DocumentError> {
        match (self.failed, self.unsupported) {
            (Some(failure), _) => PolicyError::Failed(failure),
            (None, Some(refusal)) => PolicyError::Refused(refusal),
            (None, None) => PolicyError::Failed(Slot::Converter.no_plugin()),
        }
    }
}

/// One conversion: open, pages, notes and PDF in one instance.
pub(crate) async fn call_guest(
    session: &mut Session,
    callee: &CallTarget,
    order: ConversionRequest,
) -> Result<Answer, Fault> {
    let opened = match open(session, callee, &order).await? {
        Ok(opened) => opened,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let guest = opened.instance.faxgate_policy_converter();
    let document = guest.document();
    let notes = document.call_notes(&mut session.store, opened.document).await?;
    if notes.len() > NOTES {
        return Err(Fault::BadAnswer(format!("more than {NOTES} notes")));
    }
    session.next_step();
    let pdf = match document.call_pdf(&mut session.store, opened.document).await? {
        Ok(pdf) => pdf,
        Err(failure) => return Ok(Err(translate::document_refusal(failure))),
    };
    let pdf = match (pdf, order.parts.as_slice()) {
        (Some(pdf), _) => Bytes::from(pdf),
        (None, [only]) if only.media_type == MediaType::Pdf => only.data.clone(),
        (None, _) => {
            return Err(Fault::BadAnswer(
                "it answered no PDF for something else than one PDF".to_owned(),
            ));
        }
    };
    if let Some(refusal) = too_large(pdf.len() as u64, &order)? {
        return Ok(Err(refusal));
    }
    if MediaType::sniff(&pdf) != MediaType::Pdf {
        return Err(Fault::BadAnswer("what it answered is not a PDF".to_owned()));
    }
    Ok(Ok(Converted {
        pdf,
        pages: opened.pages,
        notes: notes
            .iter()
            .map(|note| sentence(note))
            .filter(|note| !note.is_empty())
            .collect(),
        plugin: callee.identity.name.clone(),
    }))
}

/// Instantiates a converter and opens the parts.
pub(crate) async fn open(
    session: &mut Session,
    callee: &CallTarget,
    order: &ConversionRequest,
) -> Result<Result<OpenDocument, DocumentError>, Fault> {
    let Entry::Converter(pre) = &callee.prepared.entry else {
        return Err(Fault::BadAnswer("it is not a converter".to_owned()));
    };
    let instance = pre.instantiate_async(&mut session.store).await?;
    let guest = instance.faxgate_policy_converter();
    let parts: Vec<conv::Part> = order.parts.iter().map(translate::part).collect();
    let mut options = vec![(
        "page-size".to_owned(),
        translate::paper_name(order.paper).to_owned(),
    )];
    if order.checked {
        options.push(("checked".to_owned(), "true".to_owned()));
    }
    let limits = conv::Limits {
        max_pages: order.limits.max_pages,
        max_bytes: order.limits.max_bytes,
        max_rows: order.limits.max_rows,
    };
    let opened = guest
        .document()
        .call_open(&mut session.store, &parts, &options, limits)
        .await?;
    drop(parts);
    let document = match opened {
        Ok(document) => document,
        Err(failure) => return Ok(Err(translate::document_refusal(failure))),
    };
    let pages = guest.document().call_pages(&mut session.store, document).await?;
    if pages == 0 || pages > order.limits.max_pages {
        return Err(Fault::BadAnswer(format!("it opened a document of {pages} pages")));
    }
    Ok(Ok(OpenDocument {
        instance,
        document,
        pages,
    }))
}

/// A PDF over the sender's limit is refused; one over the plugin's own limit is its failure.
fn too_large(bytes: u64, order: &ConversionRequest) -> Result<Option<DocumentError>, Fault> {
    if bytes > order.limits.max_bytes {
        return Ok(Some(DocumentError {
            kind: DocumentErrorKind::TooLarge,
            message: format!(
                "The document comes to {} as a PDF and the limit is {}.",
                size::human(bytes),
                size::human(order.limits.max_bytes)
            ),
        }));
    }
    if bytes > order.max_output {
        return Err(Fault::BadAnswer(format!(
            "its answer has {}, over max_output_mb",
            size::human(bytes)
        )));
    }
    Ok(None)
}
