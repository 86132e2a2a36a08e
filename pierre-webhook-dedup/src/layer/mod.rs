//! The tower layer.

mod body;
mod service;

use std::fmt;

use tower_layer::Layer;

pub use self::{body::ResponseBody, service::DedupService};
use crate::dedup::Dedup;

/// Handles each verified delivery once.
///
/// It stands inside of `VerifyWebhookLayer`, from which it has the delivery:
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
/// | the inner service | the delivery | the answer |
/// | --- | --- | --- |
/// | answers with a 2xx | is completed | its own |
/// | answers with another status, fails, panics, or is dropped | is released: a retry is handled | its own |
/// | was not called: handled before | | 200, empty |
/// | was not called: being handled | | 503 with `Retry-After`, 1 to 5 seconds |
/// | was not called: the store failed | | 503 with `Retry-After`, unless the [`Dedup`] is to [fail open](Dedup::fail_open) |
/// | was not called: no verified delivery in the request's extensions | | 500 |
///
/// A 2xx completes with its head: what a body streams after it is not waited for. Where the store fails after
/// the handler has succeeded, the answer is the handler's, and the completion is recorded in the background.
#[derive(Clone)]
pub struct DedupLayer {
    dedup: Dedup,
    runs_to_completion: bool,
}

impl DedupLayer {
    /// Handles once what this `Dedup` says.
    pub fn new(dedup: Dedup) -> Self {
        Self { dedup, runs_to_completion: false }
    }

    /// Lets the inner service finish, in a task of its own, where the caller is gone.
    ///
    /// By default a sender that gives up after its time-out also stops the handler, and its next try starts it
    /// anew: a handler that is slower than that never gets to its end. With this it does, and the retries are
    /// answered with 503 until it has. A timeout layer outside then no longer stops the work, and a graceful
    /// shutdown does not wait for a handler whose sender has gone: where the process ends first, its lease
    /// lapses, and the next try runs it.
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
