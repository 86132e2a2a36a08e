//! `DedupLayer`: deduplication for axum and any tower stack.

mod service;

use std::{fmt, sync::Arc};

use pierre_webhook_core::DeliveryId;
use pierre_webhook_tower::Webhook;
use tower_layer::Layer;

pub use self::service::DedupService;
use crate::{dedup::Dedup, rules::Rules};

/// A tower layer that handles each verified delivery once.
///
/// Put it inside of `VerifyWebhookLayer`, which verifies the delivery:
///
/// ```
/// use axum::{Router, routing::post};
/// use pierre_webhook_dedup::{Dedup, DedupLayer, MemoryStore};
/// use pierre_webhook_tower::{Secret, Verifier, VerifyWebhookLayer, Webhook};
///
/// async fn deploy(webhook: Webhook) {}
///
/// # fn app() -> Result<Router, Box<dyn std::error::Error>> {
/// let verify = VerifyWebhookLayer::new(Verifier::new(Secret::from_env("PIERRE_WEBHOOK_SECRET")?));
/// let once = DedupLayer::new(Dedup::new(MemoryStore::new()));
/// let app = Router::new().route("/webhooks", post(deploy).route_layer((verify, once)));
/// # Ok(app)
/// # }
/// ```
///
/// | if the inner service | the delivery | and the response |
/// | --- | --- | --- |
/// | answers with a 2xx | is completed | is the inner service's |
/// | answers with another status, fails, or panics | is released: a retry is handled | is the inner service's |
///
/// Otherwise the inner service isn't called:
///
/// | if the delivery | the response is |
/// | --- | --- |
/// | has already been handled | 200, empty |
/// | is being handled | 503 with `Retry-After`, 1 to 5 seconds, after [waiting](Dedup::wait) for the end of that if set |
/// | can't be claimed because the store failed | 503 with `Retry-After`, unless the [`Dedup`] [fails open](Dedup::fail_open) |
/// | is missing from the request's extensions | 500 |
///
/// Deliveries of different [tenants](pierre_webhook_core::Verifier::tenant) are kept apart, and events of unknown types
/// have terms of their own: see [`Dedup::for_delivery`].
///
/// The inner service runs in a task of its own: it finishes even if the sender disconnects or an outer timeout
/// responds first, and retries get a 503 until then. A graceful shutdown of the server doesn't wait for such a task,
/// so call [`Dedup::shutdown`] after it. [`stop_with_sender`](Self::stop_with_sender) opts out.
///
/// The request's extensions hold a [`LeaseHandle`](crate::LeaseHandle) for the handler, which has the fencing token of the
/// claim and tells whether the lease is lost. With axum, take it by `Extension<LeaseHandle>`.
///
/// A 2xx completes the delivery as soon as its head is returned; the body may still be streaming. If the store
/// fails after the handler has succeeded, the response is the handler's and the completion is recorded in the
/// background.
#[derive(Clone)]
pub struct DedupLayer {
    dedup: Dedup,
    rules: Rules<Webhook>,
}

impl DedupLayer {
    /// Creates a layer that handles deliveries according to `dedup`.
    pub fn new(dedup: Dedup) -> Self {
        Self { dedup, rules: Rules::default() }
    }

    /// Stops the inner service when the sender disconnects or an outer timeout fires.
    ///
    /// By default the inner service runs in a task of its own and finishes. If it stopped with its sender, a handler
    /// slower than the sender's time-out would never finish, and what it had started elsewhere, such as a
    /// `spawn_blocking` or a child process, would go on while the retry starts it again.
    ///
    /// Set this only for handlers that are quick, or that undo everything when they are dropped.
    #[must_use]
    pub fn stop_with_sender(mut self) -> Self {
        self.rules.stops_with_sender = true;
        self
    }

    /// Sets which deliveries are the same: those with equal ids. By default these are
    /// [`Delivery::id`](pierre_webhook_core::Delivery::id)s, so the same event with the same body.
    ///
    /// [`DeliveryId::of`] makes an id of a name and bytes. Scope and tenant keep ids apart as before.
    ///
    /// ```
    /// # use pierre_webhook_dedup::{Dedup, DedupLayer, DeliveryId, MemoryStore};
    /// # use pierre_webhook_tower::{Event, Webhook};
    /// // Deploys each commit of a repository once, whichever branches it is pushed to.
    /// let layer = DedupLayer::new(Dedup::new(MemoryStore::new())).id(|webhook: &Webhook| match &webhook.event {
    ///     Event::Push(push) => {
    ///         DeliveryId::of("deploy", format!("{} {}", push.repository.url, push.after).as_bytes())
    ///     }
    ///     _ => webhook.id(),
    /// });
    /// ```
    #[must_use]
    pub fn id(mut self, id: impl Fn(&Webhook) -> DeliveryId + Send + Sync + 'static) -> Self {
        self.rules.id = Some(Arc::new(id));
        self
    }

    /// Handles only these deliveries once. Others reach the inner service each time they arrive, without a claim, and
    /// stop with their sender.
    ///
    /// ```
    /// # use pierre_webhook_dedup::{Dedup, DedupLayer, MemoryStore};
    /// # use pierre_webhook_tower::{Event, Webhook};
    /// let layer = DedupLayer::new(Dedup::new(MemoryStore::new()))
    ///     .only_if(|webhook: &Webhook| matches!(webhook.event, Event::Push(_)));
    /// ```
    #[must_use]
    pub fn only_if(mut self, predicate: impl Fn(&Webhook) -> bool + Send + Sync + 'static) -> Self {
        self.rules.only_if = Some(Arc::new(predicate));
        self
    }
}

impl<S> Layer<S> for DedupLayer {
    type Service = DedupService<S>;

    fn layer(&self, inner: S) -> DedupService<S> {
        DedupService::new(inner, self.dedup.clone(), self.rules.clone())
    }
}

impl fmt::Debug for DedupLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DedupLayer")
            .field("dedup", &self.dedup)
            .field("stops_with_sender", &self.rules.stops_with_sender)
            .finish_non_exhaustive()
    }
}
