//! Where claims and completions are kept.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;

use crate::{error::StoreError, owner::Owner};

/// Where claims and completions are kept: [`MemoryStore`](crate::MemoryStore), `RedisStore`, or your own.
///
/// A key has no record, is *in progress* under an owner until a lease lapses, or is *completed* until a
/// retention is over. A lease that has lapsed and a retention that is over are no record.
///
/// What an implementation must keep to:
///
/// - Each operation is atomic, and idempotent for its owner: where the answer of one was lost, it is asked again.
/// - Each is bounded in time. A caller waits for it before it answers its sender.
/// - Completed never goes back to in progress, but by [`forget`](Self::forget).
/// - A lease or a retention is whole milliseconds, from 10 ms to 10 years, where [`Dedup`](crate::Dedup) asks.
///
/// A future of it may be dropped at any moment.
pub trait Store: Send + Sync + 'static {
    /// Takes a key that has no record, until the lease lapses. One that the owner has already is
    /// [`Yours`](Claimed::Yours) again.
    fn claim<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration)
    -> StoreFuture<'a, Claimed>;

    /// Holds the key for another lease from now, and takes it again where it has no record. `false` where it is
    /// another's, or completed.
    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool>;

    /// Records that the work was done, also where the key has no record any more. `true`: it is recorded, or
    /// was by this owner, in which case the retention is not extended. `false`: another holds the key, or has
    /// completed it.
    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool>;

    /// Gives back a key that is in progress under this owner; does nothing to any other.
    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()>;

    /// Removes the record, whatever it is. `true` where there was one.
    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool>;

    /// Releases when it can, and must not block: it is called from a `Drop`.
    fn abandon(&self, key: Key<'_>, owner: Owner);
}

/// What the operations of a [`Store`] return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claimed {
    /// The key is the asker's until the lease lapses.
    Yours,
    /// Another holds it.
    InProgress {
        /// The rest of the other's lease.
        retry_after: Duration,
    },
    /// The work was done.
    Completed,
}

/// A delivery in the eyes of one consumer. `Display` is `<scope>:<hex>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Key<'a> {
    /// The consumer's; see [`Dedup::scope`](crate::Dedup::scope).
    pub scope: &'a str,
    /// The delivery's.
    pub id: DeliveryId,
}

impl<'a> Key<'a> {
    /// A key of this scope.
    ///
    /// ```
    /// use pierre_webhook_dedup::{DeliveryId, Key};
    ///
    /// let key = Key::new("mailer", DeliveryId::from([0xab; 32]));
    /// assert_eq!(key.to_string(), format!("mailer:{}", "ab".repeat(32)));
    /// ```
    pub fn new(scope: &'a str, id: DeliveryId) -> Self {
        Self { scope, id }
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scope, self.id)
    }
}

/// One store for many [`Dedup`](crate::Dedup)s.
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

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        (**self).abandon(key, owner);
    }
}
