//! The settings of a verifier, and the checks that they decide: the age (rule 4), the size (rule 4b), and the signature
//! of a whole body (rule 5).

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    accepted::AcceptedSecrets, error::Error, headers::DeliveryHeaders, mac::Candidates,
    secret::Secret, signature::Signature,
};

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) secrets: AcceptedSecrets,
    /// `None` turns the age check off (rule 4).
    pub(crate) max_age: Option<Duration>,
    pub(crate) future_tolerance: Duration,
    pub(crate) body_limit: usize,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) tenant: Option<Arc<str>>,
}

impl Settings {
    pub(crate) fn new(
        secret: Secret,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self {
            secrets: AcceptedSecrets::new(secret),
            max_age: Some(Duration::from_secs(300)),
            future_tolerance: Duration::from_secs(60),
            body_limit: 1 << 20,
            clock: Arc::new(now),
            tenant: None,
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Checks the age at the head of a delivery (rule 4): both ends of the window.
    #[inline]
    pub(crate) fn check_window(&self, timestamp: u64, now: SystemTime) -> Result<(), Error> {
        let Some(max_age) = self.max_age else { return Ok(()) };
        match age(timestamp, now) {
            Age::Past(age) if Duration::from_secs(age) > max_age => {
                Err(Error::TimestampTooOld { age })
            }
            Age::Future(ahead) if Duration::from_secs(ahead) > self.future_tolerance => {
                Err(Error::TimestampInFuture)
            }
            _ => Ok(()),
        }
    }

    /// Checks the age again once the body is complete (rule 4): only the maximum age. A sender that withholds the
    /// last byte must not extend the window.
    #[inline]
    pub(crate) fn check_max_age(&self, timestamp: u64, now: SystemTime) -> Result<(), Error> {
        match self.check_window(timestamp, now) {
            Err(Error::TimestampInFuture) => Ok(()),
            checked => checked,
        }
    }

    /// Checks the declared length of the body (rule 4b).
    #[inline]
    pub(crate) fn check_declared_length(&self, headers: &DeliveryHeaders<'_>) -> Result<(), Error> {
        match headers.declared_length() {
            Some(length) if length > self.body_limit as u128 => Err(self.body_too_large()),
            _ => Ok(()),
        }
    }

    pub(crate) fn body_too_large(&self) -> Error {
        Error::BodyTooLarge { limit: self.body_limit }
    }

    /// Checks the age (rule 4) and the declared length (rule 4b). Returns the time used.
    #[inline]
    pub(crate) fn check_head(&self, headers: &DeliveryHeaders<'_>) -> Result<SystemTime, Error> {
        let now = self.now();
        self.check_window(headers.timestamp(), now)?;
        self.check_declared_length(headers)?;
        Ok(now)
    }

    /// Checks the size (rule 4b) and the signature (rule 5) of a whole body. Returns the index of the secret that
    /// matched.
    #[inline]
    pub(crate) fn authenticate(
        &self,
        signature: &Signature<'_>,
        now: SystemTime,
        body: &[u8],
    ) -> Result<usize, Error> {
        let candidates = Candidates::decode(signature).ok_or(Error::InvalidSignature)?;
        if body.len() > self.body_limit {
            return Err(self.body_too_large());
        }
        self.secrets
            .find(now, &candidates, signature.timestamp_text(), body)
            .ok_or(Error::InvalidSignature)
    }
}

/// How many seconds ago a timestamp was, or how many seconds ahead it is.
enum Age {
    Past(u64),
    Future(u64),
}

fn age(timestamp: u64, now: SystemTime) -> Age {
    let age = unix_seconds(now).saturating_sub(timestamp.into());
    let seconds = u64::try_from(age.unsigned_abs()).unwrap_or(u64::MAX);
    if age < 0 { Age::Future(seconds) } else { Age::Past(seconds) }
}

/// Returns the whole seconds since the epoch, rounded down, also for times before the epoch.
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
