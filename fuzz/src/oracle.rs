//! The protocol's rules, written a second time: slow, obvious, and without a line of the crates' code or their
//! dependencies. If the protocol leaves an answer open, the oracle has all of them.

mod head;
mod json;
mod payload;
mod settings;
#[cfg(test)]
mod tests;
mod time;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{
    head::{Head, Signature},
    settings::{Accepted, SECOND, Settings},
};

pub const INVALID_SIGNATURE: &str = "Invalid signature";
pub const UNAVAILABLE: &str = "Webhook verifier is not available";
pub const UNREADABLE: &str = "Webhook body could not be read";
pub const TOO_LARGE_FOR_SERVER: &str = "Webhook body larger than the server allows";
const INVALID_JSON: &str = "Invalid JSON payload";

/// What the protocol says of a payload.
#[derive(Debug)]
pub struct Verdict {
    /// The texts with which it may be rejected.
    pub rejections: BTreeSet<String>,
    /// If it may be accepted, the fields that must be read out of it.
    pub accepted: Option<Values>,
}

/// The values of a payload as text, `None` if they are absent. A name that is missing is left open.
pub type Values = BTreeMap<&'static str, Option<String>>;

impl Verdict {
    pub fn rejected(rejection: String) -> Self {
        Self { rejections: [rejection].into(), accepted: None }
    }
}

/// Rules 6 to 8 under each of these event types.
pub fn read<const N: usize>(event_types: [&str; N], body: &[u8]) -> [Verdict; N] {
    let json = str::from_utf8(body).ok().and_then(json::parse);
    event_types.map(|event_type| match &json {
        Some(json) => payload::judge(event_type, json),
        None => Verdict::rejected(INVALID_JSON.into()),
    })
}

/// The MAC of a body.
pub fn mac(secret: &[u8], timestamp: &[u8], body: &[u8]) -> [u8; 32] {
    hmac_sha256::HMAC::mac([timestamp, b".", body].concat(), secret)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A delivery's identity: SHA-256 over event type, a zero byte and the body, in hex.
pub fn identity(event_type: &str, body: &[u8]) -> String {
    hex(&hmac_sha256::Hash::hash(&[event_type.as_bytes(), b"\0", body].concat()))
}

/// The status of a rejection, by its text.
pub fn status(rejection: &str) -> u16 {
    match rejection {
        UNAVAILABLE => 503,
        INVALID_SIGNATURE => 401,
        INVALID_JSON => 400,
        _ if rejection.starts_with("Webhook timestamp") => 401,
        _ if rejection.starts_with("Webhook body larger") => 413,
        _ if rejection.starts_with("Invalid ") && rejection.ends_with(" payload") => 422,
        _ => 400,
    }
}
