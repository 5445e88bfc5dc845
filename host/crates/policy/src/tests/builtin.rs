//! The built-in components through the interfaces that every plugin uses. What they decide in detail is tested beside their sources.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::*;
use crate::tests::{Folder, dial};
use faxgate_base::secret::Secret;
use faxgate_domain::number::NumberErrorKind;
use faxgate_domain::provider::{CallbackEvent, ProviderStatus, Verdict};

const BODY: &str = "fax%5Bid%5D=123&fax%5Bstatus%5D=success&fax%5Bnum_pages%5D=2&success=true";

fn delivery(signature: &str) -> Delivery {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Delivery {
        kind: DeliveryKind::Status,
        public_url: "https://fax.example.com/phaxio-callback?job_id=01jdz0000000000000000000a0".to_owned(),
        headers: vec![
            pair("content-type", "application/x-www-form-urlencoded"),
            pair("x-phaxio-signature", signature),
        ],
        query: vec![pair("job_id", "01jdz0000000000000000000a0")],
        fields: vec![
            pair("fax[id]", "123"),
            pair("fax[status]", "success"),
            pair("fax[num_pages]", "2"),
            pair("success", "true"),
        ],
        files: Vec::new(),
        body: RawBody::Memory(Bytes::from_static(BODY.as_bytes())),
        proof_required: true,
    }
}

fn sign(secret: &str) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(BODY.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn numbers_are_read() {
    let plugins = Folder::new().load().await;
    let number = dial(&plugins, " (212) 555-0142 ").await.unwrap();
    assert_eq!(number.e164.as_str(), "+12125550142");
    assert_eq!(number.region.as_deref(), Some("US"));
    match dial(&plugins, "212 555 0142 ext 7").await {
        Err(PolicyError::Refused(refusal)) => assert_eq!(refusal.kind, NumberErrorKind::Extension),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn callbacks_are_believed_by_their_proof_alone() {
    let folder = Folder::new();
    let granted = |secret: Option<&str>| Grants {
        callback_token: None,
        api_secret: secret.map(|text| Secret::new(text.to_owned())),
    };
    let plugins = Plugins::load(&folder.config, granted(Some("s3cret")))
        .await
        .unwrap();
    match plugins.evaluate(delivery(&sign("s3cret"))).await.unwrap() {
        Verdict::Accept(events) => match events.as_slice() {
            [CallbackEvent::Status(update)] => {
                assert_eq!((update.provider_id.as_str(), update.pages), ("123", Some(2)));
                assert_eq!(update.status, ProviderStatus::Delivered);
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    for bad in [sign("other"), String::new(), "zz".to_owned()] {
        assert!(
            matches!(
                plugins.evaluate(delivery(&bad)).await.unwrap(),
                Verdict::Reject(_)
            ),
            "{bad}"
        );
    }
    // The secret is taken away at a reload: what it proved is proved no more.
    let report = plugins.reload(&folder.config, granted(None)).await.unwrap();
    assert!(report.changed.contains(&"callback-phaxio".to_owned()));
    let verdict = plugins.evaluate(delivery(&sign("s3cret"))).await.unwrap();
    assert!(matches!(verdict, Verdict::Reject(_)), "{verdict:?}");
}
