//! The store's side of a claim: what outlives the caller that dropped it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use pierre_webhook_core::DeliveryId;
use tokio::{
    runtime::Handle,
    sync::{Mutex, MutexGuard, Semaphore},
    task::{AbortHandle, yield_now},
    time::{Instant, sleep},
};

use crate::{
    dedup::Dedup,
    error::StoreError,
    once::Recorded,
    owner::Owner,
    store::{Claimed, Key, Store},
    trace::{warn, warn_of},
};

/// How long a completion is tried in the background, and how often.
const BACKGROUND_MOST: Duration = Duration::from_secs(15 * 60);
const BACKGROUND_FIRST_PAUSE: Duration = Duration::from_millis(100);
const BACKGROUND_LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(crate) struct Held {
    store: Arc<dyn Store>,
    scope: Arc<str>,
    id: DeliveryId,
    owner: Owner,
    lease: Duration,
    retention: Duration,
    /// Renewals, and what ends them, take turns: one that is under way would undo a release.
    turn: Mutex<Turn>,
    renewal: OnceLock<AbortHandle>,
    /// Where the claim was made.
    runtime: Handle,
    /// The places in the background.
    background: Arc<Semaphore>,
}

#[derive(PartialEq)]
enum Turn {
    Renewable,
    Ended,
}

impl Held {
    pub(crate) fn new(dedup: &Dedup, id: DeliveryId) -> Result<Self, StoreError> {
        Ok(Self {
            store: Arc::clone(&dedup.store),
            scope: Arc::clone(&dedup.scope),
            id,
            owner: Owner::random()?,
            lease: dedup.lease,
            retention: dedup.retention,
            turn: Mutex::new(Turn::Renewable),
            renewal: OnceLock::new(),
            runtime: Handle::try_current().map_err(StoreError::new)?,
            background: Arc::clone(&dedup.background),
        })
    }

    pub(crate) fn id(&self) -> DeliveryId {
        self.id
    }

    fn key(&self) -> Key<'_> {
        Key::new(&self.scope, self.id)
    }

    pub(crate) async fn claim(&self) -> Result<Claimed, StoreError> {
        self.store.claim(self.key(), self.owner, self.lease).await
    }

    pub(crate) async fn release(&self) -> Result<(), StoreError> {
        let _turn = self.end_renewals().await;
        self.store.release(self.key(), self.owner).await
    }

    /// Releases from a `Drop`.
    pub(crate) fn abandon(self: Arc<Self>) {
        match self.turn.try_lock() {
            Ok(mut turn) => {
                *turn = Turn::Ended;
                self.stop_renewing();
                let _runtime = self.runtime.enter();
                self.store.abandon(self.key(), self.owner);
            }
            Err(_) => {
                let held = Arc::clone(&self);
                self.runtime.spawn(async move {
                    let _turn = held.end_renewals().await;
                    held.store.abandon(held.key(), held.owner);
                });
            }
        }
    }

    /// Renews every third of the lease.
    pub(crate) async fn keep_renewed(self: &Arc<Self>, most: Duration) {
        let (held, start) = (Arc::clone(self), Instant::now());
        let renewal = self.runtime.spawn(async move {
            loop {
                sleep(held.third_of_lease()).await;
                if start.elapsed() > most {
                    warn(
                        held.id,
                        "a delivery is in work for so long that its lease is not renewed any more",
                    );
                    return;
                }
                match held.renew().await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => warn_of(&error, held.id, "a lease could not be renewed"),
                }
            }
        });
        let _ = self.renewal.set(renewal.abort_handle());
        // A new task waits in a place of this thread that no other thread takes from: work that blocks the thread
        // would keep it there.
        yield_now().await;
    }

    /// Renews, also where the caller is dropped meanwhile: the next in turn waits for it.
    pub(crate) async fn renew_to_the_end(self: Arc<Self>) -> Result<bool, StoreError> {
        // On the caller's runtime, where there is one: that of the claim may have ended, or nobody drives it.
        let runtime = Handle::try_current().unwrap_or_else(|_| self.runtime.clone());
        runtime.spawn(async move { self.renew().await }).await.map_err(StoreError::new)?
    }

    async fn renew(&self) -> Result<bool, StoreError> {
        let turn = self.turn.lock().await;
        if *turn == Turn::Ended {
            return Ok(false);
        }
        let is_held = self.store.renew(self.key(), self.owner, self.lease).await?;
        if !is_held {
            warn(self.id, "a lease was lost: the delivery is handled twice");
        }
        Ok(is_held)
    }

    /// Waits for a renewal that is under way; there is none after it.
    async fn end_renewals(&self) -> MutexGuard<'_, Turn> {
        let mut turn = self.turn.lock().await;
        *turn = Turn::Ended;
        self.stop_renewing();
        turn
    }

    fn third_of_lease(&self) -> Duration {
        self.lease.checked_div(3).unwrap_or(self.lease)
    }

    fn stop_renewing(&self) {
        if let Some(renewal) = self.renewal.get() {
            renewal.abort();
        }
    }

    async fn complete(&self) -> Result<Recorded, StoreError> {
        let _turn = self.end_renewals().await;
        if self.store.complete(self.key(), self.owner, self.retention).await? {
            return Ok(Recorded::Yes);
        }
        warn(self.id, "a delivery was taken over before it was completed: it runs twice");
        Ok(Recorded::TakenOver)
    }

    async fn complete_in_the_end(&self) {
        let start = Instant::now();
        // Soon after the store is back, before another claims what has lapsed meanwhile.
        let longest = BACKGROUND_LONGEST_PAUSE.min(self.third_of_lease());
        let mut pause = BACKGROUND_FIRST_PAUSE.min(longest);
        while let Err(error) = self.complete().await {
            if start.elapsed() > BACKGROUND_MOST {
                warn_of(&error, self.id, "a completed delivery could not be recorded");
                return;
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(longest);
        }
    }
}

/// Work that is done, and not recorded yet. Dropped, it is recorded in the background.
pub(crate) struct Unrecorded {
    held: Arc<Held>,
    is_settled: bool,
}

impl Unrecorded {
    pub(crate) fn new(held: Arc<Held>) -> Self {
        Self { held, is_settled: false }
    }

    pub(crate) async fn record(mut self) -> Recorded {
        match self.held.complete().await {
            Ok(recorded) => {
                self.is_settled = true;
                recorded
            }
            Err(error) => {
                warn_of(&error, self.held.id, "a completed delivery is recorded later");
                Recorded::Retrying
            }
        }
    }
}

impl Drop for Unrecorded {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        match Arc::clone(&self.held.background).try_acquire_owned() {
            Ok(place) => {
                let held = Arc::clone(&self.held);
                self.held.runtime.spawn(async move {
                    held.complete_in_the_end().await;
                    drop(place);
                });
            }
            Err(_) => {
                warn(self.held.id, "a completed delivery is not recorded: too many wait");
                self.held.stop_renewing();
            }
        }
    }
}
