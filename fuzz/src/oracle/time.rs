//! The times of payloads: the calendar is chrono's.

use std::sync::LazyLock;

use chrono::DateTime;
use regex_lite::Regex;

use super::SECOND;

/// What a text is as a time.
#[derive(Debug, PartialEq)]
pub(super) enum Time {
    /// RFC 3339, in nanoseconds since the epoch.
    At(i128),
    /// May be rejected, or be read as whatever time.
    Either,
    Wrong,
}

/// 9999-12-30T22:00:00.999999999Z, the last that the time type holds.
const LAST: i128 = 253_402_207_200 * SECOND + 999_999_999;

/// Captures the second and the fraction.
static RFC_3339: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:(\d{2})(\.\d+)?(?:Z|[+-]\d{2}:\d{2})"));

/// Other spellings of date, time and offset that ISO 8601 knows. Their numbers are not judged.
static ISO_8601: LazyLock<Regex> = LazyLock::new(|| {
    const DATE: &str =
        r"\d{7,8}|\d{10}|(?:\d{2})?\d{4}-\d{2}-\d{2}|\d{4}-\d{3}|\d{4}-W\d{2}-\d|\d{4}W\d{3}";
    const TIME: &str = r"(?:(?:\d{2}){1,3}|\d{2}(?::\d{2}){1,2})";
    regex(&format!(r"[+−-]?(?:{DATE})[T ]{TIME}(?:[.,]\d+)?(?:Z|[+−-]{TIME})"))
});

fn regex(whole: &str) -> Regex {
    Regex::new(&format!("^(?i:{whole})$")).expect("it is a regular expression")
}

pub(super) fn read(text: &str) -> Time {
    let Some(parts) = RFC_3339.captures(text) else {
        return if ISO_8601.is_match(text) { Time::Either } else { Time::Wrong };
    };
    let Ok(time) = DateTime::parse_from_rfc3339(text) else { return Time::Wrong };
    let nanoseconds =
        i128::from(time.timestamp()) * SECOND + i128::from(time.timestamp_subsec_nanos());
    let has_many_digits = parts.get(2).is_some_and(|fraction| fraction.len() > ".123456789".len());
    if &parts[1] == "60" || has_many_digits || nanoseconds > LAST {
        Time::Either
    } else {
        Time::At(nanoseconds)
    }
}

#[cfg(test)]
#[test]
fn rfc_3339_is_an_instant_other_spellings_are_open_and_all_else_is_wrong() {
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31t23:59:59z", -1),
        ("2024-02-29T12:30:00+02:30", 1_709_200_800),
        ("2024-02-29T07:30:00-02:30", 1_709_200_800),
        ("0000-01-01T00:00:00-00:00", -62_167_219_200),
        ("9999-12-30T22:00:00Z", 253_402_207_200),
    ] {
        assert_eq!(read(text), Time::At(seconds * SECOND), "{text}");
    }
    assert_eq!(read("1970-01-01T00:00:00.05Z"), Time::At(50_000_000));
    let open = "2024-01-20 10:30:00Z|20240120T103000Z|2024-W03-6T10:30Z|2024-01-20T10:30:00+02|\
        +002024-01-20T10Z|2024-01-20T10:30:00,5Z|2024-01-20T10:30:60Z|\
        2024-01-20T10:30:00.1234567890Z|9999-12-31T23:59:59Z";
    for text in open.split('|') {
        assert_eq!(read(text), Time::Either, "{text}");
    }
    let wrong = "|2024-01-20|2024-01-20T10:30:00|2023-02-29T10:30:00Z|2024-01-20T24:00:00Z|\
        \x202024-01-20T10:30:00Z|2024-01-20T10:30:00Z\n|1705746600|2024-01-20T10:30:00+24:00|\
        2024-01-20T10:30:00+00:60|2024-01-20T10:30:00Z[UTC]|2024-01-20T10:30:00.Z|\
        2024-01-20T10:30:61Z|2024-01-00T10:30:00Z|é024-01-20T10:30:00Z";
    for text in wrong.split('|') {
        assert_eq!(read(text), Time::Wrong, "{text}");
    }
}
