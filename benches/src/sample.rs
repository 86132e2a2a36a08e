//! Deliveries of a given size.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use pierre_webhook_core::{EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};

pub const SECRET: &str = "whsec_k3yForDocsOnly_2f6c";

/// The documented push, 292 bytes.
const PUSH: &str = r#"{"repository":{"id":"repo_01HZXE4K6YZ1Q2ABCD3EFG45H6","url":"team/project-alpha"},"ref":"refs/heads/main","before":"4f9d2c1b7a6e5f4d3c2b1a09f8e7d6c5b4a39281","after":"9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b","customer_id":"cust_01HZXE4K6YZ1Q2ABCD3EFG45H6","pushed_at":"2024-01-20T10:30:00Z"}"#;

pub struct Sample {
    pub event_type: &'static str,
    pub body: Bytes,
    pub now: u64,
    pub signature: String,
    pub wrong_signature: String,
    pub good: HeaderMap,
    /// Headers with a wrong signature.
    pub wrong: HeaderMap,
    /// Headers of a delivery that was signed too long ago.
    pub stale: HeaderMap,
}

impl Sample {
    /// Returns the documented push if the size is its 292 bytes, otherwise an unknown event.
    pub fn of(size: usize) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let (event_type, body) = if size == PUSH.len() {
            ("push", PUSH.to_owned())
        } else {
            ("ping", format!(r#"{{"pad":"{}"}}"#, "x".repeat(size - r#"{"pad":""}"#.len())))
        };
        let secret = Secret::new(SECRET).expect("a secret");
        let signature = secret.sign(now, body.as_bytes());
        let wrong_signature = format!("t={now},sha256={}", "00".repeat(32));
        let headers = |signature: &str| headers(event_type, signature, body.len());
        Self {
            good: headers(&signature),
            wrong: headers(&wrong_signature),
            stale: headers(&secret.sign(now - 1000, body.as_bytes())),
            event_type,
            body: body.into(),
            now,
            signature,
            wrong_signature,
        }
    }

    /// Returns how many blocks SHA-256 compresses for the MAC: timestamp, dot and body with their padding, and the
    /// outer hash. The key's two blocks are compressed only once for all deliveries.
    pub fn blocks(&self) -> usize {
        let signed = self.now.to_string().len() + 1 + self.body.len();
        (signed + 9).div_ceil(64) + 1
    }
}

pub fn verifier(secrets: usize) -> Verifier {
    (1..secrets).fold(Verifier::new(Secret::new(SECRET).expect("a secret")), |verifier, index| {
        verifier.or_secret(Secret::new(format!("previous {index}")).expect("a secret"))
    })
}

/// Returns the headers of a delivery.
fn headers(event_type: &str, signature: &str, length: usize) -> HeaderMap {
    [
        ("host", "example.com"),
        ("user-agent", "Pierre-Webhook/1.0"),
        ("content-type", "application/json"),
        ("content-length", &length.to_string()),
        (EVENT_HEADER, event_type),
        (SIGNATURE_HEADER, signature),
    ]
    .into_iter()
    .map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
    })
    .collect()
}
