//! The terms of a claim: what a `Dedup` and its claims share.

use std::{sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;
use tokio::sync::{Semaphore, watch};

#[cfg(feature = "metrics")]
use crate::metrics::keys::Keys;
use crate::{
    memory::MemoryStore,
    owner::Owner,
    store::{Key, Store},
};

/// How many completions may wait in the background for a store that fails.
const MAX_UNRECORDED: usize = 10_000;

/// How many deliveries the guard of `fail_open` holds: a quarter of an hour at 20 a second, in about 2 MB.
const MAX_GUARDED: usize = 20_000;

/// Between a scope and its tenant: a control character, so that no two pairs of ordinary names come to the same text.
const TENANT: char = '\u{1f}';

/// How many deliveries may wait for others.
const MAX_WAITING: usize = 1_000;

#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scope: Arc<str>,
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Arc<Keys>,
    pub(crate) lease: Duration,
    pub(crate) retention: Duration,
    pub(crate) unknown_retention: Duration,
    /// Whether these are the terms of an event of an unknown type.
    pub(crate) is_unknown_event: bool,
    /// With `fail_open`, what this process handles or has handled, for when the store can't tell.
    pub(crate) guard: Option<MemoryStore>,
    /// One permit for each completion that waits in the background.
    pub(crate) unrecorded: Arc<Semaphore>,
    /// One permit for each delivery that waits for another.
    pub(crate) waiting: Arc<Semaphore>,
    /// Whether a shutdown has begun. Each lease holds a receiver, so `closed` waits for the last one to end.
    pub(crate) is_closing: Arc<watch::Sender<bool>>,
}

impl Terms {
    pub(crate) fn new(store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            scope: "".into(),
            #[cfg(feature = "metrics")]
            metrics: Arc::new(Keys::of(&"".into())),
            lease: Duration::from_secs(20),
            retention: Duration::from_secs(72 * 60 * 60),
            unknown_retention: Duration::from_secs(60 * 60),
            is_unknown_event: false,
            guard: None,
            unrecorded: Arc::new(Semaphore::new(MAX_UNRECORDED)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            is_closing: Arc::new(watch::Sender::new(false)),
        }
    }

    pub(crate) fn add_tenant(&mut self, tenant: &str) {
        self.scope = format!("{}{TENANT}{tenant}", self.scope).into();
    }

    pub(crate) fn set_scope(&mut self, scope: Arc<str>) {
        #[cfg(feature = "metrics")]
        {
            self.metrics = Arc::new(Keys::of(&scope));
        }
        self.scope = scope;
    }

    pub(crate) fn fail_open(&mut self) {
        self.guard = Some(MemoryStore::with_capacity(MAX_GUARDED));
    }

    pub(crate) async fn guard_completed(&self, id: DeliveryId, owner: Owner) {
        if let Some(guard) = &self.guard {
            // If it is full of deliveries in progress, it forgets this one, as it would forget the oldest one.
            let _ = guard.complete(self.key(id), owner, self.retention()).await;
        }
    }

    pub(crate) fn unguard(&self, id: DeliveryId, owner: Owner) {
        if let Some(guard) = &self.guard {
            guard.abandon(self.key(id), owner);
        }
    }

    pub(crate) fn key(&self, id: DeliveryId) -> Key<'_> {
        Key { is_unknown_event: self.is_unknown_event, ..Key::new(&self.scope, id) }
    }

    pub(crate) fn retention(&self) -> Duration {
        if self.is_unknown_event {
            self.unknown_retention.min(self.retention)
        } else {
            self.retention
        }
    }

    /// Waits until a shutdown begins.
    pub(crate) async fn closing(&self) {
        let _ = self.is_closing.subscribe().wait_for(|is_closing| *is_closing).await;
    }

    pub(crate) fn third_of_lease(&self) -> Duration {
        self.lease.checked_div(3).unwrap_or(self.lease)
    }
}
