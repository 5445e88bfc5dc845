//! The request that is being worked on, for the log lines written meanwhile.
//!
//! A span of the tracing library would do the same; it is registered, formatted and entered anew for each request, which
//! takes longer than a short answer. Here the id is kept as it came, and only a line that is written writes it.

use std::fmt::{self, Write};

use http::HeaderValue;

use super::trace::Context;

tokio::task_local! {
    static CURRENT: Scope;
}

/// A request's names.
#[derive(Debug, Clone)]
pub struct Scope {
    id: HeaderValue,
    trace: Option<Context>,
}

impl Scope {
    /// Of the request with this id, which may be part of a trace.
    #[must_use]
    pub fn new(id: HeaderValue, trace: Option<Context>) -> Self {
        Self { id, trace }
    }

    /// Runs `work`: the lines that it logs name this request.
    pub fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self, work)
    }

    /// As [`Self::around`], for what doesn't wait.
    pub fn within<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    /// Writes the names of the request under way, if there is one, each as `write` does it.
    pub(super) fn write_current<W: Write>(
        writer: &mut W,
        write: impl FnOnce(&mut W, &[(&str, &str)]) -> fmt::Result,
    ) -> fmt::Result {
        let written = CURRENT.try_with(|scope| {
            let id = ("id", scope.id.to_str().unwrap_or_default());
            match scope.trace {
                None => write(writer, &[id]),
                Some(context) => {
                    let (trace, span) = (context.trace(), context.span());
                    write(writer, &[id, ("trace_id", &trace), ("span_id", &span)])
                }
            }
        });
        // Outside of a request there is nothing to write.
        written.unwrap_or(Ok(()))
    }
}
