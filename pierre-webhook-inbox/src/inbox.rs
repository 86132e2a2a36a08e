//! `Inbox`: stores deliveries.

use std::{fmt, sync::Arc, time::Duration};

use pierre_webhook_core::Delivery;
use tokio::sync::Notify;

use crate::{
    bound::Bound,
    entry::Inserted,
    error::InboxError,
    row::NewRow,
    store::Store,
    trace,
    transaction::{Transaction, sealed::Insert},
};

const MAX_WAITING: u64 = 1_000_000;
const RETENTION: Duration = Duration::from_secs(72 * 60 * 60);

/// A table of deliveries that are stored before they are acknowledged, and that a [`Worker`](crate::Worker) processes.
///
/// Clones share the database. It needs a tokio runtime with its clock (`enable_time`; `enable_all` for PostgreSQL).
/// No operation takes longer than 5 seconds: if the database doesn't answer by then, the operation fails.
#[derive(Clone)]
pub struct Inbox {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scope: Arc<str>,
    pub(crate) retention: Duration,
    /// Wakes the workers of this process.
    pub(crate) arrivals: Arc<Notify>,
    bound: Bound,
}

impl Inbox {
    /// Opens or creates an inbox in a SQLite file, for one machine. Several processes may share the file.
    ///
    /// The file is in WAL mode with `synchronous=FULL`: what is committed survives a power failure. It may be your own
    /// database; the inbox keeps to its tables, whose names begin with `pierre_delivery`. Writes that wait together
    /// are committed together.
    ///
    /// # Errors
    ///
    /// If the file can't be opened or written, or a newer version of this crate has migrated it.
    ///
    /// ```
    /// use pierre_webhook_inbox::Inbox;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("pierre-inbox-docs-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("webhooks.db");
    /// let inbox = Inbox::sqlite(&path).await?;
    /// assert_eq!(inbox.stats().await?.ready, 0);
    /// # drop(inbox);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(path: impl AsRef<std::path::Path>) -> Result<Self, InboxError> {
        let path = path.as_ref().to_owned();
        let open = move || crate::sqlite::Sqlite::open(&path);
        let store = tokio::task::spawn_blocking(open).await.map_err(InboxError::database)??;
        Ok(Self::new(Arc::new(store)))
    }

    /// Creates an inbox in a PostgreSQL database, for several machines.
    ///
    /// Creates the table or brings it up to date, under an advisory lock. The pool needs room for the receivers and the
    /// workers together; an operation that gets no connection in time fails. See [`listen`](Self::listen) too.
    ///
    /// # Errors
    ///
    /// If the database can't be reached, the table can't be created, or a newer version of this crate has migrated it.
    #[cfg(feature = "postgres")]
    pub async fn postgres(pool: deadpool_postgres::Pool) -> Result<Self, InboxError> {
        Ok(Self::new(Arc::new(crate::postgres::Postgres::open(pool).await?)))
    }

    fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            scope: Arc::default(),
            retention: RETENTION,
            arrivals: Arc::default(),
            bound: Bound::new(MAX_WAITING),
        }
    }

    /// Keeps the deliveries of several consumers apart in one table. `""` by default.
    ///
    /// Receivers and workers that belong together have the same scope. A delivery is stored once in each scope.
    #[must_use]
    pub fn scope(self, scope: impl Into<Arc<str>>) -> Self {
        Self {
            scope: scope.into(),
            arrivals: Arc::default(),
            bound: Bound::new(self.bound.most()),
            ..self
        }
    }

    /// Sets how many deliveries may wait. One million by default.
    ///
    /// [`insert`](Self::insert) fails while there are more, so receivers answer with 503 and the sender keeps what it
    /// can't deliver. The waiting deliveries are counted about once a second when they come near the bound, so several
    /// processes together may exceed it a little.
    #[must_use]
    pub fn max_waiting(self, deliveries: u64) -> Self {
        Self { bound: Bound::new(deliveries), ..self }
    }

    /// Sets how long the id of a delivery is remembered once it is done. 72 hours by default.
    ///
    /// Choose a time longer than the sender keeps retrying, and longer than max age and future tolerance together:
    /// until then a repeated delivery is [`Known`](Inserted::Known). [`prune`](Self::prune) removes older ones.
    #[must_use]
    pub fn retention(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    /// Stores a delivery. Takes a `&Webhook` too.
    ///
    /// When it returns `Ok`, the delivery is committed: acknowledge it with a 200, whether it is
    /// [`New`](Inserted::New) or [`Known`](Inserted::Known). `receiver` does all of that.
    ///
    /// A delivery's id is [`Delivery::id`]: a hash of the event type and the body. The same event signed again by a retry
    /// has the same id. Deliveries of different [tenants](pierre_webhook_core::Verifier::tenant) are kept apart.
    ///
    /// If this future is dropped before it is ready, the delivery may be stored or not. Both are safe as long as it
    /// isn't acknowledged: if it was stored, it is `Known` when it is sent again.
    ///
    /// # Errors
    ///
    /// If the inbox is [full](Self::max_waiting), or the database fails or doesn't answer within 5 seconds. Answer 503
    /// then, so that the sender retries.
    pub async fn insert(&self, delivery: &Delivery) -> Result<Inserted, InboxError> {
        let row = NewRow::new(self.scope.clone(), delivery);
        let id = row.id;
        let insert = async {
            self.bound.admit(&self.store, &self.scope).await?;
            self.store.insert(row).await
        };
        let result = insert.await;
        #[cfg(feature = "metrics")]
        crate::metrics::inserted(&self.scope, &result);
        match &result {
            Ok(Inserted::New) => {
                self.bound.add_one();
                self.arrivals.notify_waiters();
                self.store.announce(&self.scope);
            }
            Ok(Inserted::Known) => trace::debug(id, "a delivery was stored before"),
            Err(error) => trace::warn_of(error, id, "a delivery could not be stored"),
        }
        result
    }

    /// Stores a delivery in a transaction of your own, beside your own writes. Acknowledge it after your commit.
    ///
    /// With `rusqlite` this returns the result itself, with PostgreSQL a future of it. The transaction must be of the
    /// database that has the inbox. [`max_waiting`](Self::max_waiting) doesn't apply. Workers notice the delivery when
    /// they next [poll](crate::Worker::poll_interval), or by `listen`.
    ///
    /// # Errors
    ///
    /// If the statement fails, for example since the connection is lost. Roll back then, and answer 503.
    ///
    /// ```
    /// # use pierre_webhook_core::Delivery;
    /// # use pierre_webhook_inbox::{Inbox, InboxError, Inserted};
    /// # use pierre_webhook_inbox::rusqlite::{self, Connection};
    /// fn receive(
    ///     inbox: &Inbox,
    ///     connection: &mut Connection,
    ///     delivery: &Delivery,
    /// ) -> Result<(), Box<dyn std::error::Error>> {
    ///     let transaction = connection.transaction()?;
    ///     if inbox.insert_in(&transaction, delivery)? == Inserted::New {
    ///         transaction.execute("UPDATE counts SET deliveries = deliveries + 1", [])?;
    ///     }
    ///     Ok(transaction.commit()?)
    /// }
    /// ```
    pub fn insert_in<'a, T: Transaction>(
        &self,
        transaction: &'a T,
        delivery: &Delivery,
    ) -> T::Outcome<'a, Inserted> {
        transaction.insert(Insert(NewRow::new(self.scope.clone(), delivery)))
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("scope", &self.scope)
            .field("max_waiting", &self.bound.most())
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
