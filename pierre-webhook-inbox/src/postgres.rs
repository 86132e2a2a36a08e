//! The inbox in a PostgreSQL database.

mod announce;
mod listen;
mod read;
mod schema;
pub mod sql;
mod transaction;
mod write;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use deadpool_postgres::{Client, Object, Pool};
use pierre_webhook_core::DeliveryId;
use tokio::time::{Instant, timeout_at};

use self::announce::Announcer;
use crate::{
    entry::{Entry, Inserted, Pruned, State, Stats},
    error::InboxError,
    row::{NewRow, TakenRow},
    store::{
        OPERATION_TIMEOUT, Order, Outcome, Prune, ROWS_AT_ONCE, Store, StoreFuture, Take, Ticket,
    },
};

type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, InboxError>> + Send + 'a>>;

pub(crate) struct Postgres {
    pool: Pool,
    announcer: Announcer,
}

impl Postgres {
    pub(crate) async fn open(pool: Pool) -> Result<Self, InboxError> {
        with(&pool, |client| Box::pin(schema::migrate(client))).await?;
        Ok(Self { announcer: Announcer::new(pool.clone()), pool })
    }

    fn with<'a, T, F>(&'a self, work: F) -> StoreFuture<'a, T>
    where
        T: Send + 'a,
        F: for<'c> FnOnce(&'c mut Client) -> Work<'c, T> + Send + 'a,
    {
        Box::pin(with(&self.pool, work))
    }
}

/// Runs this with a connection of the pool, within the time of an operation.
async fn with<T, F>(pool: &Pool, work: F) -> Result<T, InboxError>
where
    F: for<'c> FnOnce(&'c mut Client) -> Work<'c, T>,
{
    let now = Instant::now();
    let until = now.checked_add(OPERATION_TIMEOUT).unwrap_or(now);
    let timed_out = |_| InboxError::timed_out();
    let mut client =
        timeout_at(until, pool.get()).await.map_err(timed_out)?.map_err(InboxError::database)?;
    match timeout_at(until, work(&mut client)).await {
        Ok(result) => result,
        Err(elapsed) => {
            // Nobody should wait for this connection again: it may be dead without knowing it.
            drop(Object::take(client));
            Err(timed_out(elapsed))
        }
    }
}

impl Store for Postgres {
    fn insert(&self, row: NewRow) -> StoreFuture<'_, Inserted> {
        self.with(move |client| Box::pin(async move { write::insert(client, &row).await }))
    }

    fn waiting(&self, scope: Arc<str>, limit: u64) -> StoreFuture<'_, u64> {
        self.with(move |client| Box::pin(async move { read::waiting(client, &scope, limit).await }))
    }

    fn take(&self, scope: Arc<str>, take: Take) -> StoreFuture<'_, Vec<TakenRow>> {
        self.with(move |client| {
            Box::pin(async move {
                let mut taken = match take.order {
                    Order::Any => write::take(client, &scope, take).await?,
                    Order::ByLane { dead_holds } => {
                        write::take_in_order(client, &scope, take, dead_holds).await?
                    }
                };
                taken.sort_unstable_by_key(|row| row.seq);
                Ok(taken)
            })
        })
    }

    fn clock_set_back(&self, scope: Arc<str>, lease: Duration) -> StoreFuture<'_, u64> {
        self.with(move |client| {
            Box::pin(async move { write::clock_set_back(client, &scope, lease).await })
        })
    }

    fn renew(&self, ticket: Ticket, lease: Duration) -> StoreFuture<'_, bool> {
        self.with(move |client| Box::pin(async move { write::renew(client, &ticket, lease).await }))
    }

    fn settle(&self, ticket: Ticket, outcome: Outcome) -> StoreFuture<'_, bool> {
        self.with(move |client| {
            Box::pin(async move { write::settle(client, &ticket, &outcome).await })
        })
    }

    fn stats(&self, scope: Arc<str>) -> StoreFuture<'_, Stats> {
        self.with(move |client| Box::pin(async move { read::stats(client, &scope).await }))
    }

    fn entries(&self, scope: Arc<str>, state: State, limit: i64) -> StoreFuture<'_, Vec<Entry>> {
        self.with(move |client| {
            Box::pin(async move { read::entries(client, &scope, state, limit).await })
        })
    }

    fn find(
        &self,
        scope: Arc<str>,
        id: DeliveryId,
    ) -> StoreFuture<'_, Vec<(Entry, Option<Bytes>)>> {
        self.with(move |client| Box::pin(async move { read::find(client, &scope, id).await }))
    }

    fn retry(&self, scope: Arc<str>, id: DeliveryId) -> StoreFuture<'_, bool> {
        self.with(move |client| Box::pin(async move { write::retry(client, &scope, id).await }))
    }

    fn discard(&self, scope: Arc<str>, id: DeliveryId) -> StoreFuture<'_, bool> {
        self.with(move |client| Box::pin(async move { write::discard(client, &scope, id).await }))
    }

    fn prune(&self, scope: Arc<str>, prune: Prune) -> StoreFuture<'_, Pruned> {
        Box::pin(async move {
            let mut pruned = Pruned::default();
            let most = u64::try_from(ROWS_AT_ONCE).unwrap_or_default();
            loop {
                let scope = scope.clone();
                let step = self
                    .with(move |client| {
                        Box::pin(async move { write::prune(client, &scope, prune).await })
                    })
                    .await?;
                pruned.bodies = pruned.bodies.saturating_add(step.bodies);
                pruned.entries = pruned.entries.saturating_add(step.entries);
                if step.bodies.max(step.entries) < most {
                    return Ok(pruned);
                }
            }
        })
    }

    fn announce(&self, scope: &Arc<str>) {
        self.announcer.announce(scope);
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}
