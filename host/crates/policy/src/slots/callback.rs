//! Slot `callback-policy`: the chain that judges a callback.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::FutureExt;
use wasmtime::component::Resource;

use crate::Plugins;
use crate::error::PolicyError;
use crate::host::webhook::HostDelivery;
use crate::load::compile::Entry;
use crate::load::plugin::Plugin;
use crate::runtime::call::{CallTarget, Fault, Session};
use crate::runtime::engine::Runtime;
use crate::slots::call::{CallError, call};
use crate::slots::translate;
use crate::types::{Delivery, PolicyDecision, Slot};
use faxgate_domain::provider::Verdict;

impl Plugins {
    /// Judges a callback: asks the policies in order until one decides. When no plugin does, it is rejected.
    ///
    /// # Errors
    /// `Busy`, or `Failed` when a policy failed and its `on_error` is `deny`, or no plugin after it decided. Never
    /// `Refused`: a rejection is a verdict.
    pub async fn evaluate(&self, delivery: Delivery) -> Result<Verdict, PolicyError<Infallible>> {
        let set = self.set();
        let delivery = Arc::new(delivery);
        let chain = set.serving(Slot::CallbackPolicy)?;
        if chain.is_empty() {
            return Err(PolicyError::Failed(Slot::CallbackPolicy.no_plugin()));
        }
        let mut vouched = None;
        let mut failed = None;
        for plugin in chain {
            match ask(self.runtime(), plugin, Arc::clone(&delivery), vouched.clone()).await {
                Ok(PolicyDecision::Decided(verdict)) => return Ok(verdict),
                Ok(PolicyDecision::Vouch(proof)) => vouched = Some(proof),
                Ok(PolicyDecision::Pass) => {}
                Err(CallError::Busy) => return Err(PolicyError::Busy),
                Err(CallError::Failed(failure)) if plugin.next_on_error() => failed = Some(failure),
                Err(CallError::Failed(failure)) => return Err(PolicyError::Failed(failure)),
            }
        }
        match failed {
            Some(failure) => Err(PolicyError::Failed(failure)),
            None => Ok(Verdict::Reject("no callback policy recognises it".to_owned())),
        }
    }
}

/// Asks one policy.
async fn ask(
    runtime: &Arc<Runtime>,
    plugin: &Plugin,
    delivery: Arc<Delivery>,
    vouched: Option<String>,
) -> Result<PolicyDecision, CallError> {
    call(runtime, plugin, move |session, callee| {
        call_guest(session, callee, delivery, vouched).boxed()
    })
    .await
}

/// Makes the call in a fresh instance.
pub(crate) async fn call_guest(
    session: &mut Session,
    callee: &CallTarget,
    delivery: Arc<Delivery>,
    vouched: Option<String>,
) -> Result<PolicyDecision, Fault> {
    let Entry::Callback(pre) = &callee.prepared.entry else {
        return Err(Fault::BadAnswer("it is not a callback policy".to_owned()));
    };
    let files = delivery.files.len();
    let instance = pre.instantiate_async(&mut session.store).await?;
    let owned = session
        .store
        .data_mut()
        .table
        .push(HostDelivery { delivery, vouched });
    let owned = owned.map_err(wasmtime::Error::from)?;
    let lent = Resource::new_borrow(owned.rep());
    let verdict = instance
        .faxgate_policy_callback_policy()
        .call_evaluate(&mut session.store, lent)
        .await?;
    translate::opinion(verdict, files)
}
