//! How long a record may live: never for ever, and never no time at all.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Rounded up to whole milliseconds, between 10 ms and 10 years: a time that every store can express, and that
/// none takes for "no expiry".
pub(crate) fn bounded(time: Duration) -> Duration {
    let time = time.clamp(SHORTEST, LONGEST);
    match time.subsec_nanos() % 1_000_000 {
        0 => time,
        rest => {
            time.saturating_add(Duration::from_nanos(u64::from(1_000_000_u32.saturating_sub(rest))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_whole_milliseconds_and_never_endless() {
        for (time, expected) in [
            (Duration::ZERO, SHORTEST),
            (Duration::from_nanos(1), SHORTEST),
            (Duration::from_millis(10), SHORTEST),
            (Duration::from_nanos(10_000_001), Duration::from_millis(11)),
            (Duration::from_nanos(59_999_999_999), Duration::from_secs(60)),
            (Duration::from_secs(60), Duration::from_secs(60)),
            (LONGEST, LONGEST),
            (Duration::MAX, LONGEST),
        ] {
            assert_eq!(bounded(time), expected, "{time:?}");
        }
    }
}
