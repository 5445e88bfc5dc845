//! A response body that keeps its request counted as in flight until it was sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::connection::admission::Permit;
use crate::connection::idle::InFlight;

/// A response body; the request counts as in flight until it ends or is dropped.
pub(crate) struct TrackedBody {
    inner: Body,
    in_flight: InFlight,
    _permit: Option<RequestPermit>,
}

/// The permit of a request, in the extensions of its response until the body takes it over.
#[derive(Clone, Debug)]
pub(crate) struct RequestPermit {
    /// Given back on drop.
    _permit: Arc<Permit>,
}

impl RequestPermit {
    pub(crate) fn new(permit: Permit) -> Self {
        Self {
            _permit: Arc::new(permit),
        }
    }
}

impl TrackedBody {
    pub(crate) fn new(inner: Body, in_flight: InFlight, permit: Option<RequestPermit>) -> Self {
        Self {
            inner,
            in_flight,
            _permit: permit,
        }
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        // A body whose end is known is not polled once more.
        if self.inner.is_end_stream() {
            self.in_flight.complete();
        }
    }
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        self.in_flight.progress();
        if frame.is_none() {
            self.in_flight.complete();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
