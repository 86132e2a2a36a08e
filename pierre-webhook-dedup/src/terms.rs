//! The terms of a claim: what a `Dedup` and its claims share.

use std::{sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;
use tokio::sync::{Semaphore, watch};

use crate::store::{Key, Store};

/// How many completions may wait in the background for a store that fails.
const MAX_UNRECORDED: usize = 10_000;

#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scope: Arc<str>,
    pub(crate) lease: Duration,
    pub(crate) retention: Duration,
    /// One permit for each completion that waits in the background.
    pub(crate) unrecorded: Arc<Semaphore>,
    /// Whether a shutdown has begun. Each lease holds a receiver, so `closed` waits for the last one to end.
    pub(crate) is_closing: Arc<watch::Sender<bool>>,
}

impl Terms {
    pub(crate) fn new(store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            scope: "".into(),
            lease: Duration::from_secs(20),
            retention: Duration::from_secs(72 * 60 * 60),
            unrecorded: Arc::new(Semaphore::new(MAX_UNRECORDED)),
            is_closing: Arc::new(watch::Sender::new(false)),
        }
    }

    pub(crate) fn key(&self, id: DeliveryId) -> Key<'_> {
        Key::new(&self.scope, id)
    }

    pub(crate) fn third_of_lease(&self) -> Duration {
        self.lease.checked_div(3).unwrap_or(self.lease)
    }
}
