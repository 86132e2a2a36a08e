//! `PostgresStore`: for several machines that share a database.

mod schema;
mod sql;
mod transaction;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use deadpool_postgres::{Object, Pool};
use tokio::time::{Instant, error::Elapsed, timeout, timeout_at};
use tokio_postgres::{Row, types::ToSql};

use crate::{
    duration::milliseconds,
    error::StoreError,
    owner::Owner,
    store::{Claimed, Key, Store, StoreFuture},
};

/// An operation waits no longer than this for a connection and for its answer, together.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// A [`Store`] in a PostgreSQL database, for several machines. Requires the feature `postgres`.
///
/// It keeps one row for each delivery in the table `pierre_dedup`, which it creates in the first schema of the
/// `search_path`. The database's clock decides when a lease and a retention end. Each operation is one statement and
/// takes at most 2 seconds, with the wait for a connection of the pool: if the database is down, frozen, read-only, or
/// the pool is exhausted, it fails, and heals by itself. Rows that ended an hour ago are deleted in the background,
/// while deliveries arrive.
///
/// Unlike any other store, it can record a completion in the transaction of the work itself: see
/// [`Claim::complete_in`](crate::Claim::complete_in). Clones share the pool.
///
/// ```no_run
/// use pierre_webhook_dedup::{Dedup, PostgresStore, deadpool_postgres, tokio_postgres};
///
/// # async fn dedup() -> Result<Dedup, Box<dyn std::error::Error>> {
/// let config: tokio_postgres::Config = "postgres://app@127.0.0.1/app".parse()?;
/// let manager = deadpool_postgres::Manager::new(config, tokio_postgres::NoTls);
/// let pool = deadpool_postgres::Pool::builder(manager).max_size(16).build()?;
/// let dedup = Dedup::new(PostgresStore::open(pool).await?);
/// # Ok(dedup)
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    swept_at: Arc<Mutex<Option<Instant>>>,
}

impl PostgresStore {
    /// Creates the table, or brings it up to date, under an advisory lock: processes that start together wait for each
    /// other.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no connection or no answer within 30 seconds, if the role may not create a missing table, or if a newer version of
    /// this crate has changed the table.
    pub async fn open(pool: Pool) -> Result<Self, StoreError> {
        /// Enough for many processes that start together, and no wait without an end for a server that is frozen.
        const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
        let opened = timeout(OPEN_TIMEOUT, async {
            let mut client = pool.get().await.map_err(StoreError::new)?;
            schema::migrate(&mut client).await
        });
        opened
            .await
            .map_err(|_| StoreError::new("no answer from PostgreSQL within 30 seconds"))??;
        Ok(Self { pool, swept_at: Arc::default() })
    }

    /// Executes a statement, and returns its rows.
    async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let now = Instant::now();
        let until = now.checked_add(OPERATION_TIMEOUT).unwrap_or(now);
        let client = timeout_at(until, self.pool.get()).await.map_err(timed_out)?;
        let client = client.map_err(StoreError::new)?;
        let rows = timeout_at(until, async {
            client.query(&client.prepare_cached(sql).await?, parameters).await
        });
        match rows.await {
            Ok(rows) => rows.map_err(StoreError::new),
            Err(elapsed) => {
                // It may be dead without knowing it, so nobody should get this connection again.
                drop(Object::take(client));
                Err(timed_out(elapsed))
            }
        }
    }

    /// Executes a statement on a key. Returns whether it changed anything.
    async fn change(
        &self,
        sql: &'static str,
        key: Key<'_>,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<bool, StoreError> {
        let id = key.id.as_bytes().as_slice();
        let parameters = [&[&key.scope as &(dyn ToSql + Sync), &id], more].concat();
        Ok(!self.query(sql, &parameters).await?.is_empty())
    }

    async fn claim_once(
        &self,
        key: Key<'_>,
        owner: Owner,
        lease: Duration,
    ) -> Result<Option<Claimed>, StoreError> {
        let (id, owner) = (key.id.as_bytes().as_slice(), owner.as_bytes().as_slice());
        let rows = self.query(sql::CLAIM, &[&key.scope, &id, &owner, &milliseconds(lease)]).await?;
        rows.first().map(claimed).transpose().map_err(StoreError::new)
    }

    /// Deletes old records in the background, once a minute.
    fn sweep(&self) {
        const EVERY: Duration = Duration::from_secs(60);
        /// Few enough that nobody waits for the statement.
        const AT_ONCE: i64 = 1_000;
        {
            let mut swept_at = self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
            if swept_at.is_some_and(|swept_at| swept_at.elapsed() < EVERY) {
                return;
            }
            *swept_at = Some(Instant::now());
        }
        let store = self.clone();
        tokio::spawn(async move {
            // What fails is done the next time.
            while let Ok(deleted) = store.query(sql::SWEEP, &[&AT_ONCE]).await {
                if deleted.len() < usize::try_from(AT_ONCE).unwrap_or_default() {
                    return;
                }
            }
        });
    }
}

fn claimed(row: &Row) -> Result<Claimed, tokio_postgres::Error> {
    if let Some(token) = row.try_get::<_, Option<i64>>(0)? {
        return Ok(Claimed::Yours { fencing_token: u64::try_from(token).unwrap_or_default() });
    }
    if row.try_get::<_, Option<bool>>(1)? == Some(true) {
        return Ok(Claimed::Completed);
    }
    let rest = row.try_get::<_, Option<i64>>(2)?.unwrap_or_default();
    let retry_after = Duration::from_millis(u64::try_from(rest).unwrap_or_default());
    Ok(Claimed::InProgress { retry_after })
}

fn timed_out(_: Elapsed) -> StoreError {
    StoreError::new("no answer from PostgreSQL within 2 seconds")
}

impl Store for PostgresStore {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        Box::pin(async move {
            /// A claim that was committed meanwhile is seen by the next statement.
            const TRIES: usize = 5;
            self.sweep();
            for _ in 0..TRIES {
                if let Some(claimed) = self.claim_once(key, owner, lease).await? {
                    return Ok(claimed);
                }
            }
            Err(StoreError::new("too many claims of the delivery at once"))
        })
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            Ok(matches!(self.claim(key, owner, lease).await?, Claimed::Yours { .. }))
        })
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let owner = owner.as_bytes().as_slice();
            self.change(sql::COMPLETE, key, &[&owner, &milliseconds(retention)]).await
        })
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let owner = owner.as_bytes().as_slice();
            self.change(sql::RELEASE, key, &[&owner]).await.map(drop)
        })
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        Box::pin(self.change(sql::FORGET, key, &[]))
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        let (store, scope, id) = (self.clone(), key.scope.to_owned(), key.id);
        tokio::spawn(async move { store.release(Key::new(&scope, id), owner).await });
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
