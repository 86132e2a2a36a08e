//! When a delivery is retried. The schedule is the command's own; the service's is not published.

use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};

use crate::time;

const HEADING: &str = "Retries (the schedule is the command's own; the service's is not published)";

/// The retry schedule.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct RetryArgs {
    /// How many times to retry after an unexpected answer or none
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,
    /// The pause before the first retry. It doubles with each retry, and is shortened at random by up to half. A
    /// Retry-After in the answer replaces it
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = time::duration)]
    backoff: Duration,
    /// Send the same request again, or sign it again with the current time
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub(crate) retry_as: RetryAs,
}

/// What a retry sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RetryAs {
    #[default]
    Same,
    Resigned,
}

/// How many retries there are, and the pauses between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    max: u32,
    backoff: Duration,
}

impl Retries {
    pub(crate) const NONE: Self = Self { max: 0, backoff: Duration::ZERO };

    /// Returns the pause after this attempt, counted from 1, or `None` if it was the last.
    pub(crate) fn pause(&self, attempt: u32, answer: Option<&HeaderMap>) -> Option<Duration> {
        if attempt > self.max {
            return None;
        }
        let requested = answer.and_then(|headers| retry_after(headers, Timestamp::now()));
        Some(requested.unwrap_or_else(|| self.backoff(attempt, random())))
    }

    /// Doubles the pause with each attempt. `random` shortens it, by half for `u16::MAX`.
    fn backoff(&self, attempt: u32, random: u16) -> Duration {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let longest = self.backoff.saturating_mul(doubled);
        let shortened = longest.mul_f64(f64::from(random) / f64::from(u16::MAX) / 2.0);
        longest.saturating_sub(shortened)
    }
}

impl From<&RetryArgs> for Retries {
    fn from(args: &RetryArgs) -> Self {
        Self { max: args.retries, backoff: args.backoff }
    }
}

/// Reads `Retry-After`, in seconds or as an HTTP date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// Returns 0 without a source of randomness: pauses are then not shortened.
fn random() -> u16 {
    let mut bytes = [0; 2];
    let _ = getrandom::fill(&mut bytes);
    u16::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_shortened_by_up_to_half() {
        let retries = Retries { max: 3, backoff: Duration::from_secs(1) };
        let seconds = |attempt, random| retries.backoff(attempt, random).as_secs_f64();
        assert_eq!([seconds(1, 0), seconds(2, 0), seconds(3, 0)], [1.0, 2.0, 4.0]);
        assert_eq!([seconds(1, u16::MAX), seconds(3, u16::MAX)], [0.5, 2.0]);
        assert!(retries.pause(3, None).is_some());
        assert_eq!(retries.pause(4, None), None);
        assert_eq!(Retries::NONE.pause(1, None), None);
        assert!(retries.backoff(u32::MAX, 7) > Duration::from_secs(1 << 30));
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_second(784_111_777).unwrap(); // Sun, 06 Nov 1994 08:49:37 GMT
        for (value, expected) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("99999999999999999999999", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
