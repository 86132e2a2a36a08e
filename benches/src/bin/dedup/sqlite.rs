//! SQLite: the store against an `INSERT` and an `UPDATE` of the same row, each in a transaction, called directly. Both
//! write the second one to the disk.

use std::{cell::RefCell, env, fs};

use pierre_webhook_dedup::{
    DeliveryId, Owner, SqliteStore,
    rusqlite::{Connection, TransactionBehavior, params},
};

use crate::{LEASE, RETENTION, compare};

const TABLE: &str = "CREATE TABLE bare (
        scope TEXT, id BLOB, owner BLOB, is_completed INTEGER, until INTEGER, PRIMARY KEY (scope, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX bare_until ON bare (until);";

const CLAIM: &str = "INSERT INTO bare (scope, id, owner, is_completed, until)
    VALUES ('', ?1, ?2, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3)
    ON CONFLICT (scope, id) DO NOTHING";

const COMPLETE: &str = "UPDATE bare
    SET is_completed = 1, until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3
    WHERE scope = '' AND id = ?1 AND owner = ?2";

pub(crate) async fn measure() {
    let directory = env::temp_dir().join(format!("pierre-webhook-bench-{}", std::process::id()));
    fs::create_dir(&directory).expect("a directory");
    let bare = Connection::open(directory.join("bare.db")).expect("a file");
    bare.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).expect("WAL");
    bare.execute_batch(TABLE).expect("a table");
    let bare = RefCell::new(bare);
    let store = SqliteStore::open(directory.join("store.db")).await.expect("a file");
    for in_flight in [1, 64] {
        let title = format!("in a SQLite file, {in_flight} in flight");
        let names = [title.as_str(), "INSERT and UPDATE, called directly"];
        compare(names, &store, in_flight, 0.85, async |id| {
            two_statements(&mut bare.borrow_mut(), id);
            // Otherwise one lane would run alone.
            tokio::task::yield_now().await;
        })
        .await;
    }
    drop(store);
    fs::remove_dir_all(&directory).expect("the directory");
}

fn two_statements(connection: &mut Connection, id: DeliveryId) {
    let owner = Owner::random().expect("random bytes");
    for (sql, time, synchronous) in [
        (CLAIM, LEASE, "PRAGMA synchronous = NORMAL"),
        (COMPLETE, RETENTION, "PRAGMA synchronous = FULL"),
    ] {
        connection.execute_batch(synchronous).expect("a setting");
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).expect("the lock");
        let parameters = params![id.as_bytes(), owner.as_bytes(), time.as_millis() as i64];
        let changed =
            transaction.prepare_cached(sql).and_then(|mut statement| statement.execute(parameters));
        assert_eq!(changed.expect("a row"), 1);
        transaction.commit().expect("a commit");
    }
}
