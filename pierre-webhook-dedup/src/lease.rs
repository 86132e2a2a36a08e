//! The lease behind a claim: taken, renewed, released. It may outlive its claim.

use std::{sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;
use tokio::{
    runtime::Handle,
    sync::{Mutex, MutexGuard, watch},
    task::yield_now,
    time::{Instant, sleep},
};

use crate::{
    error::StoreError,
    handle::LeaseHandle,
    once::Recorded,
    owner::Owner,
    panics::unless_it_panics,
    store::{Claimed, Key, Store},
    terms::Terms,
    trace::{warn, warn_of},
    transaction::sealed::Completion,
};

pub(crate) struct Lease {
    terms: Arc<Terms>,
    id: DeliveryId,
    owner: Owner,
    handle: LeaseHandle,
    /// Locked during each renewal, and by whatever ends them: a renewal in flight would undo a release.
    stage: Mutex<Stage>,
    /// The runtime that the claim was made on.
    runtime: Handle,
    /// Counts the lease among those that a shutdown waits for.
    _alive: watch::Receiver<bool>,
}

/// How soon a renewal that failed is retried.
const RETRY_RENEWAL: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// The lease may be renewed.
    Running,
    Completing,
    /// The completion must not be recorded any more.
    Forgotten,
    Released,
}

impl Lease {
    pub(crate) fn new(terms: Arc<Terms>, id: DeliveryId) -> Result<Self, StoreError> {
        let owner = Owner::random()?;
        let (scope, retention) = (Arc::clone(&terms.scope), terms.retention());
        Ok(Self {
            _alive: terms.is_closing.subscribe(),
            terms,
            id,
            handle: LeaseHandle::new(Completion { scope, id, owner, retention }),
            owner,
            stage: Mutex::new(Stage::Running),
            runtime: Handle::try_current().map_err(StoreError::new)?,
        })
    }

    pub(crate) fn id(&self) -> DeliveryId {
        self.id
    }

    pub(crate) fn handle(&self) -> &LeaseHandle {
        &self.handle
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn key(&self) -> Key<'_> {
        self.terms.key(self.id)
    }

    pub(crate) async fn claim(&self) -> Result<Claimed, StoreError> {
        let until = self.until();
        let claimed = self.terms.store.claim(self.key(), self.owner, self.terms.lease).await?;
        if let Claimed::Yours { fencing_token } = claimed {
            self.handle.granted(fencing_token, until);
        }
        Ok(claimed)
    }

    /// Claims the delivery among those of this process: see [`Terms::guard`].
    pub(crate) async fn guard(&self, at_most: Duration) -> Option<Result<Claimed, StoreError>> {
        let guard = self.terms.guard.as_ref()?;
        Some(guard.claim(self.key(), self.owner, at_most.max(self.terms.lease)).await)
    }

    pub(crate) async fn complete(&self) -> Result<Recorded, StoreError> {
        let stage = self.enter(Stage::Completing).await;
        if *stage == Stage::Forgotten {
            return Ok(Recorded::No);
        }
        self.handle.complete();
        self.terms.guard_completed(self.id, self.owner).await;
        let complete = async {
            self.terms.store.complete(self.key(), self.owner, self.terms.retention()).await
        };
        if unless_it_panics(complete).await? {
            return Ok(Recorded::Yes);
        }
        self.handle.was_taken_over();
        warn(self.id, "a delivery was taken over before it was completed: it runs twice");
        Ok(Recorded::TakenOver)
    }

    /// Releases the lease of work that is still running. `None` if the work has ended and is being recorded or
    /// released.
    pub(crate) async fn release_running(&self) -> Option<Result<(), StoreError>> {
        let mut stage = self.stage.lock().await;
        if *stage != Stage::Running {
            return None;
        }
        // Without letting go of the lock: a completion may wait for it.
        *stage = Stage::Released;
        self.handle.stop_renewing();
        Some(self.give_up(stage).await)
    }

    pub(crate) async fn release(&self) -> Result<(), StoreError> {
        let stage = self.enter(Stage::Released).await;
        self.give_up(stage).await
    }

    async fn give_up(&self, _stage: MutexGuard<'_, Stage>) -> Result<(), StoreError> {
        self.handle.lose();
        self.terms.unguard(self.id, self.owner);
        self.terms.store.release(self.key(), self.owner).await
    }

    /// Releases the lease from a `Drop`.
    pub(crate) fn abandon(self: Arc<Self>) {
        self.handle.lose();
        self.terms.unguard(self.id, self.owner);
        match self.stage.try_lock() {
            Ok(mut stage) => {
                *stage = Stage::Released;
                self.handle.stop_renewing();
                let _runtime = self.runtime.enter();
                self.terms.store.abandon(self.key(), self.owner);
            }
            // A renewal is in flight: wait for it first.
            Err(_) => {
                let lease = Arc::clone(&self);
                self.runtime.spawn(async move {
                    let _stage = lease.enter(Stage::Released).await;
                    lease.terms.store.abandon(lease.key(), lease.owner);
                });
            }
        }
    }

    /// Spawns a task that renews the lease at every third of it, for at most `renew_for`. A renewal that fails is
    /// retried every second.
    pub(crate) async fn keep_renewed(self: &Arc<Self>, renew_for: Duration) {
        let (lease, start) = (Arc::clone(self), Instant::now());
        let renewer = self.runtime.spawn(async move {
            let third = lease.terms.third_of_lease();
            let mut pause = third;
            loop {
                sleep(pause).await;
                if start.elapsed() > renew_for {
                    warn(
                        lease.id,
                        "a delivery is in work for so long that its lease is not renewed any more",
                    );
                    return;
                }
                match lease.renew().await {
                    Ok(true) => pause = third,
                    Ok(false) => return,
                    Err(error) => {
                        // One log event for each outage, not for each retry.
                        if pause == third {
                            warn_of(&error, lease.id, "a lease could not be renewed");
                        }
                        pause = RETRY_RENEWAL.min(third);
                    }
                }
            }
        });
        self.handle.is_renewed_by(renewer.abort_handle());
        // A new task starts in this thread's own slot, which no other thread steals from. Without a yield,
        // work that blocks the thread would keep the task there.
        yield_now().await;
    }

    /// Renews in a task of its own, so that dropping the caller does not cut the renewal short.
    pub(crate) async fn renew_uncancelled(self: Arc<Self>) -> Result<bool, StoreError> {
        // Prefer the caller's runtime: the claim's may have ended, or nobody may drive it.
        let runtime = Handle::try_current().unwrap_or_else(|_| self.runtime.clone());
        runtime.spawn(async move { self.renew().await }).await.map_err(StoreError::new)?
    }

    async fn renew(&self) -> Result<bool, StoreError> {
        let stage = self.stage.lock().await;
        if *stage != Stage::Running {
            return Ok(false);
        }
        let until = self.until();
        let is_held = self.terms.store.renew(self.key(), self.owner, self.terms.lease).await?;
        if is_held {
            self.handle.renewed(until);
        } else {
            self.handle.lose();
            #[cfg(feature = "metrics")]
            crate::metrics::lease_lost(&self.terms);
            warn(self.id, "a lease was lost: the delivery is handled twice");
        }
        Ok(is_held)
    }

    /// The end of a lease that is asked for now. The store grants it later, so there it ends no sooner.
    fn until(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.terms.lease).unwrap_or(now)
    }

    /// Waits for a renewal in flight and allows no other. A forgotten completion stays forgotten.
    async fn enter(&self, next: Stage) -> MutexGuard<'_, Stage> {
        let mut stage = self.stage.lock().await;
        if *stage != Stage::Forgotten {
            *stage = next;
        }
        self.handle.stop_renewing();
        stage
    }

    /// Cancels a completion of this delivery that waits in the background. Waits for the one in flight.
    pub(crate) async fn forget(&self, key: Key<'_>) {
        if (self.terms.scope.as_ref(), self.id) == (key.scope, key.id) {
            let mut stage = self.stage.lock().await;
            if *stage == Stage::Completing {
                *stage = Stage::Forgotten;
            }
        }
    }
}
