//! `Dedup::once` and `Dedup::once_with`: work that runs once.

use pierre_webhook_core::DeliveryId;

use crate::{
    claim::Begun,
    dedup::Dedup,
    handle::LeaseHandle,
    once::{Once, OnceError},
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
        let claim = match self.begin(id).await.map_err(OnceError::Store)? {
            Begun::Claimed(claim) => claim,
            Begun::InProgress { retry_after } => return Ok(Once::InProgress { retry_after }),
            Begun::Completed => return Ok(Once::Completed),
        };
        claim.keep_renewed(self.renew_for).await;
        match work(claim.handle()).await {
            Ok(value) => Ok(Once::Ran { value, recorded: claim.complete().await }),
            Err(error) => {
                if let Err(failure) = claim.release().await {
                    warn_of(&failure, id, "a delivery that failed could not be released");
                }
                Err(OnceError::Work(error))
            }
        }
    }
}
