//! Forms that arrive in pieces.

use std::convert::Infallible;

use futures_util::stream;
use multer::Multipart;

use super::*;

const FORM: &str = "--edge\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+12125550100\r\n--edge\r\n\
    Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\r\n--edg\r\n--edge--\r\n";

/// Reads the form from pieces, each of which may come late.
async fn read(pieces: Vec<&'static str>, late: bool) -> Result<Vec<Bytes>, multer::Error> {
    let coming = stream::iter(pieces).then(move |piece| async move {
        if late {
            tokio::task::yield_now().await;
        }
        Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes()))
    });
    let mut parts = Multipart::new(PartStream::new(Box::pin(coming)), "edge");
    let mut values = Vec::new();
    while let Some(part) = parts.next_field().await? {
        values.push(part.bytes().await?);
    }
    Ok(values)
}

#[tokio::test]
async fn a_form_may_come_in_any_pieces_at_any_time() {
    let whole = [
        Bytes::from_static(b"+12125550100"),
        Bytes::from_static(b"\r\n--edg"),
    ];
    for late in [false, true] {
        assert_eq!(read(vec![FORM], late).await.expect("whole"), whole);
        for first in 0..FORM.len() {
            for second in first..FORM.len() {
                let (begin, rest) = FORM.split_at(first);
                let (middle, end) = rest.split_at(second - first);
                let read = read(vec![begin, middle, end], late).await;
                assert_eq!(read.expect("whole"), whole, "{first}, {second}, late: {late}");
            }
        }
    }
    for cut in 0..FORM.len() - 2 {
        let (begin, _) = FORM.split_at(cut);
        assert!(read(vec![begin], true).await.is_err(), "cut at {cut}");
    }
}

#[tokio::test]
async fn the_beginning_tells_bare_line_feeds() {
    for (form, expected) in [
        (
            "--edge\nContent-Disposition: form-data; name=\"to\"\n\n+1\n--edge--\n",
            true,
        ),
        (FORM, false),
    ] {
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from_static(form.as_bytes()))]);
        let mut stream = PartStream::new(body);
        let beginning = stream.beginning();
        while stream.next().await.is_some() {}
        assert_eq!(beginning.has_bare_line_feeds("edge"), expected, "{form}");
    }
}
