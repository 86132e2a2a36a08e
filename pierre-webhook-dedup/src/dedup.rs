//! The settings, and the ways to handle a delivery once.

use std::{fmt, sync::Arc, time::Duration};

use pierre_webhook_core::DeliveryId;
use tokio::sync::Semaphore;

use crate::{
    claim::Claim,
    error::StoreError,
    expiry,
    once::{Once, OnceError},
    store::{Claimed, Key, Store},
    trace::{duplicate, warn_of},
};

/// How many completions may wait in the background for a store that fails.
const BACKGROUND: usize = 10_000;

/// Handles each delivery once: over retries, restarts, and as many machines as share the store.
///
/// A delivery is *claimed* for a lease before its work begins, and recorded as *completed*, for a retention,
/// once the work has succeeded. While the work runs the lease is renewed; where the work fails, panics or
/// is dropped, the claim is given back and the sender's next try runs it.
///
/// At least once, and never again after its completion was recorded, for the retention time, as long as the
/// store keeps its writes. The README says what can make two runs overlap.
///
/// ```
/// use pierre_webhook_dedup::{Dedup, DeliveryId, MemoryStore, Once, Recorded};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let dedup = Dedup::new(MemoryStore::new());
/// let id = DeliveryId::from([7; 32]); // `webhook.id()` in a handler
///
/// let first = dedup.once(id, async || Ok::<_, std::io::Error>("deployed")).await;
/// assert!(matches!(first, Ok(Once::Ran { value: "deployed", recorded: Recorded::Yes })));
///
/// let again = dedup.once(id, async || Ok::<_, std::io::Error>("deployed")).await;
/// assert!(matches!(again, Ok(Once::Completed)));
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Dedup {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scope: Arc<str>,
    pub(crate) lease: Duration,
    pub(crate) retention: Duration,
    pub(crate) background: Arc<Semaphore>,
    renew_for: Duration,
    fail_open: bool,
}

impl Dedup {
    /// With a lease of 60 seconds, renewed for 15 minutes, and a retention of 72 hours.
    pub fn new(store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            scope: "".into(),
            lease: Duration::from_secs(60),
            retention: Duration::from_secs(72 * 60 * 60),
            background: Arc::new(Semaphore::new(BACKGROUND)),
            renew_for: Duration::from_secs(15 * 60),
            fail_open: false,
        }
    }

    /// Keeps apart the consumers that share a store, each of which is to handle every delivery. Empty by
    /// default.
    ///
    /// The memory store keeps every name that it was ever given; let there be few.
    pub fn scope(mut self, scope: impl Into<Arc<str>>) -> Self {
        self.scope = scope.into();
        self
    }

    /// How long a claim holds that is not renewed, as where the process was killed: 60 seconds by default.
    ///
    /// Rounded up to whole milliseconds, between 10 ms and 10 years.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = expiry::bounded(lease);
        self
    }

    /// How long a completed delivery is remembered: 72 hours by default.
    ///
    /// Longer than the sender goes on retrying, and longer than max age and future tolerance together: a
    /// delivery that is captured can be sent again for as long as its signature is fresh. Rounded as the
    /// [lease](Self::lease) is.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = expiry::bounded(retention);
        self
    }

    /// How long after the claim a lease is renewed: 15 minutes by default. It bounds for how long a handler
    /// that hangs keeps its delivery from being tried again; longer work runs twice.
    pub fn renew_for(mut self, most: Duration) -> Self {
        self.renew_for = most;
        self
    }

    /// Handles a delivery, though perhaps again, where the store does not answer.
    ///
    /// By default it is not handled until the store is back, and the sender is asked to come again. With this
    /// the delivery passes as claimed, nothing renews it, and its completion is still recorded when the store is
    /// back: up to 10,000 of them wait in the background, beyond which each is a warning in the log.
    pub fn fail_open(mut self) -> Self {
        self.fail_open = true;
        self
    }

    /// Does the work, unless the delivery was handled before or is being handled.
    ///
    /// Any `Ok` completes the delivery and any `Err` releases it, so that a retry does the work again. A panic
    /// releases it and is passed on; so does dropping the future, unless the work has succeeded. `work` need
    /// not be `Send`.
    ///
    /// # Errors
    ///
    /// [`OnceError::Work`] with the work's error; [`OnceError::Store`] where the store failed before the work
    /// began, or outside of a tokio runtime. The work has not run then.
    pub async fn once<T, E, F, W>(&self, id: DeliveryId, work: F) -> Result<Once<T>, OnceError<E>>
    where
        F: FnOnce() -> W,
        W: Future<Output = Result<T, E>>,
    {
        let claim = match self.begin(id).await.map_err(OnceError::Store)? {
            Begin::Claimed(claim) => claim,
            Begin::InProgress { retry_after } => return Ok(Once::InProgress { retry_after }),
            Begin::Completed => return Ok(Once::Completed),
        };
        claim.keep_renewed(self.renew_for).await;
        match work().await {
            Ok(value) => Ok(Once::Ran { value, recorded: claim.complete().await }),
            Err(error) => {
                if let Err(failure) = claim.release().await {
                    warn_of(&failure, id, "a delivery that failed could not be released");
                }
                Err(OnceError::Work(error))
            }
        }
    }

    /// Claims a delivery, to be completed, released and renewed by hand. Where [`once`](Self::once) fits, it
    /// is the safer way.
    ///
    /// # Errors
    ///
    /// Where the store failed, unless it is to [fail open](Self::fail_open); outside of a tokio runtime.
    ///
    /// ```
    /// use pierre_webhook_dedup::{Begin, Dedup, DeliveryId, MemoryStore, Recorded};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pierre_webhook_dedup::StoreError> {
    /// let dedup = Dedup::new(MemoryStore::new());
    /// match dedup.begin(DeliveryId::from([7; 32])).await? {
    ///     Begin::Claimed(claim) => assert_eq!(claim.complete().await, Recorded::Yes),
    ///     Begin::InProgress { retry_after } => println!("again in {retry_after:?}"),
    ///     Begin::Completed => println!("handled before"),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn begin(&self, id: DeliveryId) -> Result<Begin, StoreError> {
        // From here on its drop gives back whatever the store has recorded, also where the answer never came.
        let mut claim = Claim::prepare(self, id)?;
        match claim.take().await {
            Ok(Claimed::Yours) => Ok(Begin::Claimed(claim)),
            Ok(Claimed::InProgress { retry_after }) => {
                claim.disarm();
                duplicate(id, "a delivery is in progress");
                Ok(Begin::InProgress { retry_after })
            }
            Ok(Claimed::Completed) => {
                claim.disarm();
                duplicate(id, "a delivery was handled before");
                Ok(Begin::Completed)
            }
            Err(error) if self.fail_open => {
                warn_of(&error, id, "a delivery is handled unclaimed");
                Ok(Begin::Claimed(claim))
            }
            Err(error) => {
                // Of what is answered with a bare 503 this is the only trace.
                warn_of(&error, id, "a delivery could not be claimed");
                Err(error)
            }
        }
    }

    /// Lets a completed delivery be handled again; `true` where there was a record.
    ///
    /// One in progress is not stopped by it: its next renewal takes it back.
    ///
    /// # Errors
    ///
    /// Where the store failed.
    pub async fn forget(&self, id: DeliveryId) -> Result<bool, StoreError> {
        self.store.forget(Key::new(&self.scope, id)).await
    }
}

impl fmt::Debug for Dedup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedup")
            .field("scope", &self.scope)
            .field("lease", &self.lease)
            .field("retention", &self.retention)
            .field("renew_for", &self.renew_for)
            .field("fail_open", &self.fail_open)
            .finish_non_exhaustive()
    }
}

/// What became of [`Dedup::begin`].
#[must_use = "a delivery in progress must not be answered with success"]
#[derive(Debug)]
#[non_exhaustive]
pub enum Begin {
    /// The delivery is yours to handle.
    Claimed(Claim),
    /// Another is handling it: the sender should come again.
    InProgress {
        /// The rest of the other's lease.
        retry_after: Duration,
    },
    /// It was handled before.
    Completed,
}
