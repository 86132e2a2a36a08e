//! The protocol's rules, written a second time: slow, obvious, and without a line of the crates' code, their
//! hash included. Where the protocol leaves an answer open, there is a set of them.

mod head;
mod json;
mod payload;
mod settings;
mod time;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{
    head::{Head, Signature},
    settings::{Accepted, Settings},
};

pub const INVALID_SIGNATURE: &str = "Invalid signature";
pub const UNAVAILABLE: &str = "Webhook verifier is not available";
pub const UNREADABLE: &str = "Webhook body could not be read";
pub const TOO_LARGE_FOR_SERVER: &str = "Webhook body larger than the server allows";

/// The texts of refusals.
pub type Refusals = BTreeSet<String>;

/// What the protocol says of a payload: the refusals that are right, and the fields that must be read out of
/// it where it may be accepted.
#[derive(Debug)]
pub struct Verdict {
    pub refusals: Refusals,
    pub accepted: Option<Values>,
}

/// The values of a payload as text, `None` where they are absent. What a name is missing for is left open.
pub type Values = BTreeMap<&'static str, Option<String>>;

/// What the headers alone decide of rule 5, then rule 4b for the bytes, then rule 5: the index of the secret.
pub fn authenticate(
    settings: &Settings,
    signature: &Signature,
    body: &[u8],
) -> Result<usize, String> {
    signature.check_well_formed()?;
    settings.check_length(body.len())?;
    let message = [&*signature.timestamp_text, b".", body].concat();
    settings
        .secrets
        .iter()
        .position(|accepted| {
            let is_in_time = accepted.until.is_none_or(|until| settings.now < until);
            let digits = hex(&mac(&accepted.secret, &message));
            is_in_time
                && signature
                    .sha256
                    .iter()
                    .any(|value| value.eq_ignore_ascii_case(digits.as_bytes()))
        })
        .ok_or_else(|| INVALID_SIGNATURE.to_owned())
}

/// Rules 6 to 8.
pub fn read(event_type: &str, body: &[u8]) -> Verdict {
    let json = std::str::from_utf8(body).ok().and_then(json::parse);
    match json {
        Some(json) => payload::judge(event_type, &json),
        None => Verdict { refusals: [payload::INVALID_JSON.into()].into(), accepted: None },
    }
}

pub fn is_event_type(text: &str) -> bool {
    head::is_event_type(text.as_bytes())
}

pub fn mac(secret: &[u8], message: &[u8]) -> [u8; 32] {
    hmac_sha256::HMAC::mac(message, secret)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A delivery's identity: SHA-256 over event type, a zero byte and the body, in hex.
pub fn identity(event_type: &str, body: &[u8]) -> String {
    hex(&hmac_sha256::Hash::hash(&[event_type.as_bytes(), b"\0", body].concat()))
}

/// The status of a refusal, by its text.
pub fn status(refusal: &str) -> u16 {
    let begins_with = |start: &str| refusal.starts_with(start);
    if refusal == UNAVAILABLE {
        503
    } else if begins_with("Webhook body larger") {
        413
    } else if begins_with("Webhook timestamp") || refusal == INVALID_SIGNATURE {
        401
    } else if begins_with("Invalid ")
        && refusal.ends_with(" payload")
        && refusal != payload::INVALID_JSON
    {
        422
    } else {
        400
    }
}
