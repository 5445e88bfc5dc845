//! API keys.

use jiff::SignedDuration;

use super::fixtures::Bed;
use crate::{BadCursor, Cursor, JobFilter, KeyChange, PageRequest, StoreError};
use faxgate_domain::access::{ApiKey, PreviousSecret};
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::KeyId;
use faxgate_domain::scope::{Scope, Scopes};

fn key(bed: &Bed, number: u8) -> ApiKey {
    ApiKey {
        // Ids are random: they must not decide the order of a list.
        id: KeyId([number.wrapping_mul(97), number, 0, 0, 0, 0]),
        secret_sha256: [number; 32],
        previous: None,
        name: format!("key {number}"),
        owner: "desk".to_owned(),
        scopes: Scopes::new([Scope::FaxSend]),
        note: None,
        requests_per_minute: None,
        created_at: bed.clock.now() + SignedDuration::from_secs(i64::from(number)),
        expires_at: None,
        revoked_at: None,
        rotated_at: None,
        last_used_at: None,
    }
}

fn entry(bed: &Bed, what: &str) -> AuditEntry {
    AuditEntry::new(bed.clock.now(), "operator", what, "key")
}

#[tokio::test]
async fn a_key_is_kept_rotated_and_revoked() {
    let bed = Bed::new();
    let key = key(&bed, 1);
    let at = bed.clock.now();
    bed.store
        .put_key(key.clone(), entry(&bed, "key.created"))
        .await
        .unwrap();
    assert_eq!(bed.store.key(key.id).await.unwrap(), Some(key.clone()));
    assert_eq!(bed.store.key(KeyId([9; 6])).await.unwrap(), None);
    let taken = bed.store.put_key(key.clone(), entry(&bed, "key.created")).await;
    assert!(matches!(taken, Err(StoreError::Exists("key"))));

    let until = at + SignedDuration::from_mins(5);
    let rotate = KeyChange::Rotate {
        sha256: [8; 32],
        previous_until: Some(until),
        at,
    };
    let rotated = bed
        .store
        .update_key(key.id, rotate.clone(), entry(&bed, "key.rotated"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rotated.secret_sha256, [8; 32]);
    assert_eq!(
        rotated.previous,
        Some(PreviousSecret {
            sha256: key.secret_sha256,
            until
        })
    );
    let at_once = KeyChange::Rotate {
        sha256: [9; 32],
        previous_until: None,
        at,
    };
    let rotated = bed
        .store
        .update_key(key.id, at_once, entry(&bed, "key.rotated"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((rotated.secret_sha256, rotated.previous), ([9; 32], None));

    let revoke = KeyChange::Revoke { at };
    bed.store
        .update_key(key.id, revoke, entry(&bed, "key.revoked"))
        .await
        .unwrap();
    let later = KeyChange::Revoke { at: until };
    let again = bed
        .store
        .update_key(key.id, later, entry(&bed, "key.revoked"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.revoked_at, Some(at), "the first time stays");
    let refused = bed
        .store
        .update_key(key.id, rotate.clone(), entry(&bed, "key.rotated"))
        .await;
    assert!(matches!(refused, Err(StoreError::KeyRevoked)));
    assert_eq!(
        bed.store
            .update_key(KeyId([9; 6]), rotate, entry(&bed, "key.rotated"))
            .await
            .unwrap(),
        None
    );
    let what: Vec<_> = bed
        .store
        .audit(None, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.entry.what)
        .collect();
    assert_eq!(what, ["key.created", "key.rotated", "key.rotated", "key.revoked"]);
}

#[tokio::test]
async fn keys_are_listed_newest_first() {
    let bed = Bed::new();
    for number in 0..10 {
        bed.store
            .put_key(key(&bed, number), entry(&bed, "key.created"))
            .await
            .unwrap();
    }
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let page = bed.store.keys(&PageRequest { limit: 4, cursor }).await.unwrap();
        names.push(page.items.into_iter().map(|key| key.name).collect::<Vec<_>>());
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    assert_eq!(
        names.concat(),
        (0..10)
            .rev()
            .map(|number| format!("key {number}"))
            .collect::<Vec<_>>()
    );

    let foreign: Option<Cursor> = bed
        .store
        .keys(&PageRequest {
            limit: 1,
            cursor: None,
        })
        .await
        .unwrap()
        .next;
    let refused = bed
        .store
        .jobs(
            &JobFilter::default(),
            &PageRequest {
                limit: 1,
                cursor: foreign,
            },
        )
        .await;
    assert!(matches!(refused, Err(StoreError::BadCursor(BadCursor))));
}

#[tokio::test]
async fn uses_are_noted_now_and_then() {
    let bed = Bed::new();
    let key = key(&bed, 1);
    bed.store
        .put_key(key.clone(), entry(&bed, "key.created"))
        .await
        .unwrap();
    let first = bed.clock.now();
    for second in [3, 90, 7] {
        bed.store
            .note_key_use(key.id, first + SignedDuration::from_secs(second));
    }
    bed.store.note_key_use(KeyId([9; 6]), first);
    let last = Some(first + SignedDuration::from_secs(90));
    assert_eq!(
        bed.store.key(key.id).await.unwrap().unwrap().last_used_at,
        None,
        "not written yet"
    );
    let page = PageRequest {
        cursor: None,
        limit: 10,
    };
    assert_eq!(
        bed.store.keys(&page).await.unwrap().items[0].last_used_at,
        last,
        "and yet known"
    );
    bed.store.write_last_uses().await.unwrap();
    assert_eq!(bed.store.key(key.id).await.unwrap().unwrap().last_used_at, last);
    bed.store.note_key_use(key.id, first);
    bed.store.write_last_uses().await.unwrap();
    assert_eq!(
        bed.store.key(key.id).await.unwrap().unwrap().last_used_at,
        last,
        "never backwards"
    );
}

#[tokio::test]
async fn a_key_opens_by_its_secret_and_not_after_it_was_revoked() {
    let bed = Bed::new();
    let key = key(&bed, 1);
    bed.store
        .put_key(key.clone(), entry(&bed, "key.created"))
        .await
        .unwrap();
    let opens = async |secret: [u8; 32]| {
        let proves = |key: Option<&ApiKey>| key.is_some_and(|key| key.secret_sha256 == secret);
        bed.store.proved_key(key.id, proves).await.unwrap()
    };
    assert!(opens([9; 32]).await.is_none());
    // Read, then remembered.
    assert_eq!(opens([1; 32]).await.unwrap().name, key.name);
    assert_eq!(opens([1; 32]).await.unwrap().name, key.name);
    assert!(opens([9; 32]).await.is_none());

    let rotate = KeyChange::Rotate {
        sha256: [2; 32],
        previous_until: None,
        at: bed.clock.now(),
    };
    let changed = bed.store.update_key(key.id, rotate, entry(&bed, "key.rotated"));
    changed.await.unwrap();
    assert!(opens([1; 32]).await.is_none());
    assert!(opens([2; 32]).await.unwrap().revoked_at.is_none());

    let revoke = KeyChange::Revoke { at: bed.clock.now() };
    let changed = bed.store.update_key(key.id, revoke, entry(&bed, "key.revoked"));
    changed.await.unwrap();
    assert!(opens([2; 32]).await.unwrap().revoked_at.is_some());
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_remembered_after_it() {
    let bed = Bed::new();
    let key = key(&bed, 1);
    bed.store
        .put_key(key.clone(), entry(&bed, "key.created"))
        .await
        .unwrap();
    let revoke = KeyChange::Revoke { at: bed.clock.now() };
    let changed = std::cell::RefCell::new(Some(bed.store.update_key(
        key.id,
        revoke,
        entry(&bed, "key.revoked"),
    )));
    // The change is committed and answered between the read of the key and its use.
    let proves = |_: Option<&ApiKey>| {
        if let Some(change) = changed.borrow_mut().take() {
            let runtime = tokio::runtime::Handle::current();
            std::thread::scope(|scope| {
                scope.spawn(|| runtime.block_on(change)).join().unwrap().unwrap();
            });
        }
        true
    };
    assert!(
        bed.store
            .proved_key(key.id, proves)
            .await
            .unwrap()
            .unwrap()
            .revoked_at
            .is_none()
    );
    let again = bed.store.proved_key(key.id, |_| true).await.unwrap().unwrap();
    assert!(again.revoked_at.is_some(), "the old state was remembered");
}
