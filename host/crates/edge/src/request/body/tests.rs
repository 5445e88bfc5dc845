//! Request bodies under watch.

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
    let never =
        futures_util::stream::once(async { Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"begin"))) });
    let stalls = futures_util::StreamExt::chain(never, futures_util::stream::pending());
    let in_flight = IdleTracker::new().begin();
    let body = StreamBody::new(Box::pin(stalls));
    let (mut body, end) = watched(body, &in_flight, &timeouts(Duration::from_millis(10)));
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
    assert!(!end.expect("watched").is_reached());
}

#[tokio::test]
async fn a_body_that_arrives_is_passed_on_and_its_end_recorded() {
    let in_flight = IdleTracker::new().begin();
    let (body, end) = watched(Full::from("hello"), &in_flight, &Timeouts::default());
    let end = end.expect("watched");
    assert!(!end.is_reached());
    assert_eq!(body.collect().await.expect("body").to_bytes(), "hello");
    assert!(end.is_reached());
    assert!(
        watched(Full::<Bytes>::default(), &in_flight, &Timeouts::default())
            .1
            .is_none()
    );
}
