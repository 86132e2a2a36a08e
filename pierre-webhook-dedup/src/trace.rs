//! Log events and their span. Without the feature `tracing` they do nothing.

use pierre_webhook_core::DeliveryId;

use crate::error::StoreError;

#[cfg(feature = "tracing")]
const TARGET: &str = "pierre_webhook_dedup";

/// Logs a delivery that is not handled because it was, or is being, handled.
#[cfg(feature = "tracing")]
pub(crate) fn duplicate(id: DeliveryId, text: &'static str) {
    tracing::debug!(target: TARGET, %id, "{text}");
}

#[cfg(feature = "tracing")]
pub(crate) fn warn(id: DeliveryId, text: &'static str) {
    tracing::warn!(target: TARGET, %id, "{text}");
}

#[cfg(feature = "tracing")]
pub(crate) fn warn_of(error: &StoreError, id: DeliveryId, text: &'static str) {
    tracing::warn!(target: TARGET, %id, %error, "{text}");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn duplicate(_: DeliveryId, _: &'static str) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn warn(_: DeliveryId, _: &'static str) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn warn_of(_: &StoreError, _: DeliveryId, _: &'static str) {}

/// Logs a setting of the server that loses deliveries.
#[cfg(all(feature = "redis", feature = "tracing"))]
pub(crate) fn warn_of_server(text: &'static str) {
    tracing::warn!(target: TARGET, "{text}");
}

#[cfg(all(feature = "redis", not(feature = "tracing")))]
pub(crate) fn warn_of_server(_: &'static str) {}

/// Keeps the current span, even in a task of its own.
#[cfg(all(any(feature = "actix", feature = "tower"), feature = "tracing"))]
pub(crate) fn in_this_span<F>(future: F) -> tracing::instrument::Instrumented<F> {
    tracing::Instrument::in_current_span(future)
}

#[cfg(all(any(feature = "actix", feature = "tower"), not(feature = "tracing")))]
pub(crate) fn in_this_span<F>(future: F) -> F {
    future
}
