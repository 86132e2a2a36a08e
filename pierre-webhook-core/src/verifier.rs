//! What is accepted, and the checks: rule 4, rule 4b's declared length, and the one-shot functions.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

use crate::{
    delivery::Delivery,
    error::Error,
    event::{self, EventType},
    headers::DeliveryHeaders,
    mac::{Candidates, Key, Macs},
    pending::PendingDelivery,
    secret::Secret,
    signature::Signature,
};

/// Verifies deliveries: the accepted secrets and the limits.
///
/// A clone costs one reference count. `Debug` names no secret.
///
/// ```
/// use std::time::Duration;
/// use pierre_webhook_core::{DeliveryHeaders, EVENT_HEADER, Event, SIGNATURE_HEADER, Secret, Verifier};
///
/// let secret = Secret::new("whsec_k3yForDocsOnly_2f6c")?;
/// let verifier = Verifier::new(secret.clone()).max_age(Duration::from_secs(600));
/// # let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
/// # let signature = secret.sign(now, b"{}");
/// let headers = DeliveryHeaders::parse([(SIGNATURE_HEADER, &*signature), (EVENT_HEADER, "ping")])?;
/// let delivery = verifier.verify(&headers, "{}".into())?;
/// assert!(matches!(delivery.event, Event::Unknown(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    settings: Arc<Settings>,
}

#[derive(Clone)]
struct Settings {
    current: Secret,
    /// The other secrets, in the order in which they were given.
    previous: Vec<Previous>,
    /// `None`: rule 4 is off.
    max_age: Option<Duration>,
    future_tolerance: Duration,
    body_limit: usize,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

#[derive(Clone)]
struct Previous {
    secret: Secret,
    /// `None`: for ever.
    until: Option<SystemTime>,
}

impl Verifier {
    /// Accepts what is signed with this secret, at most 5 minutes ago and 60 seconds ahead, in a body of at
    /// most 1 MiB.
    pub fn new(secret: Secret) -> Self {
        Self {
            settings: Arc::new(Settings {
                current: secret,
                previous: Vec::new(),
                max_age: Some(Duration::from_secs(300)),
                future_tolerance: Duration::from_secs(60),
                body_limit: 1 << 20,
                clock: Arc::new(SystemTime::now),
            }),
        }
    }

    /// Also accepts what is signed with another secret: the previous one, while the subscription changes
    /// over to the current one. Any number of them; each costs one MAC of every body.
    #[must_use]
    pub fn or_secret(self, previous: Secret) -> Self {
        self.also(previous, None)
    }

    /// As [`or_secret`](Self::or_secret), while the verifier's clock reads before `until`: a rotation that
    /// ends by itself.
    #[must_use]
    pub fn or_secret_until(self, previous: Secret, until: SystemTime) -> Self {
        self.also(previous, Some(until))
    }

    /// How long ago a delivery may have been signed, that age included. Default 300 seconds.
    ///
    /// Zero is a window of zero seconds, so that a setting that was forgotten lets nothing old in. (In the
    /// official TypeScript and Python SDKs zero switches the check off, in Go's it means the default.)
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        self.with(|settings| settings.max_age = Some(max_age))
    }

    /// Accepts a delivery of any age, and from any future; a [`max_age`](Self::max_age) set after it counts
    /// again.
    ///
    /// # Security
    ///
    /// Whoever captured a delivery can replay it for ever. Only for deliveries out of a store of one's own.
    #[must_use]
    pub fn any_age(self) -> Self {
        self.with(|settings| settings.max_age = None)
    }

    /// How far ahead of this clock the sender's may be, that far included. Default 60 seconds.
    #[must_use]
    pub fn future_tolerance(self, tolerance: Duration) -> Self {
        self.with(|settings| settings.future_tolerance = tolerance)
    }

    /// The size of the largest body that is accepted, in bytes. Default 1 MiB.
    #[must_use]
    pub fn body_limit(self, bytes: usize) -> Self {
        self.with(|settings| settings.body_limit = bytes)
    }

    /// Reads the time from another clock than [`SystemTime::now`]: for tests, and for wasm, where that
    /// panics. It is read once a delivery.
    #[must_use]
    pub fn clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.clock = Arc::new(now))
    }

    /// Verifies a signature header's value and a body, whatever the event: what the official SDKs call
    /// `validateWebhookSignature`. Returns when the body was signed, in Unix seconds.
    ///
    /// # Errors
    ///
    /// In this order: [`Error::InvalidSignatureHeader`], [`Error::InvalidTimestamp`],
    /// [`Error::TimestampTooOld`], [`Error::TimestampInFuture`], [`Error::BodyTooLarge`],
    /// [`Error::InvalidSignature`], which comes before the body's size where no value is 64 hex digits.
    pub fn verify_signature(&self, signature: impl AsRef<[u8]>, body: &[u8]) -> Result<u64, Error> {
        let signature = Signature::parse(signature.as_ref())?;
        let now = self.check_age(&signature)?;
        self.authenticate(&signature, now, body)?;
        Ok(signature.timestamp())
    }

    /// Verifies a whole delivery and reads its event: what the official SDKs call `validateWebhook`.
    ///
    /// # Errors
    ///
    /// Every rule of the protocol that is not an adapter's, in its order.
    pub fn verify(&self, headers: &DeliveryHeaders<'_>, body: Bytes) -> Result<Delivery, Error> {
        let now = self.check_age(headers.signature())?;
        self.check_declared_length(headers)?;
        let matched_secret = self.authenticate(headers.signature(), now, &body)?;
        Ok(Delivery {
            event: event::read(EventType::from(headers.event_type()), &body)?,
            signed_at: headers.timestamp(),
            body,
            matched_secret,
        })
    }

    /// Begins a delivery whose body is still to come: decides all that the headers decide.
    ///
    /// # Errors
    ///
    /// [`Error::TimestampTooOld`], [`Error::TimestampInFuture`], [`Error::BodyTooLarge`] for the declared
    /// length, [`Error::InvalidSignature`] where no `sha256` value is 64 hex digits.
    pub fn begin(&self, headers: &DeliveryHeaders<'_>) -> Result<PendingDelivery, Error> {
        let signature = headers.signature();
        let now = self.check_age(signature)?;
        self.check_declared_length(headers)?;
        let candidates = Candidates::decode(signature).ok_or(Error::InvalidSignature)?;
        let timestamp = signature.timestamp_text();
        let macs = Macs {
            previous: self
                .previous(now)
                .map(|(index, key)| (index, key.start(timestamp)))
                .collect(),
            current: self.settings.current.key().start(timestamp),
        };
        Ok(PendingDelivery::new(headers, candidates, macs, self.settings.body_limit))
    }

    fn also(self, secret: Secret, until: Option<SystemTime>) -> Self {
        self.with(|settings| settings.previous.push(Previous { secret, until }))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Rule 4. Returns the time at which it was judged.
    fn check_age(&self, signature: &Signature<'_>) -> Result<SystemTime, Error> {
        let now = (self.settings.clock)();
        let Some(max_age) = self.settings.max_age else {
            return Ok(now);
        };
        let age = unix_seconds(now).saturating_sub(signature.timestamp().into());
        let seconds = u64::try_from(age.unsigned_abs()).unwrap_or(u64::MAX);
        let duration = Duration::from_secs(seconds);
        if age > 0 && duration > max_age {
            Err(Error::TimestampTooOld { age: seconds })
        } else if age < 0 && duration > self.settings.future_tolerance {
            Err(Error::TimestampInFuture)
        } else {
            Ok(now)
        }
    }

    /// Rule 4b for the length that the sender declares.
    fn check_declared_length(&self, headers: &DeliveryHeaders<'_>) -> Result<(), Error> {
        let limit = self.settings.body_limit;
        match headers.declared_length() {
            Some(length) if length > limit as u128 => Err(Error::BodyTooLarge { limit }),
            _ => Ok(()),
        }
    }

    /// Rule 5 for a whole body, with rule 4b for its size. Returns the index of the secret that matched.
    fn authenticate(
        &self,
        signature: &Signature<'_>,
        now: SystemTime,
        body: &[u8],
    ) -> Result<usize, Error> {
        let candidates = Candidates::decode(signature).ok_or(Error::InvalidSignature)?;
        let limit = self.settings.body_limit;
        if body.len() > limit {
            return Err(Error::BodyTooLarge { limit });
        }
        // No early exit, so that the time does not tell which secret matched.
        let matches = |key: &Key| candidates.contain(&key.mac(signature.timestamp_text(), body));
        let current = matches(self.settings.current.key()).then_some(0);
        self.previous(now)
            .fold(current, |found, (index, key)| {
                let is_match = matches(key);
                found.or(is_match.then_some(index))
            })
            .ok_or(Error::InvalidSignature)
    }

    /// The keys of the other secrets that are accepted now, with their index.
    fn previous(&self, now: SystemTime) -> impl Iterator<Item = (usize, &Key)> {
        (1..)
            .zip(&self.settings.previous)
            .filter(move |(_, previous)| previous.until.is_none_or(|until| now < until))
            .map(|(index, previous)| (index, previous.secret.key()))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("previous_secrets", &self.settings.previous.len())
            .field("max_age", &self.settings.max_age)
            .field("future_tolerance", &self.settings.future_tolerance)
            .field("body_limit", &self.settings.body_limit)
            .finish_non_exhaustive()
    }
}

/// Whole seconds since the epoch, rounded down, before it too.
fn unix_seconds(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs().into(),
        Err(error) => {
            let before = error.duration();
            let started = u64::from(before.subsec_nanos() > 0);
            i128::from(before.as_secs()).saturating_add(started.into()).saturating_neg()
        }
    }
}

#[cfg(test)]
mod tests;
