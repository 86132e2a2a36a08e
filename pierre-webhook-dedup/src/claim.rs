//! A claim, and what [`Dedup::begin`](crate::Dedup::begin) returns.

use std::{fmt, sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;

use crate::{
    error::StoreError, handle::LeaseHandle, lease::Lease, once::Recorded, store::Claimed,
    terms::Terms, transaction::Transaction, unrecorded::Unrecorded,
};

/// The outcome of [`Dedup::begin`](crate::Dedup::begin).
#[must_use = "a delivery in progress must not be answered with success"]
#[derive(Debug)]
#[non_exhaustive]
pub enum Begun {
    /// The delivery is yours to handle.
    Claimed(Claim),
    /// Another process or task is handling the delivery: ask the sender to retry.
    InProgress {
        /// What is left of the other's lease.
        retry_after: Duration,
    },
    /// The delivery has already been handled.
    Completed,
}

/// A delivery that is yours to handle until its lease expires; renew it in time.
///
/// Dropping a claim releases it, so that the sender's next attempt is handled. The release happens in the
/// background. If the runtime that made the claim has ended, the lease expires instead.
#[must_use = "dropping a claim releases it"]
pub struct Claim {
    lease: Arc<Lease>,
    /// Whether dropping this value releases the lease.
    is_armed: bool,
    /// Whether the store granted the lease: with `fail_open` it may not have answered.
    is_leased: bool,
}

impl Claim {
    pub(crate) fn prepare(terms: Arc<Terms>, id: DeliveryId) -> Result<Self, StoreError> {
        let lease = Arc::new(Lease::new(terms, id)?);
        Ok(Self { lease, is_armed: true, is_leased: false })
    }

    pub(crate) fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    pub(crate) async fn take(&mut self) -> Result<Claimed, StoreError> {
        let claimed = self.lease.claim().await?;
        self.is_leased = true;
        Ok(claimed)
    }

    /// Whether the store has granted the lease.
    #[cfg(feature = "metrics")]
    pub(crate) fn is_leased(&self) -> bool {
        self.is_leased
    }

    pub(crate) fn disarm(&mut self) {
        self.is_armed = false;
    }

    /// Renews the lease in the background for at most `renew_for`.
    pub(crate) async fn keep_renewed(&self, renew_for: Duration) {
        if self.is_leased {
            self.lease.keep_renewed(renew_for).await;
        }
    }

    /// Returns the id of the claimed delivery.
    pub fn id(&self) -> DeliveryId {
        self.lease.id()
    }

    /// Returns a handle that tells the work whether its lease is lost, and may outlive the claim.
    pub fn handle(&self) -> LeaseHandle {
        self.lease.handle().clone()
    }

    /// Returns the number of this claim, to fence writes with: see [`LeaseHandle::fencing_token`].
    ///
    /// ```
    /// # use pierre_webhook_dedup::{Begun, Dedup, DeliveryId, MemoryStore};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pierre_webhook_dedup::StoreError> {
    /// # let (dedup, id) = (Dedup::new(MemoryStore::new()), DeliveryId::from([7; 32]));
    /// if let Begun::Claimed(claim) = dedup.begin(id).await? {
    ///     if let Some(token) = claim.fencing_token() {
    ///         println!("UPDATE sites SET .., token = {token} WHERE .. AND token <= {token}");
    ///     }
    ///     claim.complete().await;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn fencing_token(&self) -> Option<u64> {
        self.lease.handle().fencing_token()
    }

    /// Records that the delivery was handled.
    ///
    /// This continues in the background if the caller is dropped or the store fails. It is not an `async fn`, so
    /// that the guarantee holds from the call, not from the first poll.
    pub fn complete(mut self) -> impl Future<Output = Recorded> + Send + 'static {
        self.is_armed = false;
        Unrecorded::new(Arc::clone(&self.lease)).record()
    }

    /// Records the completion in a transaction of the work's own writes: see [`LeaseHandle::complete_in`]. Drop the
    /// claim after the transaction has ended. That releases the delivery, unless it is completed.
    ///
    /// ```
    /// # #[cfg(feature = "postgres")]
    /// # mod handler {
    /// use pierre_webhook_dedup::{Begun, Dedup, DeliveryId, deadpool_postgres::Pool};
    ///
    /// async fn pay(dedup: &Dedup, id: DeliveryId, pool: &Pool) -> Result<(), Box<dyn std::error::Error>> {
    ///     let Begun::Claimed(claim) = dedup.begin(id).await? else { return Ok(()) };
    ///     let mut client = pool.get().await?;
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("UPDATE accounts SET credit = credit - 1", &[]).await?;
    ///     if claim.complete_in(&transaction).await? {
    ///         transaction.commit().await?;
    ///     }
    ///     Ok(())
    /// }
    /// # }
    /// ```
    pub fn complete_in<'a, T: Transaction>(&self, transaction: &'a T) -> T::Outcome<'a> {
        self.lease.handle().complete_in(transaction)
    }

    /// Releases the delivery, so that the sender's next attempt is handled.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails. The release is then retried once in the background.
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.lease.release().await?;
        self.is_armed = false;
        Ok(())
    }

    /// Renews the lease from now. Returns `false` if another has claimed or completed the delivery.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails.
    pub async fn renew(&self) -> Result<bool, StoreError> {
        Arc::clone(&self.lease).renew_uncancelled().await
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_armed {
            Arc::clone(&self.lease).abandon();
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("id", &self.id()).finish_non_exhaustive()
    }
}
