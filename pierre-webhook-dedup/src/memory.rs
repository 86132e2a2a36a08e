//! `MemoryStore`: for a single process.

mod pool;
mod records;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

use self::records::Records;
use crate::{
    owner::Owner,
    store::{Claimed, Key, Store, StoreFuture},
};

/// A [`Store`] in this process's memory, for a service of one process that may forget deliveries when it
/// restarts.
///
/// Its capacity is bounded. When it is full, it forgets the delivery that was completed the longest ago, and never
/// one in progress. If all of its deliveries are in progress, a claim fails. Clones share the records.
#[derive(Clone)]
pub struct MemoryStore {
    records: Arc<Mutex<Records>>,
}

impl MemoryStore {
    /// Creates a store for at most 1,000,000 deliveries.
    pub fn new() -> Self {
        Self::with_capacity(1_000_000)
    }

    /// Creates a store for at most `entries` deliveries; 0 counts as 1. Memory is allocated as deliveries arrive,
    /// about 110 bytes each.
    ///
    /// Events of unknown types have an eighth as many places, on top of these, see
    /// [`Dedup::for_delivery`](crate::Dedup::for_delivery).
    pub fn with_capacity(entries: usize) -> Self {
        Self { records: Arc::new(Mutex::new(Records::new(entries))) }
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        // No operation can panic halfway, so a poisoned lock still guards consistent records.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        Box::pin(async move { self.records().claim(key, owner, lease) })
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        Box::pin(async move { self.records().renew(key, owner, lease) })
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { self.records().complete(key, owner, retention) })
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.records().release(key, owner);
            Ok(())
        })
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.records().forget(key)) })
    }

    /// Returns as soon as the delivery isn't in progress any more.
    fn changed<'a>(&'a self, key: Key<'a>, _: Duration, at_most: Duration) -> StoreFuture<'a, ()> {
        let end = self.records().end_of(key);
        Box::pin(async move {
            if let Some(mut end) = end {
                // Nothing is ever sent, so this ends when the record does.
                let _ = timeout(at_most, end.changed()).await;
            }
            Ok(())
        })
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        self.records().release(key, owner);
    }
}
