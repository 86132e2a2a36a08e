//! What a layer does with which deliveries.

use std::sync::Arc;

use pierre_webhook_core::DeliveryId;
use pierre_webhook_tower::Webhook;

/// A function of the user's.
type Hook<T> = Arc<dyn Fn(&Webhook) -> T + Send + Sync>;

#[derive(Clone, Default)]
pub(super) struct Rules {
    pub(super) stops_with_sender: bool,
    pub(super) id: Option<Hook<DeliveryId>>,
    pub(super) only_if: Option<Hook<bool>>,
}

impl Rules {
    pub(super) fn id(&self, webhook: &Webhook) -> DeliveryId {
        self.id.as_ref().map_or_else(|| webhook.id(), |id| id(webhook))
    }

    pub(super) fn apply_to(&self, webhook: &Webhook) -> bool {
        self.only_if.as_ref().is_none_or(|only_if| only_if(webhook))
    }
}
