//! Deliveries to store.

use std::sync::atomic::{AtomicU64, Ordering};

use pierre_webhook_core::{
    Delivery, DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier,
};

const SIGNED_AT: u64 = 1_790_000_000;

/// A push to this repository, unlike all others.
pub(crate) fn push(repository: &str) -> Delivery {
    let body = format!(
        r#"{{"repository":{{"id":"{repository}","url":"team/{repository}"}},"ref":"refs/heads/main","before":"0",
            "after":"{}","customer_id":"c","pushed_at":"2024-01-20T10:30:00Z"}}"#,
        number()
    );
    verified("push", &body, None)
}

/// An event of a type that the crates don't know, unlike all others.
pub(crate) fn ping() -> Delivery {
    verified("ping", &number().to_string(), None)
}

pub(crate) fn verified(event_type: &str, body: &str, tenant: Option<&str>) -> Delivery {
    let secret = Secret::new("a secret of the tests").unwrap();
    let signature = secret.sign(SIGNED_AT, body.as_bytes());
    let mut verifier = Verifier::new(Secret::new("another").unwrap()).or_secret(secret).any_age();
    if let Some(tenant) = tenant {
        verifier = verifier.tenant(tenant);
    }
    let headers = [(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, event_type)];
    verifier.verify(&DeliveryHeaders::parse(headers).unwrap(), body.to_owned().into()).unwrap()
}

fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
