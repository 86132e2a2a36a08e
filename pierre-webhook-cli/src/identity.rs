//! How the identity of a delivery is shown.

use pierre_webhook_core::DeliveryId;

/// Enough of it to tell deliveries apart by eye.
pub(crate) fn short(id: DeliveryId) -> String {
    id.to_string().chars().take(8).collect()
}
