//! The identity of a delivery that core has not verified, or never will.

use pierre_webhook_core::DeliveryId;
use sha2::{Digest as _, Sha256};

/// Core's `Delivery::id`, for a body that need not be genuine: SHA-256 over event type, a zero byte and body.
pub(crate) fn delivery_id(event_type: &str, body: &[u8]) -> DeliveryId {
    let mut hash = Sha256::new();
    hash.update(event_type);
    hash.update([0]);
    hash.update(body);
    DeliveryId::from(<[u8; 32]>::from(hash.finalize()))
}

/// Enough of it to tell deliveries apart by eye.
pub(crate) fn short(id: DeliveryId) -> String {
    id.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};

    use super::*;

    #[test]
    fn it_is_the_identity_that_core_gives() {
        let secret = Secret::new("s").unwrap();
        let signature = secret.sign(1, b"{}");
        let headers =
            DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")])
                .unwrap();
        let delivery = Verifier::new(secret).any_age().verify(&headers, "{}".into()).unwrap();
        assert_eq!(delivery_id("ping", b"{}"), delivery.id());
        assert_eq!(short(delivery.id()), "2c831df5");
    }
}
