//! `LeaseHandle`: what the work may know about its lease.

use std::{
    fmt,
    future::pending,
    sync::{Arc, OnceLock},
};

use pierre_webhook_core::DeliveryId;
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, timeout_at},
};

use crate::transaction::{Transaction, sealed::Completion};

/// Tells the work whether it still holds its delivery, and gives it a number to fence its writes with.
///
/// [`Dedup::once_with`](crate::Dedup::once_with) passes it to the work, `DedupLayer` puts it into the request's
/// extensions, and [`Claim::handle`](crate::Claim::handle) returns it. Clones belong to the same claim. A handle may
/// outlive its claim, for example in a `spawn_blocking`, and doesn't keep it alive.
///
/// ```
/// use pierre_webhook_dedup::{Dedup, DeliveryId, LeaseHandle, MemoryStore};
///
/// # async fn copy(_: Option<u64>) -> std::io::Result<()> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let dedup = Dedup::new(MemoryStore::new());
/// let work = async |lease: LeaseHandle| {
///     tokio::select! {
///         copied = copy(lease.fencing_token()) => copied,
///         () = lease.lost() => Err(std::io::Error::other("another process handles this delivery now")),
///     }
/// };
/// let once = dedup.once_with(DeliveryId::from([7; 32]), work).await;
/// # assert!(once.is_ok());
/// # }
/// ```
#[derive(Clone)]
pub struct LeaseHandle {
    shared: Arc<Shared>,
}

struct Shared {
    completion: Completion,
    /// The task that renews the lease.
    renewer: OnceLock<AbortHandle>,
    fencing_token: OnceLock<u64>,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// No store has granted a lease.
    Unleased,
    /// The store keeps others out until then at least.
    Held { until: Instant },
    /// Another may have claimed the delivery since.
    Lost,
    /// The work has succeeded.
    Completed,
}

impl State {
    /// The state at this time: a lease that was not renewed is lost, even if nobody looked.
    fn at(self, now: Instant) -> Self {
        match self {
            Self::Held { until } if until <= now => Self::Lost,
            state => state,
        }
    }
}

impl LeaseHandle {
    pub(crate) fn new(completion: Completion) -> Self {
        let shared = Shared {
            completion,
            renewer: OnceLock::new(),
            fencing_token: OnceLock::new(),
            state: watch::Sender::new(State::Unleased),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the id of the claimed delivery.
    pub fn id(&self) -> DeliveryId {
        self.shared.completion.id
    }

    /// Returns the number of this claim, which is larger than those of all earlier claims of the same delivery: see
    /// [`Claimed::Yours`](crate::Claimed::Yours). `None` if the delivery is handled unclaimed, because the store
    /// failed and the `Dedup` [fails open](crate::Dedup::fail_open).
    ///
    /// Send it with every write. If the receiver remembers the largest number it has seen for a delivery and rejects
    /// smaller ones, then work that has lost its lease without noticing can't overwrite what its successor wrote.
    pub fn fencing_token(&self) -> Option<u64> {
        self.shared.fencing_token.get().copied()
    }

    /// Returns whether the lease is lost: see [`lost`](Self::lost).
    pub fn is_lost(&self) -> bool {
        self.shared.state.borrow().at(Instant::now()) == State::Lost
    }

    /// Resolves once the lease is lost, so that another may be handling the delivery: it was taken over, it wasn't
    /// renewed in time, or it was released, by the claim or by [`Dedup::shutdown`](crate::Dedup::shutdown).
    ///
    /// A lost lease stays lost. After a completion this never resolves. Without a lease, because the `Dedup` [fails
    /// open](crate::Dedup::fail_open), it resolves only once the claim is released. It needs a tokio runtime with its
    /// clock enabled.
    pub fn lost(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut state = self.shared.state.subscribe();
        async move {
            loop {
                let now = state.borrow_and_update().at(Instant::now());
                let has_changed = match now {
                    State::Lost => return,
                    State::Completed => return pending().await,
                    State::Unleased => state.changed().await,
                    State::Held { until } => {
                        timeout_at(until, state.changed()).await.unwrap_or(Ok(()))
                    }
                };
                if has_changed.is_err() {
                    // The claim and all handles are gone.
                    return pending().await;
                }
            }
        }
    }

    /// Records the completion in a transaction of the work's own writes, so that either both take place or neither:
    /// the effects of a delivery take place exactly once. The transaction must be one of the database that the store
    /// uses, and rusqlite's must have begun as immediate.
    ///
    /// Call it last, just before the commit: from then on the lease isn't renewed. The outcome is `false` if another
    /// may be handling the delivery, or if the claim isn't in this database. Roll back then, and whenever this or the
    /// commit fails, and return an error from the work, so that the delivery is released.
    ///
    /// ```
    /// # #[cfg(feature = "postgres")]
    /// # mod handler {
    /// use pierre_webhook_dedup::{LeaseHandle, deadpool_postgres::Pool};
    ///
    /// async fn pay(lease: LeaseHandle, pool: Pool) -> Result<(), Box<dyn std::error::Error>> {
    ///     let mut client = pool.get().await?;
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("UPDATE accounts SET credit = credit - 1", &[]).await?;
    ///     if !lease.complete_in(&transaction).await? {
    ///         return Err("another process handles this delivery".into());
    ///     }
    ///     Ok(transaction.commit().await?)
    /// }
    /// # }
    /// ```
    pub fn complete_in<'a, T: Transaction>(&self, transaction: &'a T) -> T::Outcome<'a> {
        self.stop_renewing();
        transaction.complete(self.shared.completion.clone())
    }

    pub(crate) fn is_renewed_by(&self, renewer: AbortHandle) {
        let _ = self.shared.renewer.set(renewer);
    }

    pub(crate) fn stop_renewing(&self) {
        if let Some(renewer) = self.shared.renewer.get() {
            renewer.abort();
        }
    }

    /// The store has granted the lease.
    pub(crate) fn granted(&self, fencing_token: u64, until: Instant) {
        let _ = self.shared.fencing_token.set(fencing_token);
        self.shared.state.send_replace(State::Held { until });
    }

    /// The store has renewed the lease.
    pub(crate) fn renewed(&self, until: Instant) {
        self.enter(State::Held { until });
    }

    pub(crate) fn lose(&self) {
        self.enter(State::Lost);
    }

    pub(crate) fn complete(&self) {
        self.enter(State::Completed);
    }

    /// The store has refused the completion.
    pub(crate) fn was_taken_over(&self) {
        self.shared.state.send_replace(State::Lost);
    }

    fn enter(&self, next: State) {
        self.shared.state.send_modify(|state| {
            *state = match state.at(Instant::now()) {
                State::Unleased | State::Held { .. } => next,
                last => last,
            };
        });
    }
}

impl fmt::Debug for LeaseHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseHandle")
            .field("id", &self.id())
            .field("fencing_token", &self.fencing_token())
            .field("is_lost", &self.is_lost())
            .finish()
    }
}
