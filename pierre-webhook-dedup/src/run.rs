//! `Dedup::once` and `Dedup::once_with`: work that runs once.

use pierre_webhook_core::DeliveryId;

use crate::{
    claim::{Begun, Claim},
    dedup::Dedup,
    handle::LeaseHandle,
    once::{Once, OnceError, Recorded},
    trace::warn_of,
};

impl Dedup {
    /// Runs the work, unless the delivery has been handled or is being handled.
    ///
    /// Any `Ok` completes the delivery. Any `Err` releases it, so that a retry runs the work again. A panic
    /// releases it and is passed on. Dropping the future releases it too, unless the work has succeeded. `work`
    /// doesn't need to be `Send`.
    ///
    /// # Errors
    ///
    /// Returns [`OnceError::Work`] if the work fails. Returns [`OnceError::Store`] if the store fails before the
    /// work begins, or if there is no tokio runtime; the work has not run then.
    pub async fn once<T, E, F, W>(&self, id: DeliveryId, work: F) -> Result<Once<T>, OnceError<E>>
    where
        F: FnOnce() -> W,
        W: Future<Output = Result<T, E>>,
    {
        self.once_with(id, |_| work()).await
    }

    /// Like [`once`](Self::once), for work that needs a fencing token, or must stop when its lease is lost.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`once`](Self::once).
    pub async fn once_with<T, E, F, W>(
        &self,
        id: DeliveryId,
        work: F,
    ) -> Result<Once<T>, OnceError<E>>
    where
        F: FnOnce(LeaseHandle) -> W,
        W: Future<Output = Result<T, E>>,
    {
        let claim = match self.begin_in_turn(id).await.map_err(OnceError::Store)? {
            Begun::Claimed(claim) => claim,
            Begun::InProgress { retry_after } => return Ok(Once::InProgress { retry_after }),
            Begun::Completed => return Ok(Once::Completed),
        };
        match self.run(claim, work).await {
            Ok((value, recorded)) => Ok(Once::Ran { value, recorded }),
            Err(error) => Err(OnceError::Work(error)),
        }
    }

    /// Runs the work of a claim, and records or releases it.
    pub(crate) async fn run<T, E, F, W>(&self, claim: Claim, work: F) -> Result<(T, Recorded), E>
    where
        F: FnOnce(LeaseHandle) -> W,
        W: Future<Output = Result<T, E>>,
    {
        claim.keep_renewed(self.renew_for).await;
        match work(claim.handle()).await {
            Ok(value) => Ok((value, claim.complete().await)),
            Err(error) => {
                let id = claim.id();
                if let Err(failure) = claim.release().await {
                    warn_of(&failure, id, "a delivery that failed could not be released");
                }
                Err(error)
            }
        }
    }
}
