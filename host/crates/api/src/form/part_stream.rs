//! The bytes of a multipart form on their way to its parser.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::Stream;
use parking_lot::Mutex;

/// Bytes at the beginning that are kept to explain an error.
const KEPT: usize = 512;

/// A stream that never yields its last bytes and its end in the same poll, and that keeps its beginning.
///
/// multer 3.1 polls twice when it looks for the first boundary. Where all bytes and the end arrive between the two
/// polls, it reports a form without a boundary.
pub(super) struct PartStream<S> {
    inner: S,
    /// The previous poll yielded bytes that the parser has not processed.
    has_new_bytes: bool,
    ended: bool,
    beginning: Beginning,
}

/// The first bytes of a form.
#[derive(Clone, Debug, Default)]
pub(super) struct Beginning(Arc<Mutex<Vec<u8>>>);

impl Beginning {
    /// Whether the first boundary ends with a bare line feed.
    pub(super) fn has_bare_line_feeds(&self, boundary: &str) -> bool {
        let first = format!("--{boundary}\n");
        let kept = self.0.lock();
        kept.windows(first.len()).any(|bytes| bytes == first.as_bytes())
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.0.lock();
        let room = KEPT - kept.len().min(KEPT);
        kept.extend(bytes.iter().take(room));
    }
}

impl<S> PartStream<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            has_new_bytes: false,
            ended: false,
            beginning: Beginning::default(),
        }
    }

    /// The beginning, as far as it has arrived.
    pub(super) fn beginning(&self) -> Beginning {
        self.beginning.clone()
    }
}

impl<S: Stream<Item = Result<Bytes, E>> + Unpin, E> Stream for PartStream<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = self.inner.poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            self.beginning.keep(bytes);
        }
        let is_new = matches!(next, Poll::Ready(Some(_)));
        let had_new_bytes = std::mem::replace(&mut self.has_new_bytes, is_new);
        self.ended = matches!(next, Poll::Ready(None));
        if had_new_bytes && self.ended {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        next
    }
}

#[cfg(test)]
mod tests;
