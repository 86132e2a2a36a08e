//! What the layer and the middleware do with which deliveries.

use std::{ops::Deref, sync::Arc};

use pierre_webhook_core::{Delivery, DeliveryId};

/// A function of the user's, over the adapter's `Webhook`.
type Hook<W, T> = Arc<dyn Fn(&W) -> T + Send + Sync>;

pub(crate) struct Rules<W> {
    pub(crate) stops_with_sender: bool,
    pub(crate) id: Option<Hook<W, DeliveryId>>,
    pub(crate) only_if: Option<Hook<W, bool>>,
}

impl<W: Deref<Target = Delivery>> Rules<W> {
    pub(crate) fn id(&self, webhook: &W) -> DeliveryId {
        self.id.as_ref().map_or_else(|| webhook.id(), |id| id(webhook))
    }

    pub(crate) fn apply_to(&self, webhook: &W) -> bool {
        self.only_if.as_ref().is_none_or(|only_if| only_if(webhook))
    }
}

// Derived, these would need a `W` that implements the same.

impl<W> Default for Rules<W> {
    fn default() -> Self {
        Self { stops_with_sender: false, id: None, only_if: None }
    }
}

impl<W> Clone for Rules<W> {
    fn clone(&self) -> Self {
        Self {
            stops_with_sender: self.stops_with_sender,
            id: self.id.clone(),
            only_if: self.only_if.clone(),
        }
    }
}
