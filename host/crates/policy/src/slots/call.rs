//! A call of a plugin of the set: waits for a permit, runs the call, counts and logs its outcome.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::error::PluginFailure;
use crate::load::plugin::Plugin;
use crate::runtime::call::{CallTarget, Fault, Session, run};
use crate::runtime::engine::{Permit, Runtime};

/// A call that gave no answer.
#[derive(Debug)]
pub(crate) enum CallError {
    /// No instance came free.
    Busy,
    /// The plugin failed.
    Failed(PluginFailure),
}

/// Calls a plugin that serves: waits for a permit, runs, counts and logs.
pub(crate) async fn call<T, F>(runtime: &Arc<Runtime>, plugin: &Plugin, work: F) -> Result<T, CallError>
where
    T: Send + 'static,
    F: for<'a> FnOnce(&'a mut Session, &'a CallTarget) -> BoxFuture<'a, Result<T, Fault>> + Send + 'static,
{
    let Ok(permit) = runtime.admit(plugin.callee.next_placement()).await else {
        plugin.count("busy");
        return Err(CallError::Busy);
    };
    call_with(runtime, plugin, permit, work).await
}

/// As [`call`], with the permit already there.
pub(crate) async fn call_with<T, F>(
    runtime: &Arc<Runtime>,
    plugin: &Plugin,
    permit: Permit,
    work: F,
) -> Result<T, CallError>
where
    T: Send + 'static,
    F: for<'a> FnOnce(&'a mut Session, &'a CallTarget) -> BoxFuture<'a, Result<T, Fault>> + Send + 'static,
{
    let ended = run(runtime, &plugin.callee, plugin.budget, Some(permit), work).await;
    plugin.record(&ended);
    ended.outcome.map_err(CallError::Failed)
}
