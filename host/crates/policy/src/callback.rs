//! Slot `callback-policy`: the chain that judges a callback.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::FutureExt;
use wasmtime::component::Resource;

use super::Plugins;
use super::call::{CallError, Callee, Fault, Session, call};
use super::compile::Entry;
use super::convert;
use super::engine::Runtime;
use super::error::PolicyError;
use super::load::Plugin;
use super::types::{Delivery, Opinion, Slot};
use super::webhook::HostDelivery;
use faxgate_domain::provider::Verdict;

impl Plugins {
    /// Judges a callback: asks the policies in order until one decides. When nobody does, it is rejected.
    ///
    /// # Errors
    /// `Busy`, or `Failed` when a policy failed and its `on_error` is `deny`, or nobody after it decided. Never
    /// `Refused`: a rejection is a verdict.
    pub async fn evaluate(&self, delivery: Delivery) -> Result<Verdict, PolicyError<Infallible>> {
        let set = self.set();
        let delivery = Arc::new(delivery);
        let chain = set.chain(Slot::CallbackPolicy);
        if chain.is_empty() {
            return Err(PolicyError::Failed(Slot::CallbackPolicy.vacant()));
        }
        let mut vouched = None;
        let mut failed = None;
        for plugin in chain {
            match ask(self.runtime(), plugin, Arc::clone(&delivery), vouched.clone()).await {
                Ok(Opinion::Decided(verdict)) => return Ok(verdict),
                Ok(Opinion::Vouch(proof)) => vouched = Some(proof),
                Ok(Opinion::Pass) => {}
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
) -> Result<Opinion, CallError> {
    call(runtime, plugin, move |session, callee| {
        inside(session, callee, delivery, vouched).boxed()
    })
    .await
}

/// The inside of a call.
pub(super) async fn inside(
    session: &mut Session,
    callee: &Callee,
    delivery: Arc<Delivery>,
    vouched: Option<String>,
) -> Result<Opinion, Fault> {
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
    convert::opinion(verdict, files)
}
