//! A store with the faults of a network and a server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use pierre_webhook_dedup::{Claimed, Key, MemoryStore, Owner, Store, StoreError, StoreFuture};
use tokio::{sync::watch, time::sleep};

/// The fault that an operation meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// The operation fails and has no effect.
    Down,
    /// The operation takes effect, and its answer is lost.
    AnswerLost,
    /// The operation takes effect after this time.
    Slow(Duration),
    /// Like a command on the network: it takes effect after this time, even if nobody waits for it. For renewals
    /// only.
    InFlight(Duration),
    /// The operation yields this often before and after it takes effect.
    Yields(usize),
    /// The store has a bug.
    Panics,
}

/// Clones share their records and faults.
#[derive(Clone)]
pub(crate) struct Faulty {
    records: MemoryStore,
    faults: Arc<watch::Sender<Faults>>,
    calls: Arc<[AtomicUsize; 4]>,
}

#[derive(Clone, Copy)]
struct Faults([Fault; 4]);

/// The operations that can have a fault.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Claim,
    Renew,
    Complete,
    Release,
}

impl Faulty {
    pub(crate) fn new() -> Self {
        Self {
            records: MemoryStore::new(),
            faults: Arc::new(watch::Sender::new(Faults([Fault::None; 4]))),
            calls: Arc::default(),
        }
    }

    pub(crate) fn set(&self, operation: Operation, fault: Fault) -> &Self {
        self.faults.send_modify(|faults| faults.0[operation as usize] = fault);
        self
    }

    pub(crate) fn set_all(&self, fault: Fault) -> &Self {
        self.faults.send_modify(|faults| faults.0 = [fault; 4]);
        self
    }

    /// How often the operation was called.
    pub(crate) fn calls(&self, operation: Operation) -> usize {
        self.calls[operation as usize].load(Ordering::SeqCst)
    }

    async fn under_fault<T>(
        &self,
        operation: Operation,
        done: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.calls[operation as usize].fetch_add(1, Ordering::SeqCst);
        let fault = self.faults.borrow().0[operation as usize];
        match fault {
            Fault::None => done.await,
            Fault::Down => Err(StoreError::new("the store is down")),
            Fault::Panics => panic!("a bug in the store"),
            Fault::AnswerLost => {
                done.await?;
                Err(StoreError::new("the answer was lost"))
            }
            Fault::Slow(time) | Fault::InFlight(time) => {
                sleep(time).await;
                done.await
            }
            Fault::Yields(times) => {
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
                let answer = done.await;
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
                answer
            }
        }
    }
}

impl Store for Faulty {
    fn claim<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        lease: Duration,
    ) -> StoreFuture<'a, Claimed> {
        let done = self.records.claim(key, owner, lease);
        Box::pin(self.under_fault(Operation::Claim, done))
    }

    fn renew<'a>(&'a self, key: Key<'a>, owner: Owner, lease: Duration) -> StoreFuture<'a, bool> {
        let (records, scope, id) = (self.records.clone(), key.scope.to_owned(), key.id);
        let store = self.clone();
        let renewal = async move {
            let done = records.renew(Key::new(&scope, id), owner, lease);
            store.under_fault(Operation::Renew, done).await
        };
        match self.faults.borrow().0[Operation::Renew as usize] {
            Fault::InFlight(_) => {
                let in_flight = tokio::spawn(renewal);
                Box::pin(async { in_flight.await.map_err(StoreError::new)? })
            }
            _ => Box::pin(renewal),
        }
    }

    fn complete<'a>(
        &'a self,
        key: Key<'a>,
        owner: Owner,
        retention: Duration,
    ) -> StoreFuture<'a, bool> {
        let done = self.records.complete(key, owner, retention);
        Box::pin(self.under_fault(Operation::Complete, done))
    }

    fn release<'a>(&'a self, key: Key<'a>, owner: Owner) -> StoreFuture<'a, ()> {
        let done = self.records.release(key, owner);
        Box::pin(self.under_fault(Operation::Release, done))
    }

    fn forget<'a>(&'a self, key: Key<'a>) -> StoreFuture<'a, bool> {
        self.records.forget(key)
    }

    fn abandon(&self, key: Key<'_>, owner: Owner) {
        let (store, scope, id) = (self.clone(), key.scope.to_owned(), key.id);
        tokio::spawn(async move { store.release(Key::new(&scope, id), owner).await });
    }
}
