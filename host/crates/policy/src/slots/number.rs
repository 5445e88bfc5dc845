//! Slot `number-normalizer`: the chain that reads a dialled string.

use futures_util::FutureExt;

use crate::Plugins;
use crate::error::{FailureKind, PluginFailure, PolicyError};
use crate::host::bindings::number::exports::faxgate::policy::number_normalizer as norm;
use crate::load::compile::Entry;
use crate::load::plugin::Plugin;
use crate::runtime::call::{CallTarget, Fault, Session};
use crate::runtime::engine::Runtime;
use crate::slots::call::{CallError, call};
use crate::slots::translate;
use crate::types::{NormalizedNumber, Slot};
use faxgate_domain::number::{Number, NumberError, NumberErrorKind};
use std::sync::Arc;

/// Bytes of a dialled string.
const RAW_BYTES: usize = 128;

/// The answer of one normalizer.
pub(crate) type Answer = Result<NormalizedNumber, NumberError>;

/// A dialled string on its way through the chain.
#[derive(Clone)]
pub(crate) struct DialledNumber {
    pub(crate) raw: String,
    pub(crate) region: String,
    pub(crate) strict: bool,
}

impl Plugins {
    /// Reads a dialled string: asks the normalizers in order until one decides. `region` is the ISO 3166-1 alpha-2
    /// code that national numbers belong to; `strict` refuses numbers that are not assigned.
    ///
    /// # Errors
    /// [`PolicyError::Refused`] with a sentence for the sender; `Busy`; or `Failed` when a normalizer failed and its
    /// `on_error` is `deny`, or no plugin after it decided.
    pub async fn normalize(
        &self,
        raw: &str,
        region: &str,
        strict: bool,
    ) -> Result<Number, PolicyError<NumberError>> {
        let set = self.set();
        let mut dialled = DialledNumber {
            raw: raw.trim().to_owned(),
            region: region.to_owned(),
            strict,
        };
        if dialled.raw.len() > RAW_BYTES {
            return Err(PolicyError::Refused(refusal(
                NumberErrorKind::NotANumber,
                "A number has at most 128 characters.",
            )));
        }
        let chain = set.serving(Slot::NumberNormalizer)?;
        if chain.is_empty() {
            return Err(PolicyError::Failed(Slot::NumberNormalizer.no_plugin()));
        }
        let mut failed = None;
        for plugin in chain {
            match ask(self.runtime(), plugin, dialled.clone()).await {
                Ok(Ok(NormalizedNumber::Dial(number))) if strict && !number.valid => {
                    return Err(PolicyError::Refused(refusal(
                        NumberErrorKind::NotAssigned,
                        "The number is not assigned in its numbering plan.",
                    )));
                }
                Ok(Ok(NormalizedNumber::Dial(number))) => return Ok(number),
                Ok(Ok(NormalizedNumber::Rewrite(text))) => dialled.raw = text,
                Ok(Ok(NormalizedNumber::Pass)) => {}
                Ok(Err(refusal)) => return Err(PolicyError::Refused(refusal)),
                Err(CallError::Busy) => return Err(PolicyError::Busy),
                Err(CallError::Failed(failure)) if plugin.next_on_error() => failed = Some(failure),
                Err(CallError::Failed(failure)) => return Err(PolicyError::Failed(failure)),
            }
        }
        Err(match failed {
            Some(failure) => PolicyError::Failed(failure),
            None => PolicyError::Refused(refusal(
                NumberErrorKind::NotANumber,
                "No rule of this gateway reads it as a number.",
            )),
        })
    }
}

/// Asks one normalizer.
pub(crate) async fn ask(
    runtime: &Arc<Runtime>,
    plugin: &Plugin,
    dialled: DialledNumber,
) -> Result<Answer, CallError> {
    call(runtime, plugin, move |session, callee| {
        call_guest(session, callee, dialled).boxed()
    })
    .await
}

/// Makes the call in a fresh instance.
pub(crate) async fn call_guest(
    session: &mut Session,
    callee: &CallTarget,
    dialled: DialledNumber,
) -> Result<Answer, Fault> {
    let Entry::Number(pre) = &callee.prepared.entry else {
        return Err(Fault::BadAnswer("it is not a normalizer".to_owned()));
    };
    let instance = pre.instantiate_async(&mut session.store).await?;
    let dialled = norm::Dialled {
        raw: dialled.raw,
        default_region: dialled.region,
        strict: dialled.strict,
        attributes: Vec::new(),
    };
    let guest = instance.faxgate_policy_number_normalizer();
    match guest.call_normalize(&mut session.store, &dialled).await? {
        Err(failure) => Ok(Err(translate::number_refusal(failure))),
        Ok(decision) => match translate::reading(decision)? {
            NormalizedNumber::Rewrite(text) => {
                let text = text.trim();
                if text.is_empty() || text.len() > RAW_BYTES {
                    return Err(Fault::BadAnswer(
                        "the rewritten string is empty or over 128 bytes".to_owned(),
                    ));
                }
                Ok(Ok(NormalizedNumber::Rewrite(text.to_owned())))
            }
            reading => Ok(Ok(reading)),
        },
    }
}

fn refusal(kind: NumberErrorKind, message: &str) -> NumberError {
    NumberError {
        kind,
        message: message.to_owned(),
    }
}

impl Slot {
    /// The failure of a slot that no plugin fills.
    pub(crate) fn no_plugin(self) -> PluginFailure {
        PluginFailure {
            plugin: self.as_str().to_owned(),
            kind: FailureKind::NoPlugin,
            cause: "no plugin is loaded for this slot".to_owned(),
        }
    }
}
