//! A database that version 0.1.0 wrote still opens, with everything in it.

use redb::{Database, TableDefinition};

use crate::{JobFilter, PageRequest, Store, StoreOptions};
use faxgate_base::clock::Clock;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::ids::JobId;
use faxgate_domain::link::{LinkKey, LinkPurpose};
use faxgate_domain::status::JobEvent;
use jiff::Timestamp;

type Rows<K> = TableDefinition<'static, K, &'static [u8]>;
type Index<const N: usize> = TableDefinition<'static, &'static [u8; N], ()>;

/// Names and types as they are on disk, written out on purpose: a renamed table is an empty one.
const JOBS: Rows<&[u8; 16]> = TableDefinition::new("jobs");
const DOCUMENTS: Rows<&[u8; 16]> = TableDefinition::new("documents");
const META: Rows<&str> = TableDefinition::new("meta");
const DUE: Index<25> = TableDefinition::new("due");
const BY_OWNER: Index<32> = TableDefinition::new("by_owner");

const DOCUMENT: &[u8] = b"%PDF-1.7 a document of before";
const LINK_KEY: [u8; 32] = [3; 32];

/// What version 0.1.0 has on disk after it accepted one fax, as far as it is read below.
fn write_old(file: &std::path::Path, id: JobId) {
    let database = Database::create(file).unwrap();
    let transaction = database.begin_write().unwrap();
    let record = [&[1][..], include_bytes!("job-v1.json")].concat();
    {
        let id = id.to_bytes();
        let mut jobs = transaction.open_table(JOBS).unwrap();
        jobs.insert(&id, record.as_slice()).unwrap();
        let mut documents = transaction.open_table(DOCUMENTS).unwrap();
        documents.insert(&id, DOCUMENT).unwrap();
        let mut owners = transaction.open_table(BY_OWNER).unwrap();
        // SHA-256 of "desk", cut to 16 bytes, then the id.
        let digest = hex::decode("49be417ad74080a0031b636b44cfc26f").unwrap();
        let place: [u8; 32] = [digest.as_slice(), &id].concat().try_into().unwrap();
        owners.insert(&place, ()).unwrap();
        transaction.open_table(DUE).unwrap();
        let mut meta = transaction.open_table(META).unwrap();
        meta.insert("schema", [0, 0, 0, 1].as_slice()).unwrap();
        meta.insert("link_key", LINK_KEY.as_slice()).unwrap();
        meta.insert("cursor_key", [4; 32].as_slice()).unwrap();
        meta.insert("counters", b"\x01{\"jobs\":[0,1,0,0,0]}".as_slice())
            .unwrap();
    }
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_database_of_the_version_before_opens_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faxgate.redb");
    let id: JobId = "01jd9zqk3v8m4n5p6q7r8s9t0v".parse().unwrap();
    write_old(&file, id);
    let store = Store::open(&file, Clock::system(), StoreOptions::default()).unwrap();
    let job = store.job(id).await.unwrap().unwrap();
    assert_eq!((job.owner.as_str(), job.ticket, job.served), ("desk", None, None));
    assert_eq!(store.document(id.0).await.unwrap().unwrap(), DOCUMENT);
    let filter = JobFilter {
        owner: Some("desk".to_owned()),
        ..JobFilter::default()
    };
    let page = PageRequest {
        limit: 10,
        cursor: None,
    };
    assert_eq!(store.jobs(&filter, &page).await.unwrap().items.len(), 1);
    assert_eq!(
        store
            .depth()
            .await
            .unwrap()
            .iter()
            .map(|(_, count)| count)
            .sum::<u64>(),
        1
    );
    // Links that were given out still open.
    let far = Timestamp::from_second(4_000_000_000).unwrap();
    let link = LinkKey::new(LINK_KEY).sign(LinkPurpose::FaxPdf, &id.to_string(), far);
    let now = Clock::system().now();
    let opened = store
        .link_key()
        .verify(LinkPurpose::FaxPdf, &id.to_string(), &link, now);
    assert!(opened.is_some());
    store
        .record(AuditEntry::new(now, "operator", "test", id))
        .await
        .unwrap();
    // Its document is destroyed like others once the fax has ended.
    store
        .advance(
            id,
            JobEvent::Expired {
                reason: "test".to_owned(),
            },
        )
        .await
        .unwrap();
    store.advance(id, JobEvent::Purged).await.unwrap();
    assert_eq!(store.document(id.0).await.unwrap(), None);
    drop(store);
    let store = Store::open(&file, Clock::system(), StoreOptions::default()).unwrap();
    assert!(store.job(id).await.unwrap().unwrap().purged_at.is_some());
}
