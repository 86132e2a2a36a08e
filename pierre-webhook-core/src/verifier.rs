//! The verifier: its settings, the functions that take a whole body, and the start of a streamed delivery.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use crate::{
    delivery::Delivery,
    error::Error,
    event::{self, EventType},
    headers::DeliveryHeaders,
    mac::Candidates,
    pending::PendingDelivery,
    secret::Secret,
    settings::Settings,
    signature::Signature,
};

/// Verifies deliveries with one or more secrets, within limits of age and size.
///
/// Cloning is cheap: clones share one `Arc`. `Debug` prints no secret.
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

impl Verifier {
    /// Accepts deliveries that were signed with this secret at most 5 minutes ago or, if the clocks differ, at most
    /// 60 seconds in the future, and whose body is at most 1 MiB.
    ///
    /// Not on `wasm32-unknown-unknown`, where the standard library has no clock: turn on the feature `web-clock`
    /// if your program runs in a JavaScript engine, as in Cloudflare Workers, or use
    /// [`with_clock`](Self::with_clock).
    #[cfg(any(not(all(target_family = "wasm", target_os = "unknown")), feature = "web-clock"))]
    pub fn new(secret: Secret) -> Self {
        Self::with_clock(secret, crate::clock::system_time)
    }

    /// Like `new`, with a clock of your own. Available on every target.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use pierre_webhook_core::{Secret, Verifier};
    ///
    /// # fn milliseconds_of_host() -> u64 { 1_790_000_000_000 }
    /// let secret = Secret::new("whsec_k3yForDocsOnly_2f6c")?;
    /// let now = || SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds_of_host());
    /// let signature = secret.sign(1_790_000_000, b"{}");
    ///
    /// let verifier = Verifier::with_clock(secret, now);
    /// assert_eq!(verifier.verify_signature(&signature, b"{}"), Ok(1_790_000_000));
    /// # Ok::<(), pierre_webhook_core::EmptySecret>(())
    /// ```
    pub fn with_clock(
        secret: Secret,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self { settings: Arc::new(Settings::new(secret, now)) }
    }

    /// Also accepts deliveries signed with a previous secret, while the subscription switches to the current
    /// one.
    ///
    /// Can be called any number of times. Each secret costs one more MAC of every body.
    #[must_use]
    pub fn or_secret(self, previous: Secret) -> Self {
        self.also(previous, None)
    }

    /// Like [`or_secret`](Self::or_secret), but the secret expires: a delivery counts only if the verifier's
    /// clock reads before `until` both when its headers are checked and when its body is complete.
    #[must_use]
    pub fn or_secret_until(self, previous: Secret, until: SystemTime) -> Self {
        self.also(previous, Some(until))
    }

    /// Sets the maximum age of a delivery, inclusive. Default: 300 seconds.
    ///
    /// If the body arrives in parts ([`begin`](Self::begin)), the age is checked before it is read and again when it is
    /// complete, so a sender can't keep a delivery fresh by withholding its last byte.
    ///
    /// Zero accepts only what was signed in the current second, so a forgotten setting fails closed. (In the
    /// official TypeScript and Python SDKs zero disables the check, in the Go SDK it means the default.)
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        self.with(|settings| settings.max_age = Some(max_age))
    }

    /// Disables the age check in both directions. A later call to [`max_age`](Self::max_age) enables it again.
    ///
    /// # Security
    ///
    /// Nothing bounds the age of a delivery then: whoever captured one can replay it forever, and a request
    /// can be held open for any time before its body is completed. Use it only for deliveries that you stored
    /// yourself.
    #[must_use]
    pub fn any_age(self) -> Self {
        self.with(|settings| settings.max_age = None)
    }

    /// Sets how far the sender's clock may be ahead of this one, inclusive. Default: 60 seconds.
    #[must_use]
    pub fn future_tolerance(self, tolerance: Duration) -> Self {
        self.with(|settings| settings.future_tolerance = tolerance)
    }

    /// Labels what this verifier accepts with a tenant's name. None by default.
    ///
    /// The name is put on each accepted [`Delivery`] and on the adapters' rejections and log events, so that
    /// no handler has to derive the tenant from the request a second time. Cloning it costs one reference
    /// count.
    ///
    /// ```
    /// use pierre_webhook_core::{Secret, Verifier};
    ///
    /// let verifier = Verifier::new(Secret::new("acme's secret")?).tenant("acme");
    /// assert_eq!(verifier.tenant_name().map(|name| &**name), Some("acme"));
    /// # Ok::<(), pierre_webhook_core::EmptySecret>(())
    /// ```
    #[must_use]
    pub fn tenant(self, name: impl Into<Arc<str>>) -> Self {
        self.with(|settings| settings.tenant = Some(name.into()))
    }

    /// Returns the name that [`tenant`](Self::tenant) set.
    pub fn tenant_name(&self) -> Option<&Arc<str>> {
        self.settings.tenant.as_ref()
    }

    /// Sets the maximum body size in bytes, inclusive. Default: 1 MiB.
    #[must_use]
    pub fn body_limit(self, bytes: usize) -> Self {
        self.with(|settings| settings.body_limit = bytes)
    }

    /// Replaces the clock, [`SystemTime::now`] by default. Use it in tests.
    ///
    /// [`verify`](Self::verify) and [`verify_signature`](Self::verify_signature) read it once.
    /// [`begin`](Self::begin) reads it once and [`PendingDelivery::finish`] once more.
    #[must_use]
    pub fn clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.clock = Arc::new(now))
    }

    /// Verifies the value of a signature header against a body, whatever the event. Returns when the body was
    /// signed, in Unix seconds.
    ///
    /// The official SDKs call this `validateWebhookSignature`.
    ///
    /// # Errors
    ///
    /// In this order: [`Error::InvalidSignatureHeader`], [`Error::InvalidTimestamp`],
    /// [`Error::TimestampTooOld`], [`Error::TimestampInFuture`], [`Error::BodyTooLarge`],
    /// [`Error::InvalidSignature`]. If no `sha256` value is 64 hex digits, [`Error::InvalidSignature`] comes
    /// before [`Error::BodyTooLarge`].
    pub fn verify_signature(&self, signature: impl AsRef<[u8]>, body: &[u8]) -> Result<u64, Error> {
        let signature = Signature::parse(signature.as_ref())?;
        let now = self.settings.now();
        self.settings.check_window(signature.timestamp(), now)?;
        self.settings.authenticate(&signature, now, body)?;
        Ok(signature.timestamp())
    }

    /// Verifies a whole delivery and reads its event.
    ///
    /// The official SDKs call this `validateWebhook`.
    ///
    /// # Errors
    ///
    /// In this order: [`Error::TimestampTooOld`], [`Error::TimestampInFuture`], [`Error::BodyTooLarge`],
    /// [`Error::InvalidSignature`], [`Error::InvalidJson`], [`Error::EventTypeMismatch`],
    /// [`Error::InvalidPayload`]. The exception for 64 hex digits is that of
    /// [`verify_signature`](Self::verify_signature).
    pub fn verify(&self, headers: &DeliveryHeaders<'_>, body: Bytes) -> Result<Delivery, Error> {
        let now = self.settings.check_head(headers)?;
        let matched_secret = self.settings.authenticate(headers.signature(), now, &body)?;
        Ok(Delivery {
            event: event::read(EventType::from(headers.event_type()), &body)?,
            signed_at: headers.timestamp(),
            body,
            matched_secret,
            tenant: self.settings.tenant.clone(),
        })
    }

    /// Starts a delivery whose body is still to arrive. Everything that the headers decide is decided here.
    ///
    /// # Errors
    ///
    /// [`Error::TimestampTooOld`], [`Error::TimestampInFuture`], [`Error::BodyTooLarge`] for the declared
    /// length, or [`Error::InvalidSignature`] if no `sha256` value is 64 hex digits.
    pub fn begin(&self, headers: &DeliveryHeaders<'_>) -> Result<PendingDelivery, Error> {
        self.clone().begin_owned(headers)
    }

    /// Like [`begin`](Self::begin), but moves the verifier into the delivery instead of cloning it: for adapters,
    /// which got a clone of their own from [`FindVerifier`](crate::FindVerifier).
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin).
    pub fn begin_owned(self, headers: &DeliveryHeaders<'_>) -> Result<PendingDelivery, Error> {
        let now = self.settings.check_head(headers)?;
        let signature = headers.signature();
        let candidates = Candidates::decode(signature).ok_or(Error::InvalidSignature)?;
        let macs = self.settings.secrets.start(now, signature.timestamp_text());
        Ok(PendingDelivery::new(headers, candidates, macs, self.settings))
    }

    fn also(self, secret: Secret, until: Option<SystemTime>) -> Self {
        self.with(|settings| settings.secrets.add(secret, until))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("tenant", &self.settings.tenant)
            .field("previous_secrets", &self.settings.secrets.previous_len())
            .field("max_age", &self.settings.max_age)
            .field("future_tolerance", &self.settings.future_tolerance)
            .field("body_limit", &self.settings.body_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
