//! Received faxes.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;

use super::fixtures::Bed;
use crate::{CreatedInbound, Expiring, InboundFilter, PageRequest};
use faxgate_domain::ids::InboundId;
use faxgate_domain::inbound::InboundStatus;

#[tokio::test]
async fn one_record_per_provider_id_however_often_it_is_delivered() {
    let bed = Bed::new();
    let same: Vec<_> = (0..20).map(|_| bed.inbound("900")).collect();
    let created = join_all(same.iter().cloned().map(|new| bed.store.create_inbound(new))).await;
    let created: Vec<_> = created.into_iter().map(Result::unwrap).collect();
    let new = created
        .iter()
        .position(|created| *created == CreatedInbound::New)
        .unwrap();
    let fax = same[new].fax.clone();
    assert_eq!(
        created
            .iter()
            .filter(|created| **created == CreatedInbound::New)
            .count(),
        1
    );
    assert!(
        created
            .iter()
            .enumerate()
            .all(|(at, created)| at == new || *created == CreatedInbound::Known(fax.clone()))
    );
    assert_eq!(bed.store.inbound(fax.id).await.unwrap(), Some(fax.clone()));
    assert_eq!(
        bed.store.inbound_by_provider_id("900").await.unwrap(),
        Some(fax.clone())
    );
    assert_eq!(bed.store.inbound_by_provider_id("901").await.unwrap(), None);
    assert_eq!(bed.store.document(fax.id.0).await.unwrap(), same[new].document);
}

#[tokio::test]
async fn a_received_fax_expires_and_is_purged_once() {
    let bed = Bed::new();
    let new = bed.inbound("900");
    let (id, ends) = (new.fax.id, new.fax.expires_at.unwrap());
    bed.store.create_inbound(new).await.unwrap();
    assert_eq!(
        bed.store.expiring(ends, 10).await.unwrap(),
        [(ends, Expiring::Inbound(id))]
    );
    let purged = bed.store.purge_inbound(id).await.unwrap().unwrap();
    assert_eq!((purged.artifact.clone(), purged.expires_at), (None, None));
    assert!(purged.purged_at.is_some());
    assert_eq!(bed.store.document(id.0).await.unwrap(), None);
    assert!(bed.store.expiring(ends, 10).await.unwrap().is_empty());
    let records = bed.store.audit(None, 10).await.unwrap().len();
    assert_eq!(bed.store.purge_inbound(id).await.unwrap(), Some(purged));
    assert_eq!(bed.store.audit(None, 10).await.unwrap().len(), records);
    assert_eq!(
        bed.store
            .purge_inbound(InboundId(bed.ids.next(bed.clock.now())))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn lists_filter_by_every_field() {
    let bed = Bed::new();
    let mut faxes = Vec::new();
    for number in 0..40_usize {
        let mut new = bed.inbound(&number.to_string());
        new.fax.owner = format!("owner {}", number % 2);
        new.fax.to = (number % 3 > 0).then(|| format!("+1212555010{}", number % 3));
        new.fax.from = (number % 5 > 0).then(|| format!("+1212555020{}", number % 5));
        new.fax.status = if number % 7 == 0 {
            InboundStatus::Failed
        } else {
            InboundStatus::Received
        };
        new.fax.received_at = bed.clock.now() + SignedDuration::from_secs(number as i64);
        bed.store.create_inbound(new.clone()).await.unwrap();
        faxes.insert(0, new.fax);
    }
    let middle = faxes[20].received_at;
    let filters = [
        InboundFilter::default(),
        InboundFilter {
            owner: Some("owner 1".into()),
            ..Default::default()
        },
        InboundFilter {
            to: Some("+12125550101".into()),
            from: Some("+12125550202".into()),
            ..Default::default()
        },
        InboundFilter {
            status: Some(InboundStatus::Failed),
            owner: Some("owner 0".into()),
            ..Default::default()
        },
        InboundFilter {
            received_after: Some(middle),
            ..Default::default()
        },
        InboundFilter {
            owner: Some("nobody".into()),
            ..Default::default()
        },
    ];
    for filter in filters {
        let expected: Vec<_> = faxes
            .iter()
            .filter(|fax| filter.owner.as_ref().is_none_or(|owner| fax.owner == *owner))
            .filter(|fax| filter.to.is_none() || fax.to == filter.to)
            .filter(|fax| filter.from.is_none() || fax.from == filter.from)
            .filter(|fax| filter.status.is_none_or(|status| fax.status == status))
            .filter(|fax| filter.received_after.is_none_or(|after| fax.received_at > after))
            .cloned()
            .collect();
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let page = bed
                .store
                .inbounds(&filter, &PageRequest { limit: 3, cursor })
                .await
                .unwrap();
            found.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_shortened_retention_holds_for_what_is_there() {
    const DAY: Duration = Duration::from_secs(86_400);
    let bed = Bed::new();
    let store = &bed.store;
    let mut ids = Vec::new();
    for number in 0..3 {
        let mut new = bed.inbound(&format!("inbound {number}"));
        // The last was received while documents were kept for good.
        new.fax.expires_at = new.fax.expires_at.filter(|_| number < 2);
        store.create_inbound(new.clone()).await.unwrap();
        ids.push(new.fax);
    }
    store.purge_inbound(ids[0].id).await.unwrap();
    assert_eq!(store.apply_inbound_retention(Some(DAY / 24)).await.unwrap(), 2);
    for fax in &ids[1..] {
        let kept = store.inbound(fax.id).await.unwrap().unwrap();
        assert_eq!(
            kept.expires_at,
            Some(fax.created_at + SignedDuration::from_hours(1))
        );
    }
    let soon = bed.clock.now() + SignedDuration::from_hours(1);
    let due = store.expiring(soon, 10).await.unwrap();
    assert_eq!(due.len(), 2, "those that were purged are not due again: {due:?}");
    let version = store.shared.writer.version();
    assert_eq!(store.apply_inbound_retention(Some(DAY / 24)).await.unwrap(), 0);
    assert_eq!(store.shared.writer.version(), version, "a repeat wrote something");
    // What was to go by then goes by then.
    for longer in [None, Some(DAY * 30)] {
        assert_eq!(store.apply_inbound_retention(longer).await.unwrap(), 0);
    }
    assert_eq!(store.expiring(soon, 10).await.unwrap(), due);
}
