//! A clock that a test sets.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A clock that stands still until a test moves it. Clones share it.
///
/// ```
/// use std::time::Duration;
/// use pierre_webhook_core::{Secret, TestClock, Verifier};
///
/// let secret = Secret::new("test")?;
/// let clock = TestClock::at(1_790_000_000);
/// let verifier = Verifier::new(secret.clone()).clock(clock.reader());
///
/// let signature = secret.sign(clock.now(), b"{}");
/// assert_eq!(verifier.verify_signature(&signature, b"{}"), Ok(1_790_000_000));
///
/// clock.advance(Duration::from_secs(301));
/// let error = verifier.verify_signature(&signature, b"{}").unwrap_err();
/// assert_eq!(error.to_string(), "Webhook timestamp too old (301 seconds)");
/// # Ok::<(), pierre_webhook_core::EmptySecret>(())
/// ```
#[derive(Clone, Debug)]
pub struct TestClock {
    since_epoch: Arc<Mutex<Duration>>,
}

impl TestClock {
    /// Makes a clock that reads this time, in Unix seconds.
    pub fn at(unix_seconds: u64) -> Self {
        Self { since_epoch: Arc::new(Mutex::new(Duration::from_secs(unix_seconds))) }
    }

    /// Sets the clock to this time, in Unix seconds. It may go back.
    pub fn set(&self, unix_seconds: u64) {
        self.change(|time| *time = Duration::from_secs(unix_seconds));
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.change(|time| *time = time.saturating_add(by));
    }

    /// Returns the time in whole Unix seconds.
    pub fn now(&self) -> u64 {
        self.since_epoch().as_secs()
    }

    /// Returns a function that reads this clock, for [`Verifier::clock`](crate::Verifier::clock).
    ///
    /// A time that [`SystemTime`] can't hold reads as the epoch.
    pub fn reader(&self) -> impl Fn() -> SystemTime + Clone + Send + Sync + use<> {
        let clock = self.clone();
        move || UNIX_EPOCH.checked_add(clock.since_epoch()).unwrap_or(UNIX_EPOCH)
    }

    fn since_epoch(&self) -> Duration {
        *self.since_epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Duration)) {
        change(&mut self.since_epoch.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_stands_still_until_it_is_moved() {
        let clock = TestClock::at(7);
        let read = clock.clone().reader();
        assert_eq!((clock.now(), read()), (7, UNIX_EPOCH + Duration::from_secs(7)));
        clock.advance(Duration::from_millis(1500));
        assert_eq!((clock.now(), read()), (8, UNIX_EPOCH + Duration::from_millis(8500)));
        clock.set(3);
        assert_eq!((clock.now(), read()), (3, UNIX_EPOCH + Duration::from_secs(3)));
    }
}
