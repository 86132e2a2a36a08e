//! PostgreSQL: the store against an `INSERT` and an `UPDATE` of the same row, through the same pool.

use pierre_webhook_dedup::{
    DeliveryId, Owner, PostgresStore,
    deadpool_postgres::{Manager, Pool},
    tokio_postgres::NoTls,
};

use crate::{LEASE, RETENTION, compare};

const TABLE: &str = "CREATE TABLE bare (
    scope text, id bytea, owner bytea, is_completed boolean, until timestamptz, PRIMARY KEY (scope, id));
    CREATE INDEX bare_until ON bare (until)";

const CLAIM: &str = "INSERT INTO bare (scope, id, owner, is_completed, until)
    VALUES ('', $1, $2, false, statement_timestamp() + $3::bigint * interval '1 millisecond')
    ON CONFLICT (scope, id) DO NOTHING RETURNING true";

const COMPLETE: &str = "UPDATE bare SET is_completed = true,
        until = statement_timestamp() + $3::bigint * interval '1 millisecond'
    WHERE scope = '' AND id = $1 AND owner = $2 RETURNING true";

pub(crate) async fn measure(url: &str) {
    let manager = Manager::new(url.parse().expect("a URL"), NoTls);
    let pool = Pool::builder(manager).max_size(8).build().expect("a pool");
    pool.get().await.expect("a server").batch_execute(TABLE).await.expect("a table");
    let store = PostgresStore::open(pool.clone()).await.expect("a server");
    for in_flight in [1, 64] {
        let title = format!("over PostgreSQL, {in_flight} in flight on a pool of 8");
        let names = [title.as_str(), "INSERT and UPDATE, the same pool"];
        compare(names, &store, in_flight, 0.85, async |id| two_statements(&pool, id).await).await;
    }
}

async fn two_statements(pool: &Pool, id: DeliveryId) {
    let owner = Owner::random().expect("random bytes");
    let (id, owner) = (id.as_bytes().as_slice(), owner.as_bytes().as_slice());
    for (sql, time) in [(CLAIM, LEASE), (COMPLETE, RETENTION)] {
        let client = pool.get().await.expect("a connection");
        let statement = client.prepare_cached(sql).await.expect("a statement");
        let milliseconds = time.as_millis() as i64;
        let rows = client.query(&statement, &[&id, &owner, &milliseconds]).await;
        assert_eq!(rows.expect("a row").len(), 1);
    }
}
