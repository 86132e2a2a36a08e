//! How long a failed delivery waits.

use std::time::Duration;

/// Beyond this, multiplying a duration by a fraction could overflow.
const LIMIT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Doubles from the first delay to the longest. Each is shortened at random by up to a half, so that deliveries that
/// failed together don't come back together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Backoff {
    /// Returns the delay after this try, which counts from 1.
    pub(crate) fn after(self, tries: u32) -> Duration {
        let jitter = getrandom::u32().unwrap_or_default();
        self.with_jitter(tries, jitter)
    }

    fn with_jitter(self, tries: u32, jitter: u32) -> Duration {
        let doubled = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        let full = self.first.saturating_mul(doubled).min(self.longest).min(LIMIT);
        let part = f64::from(jitter) / f64::from(u32::MAX);
        full.mul_f64(1.0 - part / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_doubles_up_to_the_longest_and_loses_at_most_a_half() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(100));
        let backoff = Backoff { first, longest };
        for (tries, seconds) in [(0, 1), (1, 1), (2, 2), (7, 64), (8, 100), (33, 100), (99, 100)] {
            let full = Duration::from_secs(seconds);
            assert_eq!(backoff.with_jitter(tries, 0), full, "{tries}");
            assert_eq!(backoff.with_jitter(tries, u32::MAX), full / 2, "{tries}");
            let delay = backoff.after(tries);
            assert!(full / 2 <= delay && delay <= full, "{tries}: {delay:?}");
        }
    }

    #[test]
    fn the_longest_delays_do_not_overflow() {
        let backoff = Backoff { first: Duration::MAX, longest: Duration::MAX };
        assert_eq!(backoff.with_jitter(1, 0), LIMIT);
        assert_eq!(backoff.with_jitter(99, u32::MAX), LIMIT / 2);
    }
}
