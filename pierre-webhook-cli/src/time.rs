//! Durations and points in time on the command line.

use std::{
    str::FromStr as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::{SignedDuration, Timestamp};

/// Parses `30s`, `10m`, `1h30m` or `250ms`. A bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    Duration::try_from(signed_duration(text)?).map_err(|_| "must not be negative".to_owned())
}

/// Like [`duration`], and accepts negative values such as `-2m`.
pub(crate) fn signed_duration(text: &str) -> Result<SignedDuration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(SignedDuration::from_secs(seconds));
    }
    SignedDuration::from_str(text)
        .map_err(|_| "not a duration such as 30s, 10m or 250ms".to_owned())
}

/// Parses Unix seconds or RFC 3339.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    let read = match text.parse() {
        Ok(seconds) => Timestamp::from_second(seconds),
        Err(_) => Timestamp::from_str(text),
    };
    read.map_err(|_| "neither Unix seconds nor a time such as 2026-03-17T10:00:00Z".to_owned())
}

/// Like [`instant`], in Unix seconds. Rejects times before the epoch, which a signature cannot hold.
pub(crate) fn unix_seconds(text: &str) -> Result<u64, String> {
    let seconds = instant(text)?.as_second();
    seconds.try_into().map_err(|_| "must not be before 1970".to_owned())
}

/// Returns the current Unix time minus `age`.
pub(crate) fn signed_at(age: SignedDuration) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    now.saturating_add_signed(age.as_secs().saturating_neg())
}

/// Converts to milliseconds with two decimal places: loopback answers can take less than one millisecond.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_or_is_in_seconds() {
        for (text, expected) in [
            ("30s", Ok(Duration::from_secs(30))),
            ("10m", Ok(Duration::from_secs(600))),
            ("1h30m", Ok(Duration::from_secs(5400))),
            ("250ms", Ok(Duration::from_millis(250))),
            ("300", Ok(Duration::from_secs(300))),
            ("0", Ok(Duration::ZERO)),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
        assert_eq!(duration("-1s"), Err("must not be negative".to_owned()));
        assert!(duration("soon").unwrap_err().starts_with("not a duration"));
        assert_eq!(signed_duration("-2m"), Ok(SignedDuration::from_secs(-120)));
    }

    #[test]
    fn an_instant_is_unix_seconds_or_rfc_3339() {
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        assert_eq!(instant("1790000000"), Ok(at));
        assert_eq!(instant("2026-09-21T14:13:20Z"), Ok(at));
        assert!(instant("noon").unwrap_err().starts_with("neither"));
        assert_eq!(unix_seconds("5"), Ok(5));
        assert_eq!(unix_seconds("-5"), Err("must not be before 1970".to_owned()));
    }

    #[test]
    fn milliseconds_have_two_decimal_places() {
        assert_eq!(milliseconds(Duration::from_micros(1237)).to_string(), "1.24");
    }
}
