//! The audit chain, and every way to tamper with it.

use redb::{ReadableTable as _, Table};

use super::fixtures::Bed;
use crate::redb::tables::{AUDIT, Body, META};
use crate::{AuditFault, AuditVerdict};
use faxgate_domain::audit::AuditEntry;

const RECORDS: u64 = 10;

async fn recorded() -> Bed {
    let bed = Bed::new();
    for number in 1..=RECORDS {
        let entry =
            AuditEntry::new(bed.clock.now(), "operator", "document.read", number).fact("pages", number);
        bed.store.record(entry).await.unwrap();
    }
    bed
}

/// Somebody edits the file behind the back of the store.
async fn tamper(bed: &Bed, edit: impl FnOnce(&mut Table<'_, u64, Body>)) -> AuditVerdict {
    let transaction = bed.store.shared.db.write().unwrap();
    edit(&mut transaction.open_table(AUDIT).unwrap());
    transaction.commit().unwrap();
    bed.store.verify_audit().await.unwrap()
}

fn row(table: &Table<'_, u64, Body>, seq: u64) -> Vec<u8> {
    table.get(seq).unwrap().unwrap().value().to_vec()
}

fn broken(seq: u64, fault: AuditFault) -> AuditVerdict {
    AuditVerdict::Broken { seq, fault }
}

#[tokio::test]
async fn an_untouched_log_is_intact_and_reads_in_order() {
    let bed = recorded().await;
    let records = bed.store.audit(None, 100).await.unwrap();
    let head = records.last().unwrap().hash;
    assert_eq!(
        bed.store.verify_audit().await.unwrap(),
        AuditVerdict::Intact {
            records: RECORDS,
            head
        }
    );
    assert_eq!(records[0].previous, [0; 32]);
    assert!(
        records
            .windows(2)
            .all(|pair| pair[1].previous == pair[0].hash && pair[1].seq == pair[0].seq + 1)
    );
    let part: Vec<_> = bed
        .store
        .audit(Some(3), 2)
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.seq)
        .collect();
    assert_eq!(part, [4, 5]);
    assert!(bed.store.audit(Some(u64::MAX), 2).await.unwrap().is_empty());
    let empty = Bed::new().store.verify_audit().await.unwrap();
    assert_eq!(
        empty,
        AuditVerdict::Intact {
            records: 0,
            head: [0; 32]
        }
    );
}

#[tokio::test]
async fn an_altered_record_is_named() {
    let bed = recorded().await;
    let verdict = tamper(&bed, |table| {
        let mut value = row(table, 4);
        let at = value.len() - 3;
        value[at] ^= 1;
        table.insert(4, value.as_slice()).unwrap();
    })
    .await;
    assert_eq!(verdict, broken(4, AuditFault::Altered));
}

#[tokio::test]
async fn an_altered_record_with_a_new_hash_breaks_the_next_one() {
    let bed = recorded().await;
    let other = Bed::new();
    for number in 1..=4_u64 {
        other
            .store
            .record(AuditEntry::new(other.clock.now(), "x", "y", number))
            .await
            .unwrap();
    }
    // A record that is right in itself: hashed over its number and its predecessor.
    let forged = {
        let transaction = other.store.shared.db.write().unwrap();
        row(&transaction.open_table(AUDIT).unwrap(), 1)
    };
    let verdict = tamper(&bed, |table| drop(table.insert(1, forged.as_slice()).unwrap())).await;
    assert_eq!(verdict, broken(2, AuditFault::OutOfPlace));
}

#[tokio::test]
async fn moved_records_are_named() {
    let bed = recorded().await;
    let verdict = tamper(&bed, |table| {
        let (a, b) = (row(table, 5), row(table, 6));
        table.insert(5, b.as_slice()).unwrap();
        table.insert(6, a.as_slice()).unwrap();
    })
    .await;
    assert_eq!(verdict, broken(5, AuditFault::OutOfPlace));
}

#[tokio::test]
async fn a_deleted_record_is_named() {
    for seq in [1, 7] {
        let bed = recorded().await;
        let verdict = tamper(&bed, |table| drop(table.remove(seq).unwrap())).await;
        assert_eq!(verdict, broken(seq, AuditFault::Deleted));
    }
}

#[tokio::test]
async fn a_log_cut_off_is_noticed() {
    let bed = recorded().await;
    let verdict = tamper(&bed, |table| {
        for seq in 8..=RECORDS {
            table.remove(seq).unwrap();
        }
    })
    .await;
    assert_eq!(verdict, broken(8, AuditFault::CutOff { expected: RECORDS }));
    let verdict = tamper(&bed, |table| table.retain(|_, _| false).unwrap()).await;
    assert_eq!(verdict, broken(1, AuditFault::CutOff { expected: RECORDS }));
}

#[tokio::test]
async fn records_put_behind_the_end_are_noticed() {
    let bed = recorded().await;
    let verdict = tamper(&bed, |table| {
        let last = row(table, RECORDS);
        table.insert(RECORDS + 1, last.as_slice()).unwrap();
    })
    .await;
    assert_eq!(verdict, broken(RECORDS + 1, AuditFault::Added));
}

#[tokio::test]
async fn a_log_written_anew_is_noticed() {
    let bed = recorded().await;
    let other = Bed::new();
    for number in 1..=RECORDS {
        let entry = AuditEntry::new(other.clock.now(), "somebody else", "x", number);
        other.store.record(entry).await.unwrap();
    }
    let anew: Vec<_> = {
        let transaction = other.store.shared.db.write().unwrap();
        let table = transaction.open_table(AUDIT).unwrap();
        (1..=RECORDS).map(|seq| row(&table, seq)).collect()
    };
    let verdict = tamper(&bed, |table| {
        for (seq, value) in (1..).zip(&anew) {
            table.insert(seq, value.as_slice()).unwrap();
        }
    })
    .await;
    assert_eq!(verdict, broken(RECORDS, AuditFault::Rewritten));
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let bed = recorded().await;
    let verdict = tamper(&bed, |table| drop(table.insert(3, [9_u8, 9].as_slice()).unwrap())).await;
    assert_eq!(verdict, broken(3, AuditFault::Unreadable));
    assert!(bed.store.audit(None, 100).await.is_err());

    let transaction = bed.store.shared.db.write().unwrap();
    transaction
        .open_table(META)
        .unwrap()
        .remove("audit_head")
        .unwrap();
    transaction.commit().unwrap();
    assert!(matches!(
        bed.store.verify_audit().await.unwrap(),
        AuditVerdict::Broken { seq: 1, .. }
    ));
}
