//! `DedupLayer`: deduplication for axum and any tower stack.

mod service;

use std::fmt;

use tower_layer::Layer;

pub use self::service::DedupService;
use crate::dedup::Dedup;

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
/// | answers with another status, fails, panics, or is dropped | is released: a retry is handled | is the inner service's |
///
/// Otherwise the inner service isn't called:
///
/// | if the delivery | the response is |
/// | --- | --- |
/// | has already been handled | 200, empty |
/// | is being handled | 503 with `Retry-After`, 1 to 5 seconds |
/// | can't be claimed because the store failed | 503 with `Retry-After`, unless the [`Dedup`] [fails open](Dedup::fail_open) |
/// | is missing from the request's extensions | 500 |
///
/// Deliveries of different [tenants](pierre_webhook_core::Verifier::tenant) are kept apart, see
/// [`Dedup::for_tenant`].
///
/// A 2xx completes the delivery as soon as its head is returned; the body may still be streaming. If the store
/// fails after the handler has succeeded, the response is the handler's and the completion is recorded in the
/// background.
#[derive(Clone)]
pub struct DedupLayer {
    dedup: Dedup,
    runs_to_completion: bool,
}

impl DedupLayer {
    /// Creates a layer that handles deliveries according to `dedup`.
    pub fn new(dedup: Dedup) -> Self {
        Self { dedup, runs_to_completion: false }
    }

    /// Runs the inner service in a task of its own, so that it finishes even if the sender disconnects.
    ///
    /// By default, a sender that times out also cancels the handler, and its next attempt starts the handler again:
    /// a handler slower than that time-out never finishes. With this setting it does finish, and retries are
    /// answered with 503 until then. The price: an outer timeout layer no longer cancels the work, and a graceful
    /// shutdown doesn't wait for a handler whose sender has disconnected. If the process ends first, the lease
    /// expires and the next attempt runs the handler again.
    #[must_use]
    pub fn run_to_completion(mut self) -> Self {
        self.runs_to_completion = true;
        self
    }
}

impl<S> Layer<S> for DedupLayer {
    type Service = DedupService<S>;

    fn layer(&self, inner: S) -> DedupService<S> {
        DedupService::new(inner, self.dedup.clone(), self.runs_to_completion)
    }
}

impl fmt::Debug for DedupLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DedupLayer")
            .field("dedup", &self.dedup)
            .field("runs_to_completion", &self.runs_to_completion)
            .finish()
    }
}
