//! A request body that fails when the client sends it too slowly, and that records whether it was read to its end.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

use crate::connection::idle::{IdleTracker, InFlight};
use crate::timeouts::Timeouts;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A body that came too slowly.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request body came too slowly")]
struct SlowBody;

/// Whether a request body was read to its end.
#[derive(Clone, Debug)]
pub(crate) struct BodyEnd(Arc<AtomicBool>);

/// A request body that fails when too few bytes of it arrive in a window of time.
struct TimedBody<B> {
    inner: B,
    end: BodyEnd,
    tracker: Arc<IdleTracker>,
    span: Duration,
    least: u64,
    window: Option<Window>,
}

/// A window of time and the bytes that arrived in it.
struct Window {
    until: Pin<Box<Sleep>>,
    bytes: u64,
}

impl BodyEnd {
    /// Whether the end was reached.
    pub(crate) fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Watches a request body; one without bytes needs no watch.
pub(crate) fn watched<B>(inner: B, in_flight: &InFlight, timeouts: &Timeouts) -> (Body, Option<BodyEnd>)
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    if inner.is_end_stream() {
        return (Body::empty(), None);
    }
    let end = BodyEnd(Arc::new(AtomicBool::new(false)));
    let body = TimedBody {
        inner,
        end: end.clone(),
        tracker: in_flight.tracker(),
        span: timeouts.body,
        least: timeouts.body_window_bytes,
        window: None,
    };
    (Body::new(body), Some(end))
}

/// Whether reading a request body failed because the client sent it too slowly.
#[must_use]
pub fn is_slow(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<SlowBody>())
}

impl<B> TimedBody<B> {
    /// Called while the client sends nothing. A window that brought enough ends; the next wait begins a new one.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let span = self.span;
        let window = self.window.get_or_insert_with(|| Window {
            until: Box::pin(tokio::time::sleep(span)),
            bytes: 0,
        });
        window.until.as_mut().poll(cx).is_ready()
    }

    fn received(&mut self, bytes: usize) {
        self.tracker.progress();
        if let Some(window) = &mut self.window {
            window.bytes += bytes as u64;
            if window.bytes >= self.least {
                self.window = None;
            }
        }
    }
}

impl<B> HttpBody for TimedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.received(frame.data_ref().map_or(0, Buf::remaining));
                if this.inner.is_end_stream() {
                    this.end.set();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => {
                this.end.set();
                Poll::Ready(None)
            }
            Poll::Pending if this.is_overdue(cx) => Poll::Ready(Some(Err(SlowBody.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests;
