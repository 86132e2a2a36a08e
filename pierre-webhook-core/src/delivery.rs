//! A delivery that was verified, and its identity.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{event::Event, hex};

/// A verified delivery: its event, when it was signed, and its body.
///
/// Only [`Verifier::verify`](crate::Verifier::verify) and
/// [`PendingDelivery::finish`](crate::PendingDelivery::finish) make one, so that a function that takes a
/// `Delivery` need not ask whether it was verified. (Its fields are its owner's to change.)
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive] // It is the proof of a verification: nobody else may make one.
pub struct Delivery {
    /// What happened.
    pub event: Event,
    /// When the delivery was signed, in Unix seconds. A retry may carry a new one.
    pub signed_at: u64,
    /// The body, byte for byte as it was signed.
    pub body: Bytes,
    /// Which secret the signature was made with: 0 is the current one, then the others in the order in
    /// which the verifier was given them, expired ones included. The lowest, where several match. Above 0,
    /// the sender has not changed over yet.
    pub matched_secret: usize,
}

impl Delivery {
    /// The event type as it stands in the `X-Pierre-Event` header, such as `push`.
    pub fn event_type(&self) -> &str {
        self.event.event_type()
    }

    /// What stays the same when the delivery is sent again.
    ///
    /// Costs one SHA-256 of the body at each call.
    ///
    /// # Security
    ///
    /// The event type is part of it, and that of an unknown event is not authenticated: a captured delivery of an
    /// unknown event, or a push, that is sent again under a made-up name has another id. Deduplication does not
    /// hold such a replay back; the max age does.
    pub fn id(&self) -> DeliveryId {
        DeliveryId::of(self.event_type(), &self.body)
    }
}

/// Gives the body's length in the place of its bytes, of which there may be many.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("event", &self.event)
            .field("signed_at", &self.signed_at)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("matched_secret", &self.matched_secret)
            .finish()
    }
}

/// The identity of a delivery, for handling each once: SHA-256 over event type, a zero byte and the body.
///
/// Code Storage sends no delivery id. A retry has the same event type and body, and a new signature
/// perhaps. Two events whose bodies are equal byte for byte have the same id.
///
/// `Display` and `FromStr` use 64 hex digits, written in lower case and read in any.
///
/// ```
/// use pierre_webhook_core::DeliveryId;
///
/// let id: DeliveryId = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".parse()?;
/// assert_eq!(id.as_bytes()[0], 0x9f);
/// assert!("9f86".parse::<DeliveryId>().is_err());
/// # Ok::<(), pierre_webhook_core::ParseDeliveryIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId([u8; 32]);

impl DeliveryId {
    /// The identity of this event type and body, verified or not: to look one up, or to forget it.
    ///
    /// ```
    /// use pierre_webhook_core::DeliveryId;
    ///
    /// let id = DeliveryId::of("ping", b"{}");
    /// assert_eq!(id.to_string(), "2c831df594c5af4eaa2c5cf87cf0045b0e2b9c33357617f8b0723254c3479fe7");
    /// ```
    pub fn of(event_type: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(event_type);
        hash.update([0]);
        hash.update(body);
        Self(hash.finalize().into())
    }

    /// The hash's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for DeliveryId {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(&self.0))
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeliveryId({self})")
    }
}

impl FromStr for DeliveryId {
    type Err = ParseDeliveryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::decode(text.as_bytes()).map(Self).ok_or(ParseDeliveryIdError)
    }
}

/// A text that is not 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery id is 64 hex digits")]
#[non_exhaustive]
pub struct ParseDeliveryIdError;

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(event_type: &str, body: &'static str) -> Delivery {
        let event = Event::from_json(event_type, body.into()).unwrap();
        Delivery { event, signed_at: 1, body: body.into(), matched_secret: 0 }
    }

    #[test]
    fn the_id_is_the_hash_of_event_type_zero_byte_and_body() {
        // printf 'ping\0{}' | sha256sum
        let hex = "2c831df594c5af4eaa2c5cf87cf0045b0e2b9c33357617f8b0723254c3479fe7";
        let id = delivery("ping", "{}").id();
        assert_eq!(id.to_string(), hex);
        assert_eq!(format!("{id:?}"), format!("DeliveryId({hex})"));
        assert_eq!(hex.to_uppercase().parse(), Ok(id));
        assert_eq!(DeliveryId::from(*id.as_bytes()), id);
        assert_eq!("x".parse::<DeliveryId>(), Err(ParseDeliveryIdError));
    }

    #[test]
    fn the_id_does_not_depend_on_when_the_delivery_was_signed() {
        let first = delivery("ping", "{}");
        let retry = Delivery { signed_at: 2, matched_secret: 1, ..first.clone() };
        assert_eq!(first.id(), retry.id());
        assert_ne!(first.id(), delivery("pong", "{}").id());
        assert_ne!(first.id(), delivery("ping", "{ }").id());
        assert_eq!(first.event_type(), "ping");
    }
}
