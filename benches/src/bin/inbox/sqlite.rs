//! SQLite: a file with both tables, and a connection for the bare statements.

use std::{
    cell::RefCell,
    env, fs,
    path::PathBuf,
    process,
    sync::{Arc, Mutex},
};

use futures_util::future::join_all;
use pierre_webhook_core::Delivery;
use pierre_webhook_inbox::{
    Inbox,
    rusqlite::{Connection, params},
    sql::sqlite as sql,
};

use crate::{CONCURRENCY, Database, bare};

const TAKE: &str = "
UPDATE bare_delivery SET state = 'running', attempt = attempt + 1, tries = tries + 1,
    due = CAST(unixepoch('subsec') * 1000 AS INTEGER) + 30000
WHERE seq IN (
    SELECT seq FROM bare_delivery
    WHERE scope = '' AND ended_at IS NULL AND due <= CAST(unixepoch('subsec') * 1000 AS INTEGER)
    ORDER BY due, seq LIMIT ?1)
RETURNING id, attempt, body";

const COMPLETE: &str = "
UPDATE bare_delivery SET state = 'done', ended_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE scope = '' AND id = ?1 AND tenant = '' AND attempt = ?2 AND state = 'running'";

pub(crate) struct Sqlite {
    folder: PathBuf,
    connection: Arc<Mutex<Connection>>,
}

impl Sqlite {
    pub(crate) async fn new() -> Self {
        let folder = env::temp_dir().join(format!("pierre-webhook-inbox-bench-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let connection = Connection::open(folder.join("webhooks.db")).expect("a file");
        let durable =
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000";
        connection.execute_batch(durable).expect("a database");
        for step in sql::MIGRATIONS {
            connection.execute_batch(&bare(step)).expect("a table");
        }
        Self { folder, connection: Arc::new(Mutex::new(connection)) }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Database for Sqlite {
    const NAME: &str = "SQLite";

    async fn inbox(&self) -> Inbox {
        Inbox::sqlite(self.folder.join("webhooks.db")).await.expect("a database")
    }

    /// In tokio's threads for blocking work: an asynchronous handler must not wait for a disk in the runtime's thread.
    async fn insert(&self, deliveries: &[Delivery], in_flight: usize) {
        let sql: Arc<str> = bare(sql::INSERT).into();
        let next = RefCell::new(deliveries.iter());
        let lane = async || {
            loop {
                let Some(delivery) = next.borrow_mut().next() else { return };
                let (connection, sql, delivery) =
                    (self.connection.clone(), sql.clone(), delivery.clone());
                let insert = move || {
                    let connection = connection.lock().expect("a connection");
                    let mut statement = connection.prepare_cached(&sql).expect("a statement");
                    let inserted = statement.execute(params![
                        "",
                        delivery.id().as_bytes(),
                        "",
                        delivery.event_type(),
                        delivery.event.repository().map(|repository| repository.id.as_str()),
                        delivery.signed_at as i64,
                        0,
                        &*delivery.body,
                    ]);
                    assert_eq!(inserted.expect("a row"), 1);
                };
                tokio::task::spawn_blocking(insert).await.expect("no panic");
            }
        };
        join_all((0..in_flight).map(|_| lane())).await;
    }

    async fn work(&self) {
        let connection = self.connection.lock().expect("a connection");
        loop {
            let mut take = connection.prepare_cached(TAKE).expect("a statement");
            let taken = take.query_map([CONCURRENCY as i64], |row| {
                Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
            });
            let taken: Vec<_> = taken.expect("rows").map(|row| row.expect("a row")).collect();
            drop(take);
            if taken.is_empty() {
                return;
            }
            for (id, attempt, _body) in taken {
                let mut complete = connection.prepare_cached(COMPLETE).expect("a statement");
                assert_eq!(complete.execute(params![id, attempt]).expect("a row"), 1);
            }
        }
    }

    fn fill(&self, rows: u64) {
        let fill = format!(
            "INSERT INTO pierre_delivery
                 (scope, id, tenant, event_type, lane, signed_at, matched_secret, body, received_at, due)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})
             SELECT '', randomblob(32), '', 'push', 'r' || n % 100, 1700000000, 0, CAST('{}' AS BLOB), now, now
             FROM numbers, (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now)",
            crate::push(),
        );
        let fill = format!("{fill}; PRAGMA wal_checkpoint(RESTART)");
        self.connection.lock().expect("a connection").execute_batch(&fill).expect("rows");
    }

    fn clear(&self) {
        let clear = "DELETE FROM pierre_delivery; DELETE FROM bare_delivery; PRAGMA wal_checkpoint(RESTART)";
        self.connection.lock().expect("a connection").execute_batch(clear).expect("a database");
    }
}
