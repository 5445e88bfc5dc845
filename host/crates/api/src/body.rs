//! Bodies under watch: a request body that must keep coming, a response body that keeps its request counted.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

use super::activity::{Activity, InFlight};
use super::admission::Place;
use super::timeouts::Timeouts;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A body that came too slowly.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request body came too slowly")]
pub(super) struct SlowBody;

/// Says whether a request body was read to its end.
#[derive(Clone, Debug)]
pub(super) struct Unread(Arc<AtomicBool>);

/// A request body that fails when too little of it comes for too long.
pub(super) struct TimedBody<B> {
    inner: B,
    ended: Unread,
    activity: Arc<Activity>,
    span: Duration,
    least: u64,
    window: Option<Window>,
}

/// A running measurement: until when, and what came so far.
struct Window {
    until: Pin<Box<Sleep>>,
    bytes: u64,
}

/// A response body; the request counts as in flight until it ends or is dropped.
pub(super) struct TrackedBody {
    inner: Body,
    in_flight: InFlight,
    /// Its place among all requests.
    _held: Option<Held>,
}

/// The place of a request, in the extensions of its response until its body takes it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Given back on drop.
    pub(super) _place: Arc<Place>,
}

impl Unread {
    /// Whether bytes of the body are still to come.
    pub(super) fn is_unread(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

/// Puts a request body under watch; one without bytes needs none.
pub(super) fn watched<B>(inner: B, in_flight: &InFlight, timeouts: &Timeouts) -> (Body, Option<Unread>)
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    if inner.is_end_stream() {
        return (Body::empty(), None);
    }
    let ended = Unread(Arc::new(AtomicBool::new(false)));
    let body = TimedBody {
        inner,
        ended: ended.clone(),
        activity: in_flight.activity(),
        span: timeouts.body,
        least: timeouts.body_window_bytes,
        window: None,
    };
    (Body::new(body), Some(ended))
}

/// Whether a failed read of a body failed for slowness.
pub(super) fn is_slow(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<SlowBody>())
}

impl TrackedBody {
    pub(super) fn new(inner: Body, in_flight: InFlight, held: Option<Held>) -> Self {
        Self {
            inner,
            in_flight,
            _held: held,
        }
    }
}

impl<B> TimedBody<B> {
    /// Runs while we wait for the client. A window that brought enough ends; the next wait begins a new one.
    fn overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let span = self.span;
        let window = self.window.get_or_insert_with(|| Window {
            until: Box::pin(tokio::time::sleep(span)),
            bytes: 0,
        });
        window.until.as_mut().poll(cx).is_ready()
    }

    fn came(&mut self, bytes: usize) {
        self.activity.touch();
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
                this.came(frame.data_ref().map_or(0, Buf::remaining));
                if this.inner.is_end_stream() {
                    this.ended.0.store(true, Ordering::Relaxed);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => {
                this.ended.0.store(true, Ordering::Relaxed);
                Poll::Ready(None)
            }
            Poll::Pending if this.overdue(cx) => Poll::Ready(Some(Err(SlowBody.into()))),
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

impl Drop for TrackedBody {
    fn drop(&mut self) {
        // A body whose end is known is not asked once more.
        if self.inner.is_end_stream() {
            self.in_flight.end();
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
        self.in_flight.touch();
        if frame.is_none() {
            self.in_flight.end();
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

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;

    fn timeouts(body: Duration) -> Timeouts {
        Timeouts {
            body,
            ..Timeouts::default()
        }
    }

    #[tokio::test]
    async fn a_body_that_stops_coming_fails_as_slow() {
        let never = futures_util::stream::once(async {
            Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"begin")))
        });
        let stalls = futures_util::StreamExt::chain(never, futures_util::stream::pending());
        let in_flight = Activity::new().begin();
        let body = StreamBody::new(Box::pin(stalls));
        let (mut body, unread) = watched(body, &in_flight, &timeouts(Duration::from_millis(10)));
        assert_eq!(
            body.frame()
                .await
                .expect("frame")
                .expect("data")
                .into_data()
                .expect("data"),
            "begin"
        );
        let error = body.frame().await.expect("frame").expect_err("slow");
        assert!(is_slow(&error), "{error:?}");
        assert!(unread.expect("watched").is_unread());
    }

    #[tokio::test]
    async fn a_body_that_comes_is_passed_on_and_known_to_be_read() {
        let in_flight = Activity::new().begin();
        let (body, unread) = watched(Full::from("hello"), &in_flight, &Timeouts::default());
        let unread = unread.expect("watched");
        assert!(unread.is_unread());
        assert_eq!(body.collect().await.expect("body").to_bytes(), "hello");
        assert!(!unread.is_unread());
        assert!(
            watched(Full::<Bytes>::default(), &in_flight, &Timeouts::default())
                .1
                .is_none()
        );
    }
}
