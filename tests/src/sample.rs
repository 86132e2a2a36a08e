//! One secret, one time and one delivery, for tests that need no more.

use std::time::{Duration, UNIX_EPOCH};

use pierre_webhook_core::{Secret, Verifier};

use crate::client::Request;

pub const SECRET: &str = "whsec_k3yForDocsOnly_2f6c";
pub const NOW: u64 = 1_790_000_000;
pub const BODY: &str = r#"{"any":"thing"}"#;

pub fn secret() -> Secret {
    Secret::new(SECRET).expect("a secret")
}

/// Returns a verifier whose clock always reads [`NOW`].
pub fn verifier() -> Verifier {
    verifier_of(secret())
}

pub fn verifier_of(secret: Secret) -> Verifier {
    Verifier::new(secret).clock(|| UNIX_EPOCH + Duration::from_secs(NOW))
}

/// Returns a delivery of an unknown event, signed at [`NOW`].
pub fn delivery() -> Request {
    delivery_by(&secret())
}

pub fn delivery_by(secret: &Secret) -> Request {
    Request::delivery("ping", &secret.sign(NOW, BODY.as_bytes()), BODY)
}

/// Returns the same delivery with a body that isn't the one that was signed.
pub fn tampered() -> Request {
    Request { body: b"{}".to_vec(), ..delivery() }
}
