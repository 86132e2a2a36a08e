//! What a handler gets.

use std::{ops::Deref, sync::Arc};

use pierre_webhook_core::Delivery;

/// A verified delivery. The layer puts it into the extensions of the request that the inner service gets.
///
/// Cloning is cheap: clones share one `Arc`.
///
/// With the feature `axum` it is an extractor: a handler takes `webhook: Webhook`.
///
/// # Security
///
/// `Option<Webhook>` is deliberately unsupported: on a route without the layer, the handler would run for every
/// request. `Option<Extension<Webhook>>` in axum has the same flaw, so don't use it.
///
/// To test a handler, make one of a test delivery (feature `test-util`):
///
/// ```
/// use pierre_webhook_tower::{TestDelivery, Webhook};
///
/// async fn receive(webhook: Webhook) -> String {
///     webhook.event_type().to_owned()
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let webhook = TestDelivery::push().delivery().into();
/// assert_eq!(receive(webhook).await, "push");
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Webhook {
    delivery: Arc<Delivery>,
}

impl Webhook {
    /// Returns the delivery. It is cloned if another clone of the `Webhook` is alive.
    pub fn into_inner(self) -> Delivery {
        Arc::unwrap_or_clone(self.delivery)
    }
}

impl From<Delivery> for Webhook {
    fn from(delivery: Delivery) -> Self {
        Self { delivery: Arc::new(delivery) }
    }
}

impl Deref for Webhook {
    type Target = Delivery;

    fn deref(&self) -> &Delivery {
        &self.delivery
    }
}
