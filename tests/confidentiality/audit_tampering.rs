//! Somebody edits the audit log in the database file; `faxgate audit verify` says where.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use serde_json::json;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;

/// As the store has it: records by their number.
const AUDIT: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("audit");

type Edit = fn(&mut Table<'_, u64, &'static [u8]>, u64);

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_edit_the_audit_log_is_named() {
    let mut installation = TestInstallation::start().await;
    for n in 0..3 {
        let fax = Fax::pdf("+12125550142", documents::pdf(1, &format!("{n}")));
        let id = installation.admin.accepted(&fax).await;
        installation.admin.reaches(&id, "SUCCESS").await;
        installation.admin.get(&format!("/fax/{id}/pdf")).await;
        installation
            .admin
            .post(&format!("/fax/{id}/cancel"), &json!({}))
            .await;
    }
    let audit = installation.admin.get("/admin/audit?limit=500").await.json();
    let text = audit.to_string();
    for what in ["fax.accepted", "fax.submitted", "fax.delivered", "document.read"] {
        assert!(text.contains(what), "{what}: {text}");
    }
    assert!(!text.contains("2125550142"));
    assert_eq!(
        verify(&installation).await,
        (true, "intact".to_owned()),
        "while it runs"
    );
    assert!(installation.server.terminate().await.success());
    assert_eq!(verify(&installation).await, (true, "intact".to_owned()));

    let file = installation.data().join("faxgate.redb");
    let original = std::fs::read(&file).expect("database");
    let last = last(&file);
    assert!(last > 8);
    let edits: [(&str, u64, Edit); 6] = [
        ("broken at record 4: the record was altered", 4, |table, at| {
            let mut row = get(table, at);
            let end = row.len() - 2;
            row[end] ^= 1;
            put(table, at, &row);
        }),
        ("broken at record 5: the record was deleted", 5, |table, at| {
            table.remove(at).expect("remove");
        }),
        ("broken at record 1: the record was deleted", 1, |table, at| {
            table.remove(at).expect("remove");
        }),
        (
            "broken at record 3: the record does not follow",
            3,
            |table, at| {
                let (one, other) = (get(table, at), get(table, at + 1));
                put(table, at, &other);
                put(table, at + 1, &one);
            },
        ),
        ("the rest was cut off", last, |table, at| {
            table.remove(at).expect("remove");
        }),
        ("added behind the end", last, |table, at| {
            let row = get(table, at);
            put(table, at + 1, &row);
        }),
    ];
    for (expected, at, edit) in edits {
        std::fs::write(&file, &original).expect("database");
        tamper(&file, |table| edit(table, at));
        let (good, said) = verify(&installation).await;
        assert!(!good && said.contains(expected), "{expected:?}: {said:?}");
    }
    std::fs::write(&file, &original).expect("database");
    assert_eq!(verify(&installation).await, (true, "intact".to_owned()));
    installation.revive().await;
}

/// Whether the exit code is good, and what was said; "intact" for short.
async fn verify(installation: &TestInstallation) -> (bool, String) {
    let mut command = installation.server.command(&["audit", "verify"]);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("task")
        .expect("output");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        assert!(said.starts_with("intact: "), "{said}");
        return (true, "intact".to_owned());
    }
    (false, said)
}

fn last(file: &Path) -> u64 {
    let database = Database::open(file).expect("open");
    let read = database.begin_read().expect("read");
    let table = read.open_table(AUDIT).expect("table");
    table.last().expect("last").expect("a record").0.value()
}

fn tamper(file: &Path, edit: impl FnOnce(&mut Table<'_, u64, &'static [u8]>)) {
    let database = Database::open(file).expect("open");
    let write = database.begin_write().expect("write");
    {
        let mut table = write.open_table(AUDIT).expect("table");
        edit(&mut table);
    }
    write.commit().expect("commit");
}

fn get(table: &Table<'_, u64, &'static [u8]>, at: u64) -> Vec<u8> {
    table.get(at).expect("get").expect("a record").value().to_vec()
}

fn put(table: &mut Table<'_, u64, &'static [u8]>, at: u64, row: &[u8]) {
    table.insert(at, row).expect("insert");
}
