//! Durations that every store can express.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Rounds up to whole milliseconds and clamps to 10 ms..=10 years, so that no store can take the duration for
/// "no expiry".
pub(crate) fn storable(duration: Duration) -> Duration {
    let duration = duration.clamp(SHORTEST, LONGEST);
    match duration.subsec_nanos() % 1_000_000 {
        0 => duration,
        rest => {
            let missing = u64::from(1_000_000_u32.saturating_sub(rest));
            duration.saturating_add(Duration::from_nanos(missing))
        }
    }
}

/// Returns whole milliseconds for a database, after [`storable`].
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(storable(duration).as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_rounded_up_to_whole_milliseconds_and_never_endless() {
        for (duration, expected) in [
            (Duration::ZERO, SHORTEST),
            (Duration::from_nanos(1), SHORTEST),
            (Duration::from_millis(10), SHORTEST),
            (Duration::from_nanos(10_000_001), Duration::from_millis(11)),
            (Duration::from_nanos(59_999_999_999), Duration::from_secs(60)),
            (Duration::from_secs(60), Duration::from_secs(60)),
            (LONGEST, LONGEST),
            (Duration::MAX, LONGEST),
        ] {
            assert_eq!(storable(duration), expected, "{duration:?}");
        }
    }
}
