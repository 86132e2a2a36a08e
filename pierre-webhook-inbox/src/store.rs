//! What a database must do.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use pierre_webhook_core::DeliveryId;

use crate::{
    entry::{Entry, Inserted, Pruned, State, Stats},
    error::InboxError,
    row::{NewRow, TakenRow},
};

/// How long an operation may take. Then it fails, and a request is answered with 503.
pub(crate) const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How many deliveries a taking in order looks at.
///
/// Each costs a lock and some probes, so it begins with few more than it needs, and looks at more if all are blocked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window(i64);

impl Window {
    const MORE: i64 = 3;
    const MOST: i64 = 256;

    pub(crate) fn new(limit: i64) -> Self {
        Self(limit.saturating_add(Self::MORE))
    }

    pub(crate) fn rows(self) -> i64 {
        self.0
    }

    pub(crate) fn wider(self) -> Self {
        Self(self.0.saturating_mul(4).min(Self::MOST).max(self.0))
    }
}

/// How long a blocked delivery is out of the way. The end of the one before it wakes it; this is for the case that it
/// doesn't, such as a worker that processes the same inbox without order.
pub(crate) const ASIDE: Duration = Duration::from_secs(600);

/// The same for one that is behind a running one: see the SQL of PostgreSQL.
pub(crate) const NEXT_ASIDE: Duration = Duration::from_millis(500);

/// How many rows a statement of upkeep changes at most, so that no lock is held for long.
pub(crate) const ROWS_AT_ONCE: i64 = 1000;

pub(crate) type StoreFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, InboxError>> + Send + 'a>>;

/// One table, whose rows move from `ready` to `running` and then to `done`, `dead`, or `ready` again. All times are by
/// the database's clock. The operations that take a [`Ticket`] do nothing, and return false, unless the row is running
/// with that attempt.
pub(crate) trait Store: Send + Sync + 'static {
    fn insert(&self, row: NewRow) -> StoreFuture<'_, Inserted>;

    /// Counts the rows that are ready or running, up to a limit.
    fn waiting(&self, scope: Arc<str>, limit: u64) -> StoreFuture<'_, u64>;

    /// Takes rows that are due, also those whose lease has expired, and adds one to their attempt and tries.
    fn take(&self, scope: Arc<str>, take: Take) -> StoreFuture<'_, Vec<TakenRow>>;

    /// Makes rows due that were stored in the future, since the clock was set back by more than a second: those that are ready at once, those
    /// that run once the lease is over. Returns how many it has changed, at most [`ROWS_AT_ONCE`].
    fn clock_set_back(&self, scope: Arc<str>, lease: Duration) -> StoreFuture<'_, u64>;

    fn renew(&self, ticket: Ticket, lease: Duration) -> StoreFuture<'_, bool>;

    fn settle(&self, ticket: Ticket, outcome: Outcome) -> StoreFuture<'_, bool>;

    fn stats(&self, scope: Arc<str>) -> StoreFuture<'_, Stats>;

    /// Returns the oldest rows of a state.
    fn entries(&self, scope: Arc<str>, state: State, limit: i64) -> StoreFuture<'_, Vec<Entry>>;

    /// Returns the rows of an id: one for each tenant.
    fn find(&self, scope: Arc<str>, id: DeliveryId)
    -> StoreFuture<'_, Vec<(Entry, Option<Bytes>)>>;

    /// Makes dead rows ready. Their tries start from 0.
    fn retry(&self, scope: Arc<str>, id: DeliveryId) -> StoreFuture<'_, bool>;

    /// Makes dead rows done.
    fn discard(&self, scope: Arc<str>, id: DeliveryId) -> StoreFuture<'_, bool>;

    fn prune(&self, scope: Arc<str>, prune: Prune) -> StoreFuture<'_, Pruned>;

    /// Tells workers of other processes that there is work.
    fn announce(&self, scope: &Arc<str>) {
        let _ = scope;
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Take {
    pub(crate) limit: i64,
    pub(crate) lease: Duration,
    pub(crate) order: Order,
}

/// Whether a row waits for the earlier ones of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Any,
    ByLane {
        /// Whether it also waits for dead ones.
        dead_holds: bool,
    },
}

impl Order {
    pub(crate) fn dead_holds(self) -> bool {
        self == Self::ByLane { dead_holds: true }
    }
}

/// The right to settle a row: the attempt that took it.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) scope: Arc<str>,
    pub(crate) id: DeliveryId,
    pub(crate) tenant: Arc<str>,
    pub(crate) attempt: i64,
    pub(crate) order: Order,
}

impl Ticket {
    /// Whether the next of the lane must be woken once this one has ended.
    pub(crate) fn wakes_next(&self, is_dead: bool) -> bool {
        match self.order {
            Order::Any => false,
            Order::ByLane { dead_holds } => !(is_dead && dead_holds),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Done,
    Again {
        after: Duration,
        error: String,
    },
    Dead {
        error: String,
    },
    /// Given back: at once, and the try doesn't count.
    NotRun,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Prune {
    /// Bodies of rows that have been done for longer than this are removed,
    pub(crate) body_after: Duration,
    /// and rows that have been done for longer than this.
    pub(crate) entry_after: Duration,
}

/// Whole milliseconds, up to ten years.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    const MOST: i64 = 10 * 365 * 24 * 60 * 60 * 1000;
    i64::try_from(duration.as_millis()).unwrap_or(MOST).min(MOST)
}
