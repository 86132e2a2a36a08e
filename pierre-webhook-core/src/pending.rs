//! A delivery whose body is arriving: the body limit (rule 4b), then the age (4), the signature (5) and the
//! event (6 to 8).

use std::{fmt, mem, sync::Arc};

use bytes::Bytes;

use crate::{
    accepted::Macs,
    delivery::Delivery,
    error::Error,
    event::{self, EventType},
    headers::DeliveryHeaders,
    mac::Candidates,
    settings::Settings,
};

/// A delivery whose headers passed and whose body is arriving.
///
/// Pass each chunk to [`push`](Self::push) as it arrives, then call [`finish`](Self::finish). Errors are
/// sticky: after one, both methods return it again, so a caller who ignores it can't get a signed prefix
/// accepted.
///
/// A body that arrives in one chunk isn't copied. Several chunks are copied into one buffer, which never
/// grows beyond the body limit. The declared `Content-Length` never sizes an allocation.
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
#[must_use = "only `finish` verifies the delivery"]
pub struct PendingDelivery {
    event_type: EventType,
    signed_at: u64,
    candidates: Candidates,
    macs: Macs,
    body: Body,
    is_over_limit: bool,
    settings: Arc<Settings>,
}

impl PendingDelivery {
    pub(crate) fn new(
        headers: &DeliveryHeaders<'_>,
        candidates: Candidates,
        macs: Macs,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            event_type: EventType::from(headers.event_type()),
            signed_at: headers.timestamp(),
            candidates,
            macs,
            body: Body::Whole(Bytes::new()),
            is_over_limit: false,
            settings,
        }
    }

    /// Returns the name that [`Verifier::tenant`](crate::Verifier::tenant) set, of the verifier that checks
    /// this delivery.
    pub fn tenant_name(&self) -> Option<&Arc<str>> {
        self.settings.tenant.as_ref()
    }

    /// Takes the next chunk of the body.
    ///
    /// # Errors
    ///
    /// [`Error::BodyTooLarge`] if the body is now over the limit. Stop reading then.
    pub fn push(&mut self, chunk: Bytes) -> Result<(), Error> {
        let room = self.settings.body_limit.saturating_sub(self.body.len());
        self.is_over_limit |= chunk.len() > room;
        self.check_limit()?;
        self.macs.update(&chunk);
        self.body.push(chunk, self.settings.body_limit);
        Ok(())
    }

    /// Ends the body, verifies it and reads its event.
    ///
    /// Reads the clock again: the delivery must not have become too old, nor its secret have expired, while
    /// the body arrived.
    ///
    /// # Errors
    ///
    /// The error of an earlier `push`, [`Error::TimestampTooOld`], [`Error::InvalidSignature`],
    /// [`Error::InvalidJson`], [`Error::EventTypeMismatch`], [`Error::InvalidPayload`].
    pub fn finish(mut self) -> Result<Delivery, Error> {
        self.check_limit()?;
        let now = self.settings.now();
        self.settings.check_max_age(self.signed_at, now)?;
        let matched_secret = self
            .settings
            .secrets
            .find_started(now, &self.candidates, &mut self.macs)
            .ok_or(Error::InvalidSignature)?;
        let body = self.body.into_bytes();
        Ok(Delivery {
            event: event::read(self.event_type, &body)?,
            signed_at: self.signed_at,
            body,
            matched_secret,
            tenant: self.settings.tenant.clone(),
        })
    }

    fn check_limit(&self) -> Result<(), Error> {
        if self.is_over_limit { Err(self.settings.body_too_large()) } else { Ok(()) }
    }
}

impl fmt::Debug for PendingDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingDelivery")
            .field("signed_at", &self.signed_at)
            .field("received", &self.body.len())
            .field("limit", &self.settings.body_limit)
            .finish_non_exhaustive()
    }
}

/// The bytes so far. The first chunk is kept as it is. The second and later ones are copied into one
/// buffer, since each small chunk could keep a large read buffer alive.
enum Body {
    Whole(Bytes),
    Gathered(Vec<u8>),
}

impl Body {
    /// Adds a chunk, which is known to fit the limit.
    fn push(&mut self, chunk: Bytes, limit: usize) {
        match self {
            Self::Whole(whole) if whole.is_empty() => *whole = chunk,
            Self::Whole(whole) if !chunk.is_empty() => {
                *self = Self::Gathered([mem::take(whole), chunk].concat());
            }
            Self::Whole(_) => {}
            Self::Gathered(buffer) => {
                let needed = buffer.len().saturating_add(chunk.len());
                if needed > buffer.capacity() {
                    // Doubled, as a `Vec` grows by itself, but not beyond the limit.
                    let capacity = needed.max(buffer.capacity().saturating_mul(2).min(limit));
                    buffer.reserve_exact(capacity.saturating_sub(buffer.len()));
                }
                buffer.extend_from_slice(&chunk);
            }
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
    fn chunks_are_joined_in_order() {
        let mut pending = pending(b"[1,2]", 5);
        for chunk in ["", "[", "1,", "", "2]"] {
            pending.push(chunk.into()).unwrap();
        }
        assert_eq!(pending.finish().unwrap().body, "[1,2]");
    }

    #[test]
    fn a_gathered_body_never_holds_more_than_its_limit() {
        for limit in [3, 8, 100, 1000, 1025, 2047] {
            let mut body = Body::Whole(Bytes::new());
            let mut grown = 0;
            let mut capacity = 0;
            for _ in 0..limit {
                body.push(Bytes::from_static(b"x"), limit);
                if let Body::Gathered(buffer) = &body {
                    assert!(buffer.capacity() <= limit, "{} of {limit}", buffer.capacity());
                    grown += usize::from(buffer.capacity() != capacity);
                    capacity = buffer.capacity();
                }
            }
            assert_eq!(body.len(), limit);
            assert!(grown <= 12, "it doubles, so that bytes are copied once on average: {grown}");
        }
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
