//! A delivery that is one's own to handle.

use std::{fmt, sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;

use crate::{
    dedup::Dedup,
    error::StoreError,
    held::{Held, Unrecorded},
    once::Recorded,
    store::Claimed,
};

/// A delivery that is yours to handle, until its lease lapses: renew it in time.
///
/// Dropped, it gives the delivery back, so that the sender's next try is handled. That goes on in the
/// background; where the runtime that made the claim has ended, the lease lapses instead.
#[must_use = "a claim that is dropped gives its delivery back"]
pub struct Claim {
    held: Arc<Held>,
    /// Whether a drop gives back.
    is_armed: bool,
    /// Whether the store answered; it need not have, where it fails open.
    is_leased: bool,
}

impl Claim {
    pub(crate) fn prepare(dedup: &Dedup, id: DeliveryId) -> Result<Self, StoreError> {
        let held = Arc::new(Held::new(dedup, id)?);
        Ok(Self { held, is_armed: true, is_leased: false })
    }

    pub(crate) async fn take(&mut self) -> Result<Claimed, StoreError> {
        let claimed = self.held.claim().await?;
        self.is_leased = true;
        Ok(claimed)
    }

    pub(crate) fn disarm(&mut self) {
        self.is_armed = false;
    }

    /// Has the lease renewed for so long, by a task of its own.
    pub(crate) async fn keep_renewed(&self, most: Duration) {
        if self.is_leased {
            self.held.keep_renewed(most).await;
        }
    }

    /// Which delivery it is.
    pub fn id(&self) -> DeliveryId {
        self.held.id()
    }

    /// Records that the delivery was handled.
    ///
    /// Goes on in the background where its caller is dropped, or the store fails. (No `async fn`, so that this
    /// holds from the call on, and not from the first poll.)
    pub fn complete(mut self) -> impl Future<Output = Recorded> + Send + 'static {
        self.is_armed = false;
        Unrecorded::new(Arc::clone(&self.held)).record()
    }

    /// Gives the delivery back: the sender's next try is handled.
    ///
    /// # Errors
    ///
    /// Where the store failed; it is then tried once more in the background.
    pub async fn release(mut self) -> Result<(), StoreError> {
        self.held.release().await?;
        self.is_armed = false;
        Ok(())
    }

    /// Holds the delivery for another lease from now. `false`: it is another's by now, or completed.
    ///
    /// # Errors
    ///
    /// Where the store failed.
    pub async fn renew(&self) -> Result<bool, StoreError> {
        Arc::clone(&self.held).renew_to_the_end().await
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_armed {
            Arc::clone(&self.held).abandon();
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("id", &self.id()).finish_non_exhaustive()
    }
}
