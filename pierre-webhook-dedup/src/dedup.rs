//! `Dedup`: its settings.

use std::{fmt, sync::Arc, time::Duration};

use pierre_webhook_core::{Delivery, Event};

use crate::{duration, live::Live, store::Store, terms::Terms};

/// Handles each delivery once, across retries, restarts and all machines that share the store.
///
/// A delivery is *claimed* for a lease before its work begins. While the work runs, the lease is renewed. Once
/// the work succeeds, the delivery is recorded as *completed* for the retention time. If the work fails,
/// panics or is dropped, the claim is released and the sender's next attempt runs it.
///
/// Each delivery is handled at least once, and never again after its completion was recorded, for the retention
/// time, as long as the store keeps its writes. The README lists what can make two runs overlap.
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
    pub(crate) terms: Arc<Terms>,
    pub(crate) live: Arc<Live>,
    pub(crate) renew_for: Duration,
    pub(crate) wait: Duration,
}

impl Dedup {
    /// Creates a `Dedup` with a lease of 20 seconds, renewed for 15 minutes, and a retention of 72 hours.
    pub fn new(store: impl Store) -> Self {
        Self {
            terms: Arc::new(Terms::new(store)),
            live: Arc::default(),
            renew_for: Duration::from_secs(15 * 60),
            wait: Duration::ZERO,
        }
    }

    /// Sets the scope, which separates consumers that share a store and each handle every delivery. Empty by
    /// default.
    ///
    /// The memory store keeps every scope it has ever seen, so use a small fixed set.
    pub fn scope(mut self, scope: impl Into<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.terms).set_scope(scope.into());
        self
    }

    /// Returns a `Dedup` on the terms of one delivery: those of its [tenant](Self::for_tenant), and, if the type of its
    /// event is unknown, those of [unknown events](Self::unknown_retention).
    ///
    /// `DedupLayer` and `DedupMiddleware` do this by themselves. In a handler:
    ///
    /// ```
    /// # use pierre_webhook_core::Delivery;
    /// # use pierre_webhook_dedup::{Dedup, Once, OnceError};
    /// # async fn handle(dedup: Dedup, delivery: Delivery) -> Result<Once<()>, OnceError<std::io::Error>> {
    /// dedup.for_delivery(&delivery).once(delivery.id(), async || Ok(())).await
    /// # }
    /// ```
    ///
    /// # Security
    ///
    /// The event type is in a header that isn't signed. Whoever captured one push can send it under any number of names
    /// while its signature is fresh, each time as a delivery of its own. On these terms, such deliveries push no other
    /// record out of a [`MemoryStore`](crate::MemoryStore), and they leave any store soon.
    pub fn for_delivery(&self, delivery: &Delivery) -> Self {
        let mut dedup = self.for_tenant(delivery.tenant.as_deref());
        if matches!(delivery.event, Event::Unknown(_)) {
            Arc::make_mut(&mut dedup.terms).is_unknown_event = true;
        }
        dedup
    }

    /// Returns a `Dedup` for the deliveries of one tenant, whose scope is this one's and the tenant's together. Prefer
    /// [`for_delivery`](Self::for_delivery) if you have the delivery.
    ///
    /// Without it, a tenant could sign the body of another tenant's delivery with its own secret, and that delivery
    /// would count as handled.
    pub fn for_tenant(&self, tenant: Option<&str>) -> Self {
        let mut dedup = self.clone();
        if let Some(tenant) = tenant {
            Arc::make_mut(&mut dedup.terms).add_tenant(tenant);
        }
        dedup
    }

    /// Sets how long a claim lasts without a renewal, for example after its process was killed. 20 seconds by
    /// default.
    ///
    /// Rounded up to whole milliseconds and clamped to 10 ms..=10 years.
    pub fn lease(mut self, lease: Duration) -> Self {
        Arc::make_mut(&mut self.terms).lease = duration::storable(lease);
        self
    }

    /// Sets how long a completed delivery is remembered. 72 hours by default.
    ///
    /// Choose a time longer than the sender keeps retrying, and longer than max age and future tolerance
    /// together: a captured delivery can be sent again for as long as its signature is fresh. Rounded and
    /// clamped like the [lease](Self::lease).
    pub fn retention(mut self, retention: Duration) -> Self {
        Arc::make_mut(&mut self.terms).retention = duration::storable(retention);
        self
    }

    /// Sets how long a completed delivery is remembered whose event type is unknown. 1 hour by default, and never longer
    /// than the [retention](Self::retention).
    ///
    /// It is short because whoever captured one delivery can fill a store with such records, see
    /// [`for_delivery`](Self::for_delivery). Choose it longer than max age and future tolerance together: until then
    /// such a delivery can be replayed. A retry that the sender sends even later is handled again. Rounded and clamped
    /// like the [lease](Self::lease).
    pub fn unknown_retention(mut self, retention: Duration) -> Self {
        Arc::make_mut(&mut self.terms).unknown_retention = duration::storable(retention);
        self
    }

    /// Sets how long after the claim a lease is renewed. 15 minutes by default.
    ///
    /// This bounds how long a handler that hangs can block retries of its delivery. Work that takes longer runs
    /// twice.
    pub fn renew_for(mut self, most: Duration) -> Self {
        self.renew_for = most;
        self
    }

    /// Lets a delivery that is already being handled wait for the end of that, for at most this long. Zero by default:
    /// it is rejected at once, and the sender is asked to retry.
    ///
    /// Senders retry a limited number of times, and while a slow handler runs each of them fails. A delivery that waits
    /// gets the answer of one that has already been handled; if the other run fails or loses its lease, it is handled
    /// instead. If it waited in vain, it is rejected as before. This applies to [`once`](Self::once), the layer and the
    /// middleware, but not to [`begin`](Self::begin).
    ///
    /// Choose less than the sender waits for an answer, a time that Code Storage doesn't publish. At most 1,000 deliveries wait at a time;
    /// more than that are rejected at once. A sender that disconnects frees its place, and [`shutdown`](Self::shutdown)
    /// ends all waits. With [`MemoryStore`](crate::MemoryStore) those that wait are woken; with other stores they ask
    /// again after 50 ms, then less and less often, down to once a second.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use pierre_webhook_dedup::{Dedup, MemoryStore};
    /// let dedup = Dedup::new(MemoryStore::new()).wait(Duration::from_secs(5));
    /// ```
    pub fn wait(mut self, at_most: Duration) -> Self {
        self.wait = at_most;
        self
    }

    /// Handles deliveries even while the store is down, at the risk of handling some of them twice.
    ///
    /// By default such deliveries are rejected and the sender is asked to retry. With this setting each passes as
    /// claimed, its lease isn't renewed, and its completion is recorded once the store is back. At most 10,000
    /// completions wait in the background; each one beyond that is dropped with a warning in the log.
    ///
    /// While the store is down, this process still runs no delivery twice: it remembers what it is handling and the
    /// last deliveries that it has completed, 20,000 together. Other processes don't know about those.
    pub fn fail_open(mut self) -> Self {
        Arc::make_mut(&mut self.terms).fail_open();
        self
    }
}

impl fmt::Debug for Dedup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedup")
            .field("scope", &self.terms.scope)
            .field("lease", &self.terms.lease)
            .field("retention", &self.terms.retention)
            .field("unknown_retention", &self.terms.unknown_retention)
            .field("renew_for", &self.renew_for)
            .field("wait", &self.wait)
            .field("fail_open", &self.terms.guard.is_some())
            .finish_non_exhaustive()
    }
}
