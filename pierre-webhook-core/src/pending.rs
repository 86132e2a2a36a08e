//! A delivery whose body is arriving: rule 4b for the bytes, then rules 5 to 8.

use std::{fmt, mem};

use bytes::Bytes;

use crate::{
    delivery::Delivery,
    error::Error,
    event::{self, EventType},
    headers::DeliveryHeaders,
    mac::{Candidates, Macs},
};

/// A delivery whose headers passed and whose body is arriving.
///
/// Give it each chunk as it comes, then [`finish`](Self::finish). An error is sticky: after one, both
/// methods return it again, so that a caller who overlooks it cannot get a signed prefix accepted.
///
/// A body of one chunk is not copied; of several, each is copied once into one buffer. Nothing is
/// allocated for what `Content-Length` claims.
///
/// ```
/// use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, SIGNATURE_HEADER, Secret, Verifier};
///
/// let secret = Secret::new("whsec_k3yForDocsOnly_2f6c")?;
/// let verifier = Verifier::new(secret.clone()).any_age();
/// let signature = secret.sign(1_790_000_000, b"[1,2]");
/// let headers = DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")])?;
///
/// let mut pending = verifier.begin(&headers)?;
/// for chunk in ["[1", ",2]"] {
///     pending.push(chunk.into())?;
/// }
/// assert_eq!(pending.finish()?.body, "[1,2]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a delivery is verified by `finish` alone"]
pub struct PendingDelivery {
    event_type: EventType,
    signed_at: u64,
    candidates: Candidates,
    macs: Macs,
    body: Body,
    limit: usize,
    is_over_limit: bool,
}

impl PendingDelivery {
    pub(crate) fn new(
        headers: &DeliveryHeaders<'_>,
        candidates: Candidates,
        macs: Macs,
        limit: usize,
    ) -> Self {
        Self {
            event_type: EventType::from(headers.event_type()),
            signed_at: headers.timestamp(),
            candidates,
            macs,
            body: Body::Whole(Bytes::new()),
            limit,
            is_over_limit: false,
        }
    }

    /// Takes the next chunk of the body.
    ///
    /// # Errors
    ///
    /// [`Error::BodyTooLarge`] where the body is now over the limit. Stop reading then.
    pub fn push(&mut self, chunk: Bytes) -> Result<(), Error> {
        let room = self.limit.saturating_sub(self.body.len());
        self.is_over_limit |= chunk.len() > room;
        self.check_limit()?;
        self.macs.update(&chunk);
        self.body.push(chunk);
        Ok(())
    }

    /// Ends the body: verifies it and reads its event.
    ///
    /// # Errors
    ///
    /// The error of a `push` that failed, [`Error::InvalidSignature`], [`Error::InvalidJson`],
    /// [`Error::EventTypeMismatch`], [`Error::InvalidPayload`].
    pub fn finish(mut self) -> Result<Delivery, Error> {
        self.check_limit()?;
        let matched_secret = self.macs.find_in(&self.candidates).ok_or(Error::InvalidSignature)?;
        let body = self.body.into_bytes();
        Ok(Delivery {
            event: event::read(self.event_type, &body)?,
            signed_at: self.signed_at,
            body,
            matched_secret,
        })
    }

    fn check_limit(&self) -> Result<(), Error> {
        if self.is_over_limit { Err(Error::BodyTooLarge { limit: self.limit }) } else { Ok(()) }
    }
}

impl fmt::Debug for PendingDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingDelivery")
            .field("signed_at", &self.signed_at)
            .field("received", &self.body.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The bytes so far. The first chunk is kept as it is; from the second on they are copied into one
/// buffer, since each small chunk that is held may pin a large read buffer.
enum Body {
    Whole(Bytes),
    Gathered(Vec<u8>),
}

impl Body {
    fn push(&mut self, chunk: Bytes) {
        match self {
            Self::Whole(whole) if whole.is_empty() => *whole = chunk,
            Self::Whole(whole) if !chunk.is_empty() => {
                *self = Self::Gathered([mem::take(whole), chunk].concat());
            }
            Self::Whole(_) => {}
            Self::Gathered(buffer) => buffer.extend_from_slice(&chunk),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Whole(whole) => whole.len(),
            Self::Gathered(buffer) => buffer.len(),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Whole(whole) => whole,
            Self::Gathered(buffer) => buffer.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Event,
        headers::{EVENT_HEADER, SIGNATURE_HEADER},
        secret::Secret,
        verifier::Verifier,
    };

    fn pending(body: &[u8], limit: usize) -> PendingDelivery {
        let secret = Secret::new("s").unwrap();
        let signature = secret.sign(1, body);
        let headers =
            DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")])
                .unwrap();
        Verifier::new(secret).any_age().body_limit(limit).begin(&headers).unwrap()
    }

    #[test]
    fn a_body_of_one_chunk_is_not_copied() {
        let body = Bytes::from("[1,2]".to_owned());
        let mut pending = pending(&body, 5);
        pending.push(Bytes::new()).unwrap();
        pending.push(body.clone()).unwrap();
        pending.push(Bytes::new()).unwrap();
        let delivery = pending.finish().unwrap();
        assert_eq!(delivery.body.as_ptr(), body.as_ptr());
        let Event::Unknown(event) = delivery.event else { panic!("ping is not known") };
        assert_eq!(event.payload.as_ptr(), body.as_ptr());
    }

    #[test]
    fn chunks_are_joined_in_their_order() {
        let mut pending = pending(b"[1,2]", 5);
        for chunk in ["", "[", "1,", "", "2]"] {
            pending.push(chunk.into()).unwrap();
        }
        assert_eq!(pending.finish().unwrap().body, "[1,2]");
    }

    #[test]
    fn an_error_is_sticky_so_that_a_signed_prefix_is_not_accepted() {
        let too_large = Err(Error::BodyTooLarge { limit: 5 });
        let mut pending = pending(b"[1,2]", 5);
        assert_eq!(pending.push("[1,2]".into()), Ok(()));
        assert_eq!(pending.push(" ".into()), too_large);
        assert_eq!(pending.push(Bytes::new()), too_large);
        assert_eq!(pending.finish().map(|delivery| delivery.body.len()), too_large.map(|()| 0));
    }
}
