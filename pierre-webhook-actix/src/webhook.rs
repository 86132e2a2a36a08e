//! What a handler gets.

use std::{ops::Deref, sync::Arc};

use pierre_webhook_core::Delivery;

/// Extracts a verified delivery. Requests that aren't one are rejected before the handler runs.
///
/// Behind [`VerifyWebhook`](crate::VerifyWebhook) it is the delivery that the middleware has verified, and nothing is
/// verified again. Anywhere else it needs a [`WebhookConfig`](crate::WebhookConfig) in `app_data` and verifies the
/// request itself: it takes the request's payload, so a second extractor of the body finds nothing. It reads the raw
/// bytes, never decompressed ones, because the raw bytes are signed.
///
/// Cloning is cheap: clones share one `Arc`.
///
/// # Security
///
/// Without the middleware, take a plain `Webhook`. With `Option<Webhook>` or `Result<Webhook, _>`, which actix gives to
/// every extractor, the handler also runs for forged requests. A handler that takes no `Webhook` at all verifies
/// nothing. The other extractors of a handler run for requests that nobody has verified yet.
///
/// To test a handler, make one of a test delivery (feature `test-util`):
///
/// ```
/// use actix_web::{HttpResponse, rt::System};
/// use pierre_webhook_actix::{TestDelivery, Webhook};
///
/// async fn receive(webhook: Webhook) -> HttpResponse {
///     HttpResponse::Ok().body(webhook.event_type().to_owned())
/// }
///
/// let webhook = TestDelivery::push().delivery().into();
/// assert_eq!(System::new().block_on(receive(webhook)).status(), 200);
/// ```
#[derive(Clone, Debug)]
pub struct Webhook {
    delivery: Arc<Delivery>,
}

impl Webhook {
    /// Returns the delivery. It is cloned if another clone of the `Webhook` is alive; behind
    /// [`VerifyWebhook`](crate::VerifyWebhook) the request's extensions hold one.
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
