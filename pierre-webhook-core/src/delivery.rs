//! A verified delivery, and its identity.

use std::{fmt, str::FromStr, sync::Arc};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{error::Error, event::Event, hex};

/// A verified delivery: its event, when it was signed, and its body.
///
/// [`Verifier::verify`](crate::Verifier::verify) and [`PendingDelivery::finish`](crate::PendingDelivery::finish)
/// make one, so a function that takes a `Delivery` need not ask whether it was verified. (Its owner may still
/// change its fields.) The one exception is [`from_stored`](Self::from_stored), for deliveries that were stored after
/// they were verified.
///
/// # Security
///
/// Verified content is still content that somebody chose: ref names, URLs and error texts come from whoever
/// can push to the repository or run its upstream. Escape them before they reach a shell, a page or a query.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive] // It is the proof of a verification: nobody else may make one.
pub struct Delivery {
    /// What happened.
    pub event: Event,
    /// When the delivery was signed, in Unix seconds. A retry may carry a new one.
    pub signed_at: u64,
    /// The body, byte for byte as it was signed.
    ///
    /// A body that arrived in one chunk shares the buffer that the server read it into; see
    /// [`detach_body`](Self::detach_body).
    pub body: Bytes,
    /// The index of the secret that signed the delivery: 0 is the current secret, then the previous ones in
    /// the order in which the verifier was given them. Expired ones keep their index. If several match, the
    /// lowest. Above 0, the sender hasn't switched to the current secret yet.
    pub matched_secret: usize,
    /// The tenant whose verifier accepted the delivery, if [`Verifier::tenant`](crate::Verifier::tenant)
    /// named one.
    pub tenant: Option<Arc<str>>,
}

impl Delivery {
    /// Makes a delivery again whose parts were stored after it was verified, as a queue or an inbox does.
    ///
    /// [`matched_secret`](Self::matched_secret) is 0 and [`tenant`](Self::tenant) is `None`: set them if they were
    /// stored too.
    ///
    /// # Security
    ///
    /// This verifies nothing, although code that takes a `Delivery` trusts it as verified. Call it only for what
    /// your own program has verified and stored where nobody else can write. Pass a request to a
    /// [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    ///
    /// Those of [`Event::from_json`]. The delivery had passed those checks when it was verified, so an error means
    /// that the stored parts have changed, or that another version of this crate verified it.
    ///
    /// ```
    /// use pierre_webhook_core::Delivery;
    ///
    /// let delivery = Delivery::from_stored("branch.created", r#"{"branch":"main"}"#.into(), 1_790_000_000)?;
    /// assert_eq!(delivery.event_type(), "branch.created");
    /// # Ok::<(), pierre_webhook_core::Error>(())
    /// ```
    pub fn from_stored(event_type: &str, body: Bytes, signed_at: u64) -> Result<Self, Error> {
        let event = Event::from_json(event_type, body.clone())?;
        Ok(Self { event, signed_at, body, matched_secret: 0, tenant: None })
    }

    /// Returns the event type from the `X-Pierre-Event` header, such as `push`.
    pub fn event_type(&self) -> &str {
        self.event.event_type()
    }

    /// Returns what stays the same when the delivery is sent again.
    ///
    /// Each call costs one SHA-256 of the body.
    ///
    /// # Security
    ///
    /// The event type is part of the id, and the type of an unknown event isn't authenticated. A captured
    /// delivery of an unknown event, or a push, has another id if it is sent again under a made-up name.
    /// Deduplication doesn't stop such a replay; the maximum age does.
    pub fn id(&self) -> DeliveryId {
        DeliveryId::of(self.event_type(), &self.body)
    }

    /// Copies the body out of the buffer that the server read it into.
    ///
    /// Call it before you keep many deliveries, in a queue for instance: a body that arrived in one chunk is a
    /// slice of the server's read buffer, and keeps all of that buffer alive.
    ///
    /// ```
    /// # use pierre_webhook_core::{Delivery, DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};
    /// # let secret = Secret::new("s")?;
    /// # let signature = secret.sign(1, b"{}");
    /// # let headers = DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")])?;
    /// # let delivery = Verifier::new(secret).any_age().verify(&headers, "{}".into())?;
    /// let mut queue: Vec<Delivery> = Vec::new();
    /// # let mut delivery = delivery;
    /// delivery.detach_body();
    /// queue.push(delivery);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn detach_body(&mut self) {
        self.body = Bytes::copy_from_slice(&self.body);
        if let Event::Unknown(event) = &mut self.event {
            event.payload = self.body.clone();
        }
    }
}

/// Prints the body's length instead of its bytes, which may be many.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("event", &self.event)
            .field("signed_at", &self.signed_at)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("matched_secret", &self.matched_secret)
            .field("tenant", &self.tenant)
            .finish()
    }
}

/// The identity of a delivery, to handle each one only once: the SHA-256 of the event type, a zero byte and the
/// body.
///
/// Code Storage sends no delivery id. A retry has the same event type and body, but may have a new signature. Two
/// events of the same type with identical bodies have the same id.
///
/// `Display` writes 64 hex digits in lower case. `FromStr` also reads upper case.
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
    /// Returns the id for this event type and body. They need not be verified: use it to look up or forget an id.
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

    /// Returns the bytes of the hash.
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

/// The error of a text that isn't 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery id is 64 hex digits")]
#[non_exhaustive]
pub struct ParseDeliveryIdError;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        headers::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER},
        secret::Secret,
        verifier::Verifier,
    };

    fn delivery(event_type: &str, body: &'static str) -> Delivery {
        Delivery::from_stored(event_type, body.into(), 1).unwrap()
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
    fn a_stored_delivery_is_what_was_verified() {
        let secret = Secret::new("s").unwrap();
        let signature = secret.sign(7, b"[1]");
        let headers = [(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")];
        let verified = Verifier::new(secret)
            .any_age()
            .verify(&DeliveryHeaders::parse(headers).unwrap(), "[1]".into())
            .unwrap();
        assert_eq!(Delivery::from_stored("ping", "[1]".into(), 7), Ok(verified));
        let unreadable = Delivery::from_stored("ping", "[1".into(), 7);
        assert_eq!(unreadable, Err(Error::InvalidJson { line: 1, column: 2 }));
        let no_type = Delivery::from_stored("p,", "[1]".into(), 7);
        assert_eq!(no_type, Err(Error::MissingEventHeader));
    }

    #[test]
    fn a_detached_body_leaves_the_buffer_it_arrived_in() {
        let buffer = Bytes::from("[1,2] and all else that was read with it".to_owned());
        let body = buffer.slice(..5);
        let event = Event::from_json("ping", body.clone()).unwrap();
        let mut delivery = Delivery { body, event, ..delivery("ping", "{}") };
        assert!(!buffer.is_unique());
        let before = delivery.clone();
        delivery.detach_body();
        assert_eq!(delivery, before);
        drop(before);
        assert!(buffer.is_unique(), "neither the body nor the event refers to it");
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
