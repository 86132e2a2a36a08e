//! Delivery ids, shortened for people.

use pierre_webhook_core::DeliveryId;

/// Returns the first eight digits: enough to tell deliveries apart by eye.
pub(crate) fn short_id(id: DeliveryId) -> String {
    id.to_string().chars().take(8).collect()
}
