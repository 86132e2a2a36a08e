//! Times and spans as text: seconds, with up to nine digits of a fraction. In nanoseconds otherwise.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const SECOND: i128 = 1_000_000_000;

/// A time that the system's clock can show.
pub(crate) fn parse(text: &[u8]) -> Option<i128> {
    const FIRST: i128 = i64::MIN as i128 * SECOND;
    const END: i128 = (i64::MAX as i128 + 1) * SECOND;

    seconds(text).filter(|time| (FIRST..END).contains(time))
}

pub(crate) fn parse_span(text: &[u8]) -> Option<i128> {
    const END: i128 = (u64::MAX as i128 + 1) * SECOND;

    seconds(text).filter(|span| (0..END).contains(span))
}

pub(crate) fn format(nanoseconds: i128) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (whole, fraction) = (nanoseconds.abs() / SECOND, nanoseconds.abs() % SECOND);
    if fraction == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction:09}") }
}

pub(crate) fn instant(time: i128) -> SystemTime {
    let instant = if time < 0 {
        UNIX_EPOCH.checked_sub(span(-time))
    } else {
        UNIX_EPOCH.checked_add(span(time))
    };
    instant.expect("`parse` keeps to the clock's range")
}

pub(crate) fn span(nanoseconds: i128) -> Duration {
    let seconds = u64::try_from(nanoseconds / SECOND).expect("`parse_span` keeps to the range");
    let fraction = u32::try_from(nanoseconds % SECOND).expect("less than a second");
    Duration::new(seconds, fraction)
}

fn seconds(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    let (is_before, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    // Twenty digits hold every `u64`.
    if whole.len() > 20 || fraction.len() > 9 || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    let time = whole * SECOND + fraction;
    Some(if is_before { -time } else { time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["0", "1790000000", "-1.500000000", "9223372036854775807.999999999"] {
            assert_eq!(parse(text.as_bytes()).map(format).as_deref(), Some(text));
        }
        for text in ["", "-", "+1", "1e3", "9223372036854775808", "-9223372036854775808.5"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            parse_span(b"18446744073709551615").map(format).as_deref(),
            Some("18446744073709551615")
        );
        for text in ["-1", "-0.5", "18446744073709551616"] {
            assert_eq!(parse_span(text.as_bytes()), None, "{text}");
        }
    }
}
