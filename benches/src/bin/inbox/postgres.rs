//! PostgreSQL: a pool that both use.

use std::cell::Cell;

use futures_util::future::join_all;
use pierre_webhook_core::Delivery;
use pierre_webhook_inbox::{
    Inbox,
    deadpool_postgres::{Manager, Pool},
    sql::postgres as sql,
    tokio_postgres::NoTls,
};
use pierre_webhook_tests::postgres_server::PostgresServer;

use crate::{CONCURRENCY, Database, bare};

const TAKE: &str = "
UPDATE bare_delivery SET state = 'running', attempt = attempt + 1, tries = tries + 1,
    due = statement_timestamp() + interval '30 seconds'
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM bare_delivery
    WHERE scope = '' AND ended_at IS NULL AND due <= statement_timestamp()
    ORDER BY due, seq LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING id, event_type, attempt, body";

const COMPLETE: &str = "
UPDATE bare_delivery SET state = 'done', ended_at = statement_timestamp()
WHERE scope = '' AND id = $1 AND tenant = '' AND attempt = $2 AND state = 'running'";

pub(crate) struct Postgres {
    server: PostgresServer,
    pool: Pool,
}

impl Postgres {
    pub(crate) async fn new(server: PostgresServer) -> Self {
        let manager = Manager::new(server.url("postgres").parse().expect("a URL"), NoTls);
        let pool = Pool::builder(manager).max_size(CONCURRENCY).build().expect("a pool");
        let client = pool.get().await.expect("a server");
        for step in sql::MIGRATIONS {
            client.batch_execute(&bare(step)).await.expect("a table");
        }
        drop(client);
        Self { server, pool }
    }
}

impl Database for Postgres {
    const NAME: &str = "PostgreSQL, a pool of 8";

    async fn inbox(&self) -> Inbox {
        Inbox::postgres(self.pool.clone()).await.expect("a database")
    }

    async fn insert(&self, deliveries: &[Delivery], in_flight: usize) {
        let (insert, next) = (bare(sql::INSERT), Cell::new(0));
        let lane = async |_| {
            while let Some(delivery) = deliveries.get(next.replace(next.get() + 1)) {
                let client = self.pool.get().await.expect("a connection");
                let statement = client.prepare_cached(&insert).await.expect("a statement");
                let id = delivery.id();
                let lane = delivery.event.repository().map(|repository| repository.id.as_str());
                let inserted = client
                    .execute(
                        &statement,
                        &[
                            &"",
                            &id.as_bytes().as_slice(),
                            &"",
                            &delivery.event_type(),
                            &lane,
                            &(delivery.signed_at as i64),
                            &0i32,
                            &&*delivery.body,
                        ],
                    )
                    .await;
                assert_eq!(inserted.expect("a row"), 1);
            }
        };
        join_all((0..in_flight).map(lane)).await;
    }

    async fn work(&self) {
        loop {
            let client = self.pool.get().await.expect("a connection");
            let statement = client.prepare_cached(TAKE).await.expect("a statement");
            let taken = client.query(&statement, &[&(CONCURRENCY as i64)]).await.expect("rows");
            drop(client);
            if taken.is_empty() {
                return;
            }
            join_all(taken.iter().map(async |row| {
                let client = self.pool.get().await.expect("a connection");
                let statement = client.prepare_cached(COMPLETE).await.expect("a statement");
                let (id, attempt): (&[u8], i64) = (row.get(0), row.get(2));
                let _body: &[u8] = row.get(3);
                let completed = client.execute(&statement, &[&id, &attempt]).await;
                assert_eq!(completed.expect("a row"), 1);
            }))
            .await;
        }
    }

    fn fill(&self, rows: u64) {
        let fill = format!(
            "INSERT INTO pierre_delivery (scope, id, tenant, event_type, lane, signed_at, matched_secret, body)
             SELECT '', sha256((random()::text || n)::bytea), '', 'push', 'r' || n % 100, 1700000000, 0,
                 convert_to('{}', 'UTF8')
             FROM generate_series(1, {rows}) AS n",
            crate::push(),
        );
        self.server.execute("postgres", &fill);
        self.server.execute("postgres", "VACUUM ANALYZE pierre_delivery");
    }

    fn clear(&self) {
        self.server.execute("postgres", "TRUNCATE pierre_delivery, bare_delivery");
    }
}
