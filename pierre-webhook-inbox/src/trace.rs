//! Log events. Without the feature `tracing` they do nothing.

use std::fmt::Display;

use pierre_webhook_core::DeliveryId;

#[cfg(feature = "tracing")]
const TARGET: &str = "pierre_webhook_inbox";

#[cfg(feature = "tracing")]
pub(crate) fn debug(id: DeliveryId, text: &'static str) {
    tracing::debug!(target: TARGET, %id, "{text}");
}

/// Logs a delivery that was not stored, failed, or is run again.
#[cfg(feature = "tracing")]
pub(crate) fn warn_of(error: &dyn Display, id: DeliveryId, text: &'static str) {
    tracing::warn!(target: TARGET, %id, %error, "{text}");
}

/// Logs a failure that concerns no single delivery.
#[cfg(feature = "tracing")]
pub(crate) fn failure(error: &dyn Display, text: &'static str) {
    tracing::warn!(target: TARGET, %error, "{text}");
}

#[cfg(feature = "tracing")]
pub(crate) fn clock_set_back(deliveries: u64) {
    tracing::warn!(target: TARGET, deliveries, "the database's clock was set back: deliveries are due again");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn debug(_: DeliveryId, _: &'static str) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn warn_of(_: &dyn Display, _: DeliveryId, _: &'static str) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn failure(_: &dyn Display, _: &'static str) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn clock_set_back(_: u64) {}
