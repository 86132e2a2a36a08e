//! The `Store` trait and its vocabulary.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;
use tokio::time::sleep;

use crate::{error::StoreError, owner::Owner};

/// Keeps claims and completions: [`MemoryStore`](crate::MemoryStore), `RedisStore`, or your own.
///
/// A key has no record, or is *in progress* under an owner until a lease expires, or is *completed* until its
/// retention ends. An expired lease and an ended retention count as no record.
///
/// An implementation must keep these rules:
///
/// - Each operation is atomic, and idempotent for its owner: if its answer was lost, it is called again.
/// - Each operation is bounded in time, because the sender of the webhook is waiting for it.
/// - A completed key never goes back to in progress, except through [`forget`](Self::forget).
/// - The future of an operation may be dropped at any moment.
///
/// [`Dedup`](crate::Dedup) only passes leases and retentions of whole milliseconds, from 10 ms to 10 years.
///
/// The feature `store-contract` tests an implementation against these rules: see `store_contract!`.
pub trait Store: Send + Sync + 'static {
    /// Claims a key that has no record, until the lease expires. If the owner already holds the key, the answer
    /// is [`Yours`](Claimed::Yours) again. [`fencing_token`](Claimed::Yours::fencing_token) says how its number must
    /// grow.
    fn claim<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration)
    -> StoreFuture<'a, Claimed>;

    /// Renews the owner's lease from now, and claims the key again if it has no record. Returns `false` if
    /// another owner holds the key, or if it is completed.
    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool>;

    /// Records that the work is done, even if the key has no record. Returns `true` if this owner's completion is
    /// recorded, now or earlier; an earlier one keeps its retention. Returns `false` if another owner holds the
    /// key or has completed it.
    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool>;

    /// Releases a key that is in progress under this owner. Does nothing otherwise.
    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()>;

    /// Removes the record of a key, in progress or completed. Returns whether there was one.
    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool>;

    /// Waits until the record of a key in progress may have changed, or until `at_most` has passed. `waited` is how long
    /// the caller has waited for this key before, in earlier calls. Returning early is harmless: the caller claims the
    /// key again, and perhaps waits again.
    ///
    /// The default sleeps for half of what was waited before, from 50 ms to 1 second. Override it if the store can tell
    /// when a key changes.
    fn changed<'a>(
        &'a self,
        key: Key<'a>,
        waited: Duration,
        at_most: Duration,
    ) -> StoreFuture<'a, ()> {
        let _ = key;
        let pause = waited.div_f64(2.0).clamp(Duration::from_millis(50), Duration::from_secs(1));
        Box::pin(async move {
            sleep(pause.min(at_most)).await;
            Ok(())
        })
    }

    /// Releases a key in the background. This is called from a `Drop`, so it must not block.
    fn abandon(&self, key: Key<'_>, owner: Owner);
}

/// The future that the operations of a [`Store`] return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The outcome of [`Store::claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claimed {
    /// The owner holds the key until the lease expires.
    Yours {
        /// A number that is larger than those of all earlier claims of the key by other owners, for as long as the
        /// store keeps its data, even if their records are released, expired or forgotten by now. A repeated claim by
        /// the same owner has the same number or a larger one; a renewal doesn't change it.
        fencing_token: u64,
    },
    /// Another owner holds the key.
    InProgress {
        /// What is left of the other's lease.
        retry_after: Duration,
    },
    /// The work is done.
    Completed,
}

/// Identifies a delivery within a scope. `Display` is `<scope>:<hex>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Key<'a> {
    /// The scope of the consumer: see [`Dedup::scope`](crate::Dedup::scope).
    pub scope: &'a str,
    /// The id of the delivery.
    pub id: DeliveryId,
    /// Whether the event's type is unknown, and so isn't signed: see [`Dedup::for_delivery`](crate::Dedup::for_delivery).
    /// A store whose records are bounded keeps a share for these, so that they can't push out the others. The same id
    /// always comes with the same value, except in [`forget`](Store::forget), where it may be false for either.
    pub is_unknown_event: bool,
}

impl<'a> Key<'a> {
    /// Creates a key in this scope, for an event of a known type.
    ///
    /// ```
    /// use pierre_webhook_dedup::{DeliveryId, Key};
    ///
    /// let key = Key::new("mailer", DeliveryId::from([0xab; 32]));
    /// assert_eq!(key.to_string(), format!("mailer:{}", "ab".repeat(32)));
    /// ```
    pub fn new(scope: &'a str, id: DeliveryId) -> Self {
        Self { scope, id, is_unknown_event: false }
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scope, self.id)
    }
}

/// Lets several [`Dedup`](crate::Dedup)s share one store.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        (**self).claim(key, owner, lease)
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        (**self).renew(key, owner, lease)
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        (**self).complete(key, owner, retention)
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        (**self).release(key, owner)
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        (**self).forget(key)
    }

    fn changed<'a>(
        &'a self,
        key: Key<'a>,
        waited: Duration,
        at_most: Duration,
    ) -> StoreFuture<'a, ()> {
        (**self).changed(key, waited, at_most)
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        (**self).abandon(key, owner);
    }
}
