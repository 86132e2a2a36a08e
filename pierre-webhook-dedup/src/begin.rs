//! `Dedup::begin` and `Dedup::forget`: claims in the caller's hands.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use pierre_webhook_core::DeliveryId;
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, sleep},
};

use crate::{
    claim::{Begun, Claim},
    dedup::Dedup,
    error::{ShuttingDown, StoreError},
    store::{Claimed, Store},
    trace::{duplicate, warn_of},
};

impl Dedup {
    /// Claims a delivery. The caller renews, completes or releases the claim; prefer [`once`](Self::once), which
    /// does all three.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails, unless this `Dedup` [fails open](Self::fail_open), or if there is no
    /// tokio runtime.
    ///
    /// ```
    /// use pierre_webhook_dedup::{Begun, Dedup, DeliveryId, MemoryStore, Recorded};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pierre_webhook_dedup::StoreError> {
    /// let dedup = Dedup::new(MemoryStore::new());
    /// match dedup.begin(DeliveryId::from([7; 32])).await? {
    ///     Begun::Claimed(claim) => assert_eq!(claim.complete().await, Recorded::Yes),
    ///     Begun::InProgress { retry_after } => println!("retry in {retry_after:?}"),
    ///     Begun::Completed => println!("already handled"),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn begin(&self, id: DeliveryId) -> Result<Begun, StoreError> {
        let begun = self.try_begin(id).await;
        if let Ok(Begun::InProgress { .. }) = begun {
            duplicate(id, "a delivery is in progress");
        }
        #[cfg(feature = "metrics")]
        crate::metrics::claimed(&self.terms, outcome(&begun));
        begun
    }

    /// Like [`begin`](Self::begin), and waits while the delivery is in progress: see [`wait`](Self::wait).
    pub(crate) async fn begin_in_turn(&self, id: DeliveryId) -> Result<Begun, StoreError> {
        let begun = self.wait_for_turn(id).await;
        #[cfg(feature = "metrics")]
        crate::metrics::claimed(&self.terms, outcome(&begun));
        begun
    }

    async fn wait_for_turn(&self, id: DeliveryId) -> Result<Begun, StoreError> {
        let start = Instant::now();
        let mut place = None;
        loop {
            let begun = self.try_begin(id).await?;
            let Begun::InProgress { retry_after } = begun else { return Ok(begun) };
            let waited = start.elapsed();
            let left = self.wait.saturating_sub(waited);
            if left.is_zero() || !self.take_place(&mut place) {
                duplicate(id, "a delivery is in progress");
                return Ok(begun);
            }
            let at_most = left.min(retry_after).max(Duration::from_millis(1));
            // Whatever ends it, the next claim tells what to do: after a shutdown it fails.
            let mut closing = pin!(self.terms.closing());
            let mut changed = pin!(self.changed(id, waited, at_most));
            poll_fn(|cx| match closing.as_mut().poll(cx) {
                Poll::Pending => changed.as_mut().poll(cx),
                ready => ready,
            })
            .await;
        }
    }

    async fn changed(&self, id: DeliveryId, waited: Duration, at_most: Duration) {
        if self.terms.store.changed(self.terms.key(id), waited, at_most).await.is_err() {
            // It may have failed at once.
            sleep(Duration::from_millis(50).min(at_most)).await;
        }
    }

    /// Takes a place among the deliveries that wait, unless it has one. Returns false if there is none.
    fn take_place<'a>(&'a self, place: &mut Option<SemaphorePermit<'a>>) -> bool {
        if place.is_none() {
            *place = self.terms.waiting.try_acquire().ok();
        }
        place.is_some()
    }

    /// Logs all outcomes, except that the delivery is in progress.
    async fn try_begin(&self, id: DeliveryId) -> Result<Begun, StoreError> {
        // From here on, dropping the claim releases whatever the store recorded, even if its answer was lost.
        let mut claim = Claim::prepare(Arc::clone(&self.terms), id)?;
        self.live.add(Arc::downgrade(claim.lease()));
        // Checked once the lease is counted: a shutdown either sees the lease or is seen here.
        if *self.terms.is_closing.borrow() {
            claim.disarm();
            return Err(StoreError::new(ShuttingDown));
        }
        match claim.take().await {
            Ok(Claimed::Yours { .. }) => {
                // Guards it if the store fails while the work runs.
                let _ = claim.lease().guard(self.renew_for).await;
                Ok(Begun::Claimed(claim))
            }
            Ok(Claimed::InProgress { retry_after }) => {
                claim.disarm();
                Ok(Begun::InProgress { retry_after })
            }
            Ok(Claimed::Completed) => {
                claim.disarm();
                duplicate(id, "a delivery was handled before");
                Ok(Begun::Completed)
            }
            // The store may have granted the claim, and only its answer was lost: dropping it releases it.
            Err(error) => match claim.lease().guard(self.renew_for).await {
                Some(Ok(Claimed::Completed)) => {
                    duplicate(id, "a delivery was handled before, by this process");
                    Ok(Begun::Completed)
                }
                Some(Ok(Claimed::InProgress { .. })) => {
                    Ok(Begun::InProgress { retry_after: self.terms.lease })
                }
                Some(Ok(Claimed::Yours { .. }) | Err(_)) => {
                    warn_of(&error, id, "a delivery is handled unclaimed");
                    Ok(Begun::Claimed(claim))
                }
                None => {
                    // The 503 carries no cause, so log it here.
                    warn_of(&error, id, "a delivery could not be claimed");
                    Err(error)
                }
            },
        }
    }

    /// Forgets a completed delivery, so that it can be handled again. Returns whether there was a record.
    ///
    /// A delivery in progress is not stopped: its next renewal claims it again. A completion that waits in the
    /// background of this process is cancelled; one that waits in another process is recorded later.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails.
    pub async fn forget(&self, id: DeliveryId) -> Result<bool, StoreError> {
        let key = self.terms.key(id);
        self.live.forget(key).await;
        if let Some(guard) = &self.terms.guard {
            guard.forget(key).await?;
        }
        self.terms.store.forget(key).await
    }
}

/// The outcome of a claim, for its metric.
#[cfg(feature = "metrics")]
fn outcome(begun: &Result<Begun, StoreError>) -> &'static str {
    match begun {
        Ok(Begun::Claimed(claim)) if claim.is_leased() => "claimed",
        Ok(Begun::Claimed(_)) => "unclaimed",
        Ok(Begun::Completed) => "completed",
        Ok(Begun::InProgress { .. }) => "in_progress",
        Err(error) if error.is_shutting_down() => "shutting_down",
        Err(_) => "dedup_unavailable",
    }
}
